"""Partitions: legal groups in a legal order, each part with objectives."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.base import Deadline, InfeasibleError, PolyschedError
from polysched.schedule import (
    PARTITIONS,
    Part,
    PinFused,
    PinParallel,
    Recipe,
    partition,
    solve_recipe,
    split_statements,
)
from tests.unit import scops
from tests.unit.schedule import programs
from tests.unit.schedule.programs import nest


def split(program, name):
    return split_statements(program, compute_dependences(program), name)


def solve(program, recipe):
    dependences = compute_dependences(program)
    solved = solve_recipe(program, dependences, recipe, Deadline.after(60))
    assert find_violation(solved.tree, dependences, program) is None
    return solved


def sandwich():
    """S0 and S2 of one depth around S1 of another, each needs the one before."""
    return scops.scop(
        "sandwich",
        nest("S0", "i", "w A[i]"),
        nest("S1", "i j", "r A[i]", "w B[i, j]", position=(1, 0, 0)),
        nest("S2", "i", "r B[i, 0]", "w C[i]", position=(2, 0)),
        nest("S3", "i j", "w D[i, j]", position=(3, 0, 0)),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ALL", (("S0", "S1", "S2", "S3"),)),
        ("MAX", (("S0", "S1", "S2"), ("S3",))),
        ("SINGLE", (("S0",), ("S1",), ("S2",), ("S3",))),
        ("DIM", (("S0",), ("S1",), ("S2",), ("S3",))),  # S0, S2 around S1: a cycle
        ("WRITE", (("S0",), ("S1",), ("S2",), ("S3",))),
        ("SELFDEP", (("S0", "S1", "S2", "S3"),)),
    ],
)
def test_groups_of_a_chain(name, expected):
    assert split(sandwich(), name) == expected


def test_products_are_grouped_by_depth_target_and_self_dependence():
    program = programs.two_products()
    assert split(program, "MAX") == (("S0", "S1", "S2", "S3"),)
    assert split(program, "WRITE") == (("S0", "S1"), ("S2", "S3"))
    assert split(program, "DIM") == (("S0", "S2"), ("S1", "S3"))
    assert split(program, "SELFDEP") == (("S0", "S2"), ("S1", "S3"))


def test_a_component_is_never_torn():
    program = scops.jacobi_2d()
    for name in PARTITIONS:
        assert split(program, name) == (("S0", "S1"),)


def test_own_partition_is_used_by_name_and_made_legal():
    @partition("ODD", "every other statement")
    def odd(scop, dependences):
        names = [s.name for s in scop.statements]
        return [names[::2], names[1::2]]

    try:
        assert split(sandwich(), "ODD") == (("S0",), ("S1",), ("S2",), ("S3",))
        assert split(programs.mvt(), "ODD") == (("S0",), ("S1",))
        with pytest.raises(PolyschedError, match="ODD already"):
            partition("ODD", "again")(odd)
    finally:
        del PARTITIONS["ODD"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([["S0"]], "leaves out S1"),
        ([["S0", "S1"], ["S0"]], "has S0 twice"),
        ([["S0", "S9"]], "names 'S9'; the statements of pair are: S0, S1"),
    ],
)
def test_wrong_groups_are_refused(groups, message):
    partition("WRONG", "not a partition")(lambda scop, dependences: groups)
    try:
        with pytest.raises(PolyschedError, match=message):
            split(programs.mvt(), "WRONG")
    finally:
        del PARTITIONS["WRONG"]


def test_unknown_partition_lists_all():
    with pytest.raises(PolyschedError, match="are: ALL, MAX, SINGLE, DIM, WRITE, SELF"):
        split(scops.gemm(), "max")


@pytest.mark.parametrize("name", ["MAX", "SINGLE", "DIM", "WRITE", "SELFDEP"])
def test_every_partition_is_solved_legally(name):
    solved = solve(sandwich(), Recipe(("OP", "SO", "MIC"), partition=name))
    assert solved.partition == name
    assert solved.objectives == ("OP", "SO", "MIC")
    assert set(solved.rows) == {"S0", "S1", "S2", "S3"}


def test_parts_run_one_after_the_other():
    program = programs.two_products()
    solved = solve(program, Recipe(("DGF", "OP", "MIC"), partition="DIM"))
    first = {name: rows.betas[0] for name, rows in solved.rows.items()}
    assert max(first["S0"], first["S2"]) < min(first["S1"], first["S3"])


def test_each_part_has_objectives_of_its_own():
    program = programs.mvt()
    parts = (Part(("S0",), ("SO", "MIC")), Part(("S1",), ("OP", "SO", "MIC")))
    solved = solve(program, Recipe((), partition="mine", parts=parts))
    inner = {n: r.linear[-1].affine_text(r.iterators) for n, r in solved.rows.items()}
    assert inner == {"S0": "1j", "S1": "1j"}  # S1 alone by stride would run along i
    swapped = (Part(("S0",), ("SO", "MIC")), Part(("S1",), ("SO", "MIC")))
    solved = solve(program, Recipe((), partition="mine", parts=swapped))
    assert solved.rows["S1"].linear[-1].affine_text(("i", "j")) == "1i"
    assert solved.objectives == ("SO", "MIC")


def test_stages_of_parts_are_told_apart():
    parts = (Part(("S0",), ("SO", "MIC")), Part(("S1",), ("OP", "MIC")))
    solved = solve(programs.mvt(), Recipe((), partition="mine", parts=parts))
    assert solved.objectives == ("S0:SO,MIC", "S1:OP,MIC")
    names = [stage.name for stage in solved.stages]
    assert "OP of S1" in names
    assert "OP of S0" not in names


def test_pins_go_to_their_part_and_cannot_span_two():
    program = programs.mvt()
    pin = PinParallel("S1", 0)
    solved = solve(program, Recipe(("SO", "MIC"), partition="SINGLE", pins=(pin,)))
    assert solved.rows["S1"].linear[0].affine_text(("i", "j")) == "1i"
    fused = Recipe(("SO",), partition="SINGLE", pins=(PinFused("S0", "S1"),))
    with pytest.raises(InfeasibleError, match="SINGLE keeps S0 and S1 apart"):
        solve(program, fused)


def test_parts_in_an_illegal_order_are_refused():
    parts = (Part(("S1", "S2", "S3"), ("MIC",)), Part(("S0",), ("MIC",)))
    with pytest.raises(PolyschedError, match="S0"):
        solve(sandwich(), Recipe((), partition="mine", parts=parts))


def test_recipes_print_their_partition_and_parts():
    assert str(Recipe(("OP",))) == "OP (unit)"
    assert str(Recipe(("OP",), partition="DIM")) == "OP (unit, DIM)"
    parts = (Part(("S0",), ("SO", "MIC"), "lower"), Part(("S1",), ("OP",)))
    told = str(Recipe((), partition="mine", parts=parts))
    assert told == "mine S0: SO>MIC (lower); S1: OP (unit)"
