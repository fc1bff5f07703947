"""Which loops only accumulate, and whose terms may come in another order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.analysis import (
    Dependences,
    allow_reordering,
    compute_dependences,
    find_accumulation,
    find_freedom,
    find_violation,
    loop_is_parallel,
    set_band_flags,
)
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import Accumulate

SQUARE = "0 <= i < n and 0 <= j < n"
BELOW = "0 <= i < n and 0 <= j < i"


def rows(text: str, type_: str = "double", where: str = SQUARE, *more: str) -> Scop:
    """Statements in the loops i and j over arrays of one type."""
    b = ScopBuilder("rows", ["n"])
    b.array("s", type_)
    b.array("x", f"{type_}[]")
    b.array("y", f"{type_}[]")
    b.array("A", f"{type_}[][]")
    for k, one in enumerate((text, *more)):
        b.statement("i,j", where, one, position=(0, 0, k))
    return b.build()


def allowed(program: Scop, fp: str = "reassociate") -> tuple[ScheduleTree, Dependences]:
    deps = allow_reordering(compute_dependences(program), program, fp)
    return set_band_flags(original_tree(program), deps), deps


def accumulates(program: Scop, fp: str = "reassociate") -> bool:
    """Whether the inner loop does; the step and the proof of the tree must agree."""
    tree, deps = allowed(program, fp)
    found = find_accumulation(tree.node((0, 0)), 0, deps)
    step = Accumulate((0, 0), 0)
    if step.find_misfit(tree) is None:
        assert (step.check(tree, deps) is None) == (found is not None)
        violation = find_violation(step.apply(tree), deps, program)
        is_free = loop_is_parallel(tree.node((0, 0)), 0, deps.validity)
        assert (violation is None) == (found is not None or is_free)
    return found is not None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("y[i] += A[i][j] * x[j]", SQUARE),
        ("y[i] -= A[i][j] * x[j]", SQUARE),
        ("y[i] = fmax(y[i], A[i][j])", SQUARE),
        ("s += A[i][j]", SQUARE),
        ("x[i] -= A[i][j] * x[j]", BELOW),  # x[j] is complete before
        ("A[i][i] -= A[i][j] * A[i][j]", BELOW),
    ],
)
def test_sums_along_a_loop(text: str, where: str) -> None:
    assert accumulates(rows(text, "double", where))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("y[j] += A[i][j] * x[i]", SQUARE),  # another element each time
        ("x[i] = x[i] * 0.5 + A[i][j]", SQUARE),  # not associative
        ("x[i] -= A[i][j] * x[j]", SQUARE),  # x[i] itself is a term
        ("y[i] = A[i][j]", SQUARE),  # the last one counts
        ("y[j / 2] += A[i][j]", SQUARE),  # two elements in turn
        ("A[i][j] = A[i][j - 1] + x[j]", "0 <= i < n and 0 < j < n"),  # all sums
    ],
)
def test_what_is_no_sum(text: str, where: str) -> None:
    assert not accumulates(rows(text, "double", where))


@pytest.mark.parametrize(
    ("type_", "text", "strict"),
    [
        ("double", "y[i] += A[i][j]", False),
        ("float", "y[i] = fmax(y[i], A[i][j])", False),  # NaN, and the sign of zero
        ("int", "y[i] += A[i][j]", True),
        ("short", "y[i] *= A[i][j]", True),
        ("int", "y[i] = A[i][j] if A[i][j] > y[i] else y[i]", True),
        ("_Bool", "y[i] -= A[i][j]", False),  # does not wrap
        ("double", "y[i] = fmax(y[i], fabs(A[i][j]))", True),
        ("double", "y[i] = fmax(A[i][j] * A[i][j], y[i])", True),
        ("double", "y[i] = fmin(y[i], fabs(A[i][j]))", False),  # of NaN and infinity
        ("double", "y[i] = fmax(y[i], fabs(A[i][j]) - x[j])", False),  # below 0
        ("float", "y[i] = fabsf(x[j]) if fabsf(x[j]) > y[i] else y[i]", True),
        ("float", "y[i] = fabsf(x[j]) if y[i] > fabsf(x[j]) else y[i]", True),
        ("float", "y[i] = y[i] if y[i] > fabsf(x[j]) else fabsf(x[j])", False),  # NaN
        ("double", "y[i] = x[j] + 1.0 if x[j] + 1.0 > y[i] else y[i]", True),
        ("double", "y[i] = x[j] * 1.0 if x[j] * 1.0 > y[i] else y[i]", False),
        ("double", "y[i] = -fabs(x[j]) if -fabs(x[j]) > y[i] else y[i]", False),
        ("double", "y[i] = x[j] * x[i] if x[j] * x[i] > y[i] else y[i]", False),
        ("float", "y[i] = x[j] + 1.0 if x[j] + 1.0 > y[i] else y[i]", False),  # rounded
        ("float", "y[i] = fabs(x[j]) if fabs(x[j]) > y[i] else y[i]", True),
    ],
)
def test_strict_reorders_what_keeps_its_bits(
    type_: str, text: str, strict: bool
) -> None:
    assert accumulates(rows(text, type_), "strict") == strict


def test_two_statements_in_one_loop_are_left_alone() -> None:
    program = rows("y[i] += A[i][j]", "double", SQUARE, "x[i] += A[i][j] * y[i]")
    assert not accumulates(program)


def test_an_outer_loop_does_not_accumulate() -> None:
    program = rows("s += A[i][j]")
    tree, deps = allowed(program)
    assert find_accumulation(tree.node((0,)), 0, deps) is None
    reason = Accumulate((0,), 0).check(tree, deps)
    assert reason is not None
    assert "more than one statement" in reason


def test_a_mark_without_permission_is_a_violation_with_a_witness() -> None:
    program = rows("y[i] += A[i][j]")
    tree, deps = allowed(program, "strict")
    marked = Accumulate((0, 0), 0).apply(tree)
    violation = find_violation(marked, deps, program)
    assert violation is not None
    assert violation.element == "y[0]"
    assert "the accumulate loop leaves their order open" in violation.reason


@pytest.mark.parametrize("fp", ["strict", "promised", "reassociate"])
def test_a_sum_without_a_promised_order_is_free_unless_order_is_asked_for(fp) -> None:
    program = rows("s[i] += A[i][j]", "double", SQUARE, "y[i] += A[j][i]")
    first, second = program.statements
    program = replace(program, statements=(first, replace(second, is_unordered=True)))
    deps = allow_reordering(compute_dependences(program), program, fp)
    free = {"strict": [], "promised": ["S1"], "reassociate": ["S0", "S1"]}
    assert [r.statement for r in deps.reductions] == free[fp]
    assert find_freedom(deps, program) == fp


@pytest.mark.parametrize(
    ("type_", "freedom"),
    [("float", "tf32"), ("double", "reassociate"), ("int", "strict")],
)
def test_factors_of_floats_may_be_rounded_where_that_is_allowed(
    type_: str, freedom: str
) -> None:
    program = rows("y[i] += A[i][j]", type_)
    deps = allow_reordering(compute_dependences(program), program, "tf32")
    assert [r.statement for r in deps.reductions] == ["S0"]
    assert deps.may_round
    assert find_freedom(deps, program) == freedom
