"""Nests that cannot be fused row by row still pass over their array together."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    set_band_flags,
    statement_places,
)
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.machine import Cpu
from polysched.transform import (
    Draft,
    FuseTiles,
    PlanShape,
    apply_script,
    parse_script,
    plan_script,
    print_script,
)
from polysched.transform.band_view import view_band
from polysched.transform.choose import choose_jam
from tests.unit import scops
from tests.unit.transform import trees

CPU = Cpu(
    name="test", n_cores=2, n_threads=2, simd_bits=256, l1_bytes=32 << 10,
    l2_bytes=512 << 10, l3_bytes=32 << 20, line_bytes=64, frequency_hz=3e9,
    flops_per_second=5e10, bandwidth_bytes_per_second=1e10,
    bandwidth_all_bytes_per_second=2e10, barrier_seconds=3e-6, isa=("avx2",),
)  # fmt: skip
STRIPS = PlanShape(jam=True, strips=True)
BLOCKS = PlanShape(jam=True, blocks=True)
FUSED_BAND = (
    "[{ S0[i, j] -> [(i)]; S1[i, j] -> [(i)] }, "
    "{ S0[i, j] -> [(j)]; S1[i, j] -> [(j)] }]"
)
FUSE = "fuse_tiles(band=0, children=[0, 1], members=[0, 0], size=32)"


def normal_equations(n: int, second: str = "i") -> Scop:
    """``t = A x`` and then ``y = A' t`` (or ``A t``), one matrix, two passes."""
    box = f"0 <= i < {n} and 0 <= j < {n}"
    moved = "r [i, j] -> t[i]", "r [i, j] -> y[j]", "w [i, j] -> y[j]"
    if second == "j":
        moved = "r [i, j] -> t[j]", "r [i, j] -> y[i]", "w [i, j] -> y[i]"
    return scops.scop(
        "normal",
        scops.statement(
            "S0", f"{{ S0[i, j] : {box} }}", (0, 0, 0),
            "r [i, j] -> t[i]", "r [i, j] -> A[i, j]", "r [i, j] -> x[j]",
            "w [i, j] -> t[i]",
        ),
        scops.statement(
            "S1", f"{{ S1[i, j] : {box} }}", (1, 0, 0), "r [i, j] -> A[i, j]", *moved
        ),
    )  # fmt: skip


def two_products(n: int, *, waits: bool = True) -> Scop:
    """``s = A x`` and ``y = A' z``, or instead of the first an update of ``A``."""
    box = f"0 <= i < {n} and 0 <= j < {n}"
    first = "r [i, j] -> s[i]", "r [i, j] -> A[i, j]", "w [i, j] -> s[i]"
    if not waits:
        first = "r [i, j] -> A[i, j]", "r [i, j] -> s[i]", "w [i, j] -> A[i, j]"
    return scops.scop(
        "two",
        scops.statement("S0", f"{{ S0[i, j] : {box} }}", (0, 0, 0), *first),
        scops.statement(
            "S1", f"{{ S1[i, j] : {box} }}", (1, 0, 0),
            "r [i, j] -> A[i, j]", "r [i, j] -> z[i]", "r [i, j] -> y[j]",
            "w [i, j] -> y[j]",
        ),
    )  # fmt: skip


def joined(scop: Scop) -> ScheduleTree:
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    script = parse_script("merge(band=0.1.0); merge(band=0.0.0)")
    return apply_script(tree, script, deps)


def all_before(tree: ScheduleTree, pairs: str) -> bool:
    """Whether the first instance of every pair runs before the second."""
    order = tree.map
    chosen = isl.UnionMap(pairs).intersect_domain(order.domain())
    chosen = chosen.intersect_range(order.domain())
    assert not chosen.is_empty()
    return bool(chosen.is_subset(order.lex_lt_union_map(order)))


def test_text_and_value_are_two_forms() -> None:
    step = FuseTiles((0,), (0, 1), (0, 0), 32)
    assert parse_script(FUSE) == (step,)
    assert print_script((step,)) == FUSE


def test_rows_of_the_second_product_run_after_their_own_strip_only() -> None:
    scop = normal_equations(2000)
    deps = compute_dependences(scop)
    done = apply_script(joined(scop), parse_script(FUSE), deps)
    assert find_violation(done, deps) is None
    assert done.schedule.get_domain().is_equal(scop.domain)
    assert all_before(done, "{ S0[i, j] -> S1[k, l] : k >= i - i mod 32 }")
    assert all_before(done, "{ S1[i, j] -> S0[k, l] : k >= 32 + i - i mod 32 }")


def test_product_that_needs_all_rows_first_is_refused_with_a_witness() -> None:
    scop = normal_equations(2000, second="j")
    deps = compute_dependences(scop)
    reason = parse_script(FUSE)[0].check(joined(scop), deps)
    assert reason is not None
    assert "t[" in reason or "S0" in reason


def test_what_does_not_fit_is_told() -> None:
    tree = joined(normal_equations(2000))
    for text, word in (
        ("fuse_tiles(band=0, children=[0, 2], members=[0, 0], size=8)", "position 2"),
        ("fuse_tiles(band=0, children=[0, 1], members=[0, 2], size=8)", "member 2"),
        ("fuse_tiles(band=0, children=[1, 0], members=[0, 0], size=8)", "ascending"),
        ("fuse_tiles(band=0.0, children=[0, 1], members=[0, 0], size=8)", "sequence"),
    ):
        assert word in str(parse_script(text)[0].find_misfit(tree))


def test_nests_that_share_a_large_matrix_are_planned_in_strips() -> None:
    scop = normal_equations(2000)
    deps = compute_dependences(scop)
    draft = plan_script(joined(scop), scop, deps, CPU, STRIPS)
    text = print_script(draft.steps)
    assert FUSE in text
    assert text.count("parallel(") == 2
    assert find_violation(draft.tree, deps, scop) is None


def test_strips_give_threads_equal_numbers_of_the_largest_tiles_of_rows() -> None:
    """Five tiles of 16 rows would leave one of two threads with three of them."""
    scop = normal_equations(1200)
    deps = compute_dependences(scop)
    draft = plan_script(joined(scop), scop, deps, CPU, STRIPS)
    sizes = [s.size for s in draft.steps if isinstance(s, FuseTiles)]
    assert sizes == [64]


def test_small_matrices_and_refused_orders_are_left_alone() -> None:
    for scop in (normal_equations(200), normal_equations(2000, second="j")):
        deps = compute_dependences(scop)
        assert plan_script(joined(scop), scop, deps, CPU, STRIPS).steps == ()


def test_sums_along_rows_and_columns_meet_in_blocks_that_run_in_waves() -> None:
    scop = two_products(2000)
    deps = compute_dependences(scop)
    draft = plan_script(joined(scop), scop, deps, CPU, BLOCKS)
    text = print_script(draft.steps)
    assert "fuse_tiles(band=0, children=[0, 1], members=[0, 0], size=48" in text
    assert "fuse_tiles(band=0.0.0, children=[0, 1], members=[1, 1], size=1008" in text
    assert "merge(band=0.0); wavefront(band=0.0, members=2)" in text
    assert text.count("parallel(") == 1
    assert find_violation(draft.tree, deps, scop) is None
    assert draft.tree.schedule.get_domain().is_equal(scop.domain)


def test_columns_that_nothing_connects_are_shared_without_waves() -> None:
    scop = two_products(2000, waits=False)
    deps = compute_dependences(scop)
    draft = plan_script(joined(scop), scop, deps, CPU, BLOCKS)
    text = print_script(draft.steps)
    assert "wavefront" not in text
    assert "merge(band=0.0); order(band=0.0, members=[1, 0])" in text
    assert find_violation(draft.tree, deps, scop) is None


def test_a_product_that_needs_whole_rows_is_not_cut_into_blocks() -> None:
    scop = normal_equations(2000)
    deps = compute_dependences(scop)
    assert plan_script(joined(scop), scop, deps, CPU, BLOCKS).steps == ()


def test_blocks_that_were_narrower_than_a_page_are_none() -> None:
    scop = two_products(400)
    deps = compute_dependences(scop)
    assert plan_script(joined(scop), scop, deps, CPU, BLOCKS).steps == ()


def test_sums_that_are_fused_are_cut_into_blocks_as_they_are() -> None:
    scop = two_products(2000)
    tree, deps = trees.one_band(scop, FUSED_BAND, "S1", "S0")
    draft = plan_script(tree, scop, deps, CPU, BLOCKS)
    assert print_script(draft.steps) == (
        "tile(band=0, sizes=[56, 1008]); wavefront(band=0.0, members=2); "
        "parallel(band=0.0.0, member=1, dynamic=false); "
        "jam(band=0.0.0.0.0.0, factors=[8, 1])"
    )
    assert find_violation(draft.tree, deps, scop) is None


@pytest.mark.parametrize(("n", "copies"), [(3, 5), (4, 4), (5, 1)])
def test_copies_of_a_body_are_few_where_it_has_many_statements(
    n: int, copies: int
) -> None:
    box = "0 <= i < 2000 and 0 <= j < 2000"
    sums = [
        scops.statement(
            f"S{k}", f"{{ S{k}[i, j] : {box} }}", (0, 0, k),
            "r [i, j] -> A[i, j]", f"r [i, j] -> s{k}[{on}]", f"w [i, j] -> s{k}[{on}]",
        )
        for k, on in enumerate("ijijij"[:n])
    ]  # fmt: skip
    names = [f"S{k}" for k in range(n)]
    rows = ("; ".join(f"{s}[i, j] -> [({x})]" for s in names) for x in "ij")
    band = "[" + ", ".join(f"{{ {row} }}" for row in rows) + "]"
    scop = scops.scop("sums", *sums)
    tree, deps = trees.one_band(scop, band, *names)
    view = view_band(Draft(tree, deps), scop, (0,))
    assert choose_jam(view, CPU, vector=False) == (copies, 1)


def test_fused_sums_of_a_small_matrix_are_left_alone() -> None:
    scop = two_products(200)
    tree, deps = trees.one_band(scop, FUSED_BAND, "S1", "S0")
    assert plan_script(tree, scop, deps, CPU, BLOCKS).steps == ()


def test_a_wave_steps_through_the_tiles_that_have_no_loop_of_their_own() -> None:
    scop = two_products(2000)
    deps = compute_dependences(scop)
    draft = plan_script(joined(scop), scop, deps, CPU, BLOCKS)
    for place in statement_places(draft.tree):
        wave, columns = place.members[:2]
        assert (wave.kind, columns.kind) == ("wave", "tile")
        assert wave.summed == (((1, 0), 48), ((0, 1), 1008))
        assert columns.coefficients == (0, 1)
