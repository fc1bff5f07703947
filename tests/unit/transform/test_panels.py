"""Columns are taken from later ones block by block, panels of them in the caches."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.ir import ScheduleTree, Scop
from polysched.testing import ScopBuilder
from polysched.transform import (
    Draft,
    Parallel,
    PlanShape,
    Registers,
    Tile,
    plan_script,
)
from tests.unit.transform.test_plan import CPU

PANELS = PlanShape(jam=True, panels=True)


def columns(n: int, update: str = "A[i][j] - Q[i][k] * R[k][j]") -> Scop:
    """Every column is scaled, and what it has in common with later ones taken off."""
    b = ScopBuilder("columns")
    for name in "AQR":
        b.array(name, f"double[{n}][{n}]")
    rows = f"0 <= k < {n} and 0 <= i < {n}"
    later = f"{rows} and k < j < {n}"
    b.statement("k, i", rows, "Q[i][k] = A[i][k] / 3.0", position=(0, 0, 0))
    b.statement("k, j, i", later, "R[k][j] += Q[i][k] * A[i][j]", position=(0, 1, 0, 0))
    b.statement("k, j, i", later, f"A[i][j] = {update}", position=(0, 1, 1, 0))
    return b.build()


TREE = """{ domain: "%s", child: { schedule: "[
  { S0[k, i] -> [k]; S1[k, j, i] -> [k]; S2[k, j, i] -> [k] },
  { S0[k, i] -> [k]; S1[k, j, i] -> [j]; S2[k, j, i] -> [j] }]", permutable: 1,
  child: { sequence: [
    { filter: "{ S0[k, i] }", child: { schedule: "[{ S0[k, i] -> [i] }]" } },
    { filter: "{ S1[k, j, i] }", child: { schedule: "[{ S1[k, j, i] -> [i] }]" } },
    { filter: "{ S2[k, j, i] }", child: { schedule: "[{ S2[k, j, i] -> [i] }]" } }]
  } } }"""


def planned(scop: Scop, text: str = TREE) -> Draft:
    deps = compute_dependences(scop)
    tree = ScheduleTree.parse(" ".join((text % scop.domain).split()))
    draft = plan_script(set_band_flags(tree, deps), scop, deps, CPU, PANELS)
    assert find_violation(draft.tree, deps, scop) is None
    return draft


def test_threads_share_panels_behind_a_block() -> None:
    steps = planned(columns(1200)).steps
    assert [s.sizes for s in steps if isinstance(s, Tile)] == [(32, 0), (8, 0)]
    shared = [s for s in steps if isinstance(s, Parallel)]
    assert [(s.band, s.dynamic) for s in shared] == [((0, 0, 0, 1, 0, 0), False)]
    assert [s.band for s in steps if s.name == "shift"] == [(0, 0, 0, 1, 0, 0, 0)]
    assert sum(s.name == "jam" for s in steps) == 3


@pytest.mark.parametrize(
    "scop", [columns(100), columns(1200, "A[i][j - 1] - Q[i][k] * R[k][j]")]
)
def test_few_columns_or_columns_that_wait_are_left(scop: Scop) -> None:
    assert not planned(scop).steps


def triangle(n: int, element: str = "L[i][j]") -> Scop:
    """The solution of a triangular system, rows one after the other."""
    b = ScopBuilder("triangle")
    b.array("L", f"double[{n}][{n}]")
    b.array("x", f"double[{n}]")
    rows = f"0 <= i < {n}"
    update = f"x[i] -= {element} * x[j]"
    b.statement("i, j", f"{rows} and 0 <= j < i", update, position=(0, 0, 0))
    b.statement("i", rows, "x[i] = x[i] / L[i][i]", position=(0, 1, 0))
    return b.build()


ROWS = """{ domain: "%s", child: { schedule: "[
  { S0[i, j] -> [j]; S1[i] -> [i] }, { S0[i, j] -> [i]; S1[i] -> [i] }]",
  permutable: 1, child: { sequence: [
    { filter: "{ S0[i, j] }" }, { filter: "{ S1[i] }" }] } } }"""


def test_threads_share_the_rows_of_a_block_up_to_it() -> None:
    steps = planned(triangle(2000), ROWS).steps
    assert [s.sizes for s in steps if isinstance(s, Tile)] == [(0, 128)]
    shared = [s for s in steps if isinstance(s, Parallel)]
    assert [(s.band, s.dynamic) for s in shared] == [((0, 0, 0, 0, 0), False)]
    held = [s for s in steps if isinstance(s, Registers)]
    assert [(s.band, s.ahead) for s in held] == [((0, 0, 0, 0, 0, 0), 16)]


def test_threads_share_rows_behind_a_block_of_columns_that_lie_in_rows() -> None:
    steps = planned(triangle(2000, "L[j][i]"), ROWS).steps
    tiles = [(s.band, s.sizes) for s in steps if isinstance(s, Tile)]
    behind = (0, 0, 0, 1, 0)
    assert tiles == [((0,), (128, 0)), (behind, (0, 944))]
    assert [s.band for s in steps if s.name == "parallel"] == [(*behind, 0)]
