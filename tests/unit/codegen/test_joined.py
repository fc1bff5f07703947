"""Conditions without jumps: which operands are evaluated in any case."""

from __future__ import annotations

import pytest

from polysched.analysis import certain_arrays
from polysched.codegen import print_actions
from polysched.codegen.joined import join_conditions
from polysched.frontend import parse_c

CASES = [
    ("b[i] > 2 && c[i] < x", "((b[i] > 2) & (c[i] < x))"),
    ("b[i] || f[i]", "((b[i] != 0) | (f[i] != 0))"),
    ("b[i] && c[i] && b[i] < c[i]", "((b[i] != 0) & (c[i] != 0) & (b[i] < c[i]))"),
    # `s` is short: the sum is an `int` and cannot run over
    ("b[i] && s[i] + s[i] > 3", "((b[i] != 0) & (s[i] + s[i] > 3))"),
    ("b[i] && c[i] + c[i] > 3", "b[i] && c[i] + c[i] > 3"),
    ("b[i] && c[i] / b[i] > 3", "b[i] && c[i] / b[i] > 3"),
    ("b[i] && e[i] > 3", "b[i] && e[i] > 3"),  # may not exist
    ("b[i] && sqrtf(f[i]) > x", "b[i] && sqrtf(f[i]) > x"),
]


@pytest.mark.parametrize(("cond", "expected"), CASES)
def test_operands_that_have_a_value_are_evaluated(
    tmp_path, cond: str, expected: str
) -> None:
    path = tmp_path / "case.c"
    path.write_text(
        "#include <math.h>\nvoid f(int n, int x, const int *b, const int *c, "
        "const short *s, const float *f, const int *e, int *a) {\n#pragma scop\n"
        f"for (int i = 0; i < n; i++) a[i] = {cond} ? 5 : 7;\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(path).scops
    (statement,) = scop.statements
    body = join_conditions(statement.body, {"b", "c", "s", "f", "x"})
    (line,) = print_actions(body)
    assert line == f"a[i] = {expected} ? 5 : 7;"


@pytest.mark.parametrize(
    "cond", ["i > 0 && m[i - 1]", "i == 0 || m[i - 1]", "i > 0 && b[i] > 2 && m[i - 1]"]
)
def test_what_stands_behind_a_question_of_places_is_read_there_alone(
    tmp_path, cond: str
) -> None:
    path = tmp_path / "case.c"
    path.write_text(
        "static int m[50], b[50];\nvoid f(int *a) {\n#pragma scop\n"
        f"for (int i = 0; i < 50; i++) a[i] = {cond} ? 5 : 7;\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(path).scops
    (statement,) = scop.statements
    certain = certain_arrays(scop, statement.name)
    (line,) = print_actions(join_conditions(statement.body, certain))
    assert line == f"a[i] = {cond} ? 5 : 7;"
