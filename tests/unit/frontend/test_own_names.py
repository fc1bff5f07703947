"""Names that inner blocks declare again do not stand in the way."""

import pytest

pytestmark = pytest.mark.cc

FRAME = """
double A[30], B[99];
void f(int n, double *p) {{
#pragma scop
  {body}
#pragma endscop
}}
"""
CASES = {
    "a size behind a block with another one": (
        "int len = n; { int len = 3; A[len] = 0; }\n"
        "  for (int i = 0; i < len; i++) A[i] = 1;"
    ),
    "a jump out of a block that hides a size": (
        "for (int i = 0; i < 9; i++) { { int n = 2; if (i > n) continue; } A[i] = n; }"
    ),
    "a counter behind loops of its name": (
        "for (int s = 0; s < n; s++)\n    for (int k = 0; k < 20; k++) A[k] += B[s];"
        "\n  int k = 0;\n  while (k < 20) {\n    A[k] = A[k] / 2;\n    k++;\n  }"
    ),
    "a pointer that hides one": (
        "for (int i = 0; i < n; i++) {\n    double *q = p + i;\n"
        "    { double *p = q + 1; *p += i; p++; *p *= .5; }\n  }"
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_names_declared_twice(parse, case):
    assert not parse(FRAME.format(body=CASES[case])).refusals


def test_what_is_refused_is_told_by_its_own_name(parse):
    body = (
        "for (int k = 0; k < n; k++) A[k] = 1;\n"
        "  for (int k = 1; k < n; k *= k) A[k] = 2;"
    )
    (refusal,) = parse(FRAME.format(body=body)).refusals
    assert "k_0" not in refusal.message
    assert refusal.where.line == 6
