"""Where innermost loops are cut for the conditions in them, and where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree
from polysched.transform import PlanShape, Split, plan_script
from tests.unit.space.made import MACHINE


def scop_of(body: str, directory: Path) -> Scop:
    path = directory / "case.c"
    path.write_text(
        f"void f(int n, double x[100][100], double y[100][100]) {{\n"
        f"#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    return parse_c(path).scops[0]


def planned_cuts(scop: Scop, shape: PlanShape | None = None) -> list[tuple[str, ...]]:
    deps = compute_dependences(scop)
    tree = original_tree(scop)
    draft = plan_script(tree, scop, deps, MACHINE.cpu, shape or PlanShape())
    assert find_violation(draft.tree, deps, scop) is None
    assert draft.tree.map.is_injective()
    return [s.cuts for s in draft.steps if isinstance(s, Split)]


def nest(line: str, last: str = "n") -> str:
    return (
        "for (int i = 0; i < n; i++)\n"
        f"    for (int j = 0; j < {last}; j++)\n        {line}"
    )


@pytest.mark.parametrize(
    ("body", "cuts"),
    [
        (nest("y[i][j] = j > 0 ? x[i][j - 1] : x[i][0];"), ("1",)),
        (nest("y[i][j] = x[i][j < n - 1 ? j + 1 : j];"), ("-1 + n",)),
        (nest("y[i][j] = x[i][(j + 99) % 100] + x[i][(j + 1) % 100];", "100"),
         ("1", "99")),
        (nest("y[i][j] = j < i ? x[i][j] : x[j][i];"), ("c0",)),
        (nest("y[i][j] = j > 2 ? x[i][j] : j > 0 ? x[j][i] : x[j][j];"), ("3",)),
        (nest("y[i][j] = j == 50 ? x[i][j] : x[j][i];", "60"), ("50",)),
    ],
)  # fmt: skip
def test_the_longest_part_with_one_answer_is_cut_out(
    body: str, cuts: tuple[str, ...], tmp_path: Path
) -> None:
    assert planned_cuts(scop_of(body, tmp_path)) == [cuts]


@pytest.mark.parametrize(
    "body",
    [
        nest("y[i][j] = i > 0 ? x[i - 1][j] : x[0][j];"),  # of the outer loop
        nest("y[i][j] = x[i][j % 2];"),
        nest("y[i][j] = x[i][j] > 0 ? x[i][j] : 0.5;"),
        nest("y[i][j] = j > 0 ? x[i][j - 1] : x[i][0];", "12"),  # short
    ],
)
def test_loops_that_gain_nothing_stay_whole(body: str, tmp_path: Path) -> None:
    assert planned_cuts(scop_of(body, tmp_path)) == []


def test_rows_are_cut_rather_than_copied(tmp_path: Path) -> None:
    """Copies would share loads, but ask for the border at every point."""
    body = nest("y[i][j] = x[i][j] + x[(i + 1) % 100][j] + x[i][(j + 1) % 100];", "100")
    shape = PlanShape(jam=True)
    assert planned_cuts(scop_of(body, tmp_path), shape) == [("99",)]


def test_a_shared_loop_keeps_its_mark(tmp_path: Path) -> None:
    body = "for (int j = 0; j < n; j++) y[0][j] = j > 0 ? x[0][j - 1] : x[0][0];"
    assert planned_cuts(scop_of(body, tmp_path)) == []


def test_a_sequential_loop_is_cut_too(tmp_path: Path) -> None:
    body = "for (int j = 0; j < n; j++) y[0][0] += j > 0 ? x[0][j - 1] : x[0][0];"
    shape = PlanShape(threads=False)
    assert planned_cuts(scop_of(body, tmp_path), shape) == [("1",)]
