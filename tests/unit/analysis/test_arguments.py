"""Extrema and what is kept beside them: choices, and when conditions stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.frontend import parse_c
from polysched.ir import Assign, Guard, Scop, Select

pytestmark = pytest.mark.cc

HEAD = """\
void f(int n, int m, double *restrict s, double A[n][m], int *restrict at,
       float *restrict w, int q[n]) {
"""


def region(directory: Path, body: str) -> Scop:
    file = directory / "arguments.c"
    file.write_text(f"{HEAD}#pragma scop\n{body}\n#pragma endscop\n}}\n")
    return prepare_scop(parse_c(file).scops[0])


def columns(beside: str, before: str = "at[j] = 0;", cond: str = "A[i][j] > s[j]"):
    return (
        f"for (int j = 0; j < m; j++) {{ s[j] = A[0][j]; {before}\n"
        "for (int i = 1; i < n; i++)\n"
        f"if ({cond}) {{ s[j] = A[i][j]; {beside} }} }}"
    )


def choices(scop: Scop) -> list[str]:
    """What statements that choose set, in the order of the source."""
    ordered = sorted(scop.statements, key=lambda s: s.position)
    found = [a for s in ordered for a in s.body if isinstance(a, Assign)]
    return [a.target.array for a in found if isinstance(a.value, Select)]


def guards(scop: Scop) -> int:
    return sum(isinstance(a, Guard) for s in scop.statements for a in s.body)


def test_the_place_is_chosen_before_the_extremum(tmp_path: Path) -> None:
    scop = region(tmp_path, columns("at[j] = i;"))
    assert choices(scop) == ["at", "s"]
    assert not guards(scop)
    chosen = next(s for s in scop.statements if s.name == "S3")
    assert {(a.array, a.kind) for a in chosen.accesses} == {
        ("A", "read"), ("s", "read"), ("at", "read"), ("at", "must_write"),
    }  # fmt: skip


def test_all_that_is_kept_beside_has_a_statement(tmp_path: Path) -> None:
    body = columns("at[j] = i; w[j] = A[i][j] / 2;", "at[j] = 0; w[j] = 0;")
    assert choices(region(tmp_path, body)) == ["at", "w", "s"]


@pytest.mark.parametrize("cond", ["s[j] < A[i][j]", "A[i][j] <= s[j]"])
def test_comparisons_of_either_side(tmp_path: Path, cond: str) -> None:
    assert choices(region(tmp_path, columns("at[j] = i;", cond=cond))) == ["at", "s"]


def test_private_places_need_not_be_written_before(tmp_path: Path) -> None:
    scop = region(
        tmp_path,
        "for (int j = 0; j < m; j++) { int place; s[j] = A[0][j];\n"
        "for (int i = 1; i < n; i++)\n"
        "if (A[i][j] > s[j]) { s[j] = A[i][j]; place = i; }\n"
        "if (s[j] > A[0][j]) at[j] = place; }",
    )
    assert choices(scop) == ["place", "s"]


@pytest.mark.parametrize(
    ("beside", "before"),
    [
        ("at[j] = i;", ""),  # nobody says that at[j] exists otherwise
        ("at[j] = (int)s[j];", "at[j] = 0;"),  # of the new extremum
        ("at[j] = at[j] + i;", "at[j] = 0;"),
        ("at[q[i]] = i;", "at[j] = 0;"),
        ("at[j] += i;", "at[j] = 0;"),  # a sum has a statement of its own anyhow
    ],
)
def test_conditions_that_stay(tmp_path: Path, beside: str, before: str) -> None:
    scop = region(tmp_path, columns(beside, before))
    assert not choices(scop)
    assert guards(scop)


def test_a_single_maximum_stays_as_it_is(tmp_path: Path) -> None:
    scop = region(
        tmp_path,
        "s[0] = A[0][0]; at[0] = 0; for (int j = 1; j < m; j++)\n"
        "if (A[0][j] > s[0]) { s[0] = A[0][j]; at[0] = j; }",
    )
    assert not choices(scop)


def test_a_condition_on_something_else_stays(tmp_path: Path) -> None:
    scop = region(tmp_path, columns("at[j] = i;", cond="A[i][j] > 0"))
    assert not choices(scop)
