"""A schedule taken apart: levels, bodies, reuse, distances, guards, counted by hand."""

from __future__ import annotations

import pytest

from polysched.analysis import (
    BETTER,
    DEVICE_FEATURES,
    FEATURES,
    compute_dependences,
    profile_schedule,
    schedule_features,
    set_band_flags,
)
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees


def _original(scop: Scop) -> tuple[dict[str, float], ScheduleTree]:
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    return schedule_features(tree, scop, deps), tree


def _one_band(scop: Scop, band: str) -> dict[str, float]:
    tree, deps = trees.one_band(scop, band)
    return schedule_features(tree, scop, deps)


def test_every_feature_has_a_better_direction() -> None:
    assert list(BETTER) == [*FEATURES, *DEVICE_FEATURES]
    assert set(BETTER.values()) == {"low", "high"}
    assert (BETTER["stride_score"], BETTER["outer_parallel"]) == ("low", "high")


def test_loops_and_bodies_of_gemm_as_written() -> None:
    found, tree = _original(scops.gemm())
    assert found["n_loops"] == 4
    assert (found["n_loop_nests"], found["n_loops_level2"]) == (1, 2)
    assert (found["n_loops_level3"], found["n_innermost"]) == (1, 2)
    assert found["statements_per_body"] == 1
    assert found["n_lines"] == 4 + 2
    assert profile_schedule(tree, scops.gemm()).partition == "((S0) ((S1)))"


def test_fused_gemm_guards_the_statement_that_runs_once() -> None:
    tree, deps = trees.gemm()
    found = schedule_features(tree, scops.gemm(), deps)
    assert profile_schedule(tree, scops.gemm(), deps).guarded == ("S0",)
    assert (found["n_guards"], found["statements_per_body"]) == (1, 2)
    assert (found["max_band_depth"], found["min_band_depth"]) == (3, 3)
    assert (found["n_permutable_bands"], found["n_coincident"]) == (1, 2)


def test_flags_of_a_bare_tree_are_found() -> None:
    scop = scops.gemm()
    bare = schedule_features(original_tree(scop), scop, compute_dependences(scop))
    assert bare == _original(scop)[0]
    assert bare["outer_parallel"] == 1


def test_first_parallel_level() -> None:
    assert _original(scops.gemm())[0]["parallel_level"] == 1
    assert _original(scops.jacobi_2d())[0]["parallel_level"] == 2
    assert _original(scops.gauss_seidel())[0]["parallel_level"] == 4


def test_reuse_per_level_of_gemm() -> None:
    found, tree = _original(scops.gemm())
    profile = profile_schedule(tree, scops.gemm())
    # C twice, A, B around S1's loops i, k, j; C twice around S0's loops i, j
    assert [level.temporal for level in profile.reuse] == [1, 2, 1]
    assert [level.spatial for level in profile.reuse] == [0, 3, 3]
    assert (found["n_temporal"], found["n_spatial"], found["n_group"]) == (4, 6, 0)


def test_neighbours_of_a_stencil_are_met_again() -> None:
    found, _ = _original(scops.jacobi_1d())
    assert found["n_group"] == 2 * 3


def test_far_references_of_the_worst_body() -> None:
    tree, deps = trees.gemm()
    swapped = apply_script(tree, parse_script("order(band=0, members=[0, 2, 1])"), deps)
    assert schedule_features(tree, scops.gemm())["max_far_references"] == 0
    assert schedule_features(swapped, scops.gemm())["max_far_references"] == 1


def test_distances_and_kept_dependences_of_a_skewed_stencil() -> None:
    tree, deps = trees.seidel()
    found = schedule_features(tree, scops.gauss_seidel(), deps)
    assert (found["max_distance"], found["n_growing"]) == (1, 0)
    assert found["n_kept"] > 0
    assert _original(scops.gauss_seidel())[0]["n_kept"] == 0


def test_without_dependences_nothing_is_said_about_them() -> None:
    found = schedule_features(trees.seidel()[0], scops.gauss_seidel())
    assert found["max_distance"] == found["n_kept"] == found["n_growing"] == 0


def test_flows_within_one_iteration() -> None:
    assert _original(scops.jacobi_1d())[0]["n_local_flows"] == 1
    tree, deps = trees.jacobi()
    assert schedule_features(tree, scops.jacobi_2d(), deps)["n_local_flows"] == 0


def test_distance_that_grows_with_the_size() -> None:
    mirror = scops.scop(
        "mirror",
        scops.statement(
            "S0", "[n] -> { S0[i] : -n <= i < n }", (0, 0),
            "r [i] -> A[-i]", "w [i] -> A[i]",
        ),
    )  # fmt: skip
    assert _original(mirror)[0]["n_growing"] == 1


def test_rows_shifted_by_a_parameter_are_not_near() -> None:
    chain = scops.scop(
        "chain",
        scops.statement("S0", "[n] -> { S0[i] : 0 <= i < n }", (0, 0), "w [i] -> A[i]"),
        scops.statement(
            "S1", "[n] -> { S1[i] : 0 <= i < n }", (1, 0),
            "r [i] -> A[i]", "w [i] -> B[i]",
        ),
    )  # fmt: skip
    near = "[n] -> [{ S0[i] -> [(i)]; S1[i] -> [(1 + i)] }]"
    far = "[n] -> [{ S0[i] -> [(i)]; S1[i] -> [(n + i)] }]"
    found = _one_band(chain, near)
    assert (found["max_distance"], found["n_growing"]) == (1, 0)
    assert _one_band(chain, far)["n_growing"] == 1


@pytest.mark.parametrize(
    ("band", "gaps", "deficit"),
    [
        ("[n] -> [{ S0[i, j] -> [(i)] }, { S0[i, j] -> [(i + j)] }]", 0, 0),
        ("[n] -> [{ S0[i, j] -> [(2i)] }, { S0[i, j] -> [(j)] }]", 1, 0),
        ("[n] -> [{ S0[i, j] -> [(i + j)] }, { S0[i, j] -> [(i - j)] }]", 1, 0),
        ("[n] -> [{ S0[i, j] -> [(i + j)] }]", 1, 1),
    ],
)
def test_gaps_and_rank_of_the_rows(band: str, gaps: int, deficit: int) -> None:
    copy = scops.scop(
        "copy",
        scops.statement(
            "S0", "[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0),
            "r [i, j] -> A[i, j]", "w [i, j] -> B[i, j]",
        ),
    )  # fmt: skip
    found = _one_band(copy, band)
    assert (found["n_not_unimodular"], found["rank_deficit"]) == (gaps, deficit)
    assert found["n_guards"] == gaps


def test_tile_levels_and_intensity() -> None:
    tree, deps = trees.gemm()
    once = apply_script(tree, parse_script("tile(band=0, sizes=[8, 8, 8])"), deps)
    found = schedule_features(once, scops.gemm(), deps)
    plain = schedule_features(tree, scops.gemm(), deps)
    assert (plain["n_tile_levels"], found["n_tile_levels"]) == (0, 1)
    # one operation per instance without a body; C for S0, and A, B, C for S1
    instances, n_bytes = 8**2 + 8**3, (1 + 3) * 8**2 * 8
    assert found["operations_per_byte"] == pytest.approx(instances / n_bytes)
    assert plain["operations_per_byte"] > found["operations_per_byte"]
