"""Constraints of objectives that cannot be met are given up, and said to be."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.base import Deadline, InfeasibleError
from polysched.ilp import Linear
from polysched.schedule import (
    LEXICON,
    Forms,
    MachineFacts,
    ModelOptions,
    ScheduleModel,
    objective,
)
from tests.unit import scops
from tests.unit.schedule.programs import single
from tests.unit.schedule.solving import solve, text, values

MANY_CORES = MachineFacts(n_cores=64, vector_lanes=8)
UP = single("i j", "r A[i - 1, j]", "w A[i, j]")


@pytest.mark.parametrize(
    ("shape", "given_up"),
    [
        ("lower", ("SPC skew",)),  # its outermost row is a unit vector
        ("upper", ("SPC diagonal",)),  # its rows shrink inwards, unimodular
    ],
)
def test_spc_gives_up_what_a_shape_of_rows_cannot_have(shape, given_up) -> None:
    program = scops.gauss_seidel()
    solved = solve(program, "SPC MIC", shape)
    assert solved.given_up == given_up
    assert find_violation(solved.tree, compute_dependences(program), program) is None


def test_spc_keeps_its_time_shift_where_it_gives_up_the_skew() -> None:
    solved = solve(scops.jacobi_1d(), "SPC MIC", "lower")
    assert solved.given_up == ("SPC skew",)
    shifts = [solved.rows[name].linear[0].constant for name in ("S0", "S1")]
    assert shifts == [0, 1]


def test_spc_asks_for_no_skew_where_cores_matter_more_than_vectors() -> None:
    assert solve(scops.jacobi_1d(), "SPC MIC", "lower", MANY_CORES).given_up == ()


@pytest.mark.parametrize("shape", ["unit", "lower"])
def test_spc_shifts_by_a_vector_in_space_where_cores_matter_more(shape) -> None:
    program = scops.jacobi_1d()
    dependences = compute_dependences(program)
    options = ModelOptions(shape=shape)
    model = ScheduleModel(program, dependences, options=options, machine=MANY_CORES)
    forms = LEXICON["SPC"].forms(model) + LEXICON["MIC"].forms(model)
    rows = model.read_rows(model.problem.lexmin(forms, Deadline()).values)
    first, second = (rows[name].linear[1].constant for name in ("S0", "S1"))
    assert second - first == 8


def test_one_iterator_per_row_is_given_up_only_where_something_better_needs_two(
    open_lexicon: None,
) -> None:
    @objective("TWO", "a first row of two iterators")
    def two(model: ScheduleModel) -> Forms:
        row = Linear.total(list(model.row_form("S0", 0).values()))
        row.constant = -2
        model.problem.require_nonnegative(row, "TWO")
        return []

    for name in ("OPIR", "ADA"):
        plain = solve(UP, f"{name} MIC", "upper")
        assert plain.given_up == ()
        skewed = solve(UP, f"TWO {name} MIC", "upper")
        assert skewed.given_up == (f"{name} one iterator per row",)
        assert sum(skewed.rows["S0"].linear[0].coefficients) >= 2


def test_of_two_objectives_that_exclude_each_other_the_later_gives_way(
    open_lexicon: None,
) -> None:
    def first_row_is(name: str, iterator: int) -> None:
        @objective(name, "an iterator outermost")
        def forms(model: ScheduleModel) -> Forms:
            theta = model.theta["S0", 0, iterator]
            model.problem.require_nonnegative(Linear({theta: 1}, -1), name)
            model.soft_groups.append(name)
            return []

    first_row_is("I_FIRST", 0)
    first_row_is("J_FIRST", 1)
    one = solve(UP, "I_FIRST J_FIRST MIC")
    assert (text(one), one.given_up) == ("S0: 0 i 0 j 0", ("J_FIRST",))
    other = solve(UP, "J_FIRST I_FIRST MIC")
    assert (text(other), other.given_up) == ("S0: 0 j 0 i 0", ("I_FIRST",))


def test_rows_that_may_not_be_given_up_make_a_recipe_infeasible(
    open_lexicon: None,
) -> None:
    @objective("NEVER", "what no schedule has")
    def never(model: ScheduleModel) -> Forms:
        model.problem.require_nonnegative(Linear({}, -1), "NEVER")
        return []

    with pytest.raises(InfeasibleError, match="no schedule satisfies"):
        solve(UP, "NEVER SDO MIC")


def test_feasible_recipes_give_nothing_up() -> None:
    solved = solve(scops.jacobi_1d(), "SDO SIS DGF SDC FPP MIC", "lower")
    assert solved.given_up == ()
    assert values(solved)["SDC row 0"] == 4
    assert text(solved) != text(solve(scops.jacobi_1d(), "MIC", "lower"))
