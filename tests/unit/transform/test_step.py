"""Steps are values: they print, parse, compare, and say why they do not fit."""

from __future__ import annotations

import pytest

from polysched.analysis import find_violation
from polysched.base import IllegalScheduleError, PolyschedError
from polysched.ir import original_tree
from polysched.transform import (
    Accumulate,
    FuseTiles,
    Jam,
    Merge,
    Order,
    Pack,
    Parallel,
    Reverse,
    Separate,
    ShareSums,
    Skew,
    Split,
    Step,
    Straighten,
    Tile,
    Vector,
    Wavefront,
    apply_script,
    parse_script,
    print_script,
)
from tests.unit import scops
from tests.unit.transform import trees

STEPS = {
    "accumulate(band=0.0, member=1)": Accumulate((0, 0), 1),
    "tile(band=0.1, sizes=[32, 0])": Tile((0, 1), (32, 0)),
    "wavefront(band=0, members=2)": Wavefront((0,), 2),
    "order(band=0, members=[1, 0])": Order((0,), (1, 0)),
    "fuse_tiles(band=0, children=[1, 3], members=[0, 1], size=8, after=[2])": FuseTiles(
        (0,), (1, 3), (0, 1), 8, (2,)
    ),
    "jam(band=0.0.0, factors=[4, 4, 1])": Jam((0, 0, 0), (4, 4, 1)),
    "reverse(band=0.1, member=1)": Reverse((0, 1), 1),
    "separate(band=0, member=1)": Separate((0,), 1),
    "straighten(band=0)": Straighten((0,)),
    "parallel(band=0, member=1, dynamic=true)": Parallel((0,), 1, True),
    "parallel(band=0, member=0, dynamic=true, backwards=true)": Parallel(
        (0,), 0, True, True
    ),
    "parallel(band=0, member=0, dynamic=true, chunk=16)": Parallel(
        (0,), 0, True, chunk=16
    ),
    "pack(band=0.1, statement=2, iterators=[1, 0])": Pack((0, 1), 2, (1, 0)),
    "pack(band=0, statement=0, iterators=[2, 1], panel=8)": Pack((0,), 0, (2, 1), 8),
    "share_sums(band=0.1, member=1, arrays=[s, t])": ShareSums((0, 1), 1, ("s", "t")),
    "vector(band=0, member=2)": Vector((0,), 2),
    "vector(band=0, member=2, lanes=4)": Vector((0,), 2, 4),
    "vector(band=0, member=2, lanes=4, whole=true)": Vector((0,), 2, 4, True),
    "merge(band=0)": Merge((0,)),
    "split(band=0.0, member=1, cuts=[c0, 1 + c0])": Split((0, 0), 1, ("c0", "1 + c0")),
    "skew(band=0, member=2, weights=[0, 1, 0])": Skew((0,), 2, (0, 1, 0)),
}


@pytest.mark.parametrize("text", STEPS)
def test_text_and_value_are_two_forms_of_one_step(text: str) -> None:
    assert str(STEPS[text]) == text
    assert Step.parse(text) == STEPS[text]


def test_defaults_may_be_left_out_and_comments_are_skipped() -> None:
    script = parse_script("parallel(band=0) # threads\n\nvector(band=0.0,member=1);")
    assert script == (Parallel((0,)), Vector((0, 0), 1))
    assert parse_script(print_script(script)) == script


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tiling(band=0)", "the steps are: accumulate, chain, contract"),
        ("tile(band=0, size=[3])", "unknown argument 'size'"),
        ("tile(sizes=[3])", "no band"),
        ("tile(band=0)", "lacks sizes"),
        ("tile(band=0, sizes=8)", "sizes in step .* is not a list of integers"),
        ("parallel(band=0, member=[1])", "member in step .* is not an integer"),
        ("parallel(band=0, dynamic=1)", "dynamic in step .* is not true or false"),
        ("tile(band=0, sizes=[a])", r"cannot read 'sizes=\[a\]'"),
        ("vector(band=0, 3)", "cannot read '3'"),
    ],
)
def test_bad_text_is_refused_with_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(PolyschedError, match=message):
        Step.parse(text)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("tile(band=0.7, sizes=[3])", "found nothing at 0.7, expected a band"),
        ("tile(band=0.0, sizes=[3])", "found a sequence node at 0.0"),
        ("tile(band=0, sizes=[3])", "found 1 tile sizes for 3 band members"),
        ("tile(band=0, sizes=[0, 0, 0])", "expected one above 0"),
        ("tile(band=0, sizes=[4, -1, 4])", "expected one above 0"),
        ("order(band=0, members=[0, 0, 1])", "expected each of 0 to 2 once"),
        ("wavefront(band=0, members=4)", "expected 2 to the 3 of the band"),
        ("vector(band=0, member=3)", "found member 3, expected 0 to 2"),
        ("isolate(band=0, sizes=[4])", "found 1 sizes for 3 band members"),
        ("isolate(band=0, sizes=[1, 1, 1])", "expected one of 2 or more"),
        ("vector(band=0, member=2, lanes=3)", "found 3 lanes, expected a power of two"),
        ("separate(band=0, member=-1)", "found member -1, expected 0 to 2"),
        ("jam(band=0, factors=[1, 1, 1])", "found 1 copies"),
        ("jam(band=0, factors=[16, 16, 1])", "found 256 copies"),
        ("skew(band=0, member=2, weights=[0, 0, 1])", "0 for the member itself"),
        ("skew(band=0, member=3, weights=[0, 0, 1])", "found member 3"),
        ("skew(band=0, member=1, weights=[1])", "found 1 weights for 3"),
        ("jam(band=0, factors=[2])", "found 1 factors for 3 band members"),
    ],
)
def test_misfits_are_named(step: str, reason: str) -> None:
    tree, deps = trees.gemm()
    parsed = Step.parse(step)
    assert reason in (parsed.check(tree, deps) or "")
    with pytest.raises(PolyschedError, match="found"):
        parsed.apply(tree)


@pytest.mark.parametrize(
    "script",
    [
        "parallel(band=0, member=1)",
        "vector(band=0, member=1)",
    ],
)
def test_illegal_step_is_refused_with_a_true_witness(script: str) -> None:
    tree, deps = trees.gemm()
    with pytest.raises(IllegalScheduleError, match=r"C from S\d to S1 .*touch C\[\d"):
        apply_script(tree, parse_script(script), deps)
    assert find_violation(apply_script(tree, parse_script(script)), deps) is not None


def test_tiling_the_original_stencil_is_refused() -> None:
    deps = trees.jacobi()[1]
    band = trees.JACOBI_BAND.replace("2t + ", "")
    tree, _ = trees.one_band(scops.jacobi_2d(), band, "S0", "S1")
    reason = Tile((0,), (4, 4, 4)).check(tree, deps)
    assert reason is not None
    assert "must run before" in reason


def test_interchange_that_reverses_a_dependence_is_refused() -> None:
    scop = scops.scop(
        "anti",
        scops.statement(
            "S0",
            "[n] -> { S0[i, j] : 0 <= i < n and 0 <= j < n }",
            (0, 0, 0),
            "r [i, j] -> A[i - 1, j + 1]",
            "w [i, j] -> A[i, j]",
        ),
    )
    tree, deps = trees.one_band(
        scop, "[n] -> [{ S0[i, j] -> [(i)] }, { S0[i, j] -> [(j)] }]"
    )
    reason = Order((0,), (1, 0)).check(tree, deps)
    assert reason is not None
    assert "violated" in reason


def test_order_that_isl_proves_legal_needs_no_permutable_flag() -> None:
    scop = scops.gemm()
    tree, deps = trees.one_band(scop, trees.GEMM_BAND, "S0", "S1")
    band = tree.node((0,)).band_set_permutable(0)
    unflagged = type(tree)(band.get_schedule())
    assert Order((0,), (1, 0, 2)).check(unflagged, deps) is None


def test_second_parallel_mark_on_the_way_down_is_refused() -> None:
    tree, deps = trees.gemm()
    once = Parallel((0,)).apply(tree)
    assert "already marked parallel" in str(Parallel((0, 0), 2).check(once, deps))


def test_script_on_the_original_tree() -> None:
    scop = scops.gemm()
    tree, deps = original_tree(scop), trees.gemm()[1]
    done = apply_script(tree, parse_script("parallel(band=0)"), deps)
    assert find_violation(done, deps, scop) is None
