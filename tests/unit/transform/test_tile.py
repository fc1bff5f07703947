"""Tiles keep point values and the set of instances; waves leave tiles parallel."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.analysis import find_violation, loop_is_parallel
from polysched.ir import ScheduleTree
from polysched.transform import Tile, Wavefront, apply_script, parse_script
from tests.unit.transform import trees


def members(tree: ScheduleTree, path: tuple[int, ...]) -> str:
    return str(tree.node(path).band_get_partial_schedule())


def test_tile_band_holds_tile_starts_and_points_stay() -> None:
    tree, deps = trees.gemm()
    tiled = Tile((0,), (32, 0, 8)).apply(tree)
    assert tiled.node((0,)).mark_get_id().get_name() == "tile"
    expected = isl.MultiUnionPwAff(
        "[n] -> [{ S0[i, j] -> [32*floor(i/32)]; S1[i, k, j] -> [32*floor(i/32)] }, "
        "{ S0[i, j] -> [8*floor(j/8)]; S1[i, k, j] -> [8*floor(j/8)] }]"
    )
    assert tiled.node((0, 0)).band_get_partial_schedule().plain_is_equal(
        expected
    ) or members(tiled, (0, 0)) == str(expected)
    assert members(tiled, (0, 0, 0)) == members(tree, (0,))
    assert tiled.schedule.get_domain().is_equal(tree.schedule.get_domain())
    assert find_violation(tiled, deps) is None


def test_tiles_nest() -> None:
    tree, deps = trees.gemm()
    script = parse_script(
        "tile(band=0, sizes=[64, 64, 64]); tile(band=0.0.0, sizes=[8, 8, 0])"
    )
    tiled = apply_script(tree, script, deps)
    assert [n.band_n_member() for _, n in tiled.bands()] == [3, 2, 3]
    assert find_violation(tiled, deps) is None


def test_flags_of_tiled_members_carry_over() -> None:
    tree, _ = trees.gemm()
    band = Tile((0,), (0, 4, 4)).apply(tree).node((0, 0))
    assert band.band_get_permutable()
    assert [bool(band.band_member_get_coincident(k)) for k in range(2)] == [False, True]


@pytest.mark.parametrize("n_summed", [2, 3])
def test_member_after_the_wave_is_parallel(n_summed: int) -> None:
    tree, deps = trees.seidel()
    script = parse_script(
        f"tile(band=0, sizes=[4, 8, 16]); wavefront(band=0.0, members={n_summed})"
    )
    done = apply_script(tree, script, deps)
    inner = done.node((0, 0, 0)).band_split(1).child(0)
    assert loop_is_parallel(inner, 0, deps.validity)
    assert find_violation(done, deps) is None


def test_wave_of_two_tiled_members_is_parallel() -> None:
    tree, deps = trees.seidel()
    script = parse_script(
        "tile(band=0, sizes=[4, 8, 0]); wavefront(band=0.0); "
        "parallel(band=0.0.0, member=1)"
    )
    assert find_violation(apply_script(tree, script, deps), deps) is None


def test_wave_counts_tiles_not_points() -> None:
    tree, _ = trees.seidel()
    done = Wavefront((0, 0), 2).apply(Tile((0,), (4, 8, 0)).apply(tree))
    wave = done.node((0, 0, 0)).band_get_partial_schedule().get_union_pw_aff(0)
    expected = isl.UnionPwAff(
        "[T, n] -> { S0[t, i, j] -> [(floor((t)/4) + floor((t + i)/8))] }"
    )
    assert wave.plain_is_equal(expected)
