"""Conflicts of pins are irreducible, name facts, and say what stands in the way."""

from __future__ import annotations

import pytest

from polysched.analysis import (
    Dependences,
    compute_dependences,
    find_violation,
    loop_carriers,
    loop_is_parallel,
)
from polysched.base import ConflictError, Deadline, InfeasibleError
from polysched.ir import Scop
from polysched.schedule import (
    Conflict,
    PinConflictError,
    PinParallel,
    Recipe,
    Solved,
    cut_dependences,
    parse_pin,
    parse_pins,
    price_pin,
    solve_recipe,
    statement_levels,
)
from polysched.schedule.conflict import find_obstacles
from tests.unit import scops
from tests.unit.schedule.test_pins import mixed, shifted
from tests.unit.scops import statement


def solve(program: Scop, dependences: Dependences, pins, objectives="MIC") -> Solved:
    recipe = Recipe(tuple(objectives.split()), pins=tuple(pins))
    return solve_recipe(program, dependences, recipe, Deadline.after(60))


def refuse(program: Scop, *pins: str) -> Conflict:
    """The conflict of pins that cannot be obeyed, proven irreducible."""
    with pytest.raises(PinConflictError) as caught:
        solve(program, compute_dependences(program), parse_pins(pins))
    assert caught.value.is_irreducible
    assert caught.value.groups == caught.value.conflict.names
    assert all(name in caught.value.message for name in caught.value.groups)
    return caught.value.conflict


def named_in(groups) -> set[str]:
    """The dependences of a conflict's groups; kind, array and ends tell them apart."""
    return {str(d) for g in groups for d in g.dependences}


def only(dependences: Dependences, kept: set[str]) -> Dependences:
    """Those dependences alone."""
    items = tuple(d for d in dependences.items if str(d) in kept)
    return Dependences(items, dependences.context)


def without(dependences: Dependences, gone: set[str]) -> Dependences:
    return only(dependences, {str(d) for d in dependences.items} - gone)


def recurrence() -> Scop:
    return scops.scop(
        "recurrence",
        statement(
            "S0",
            "[n] -> { S0[i] : 0 < i < n }",
            (0, 0),
            "r [i] -> A[i - 1]",
            "w [i] -> A[i]",
        ),
    )


def two_recurrences() -> Scop:
    """Either array alone keeps the loop sequential."""
    return scops.scop(
        "two_recurrences",
        statement(
            "S0",
            "[n] -> { S0[i] : 2 < i < n }",
            (0, 0),
            "r [i] -> A[i - 1]",
            "r [i] -> B[i - 3]",
            "w [i] -> A[i]",
            "w [i] -> B[i]",
        ),
    )


def mirrored() -> Scop:
    """The consumer reads the producer's array backwards."""
    return scops.scop(
        "mirrored",
        statement("S0", "[n] -> { S0[i] : 0 <= i < n }", (0, 0), "w [i] -> A[i]"),
        statement(
            "S1",
            "[n] -> { S1[i] : -n < i <= 0 }",
            (1, 0),
            "r [i] -> A[-i]",
            "w [i] -> B[i]",
        ),
    )


REFUSED = {
    "recurrence": (recurrence, ["parallel:S0.0"]),
    "two arrays": (two_recurrences, ["parallel:S0.0"]),
    "seidel": (scops.gauss_seidel, ["parallel:S0.0"]),
    "jacobi": (scops.jacobi_1d, ["parallel:S0.0"]),
    "jacobi 2d": (scops.jacobi_2d, ["skew<=3", "parallel:S1.0"]),
    "reduction": (scops.gemm, ["parallel:S1.0", "row:S1.0=k", "skew<=1"]),
    "vector": (recurrence, ["vector:S0=i"]),
    "fused recurrence": (mixed, ["parallel:S0.0", "fuse:S0,S1@1"]),
    "mirrored": (mirrored, ["fuse:S0,S1@1"]),
    "fuse and separate": (scops.gemm, ["fuse:S0,S1@2", "separate:S0,S1@1"]),
    "two rows": (scops.gemm, ["row:S1.0=j", "row:S1.0=k"]),
    "unskewed wave": (scops.jacobi_1d, ["row:S0.1=2t+i", "skew<=1"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_without_any_one_of_the_groups_the_rest_can_be_had(case: str) -> None:
    make, pins = REFUSED[case]
    program = make()
    dependences = compute_dependences(program)
    conflict = refuse(program, *pins)
    by_name = {f"pin {p}": p for p in parse_pins(pins)}
    named_pins = [by_name[g.name] for g in conflict.groups if g.kind == "pin"]
    named = named_in(conflict.groups)
    assert {g.kind for g in conflict.groups} <= {"pin", "dependence"}
    with pytest.raises(ConflictError):
        solve(program, only(dependences, named), named_pins)
    for group in conflict.groups:
        fewer = [p for p in named_pins if f"pin {p}" != group.name]
        left = named - named_in([group])
        solve(program, only(dependences, left), fewer)


def test_fuse_and_separate_exclude_each_other_without_any_dependence() -> None:
    conflict = refuse(scops.gemm(), "fuse:S0,S1@2", "separate:S0,S1@1", "row:S1.0=i")
    assert conflict.names == ("pin fuse:S0,S1@2", "pin separate:S0,S1@1")
    assert "exclude each other" in str(conflict)


def test_message_names_kind_array_loop_and_a_pair_of_instances() -> None:
    conflict = refuse(recurrence(), "parallel:S0.0")
    assert str(conflict) == (
        "pin parallel:S0.0 conflicts with the flow dependence S0 -> S0 through A "
        "(carried by loop i)"
    )
    assert conflict.witnesses == (
        "S0[i = 1] must run before S0[i = 2], both touch A[1] (n = 3)",
    )


def test_dependence_within_an_iteration_says_so() -> None:
    conflict = refuse(scops.jacobi_1d(), "parallel:S0.0")
    loops = [name.rpartition(" (")[2] for name in conflict.names[1:]]
    assert loops == ["within one iteration)", "carried by loop t)"]


def test_unneeded_pins_and_dependences_are_not_named() -> None:
    conflict = refuse(scops.gemm(), "row:S1.0=k", "row:S0.0=i", "parallel:S1.0")
    assert [g.name for g in conflict.groups if g.kind == "pin"] == [
        "pin row:S1.0=k",
        "pin parallel:S1.0",
    ]
    (dependence,) = [g for g in conflict.groups if g.kind == "dependence"]
    assert {(d.source, d.sink) for d in dependence.dependences} == {("S1", "S1")}
    assert "carried by loop k" in dependence.name


def test_equal_rows_conflict_with_the_rank() -> None:
    conflict = refuse(scops.gemm(), "row:S0.0=i", "row:S0.1=i")
    assert conflict.names[2:] == ("full rank of S0",)
    assert conflict.groups[2].kind == "rank"
    (advice,) = conflict.advice
    assert advice.startswith("each row of a statement adds one iterator")


def test_bounds_are_named_where_larger_ones_would_do() -> None:
    conflict = refuse(shifted(10), "fuse:S0,S1@1")
    kinds = [g.kind for g in conflict.groups]
    assert kinds == ["pin", "dependence", "bounds"]
    assert "shifts 0 to 4" in conflict.names[2]


def test_bounds_are_not_named_where_nothing_helps() -> None:
    conflict = refuse(mirrored(), "fuse:S0,S1@1")
    assert [g.kind for g in conflict.groups] == ["pin", "dependence"]


def test_row_against_the_direction_of_a_loop_is_out_of_bounds() -> None:
    conflict = refuse(scops.gemm(), "row:S0.0=-i", "parallel:S0.0")
    assert [g.kind for g in conflict.groups] == ["pin", "bounds"]
    assert conflict.names == ("pin row:S0.0=-i", "bounds (i counts up: 0 to 3)")


def test_conflict_without_time_is_not_called_irreducible() -> None:
    program = scops.jacobi_2d()
    dependences = compute_dependences(program)
    recipe = Recipe(("MIC",), pins=parse_pins(["parallel:S0.0"]))
    with pytest.raises(ConflictError, match="not proven irreducible") as caught:
        solve_recipe(program, dependences, recipe, Deadline.after(0.0))
    assert not caught.value.is_irreducible
    assert "pin parallel:S0.0" in caught.value.groups


def test_conflict_is_an_infeasible_error() -> None:
    with pytest.raises(InfeasibleError, match="pin vector:S0=i conflicts"):
        solve(
            recurrence(),
            compute_dependences(recurrence()),
            parse_pins(["vector:S0=i"]),
        )


# -- explanations against facts --------------------------------------------------------


@pytest.mark.parametrize("make", [recurrence, scops.gauss_seidel])
def test_without_the_named_dependence_the_loop_is_parallel(make) -> None:
    program = make()
    dependences = compute_dependences(program)
    conflict = refuse(program, "parallel:S0.0")
    left = without(dependences, named_in(conflict.groups))
    tree = solve(program, left, [PinParallel("S0", 0)]).tree
    (member,) = statement_levels(tree)["S0"][0].members
    node = tree.node(member.path)
    assert loop_is_parallel(node, member.position, left.validity)
    assert not loop_is_parallel(node, member.position, dependences.validity)


def test_obstacles_are_all_that_stands_in_the_way() -> None:
    program = two_recurrences()
    dependences = compute_dependences(program)
    pins = (PinParallel("S0", 0),)
    pieces = cut_dependences(program, dependences)
    conflict = refuse(program, "parallel:S0.0")
    assert len(named_in(conflict.groups)) == 1
    with_obstacles = find_obstacles(
        program, dependences, conflict, pins, Deadline.after(60), pieces
    )
    named = named_in(with_obstacles.obstacles)
    assert len(named) == 2
    solve(program, without(dependences, named), pins)
    for one in named:
        with pytest.raises(ConflictError):
            solve(program, without(dependences, named - {one}), pins)


def test_loop_report_names_exactly_what_the_loop_carries() -> None:
    program = scops.gauss_seidel()
    dependences = compute_dependences(program)
    tree = solve(program, dependences, ()).tree
    for report in loop_carriers(tree, dependences, program):
        carried = {str(d) for d in report.carried}
        left = without(dependences, carried)
        node = tree.node(report.path)
        assert loop_is_parallel(node, report.member, left.validity)
        assert report.parallel is (not carried)


def test_price_lists_the_objectives_that_get_worse() -> None:
    program = mixed()
    dependences = compute_dependences(program)
    recipe = Recipe(("DGF", "OP", "MIC"))
    pin = parse_pin("parallel:S0.0")
    price = price_pin(program, dependences, recipe, pin, Deadline.after(60))
    assert price.conflict is None
    assert [c.name for c in price.losses] == ["DGF"]
    assert price.losses[0].before == 0 < price.losses[0].after
    again = solve(program, dependences, [pin], "DGF OP MIC")
    assert [(c.name, c.after) for c in price.changes] == [
        (s.name, s.value) for s in again.stages
    ]
    assert find_violation(price.solved.tree, dependences, program) is None


def test_price_of_what_is_free_is_nothing() -> None:
    program = scops.gemm()
    dependences = compute_dependences(program)
    recipe = Recipe(("OP", "MIC"))
    pin = parse_pin("parallel:S1.0")
    price = price_pin(program, dependences, recipe, pin, Deadline.after(60))
    assert price.losses == ()
    assert {c.name: c.after for c in price.changes}["OP"] == -2


def test_price_of_the_impossible_is_a_conflict_with_its_obstacles() -> None:
    program = recurrence()
    dependences = compute_dependences(program)
    pin = parse_pin("parallel:S0.0")
    price = price_pin(program, dependences, Recipe(("MIC",)), pin, Deadline.after(60))
    assert price.solved is None
    assert price.conflict.names[0] == "pin parallel:S0.0"
    assert [g.name for g in price.conflict.obstacles] == list(price.conflict.names[1:])
    told = price.conflict.to_json()
    assert told["irreducible"]
    assert told["groups"][1]["dependences"] == [
        {"kind": "flow", "array": "A", "source": "S0", "sink": "S0"}
    ]
