"""Where the planner lets threads add to copies, and where it need not."""

from __future__ import annotations

import pytest

from polysched.analysis import (
    Dependences,
    allow_reordering,
    compute_dependences,
    find_violation,
    set_band_flags,
)
from polysched.codegen import print_openmp
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import (
    PlanShape,
    ScriptPlanner,
    parse_script,
    plan_script,
    print_script,
)
from tests.unit.transform.test_fuse_tiles import CPU, all_before

SUMS = PlanShape(jam=True, sums=True)


def program(*nests: str, where: str, iterators: str = "i,j") -> Scop:
    """Nests one after the other, each of one statement."""
    b = ScopBuilder("sums", ["n"])
    b.array("s", "double")
    for name in "xyzpr":
        b.array(name, "double[]")
    b.array("A", "double[][]")
    depth = iterators.count(",") + 1
    for k, text in enumerate(nests):
        b.statement(iterators, where, text, position=(k, *(0,) * depth))
    return b.build()


def read(scop: Scop, fp: str = "reassociate") -> tuple[ScheduleTree, Dependences]:
    deps = allow_reordering(compute_dependences(scop), scop, fp)
    return set_band_flags(original_tree(scop), deps), deps


def planned(scop: Scop, fp: str = "reassociate") -> str:
    """The script of the shape; its tree is legal and can be printed."""
    tree, deps = read(scop, fp)
    draft = plan_script(tree, scop, deps, CPU, SUMS)
    assert find_violation(draft.tree, deps, scop) is None
    if draft.steps:
        text = print_openmp(scop, draft.tree, deps=deps.validity)
        assert "__builtin_malloc(n_parts * part_bytes)" in text
    return print_script(draft.steps)


BICG = program(
    "y[j] += r[i] * A[i][j]",
    "z[i] += A[i][j] * p[j]",
    where="0 <= i < 2000 and 0 <= j < 2000",
)


def test_two_products_with_one_matrix_share_their_strips() -> None:
    script = planned(BICG)
    assert "fuse_tiles(band=0, children=[0, 1], members=[0, 0], size=24" in script
    assert "share_sums(band=0.0, member=0, arrays=[y])" in script
    assert script.count("accumulate(") == 1  # along the rows
    assert script.count("jam(") == script.count("vector(") == 1  # along the columns
    assert "parallel(" not in script


def test_strips_of_long_rows_are_four_rows_or_none() -> None:
    texts = "y[j] += r[i] * A[i][j]", "z[i] += A[i][j] * p[j]"
    for n_columns, size in ((11000, "size=4)"), (13000, "")):
        where = f"0 <= i < 2000 and 0 <= j < {n_columns}"
        script = planned(program(*texts, where=where))
        assert "share_sums" in script
        assert ("fuse_tiles" in script) == bool(size)
        assert size in script


def test_strict_sums_are_not_shared() -> None:
    assert planned(BICG, "strict") == ""


def test_the_shape_is_among_the_first_that_are_tried() -> None:
    tree, deps = read(BICG)
    drafts = ScriptPlanner(BICG, deps, CPU).plan(tree, limit=4)
    assert "share_sums" in print_script(drafts[0].steps)
    tree, deps = read(BICG, "strict")
    drafts = ScriptPlanner(BICG, deps, CPU).plan(tree, limit=4)
    assert not any("share_sums" in print_script(d.steps) for d in drafts)


def test_what_needs_the_first_product_waits_behind_both() -> None:
    scop = program(
        "y[j] += r[i] * A[i][j]",
        "x[j] = x[j] + y[j] * 0.5",
        "z[i] += A[i][j] * p[j]",
        where="0 <= i < 2000 and 0 <= j < 2000",
    )
    script = planned(scop)
    assert "children=[0, 2], members=[0, 0], size=24, after=[1])" in script
    tree, deps = read(scop)
    done = plan_script(tree, scop, deps, CPU, SUMS).tree
    assert all_before(done, "{ S2[i, j] -> S1[k, l] }")


def test_a_long_sum_is_cut_into_parts() -> None:
    scop = program("s += x[i] * y[i]", where="0 <= i < 100000", iterators="i")
    assert planned(scop) == (
        "tile(band=0, sizes=[4096]); "
        "share_sums(band=0.0, member=0, arrays=[s]); "
        "accumulate(band=0.0.0.0, member=0)"
    )


def test_a_short_sum_is_not() -> None:
    scop = program("s += x[i] * y[i]", where="0 <= i < 5000", iterators="i")
    assert planned(scop) == ""


def test_loops_that_are_parallel_without_copies_get_none() -> None:
    square = "0 <= i < 2000 and 0 <= j < 2000"
    assert planned(program("z[i] += A[i][j] * p[j]", where=square)) == ""


def test_loops_that_carry_more_than_sums_get_none() -> None:
    square = "0 < i < 2000 and 0 < j < 2000"
    scop = program("y[j] += A[i][j]", "x[j] = x[j - 1] + x[j]", where=square)
    assert "arrays=[y]" in planned(scop)
    b = ScopBuilder("both", ["n"])
    for name in "xy":
        b.array(name, "double[]")
    b.statement("i,j", square, "y[j] += x[i]", position=(0, 0, 0))
    b.statement("i,j", square, "x[j] = x[j - 1] + x[j]", position=(0, 0, 1))
    assert planned(b.build()) == ""


def test_places_between_the_nests_only_can_come_after() -> None:
    (step,) = parse_script(
        "fuse_tiles(band=0, children=[0, 1], members=[0, 0], size=8, after=[1])"
    )
    reason = step.find_misfit(read(BICG)[0])
    assert reason == "fuse_tiles: expected ascending positions between the nests"


@pytest.mark.parametrize("arrays", ["y, A", "y, r", "y, nope"])
def test_an_array_that_nothing_is_added_to_is_refused(arrays: str) -> None:
    scop = program("y[j] += r[i] * A[i][j]", where="0 <= i < 20 and 0 <= j < 20")
    tree, deps = read(scop)
    (step,) = parse_script(f"share_sums(band=0, member=0, arrays=[{arrays}])")
    name = arrays.removeprefix("y, ")
    assert step.check(tree, deps) == (
        f"nothing in the loop is a sum in {name} that may be reordered"
    )
