"""Values of counters that somebody may read behind a region are told from others."""

import pytest

pytestmark = pytest.mark.cc

LOOP = """
#pragma scop
for (i = 0; i < n; i++) x[i] = 1;
#pragma endscop
"""
FRAME = """
double x[9]; int other(int); int k;
int f(int n, int m) {{
  int i;
  {body}
  return {result};
}}
"""
READ = {
    "behind a switch that the case leaves": (
        f"switch (m) {{ case 1: {{ {LOOP} }} break; default: i = 3; }}",
        "i",
    ),
    "in the next case": (f"switch (m) {{ case 1: {{ {LOOP} }} case 2: k = i; }}", "0"),
    "in a switch": (f"{LOOP} switch (m) {{ case 1: k = i; break; }}", "0"),
    "behind a loop that is left": (
        f"for (;;) {{ {LOOP} if (other(m)) break; i = 3; other(i); }}",
        "i",
    ),
    "in the next turn": (
        f"i = 0; while (other(i)) {{ {LOOP} if (other(m)) continue; i = 3; }}",
        "0",
    ),
}
DEAD = {
    "set again": (f"{LOOP} i = 3;", "i"),
    "set in both branches": (f"{LOOP} if (m) i = 3; else i = 4;", "i"),
    "set by a loop around a switch": (
        "for (int t = 0; t < m; t++) { for (int j = 0; j < m; j++) for (i = 0; i < m; "
        f"i++) {{ switch (m) {{ case 1: k += i; break; }} }} {LOOP} }}",
        "0",
    ),
    "set by a loop that an inner one leaves": (
        "for (int t = 0; t < m; t++) { for (int j = 0; j < m; j++) { for (;;) { if "
        f"(other(j)) break; }} i = 2; k += i; }} {LOOP} }}",
        "0",
    ),
}


@pytest.mark.parametrize("case", READ)
def test_last_values_that_are_read(parse, case):
    body, result = READ[case]
    (refusal,) = parse(FRAME.format(body=body, result=result)).refusals
    assert "'i' is read after the scop" in refusal.message


@pytest.mark.parametrize("case", DEAD)
def test_last_values_that_nobody_reads(parse, case):
    body, result = DEAD[case]
    assert not parse(FRAME.format(body=body, result=result)).refusals
