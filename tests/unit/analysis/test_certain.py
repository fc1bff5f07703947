"""What may be read ahead of a condition, and what may not exist there."""

from __future__ import annotations

import pytest

from polysched.analysis import certain_arrays
from polysched.frontend import parse_c

CASES = {
    # a second statement writes all of them
    "written": ("b[i] = 1;", "i > 0 && a[i] > 2 && b[i] > 1", "int n", {"a", "b"}),
    "read anyway": ("c[0] = b[i + 1];", "a[i] && b[i + 1]", "int n", {"a", "b"}),
    "only under a condition": ("c[0] = 0;", "a[i] && b[i + 1]", "int n", {"a"}),
    "one further": ("b[i] = 1;", "a[i] && b[i + 1]", "int n", {"a"}),
    "data choose": ("c[a[i]] = 0;", "a[i] && b[a[i]]", "int n", {"a"}),
}


@pytest.mark.parametrize("case", CASES)
def test_only_what_is_accessed_in_any_case(tmp_path, case: str) -> None:
    beside, cond, head, expected = CASES[case]
    path = tmp_path / "case.c"
    path.write_text(
        f"void f({head}, const int *a, int *b, int *c, int *d) {{\n#pragma scop\n"
        f"for (int i = 0; i < n; i++) {{ d[i] = a[i]; {beside} "
        f"if ({cond}) c[i] = 1; }}\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(path).scops
    last = scop.statements[-1]
    assert certain_arrays(scop, last.name) & {"a", "b"} == expected


def test_objects_of_known_size_end_where_they_are_declared(tmp_path) -> None:
    path = tmp_path / "case.c"
    path.write_text(
        "static int a[9], b[9], c[9];\nvoid f(void) {\n#pragma scop\n"
        "for (int i = 0; i < 9; i++) if (c[i] && b[i] && (i == 8 || a[i + 1]))"
        " c[i] = 1;\n#pragma endscop\n}\n"
    )
    (scop,) = parse_c(path).scops
    (statement,) = scop.statements[-1:]
    assert {"b", "c"} <= certain_arrays(scop, statement.name)
