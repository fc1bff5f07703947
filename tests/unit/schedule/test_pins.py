"""Pins: text forms, what they do to a schedule, and whether a tree obeys them."""

from __future__ import annotations

import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    loop_is_parallel,
    set_band_flags,
)
from polysched.base import Deadline, PinError
from polysched.ir import Rows, ScheduleTree, Scop, original_tree
from polysched.schedule import (
    PinFused,
    PinMaxSkew,
    PinParallel,
    PinRow,
    PinSeparate,
    PinVector,
    Recipe,
    Solved,
    broken_pins,
    check_pins,
    parse_pin,
    parse_pins,
    print_pin,
    satisfies,
    solve_recipe,
    statement_levels,
)
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.scops import statement
from tests.unit.transform import trees

FORMS = {
    "row:S0.1=2t+i": PinRow("S0", 1, (("t", 2), ("i", 1))),
    "row:S0.0=-i": PinRow("S0", 0, (("i", -1),)),
    "row:S0.0=2t-3i+...": PinRow("S0", 0, (("t", 2), ("i", -3)), is_open=True),
    "row:S0.0=+0j+...": PinRow("S0", 0, (("j", 0),), is_open=True),
    "parallel:S12.0": PinParallel("S12", 0),
    "vector:S0=j": PinVector("S0", "j"),
    "fuse:S0,S1@2": PinFused("S0", "S1", 2),
    "separate:S0,S1@1": PinSeparate("S0", "S1", 1),
    "skew<=0": PinMaxSkew(0),
}


def solve(
    program: Scop, objectives: str, *pins: str, shape: str = "unit"
) -> tuple[Solved, ScheduleTree]:
    """Solve with pins; the solution is legal and obeys them."""
    dependences = compute_dependences(program)
    recipe = Recipe(tuple(objectives.split()), shape, pins=parse_pins(pins))
    solved = solve_recipe(program, dependences, recipe, Deadline.after(60))
    assert find_violation(solved.tree, dependences, program) is None
    assert broken_pins(solved.tree, recipe.pins, program, dependences) == ()
    return solved, solved.tree


def matrix(rows: Rows) -> list[tuple[int, ...]]:
    return [r.coefficients for r in rows.linear]


def is_parallel(program: Scop, tree: ScheduleTree, name: str, level: int) -> bool:
    """The verdict of isl on the loops that stand for a level."""
    validity = compute_dependences(program).validity
    return all(
        loop_is_parallel(tree.node(m.path), m.position, validity)
        for m in statement_levels(tree)[name][level].members
    )


def shifted(distance: int) -> Scop:
    """A consumer that needs its input some iterations later."""
    return scops.scop(
        "shifted",
        statement("S0", "[n] -> { S0[i] : 0 <= i < n }", (0, 0), "w [i] -> A[i]"),
        statement(
            "S1",
            "[n] -> { S1[i] : 0 <= i < n }",
            (1, 0),
            f"r [i] -> A[i + {distance}]",
            "w [i] -> B[i]",
        ),
    )


def mixed() -> Scop:
    """Two statements in one loop, of which the second alone carries a dependence."""
    return scops.scop(
        "mixed",
        statement("S0", "[n] -> { S0[i] : 0 <= i < n }", (0, 0), "w [i] -> B[i]"),
        statement(
            "S1",
            "[n] -> { S1[i] : 0 < i < n }",
            (0, 1),
            "r [i] -> B[i]",
            "r [i] -> A[i - 1]",
            "w [i] -> A[i]",
        ),
    )


# -- text ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", FORMS)
def test_text_is_read_and_printed_back(text: str) -> None:
    pin = parse_pin(text)
    assert pin == FORMS[text]
    assert parse_pin(print_pin(pin)) == pin
    assert parse_pin(f"  {text.replace('=', ' = ')} ") == pin


def test_depth_defaults_to_one_and_repetitions_count_once() -> None:
    pins = parse_pins(["fuse:S0,S1", "fuse:S0,S1@1", "row:S0.0=i+i", "row:S0.0=2*i"])
    assert [str(p) for p in pins] == ["fuse:S0,S1@1", "row:S0.0=2i"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("parallel:S0", "not a pin: 'parallel:S0'"),
        ("skew<=-1", "not a pin"),
        ("row:S0.0=i+1", "cannot read the row 'i\\+1'"),
        ("row:S0.0=i j k*", "cannot read the row"),
        ("row:S0.0=i-i", "is zero"),
    ],
)
def test_malformed_text_is_refused_with_what_is_accepted(text: str, told: str) -> None:
    with pytest.raises(PinError, match=told) as caught:
        parse_pin(text)
    assert caught.value.hint or "expected" in caught.value.message


@pytest.mark.parametrize(
    ("pin", "told", "known"),
    [
        ("parallel:S7.0", "no statement named 'S7' in gemm", "S0, S1"),
        ("parallel:S0.2", "no level 2 in the schedule of S0", "0, 1"),
        ("row:S0.0=k", "no iterator 'k' around S0", "i, j"),
        ("vector:S1=x", "no iterator 'x' around S1", "i, k, j"),
        ("fuse:S0,S1@3", "a depth of 3, but S0 and S1 can share 2", "from 1"),
        ("separate:S0,S1@0", "a depth of 0", "from 1"),
        ("fuse:S0,S0", "one statement twice", ""),
    ],
)
def test_pin_on_what_is_not_there_lists_what_is(pin, told, known) -> None:
    with pytest.raises(PinError, match=told) as caught:
        check_pins(parse_pins([pin]), scops.gemm())
    assert known in (caught.value.hint or "")


def test_recipe_names_its_pins() -> None:
    assert "with skew<=1" in str(Recipe(("MIC",), pins=(PinMaxSkew(1),)))


# -- what pins do ----------------------------------------------------------------------


def test_pinned_row_changes_the_loop_order() -> None:
    free, _ = solve(scops.gemm(), "SO MIC")
    assert matrix(free.rows["S1"])[0] == (1, 0, 0)
    pinned, _ = solve(scops.gemm(), "SO MIC", "row:S1.0=k")
    assert matrix(pinned.rows["S1"])[0] == (0, 1, 0)
    assert matrix(pinned.rows["S1"])[-1] == (0, 0, 1)


@pytest.mark.parametrize(
    ("pins", "shape"),
    [
        (["row:S0.1=i"], "unit"),
        (["row:S0.1=2t+i"], "lower"),
        (["row:S0.0=2t+i"], "upper"),
    ],
)
def test_shape_gives_way_to_a_pinned_row(pins, shape) -> None:
    solved, _ = solve(scops.jacobi_1d(), "MIC", *pins)
    assert solved.shape == shape


def test_statements_may_need_different_shapes() -> None:
    box = "0 <= i < n and 0 <= j < n"
    program = scops.scop(
        "apart",
        statement(
            "S0", f"[n] -> {{ S0[i, j] : {box} }}", (0, 0, 0), "w [i, j]->A[i,j]"
        ),
        statement(
            "S1", f"[n] -> {{ S1[i, j] : {box} }}", (1, 0, 0), "w [i, j]->B[i,j]"
        ),
    )
    solved, _ = solve(program, "MIC", "row:S0.0=i+j", "row:S1.1=i+j")
    assert solved.shape == "any"
    assert matrix(solved.rows["S0"])[0] == (1, 1)
    assert matrix(solved.rows["S1"]) in ([(1, 0), (1, 1)], [(0, 1), (1, 1)])


def test_open_row_leaves_the_other_iterators_free() -> None:
    solved, _ = solve(scops.gauss_seidel(), "MIC", "row:S0.0=2t+...")
    first = matrix(solved.rows["S0"])[0]
    assert first[0] == 2
    assert any(first[1:])  # 2t alone has no pivot: something must be added


def test_row_that_must_not_use_an_iterator() -> None:
    solved, _ = solve(scops.gemm(), "SO MIC", "row:S1.2=0j+...", "row:S1.2=0k+...")
    assert matrix(solved.rows["S1"])[2] == (1, 0, 0)


def test_large_coefficient_raises_the_bound() -> None:
    solved, _ = solve(scops.jacobi_1d(), "MIC", "row:S0.1=7t+i", "row:S1.1=7t+i")
    assert matrix(solved.rows["S0"])[1] == (7, 1)


@pytest.mark.parametrize("pin", ["row:S0.0=-i", "vector:S0=i"])
def test_loop_that_counts_down_is_pinned_in_its_direction(pin: str) -> None:
    program = scops.scop(
        "down",
        statement(
            "S0",
            "[n] -> { S0[i] : 0 <= i < n }",
            (0, 0),
            "w [i] -> A[i]",
            directions=(-1,),
        ),
    )
    solved, _ = solve(program, "MIC", pin)
    assert matrix(solved.rows["S0"]) == [(-1,)]


@pytest.mark.parametrize("level", [1, 2])
def test_parallel_pin_makes_that_loop_parallel(level: int) -> None:
    program = scops.gauss_seidel()
    free, tree = solve(program, "MIC")
    assert not is_parallel(program, tree, "S0", level)
    pinned, tree = solve(program, "MIC", f"parallel:S0.{level}")
    assert is_parallel(program, tree, "S0", level)
    assert matrix(pinned.rows["S0"]) != matrix(free.rows["S0"])


def test_parallel_loop_must_not_carry_what_others_in_it_need() -> None:
    program = mixed()
    free, tree = solve(program, "DGF MIC")
    assert free.rows["S0"].betas[0] == free.rows["S1"].betas[0]
    assert not is_parallel(program, tree, "S0", 0)
    pinned, tree = solve(program, "DGF MIC", "parallel:S0.0")
    assert pinned.rows["S0"].betas[0] != pinned.rows["S1"].betas[0]
    assert is_parallel(program, tree, "S0", 0)


def test_vector_pin_puts_the_iterator_alone_innermost() -> None:
    program = scops.gemm()
    free, _ = solve(program, "SO MIC")
    assert matrix(free.rows["S1"])[2] == (0, 0, 1)
    pinned, tree = solve(program, "SO MIC", "vector:S1=i")
    assert matrix(pinned.rows["S1"])[2] == (1, 0, 0)
    assert is_parallel(program, tree, "S1", 2)


def test_fusion_and_separation_change_the_scalar_rows() -> None:
    program = scops.gemm()
    for depth in (1, 2):
        fused, _ = solve(program, "SIS SO MIC", f"fuse:S0,S1@{depth}")
        assert fused.rows["S0"].betas[:depth] == fused.rows["S1"].betas[:depth]
    apart, _ = solve(program, "DGF MIC", "separate:S0,S1@1")
    assert apart.rows["S0"].betas[0] != apart.rows["S1"].betas[0]
    partly, _ = solve(program, "DGF MIC", "separate:S0,S1@2", "fuse:S0,S1@1")
    assert partly.rows["S0"].betas[0] == partly.rows["S1"].betas[0]
    assert partly.rows["S0"].betas[1] != partly.rows["S1"].betas[1]


def test_fusion_with_a_shift_of_more_than_one_needs_more_than_unit_rows() -> None:
    solved, _ = solve(shifted(3), "MIC", "fuse:S0,S1@1")
    rows = solved.rows
    assert rows["S1"].linear[0].constant - rows["S0"].linear[0].constant >= 3
    assert solved.shape == "lower"


def test_skew_bound_forbids_the_band_that_needs_more() -> None:
    program = scops.jacobi_1d()
    free, _ = solve(program, "BAND PROX MIC", shape="lower")
    assert max(sum(row) for row in matrix(free.rows["S0"])) > 2
    for bound in (0, 1):
        pinned, _ = solve(program, "BAND PROX MIC", f"skew<={bound}", shape="lower")
        sums = [sum(row) for rows in pinned.rows.values() for row in matrix(rows)]
        assert max(sums) <= 1 + bound


@pytest.mark.parametrize("make", [scops.gemm, scops.jacobi_2d])
@pytest.mark.parametrize("objectives", ["MIC", "OP IP SO MIC", "BAND PROX MIC"])
@pytest.mark.parametrize("pin", ["row:S1.1=j", "fuse:S0,S1@1", "separate:S0,S1@2"])
def test_pins_are_obeyed_whatever_is_asked_for(make, objectives, pin) -> None:
    solved, _ = solve(make(), objectives, pin, shape="lower")
    assert [s.status for s in solved.stages if s.value is None] == []


# -- trees after scripts ---------------------------------------------------------------


def gemm_tree() -> tuple[Scop, ScheduleTree]:
    """The update of gemm as one permutable band (i, k, j) behind its initialisation."""
    program = scops.gemm()
    _, tree = solve(program, "SIS SO MIC", "separate:S0,S1@1")
    assert tree.node((0, 1, 0)).band_n_member() == 3
    return program, tree


@pytest.mark.parametrize(
    ("script", "obeyed"),
    [
        ("", True),
        ("tile(band=0.1.0, sizes=[4, 4, 4])", True),
        ("jam(band=0.1.0, factors=[4, 2, 1])", True),
        ("parallel(band=0.1.0, member=0)", True),
        ("order(band=0.1.0, members=[1, 0, 2])", False),
        (
            "order(band=0.1.0, members=[1, 0, 2]); tile(band=0.1.0, sizes=[4, 4, 0])",
            False,
        ),
    ],
)
def test_tiling_keeps_the_rows_and_interchange_does_not(script, obeyed) -> None:
    program, tree = gemm_tree()
    dependences = compute_dependences(program)
    changed = apply_script(tree, parse_script(script), dependences)
    pin = parse_pin("row:S1.0=i")
    assert satisfies(changed, pin, program, dependences) is obeyed
    other = parse_pin("row:S1.0=k")
    assert satisfies(changed, other, program, dependences) is not obeyed


def test_vector_loop_is_the_innermost_that_is_not_unrolled() -> None:
    program, tree = gemm_tree()
    dependences = compute_dependences(program)
    script = parse_script(
        "jam(band=0.1.0, factors=[4, 2, 1]); vector(band=0.1.0, member=2)"
    )
    jammed = apply_script(tree, script, dependences)
    for text, obeyed in (("vector:S1=j", True), ("vector:S1=k", False)):
        assert satisfies(jammed, parse_pin(text), program, dependences) is obeyed


def test_reordered_loops_lose_a_pinned_parallel_level() -> None:
    program, tree = gemm_tree()
    dependences = compute_dependences(program)
    pin = parse_pin("parallel:S1.0")
    assert satisfies(tree, pin, program, dependences)
    swapped = apply_script(tree, parse_script("order(band=0.1.0, members=[1, 0, 2])"))
    assert not satisfies(swapped, pin, program, dependences)
    assert satisfies(swapped, parse_pin("parallel:S1.1"), program, dependences)


def test_wavefront_stands_for_the_tile_loop_it_replaces_and_is_skewed() -> None:
    program = scops.jacobi_2d()
    tree, dependences = trees.jacobi()
    script = "tile(band=0, sizes=[4, 8, 8]); wavefront(band=0.0, members=2)"
    waves = apply_script(tree, parse_script(script), dependences)
    for text in ("row:S0.0=t", "row:S0.1=2t+i", "row:S1.2=2t+j", "skew<=2"):
        assert satisfies(waves, parse_pin(text), program, dependences), text
    for text in ("row:S0.0=2t+i", "skew<=1"):
        assert not satisfies(waves, parse_pin(text), program, dependences), text


def test_waves_of_diamonds_stand_for_time() -> None:
    tree, dependences = trees.line()
    script = (
        "diamond(band=0, sizes=[8, 8], slope=4, shifts=[0, 2]); "
        "wavefront(band=0.0.0, members=2)"
    )
    waves, program = apply_script(tree, parse_script(script)), scops.jacobi_1d()
    for text in ("row:S0.0=t", "row:S1.1=2t+i"):
        assert satisfies(waves, parse_pin(text), program, dependences), text
    for text in ("row:S0.0=2t+i", "parallel:S0.0", "parallel:S0.1", "skew<=1"):
        assert not satisfies(waves, parse_pin(text), program, dependences), text


def test_source_order_is_fused_as_far_as_its_text_is() -> None:
    program = scops.gemm()
    dependences = compute_dependences(program)
    tree = set_band_flags(original_tree(program), dependences)
    verdicts = {
        "fuse:S0,S1@1": True,
        "fuse:S0,S1@2": False,
        "separate:S0,S1@1": False,
        "separate:S0,S1@2": True,
        "parallel:S1.0": True,
        "parallel:S1.1": False,
        "vector:S1=j": True,
        "vector:S1=k": False,
        "row:S1.1=k": True,
        "skew<=0": True,
    }
    for text, expected in verdicts.items():
        assert satisfies(tree, parse_pin(text), program, dependences) is expected, text
