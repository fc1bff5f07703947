"""Sweeps that begin where the one before has ended: text, loops, which are turned."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.base import PolyschedError
from polysched.ir import Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import (
    Draft,
    PlanShape,
    TurnBack,
    apply_script,
    parse_script,
)
from polysched.transform import plan_script as plan
from tests.unit.codegen.test_registers import HELD, PRODUCT, check, program, text_of
from tests.unit.transform.test_plan import CPU

JAMMED = PlanShape(jam=True)


def sweeps(n: int, first: str = "A[i][j] = A[i][j] + u[i] * v[j]") -> Scop:
    """A matrix is changed, then summed up row by row."""
    b = ScopBuilder("sweeps")
    b.array("A", f"double[{n}][{n}]")
    for name in ("u", "v", "w"):
        b.array(name, f"double[{n}]")
    box = f"0 <= i < {n} and 0 <= j < {n}"
    b.statement("i, j", box, first, position=(0, 0, 0))
    b.statement("i, j", box, "w[i] = w[i] + A[i][j] * v[j]", position=(1, 0, 0))
    return b.build()


def planned(scop: Scop) -> Draft:
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    draft = plan(tree, scop, deps, CPU, JAMMED)
    assert find_violation(draft.tree, deps, scop) is None
    return draft


def test_text_and_value_are_the_same() -> None:
    script = parse_script("turn_back(band=0.1.0)")
    assert script == (TurnBack((0, 1, 0)),)
    assert str(script[0]) == "turn_back(band=0.1.0)"


def rows_of(cache: int) -> int:
    """Rows of a square matrix of doubles as large as so many caches."""
    return int((cache * CPU.l3_bytes / 8) ** 0.5) // 16 * 16


def test_a_sweep_over_what_the_cache_holds_in_part_is_turned_back() -> None:
    steps = planned(sweeps(rows_of(1))).steps
    assert isinstance(steps[-1], TurnBack)


@pytest.mark.parametrize(
    "scop",
    [
        sweeps(rows_of(1) // 2),  # all of it is still there
        sweeps(rows_of(8)),  # next to nothing is
        sweeps(rows_of(1), "u[i] = u[i] + v[j]"),  # not over the matrix
    ],
)
def test_other_sweeps_begin_at_the_first_row(scop: Scop) -> None:
    assert not any(isinstance(s, TurnBack) for s in planned(scop).steps)


@pytest.mark.parametrize(
    "script",
    [
        "turn_back(band=0.0.0)",
        "parallel(band=0.0.0, dynamic=true); turn_back(band=0.0.0.0)",
    ],
)
def test_only_a_plain_shared_loop_is_turned(script: str) -> None:
    with pytest.raises(PolyschedError, match="found no mark parallel"):
        apply_script(original_tree(sweeps(64)), parse_script(script))


BACK = HELD.replace("registers", "parallel(band=0); registers").replace(
    "registers(band=0,", "registers(band=0.0,"
)


def test_threads_take_tiles_in_turn_from_the_end(tmp_path) -> None:
    text = text_of(program(PRODUCT), BACK + "; turn_back(band=0.0)", tmp_path)
    assert "schedule(static, 1)" in text
    assert "t1 -= 2" in text


def test_results_are_equal() -> None:
    check(program(PRODUCT), BACK + "; turn_back(band=0.0)")
