"""Features count what is in the tree: parallelism, strides, skew, tiles, copies."""

from __future__ import annotations

import pytest

from polysched.analysis import (
    FEATURES,
    compute_dependences,
    schedule_features,
    set_band_flags,
)
from polysched.ir import original_tree
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees


def test_every_feature_is_described_and_present() -> None:
    found = schedule_features(trees.gemm()[0], scops.gemm())
    assert list(found) == list(FEATURES)
    assert all(
        sentence and not sentence.endswith(".") for sentence in FEATURES.values()
    )
    assert all(isinstance(value, float) for value in found.values())


def test_strides_follow_the_innermost_loop() -> None:
    tree, deps = trees.gemm()
    good = schedule_features(tree, scops.gemm())
    assert (good["n_stride0_reads"], good["n_stride1_reads"]) == (1, 3)
    assert good["n_strideN_reads"] == 0
    assert good["stride_score"] == 1
    swapped = apply_script(tree, parse_script("order(band=0, members=[0, 2, 1])"), deps)
    bad = schedule_features(swapped, scops.gemm())
    assert bad["n_strideN_reads"] == 1
    assert bad["stride_score"] == pytest.approx(1 + 5 / 2)
    assert bad["n_vectorizable"] < good["n_vectorizable"]


def test_original_jacobi_starts_its_threads_in_every_time_step() -> None:
    scop = scops.jacobi_2d()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    found = schedule_features(tree, scop)
    assert found["outer_parallel"] == 0
    assert found["barriers_log10"] == pytest.approx(3)
    assert found["n_vectorizable"] == 2
    assert found["fusion_score"] == 4
    assert found["max_skew"] == 0


def test_skewed_jacobi() -> None:
    found = schedule_features(trees.jacobi()[0], scops.jacobi_2d())
    assert found["max_band_depth"] == 3
    assert found["max_skew"] == 4
    assert found["n_shift"] == 2
    assert found["fusion_score"] == 1
    assert found["n_loop_nests"] == 1


def test_tiles_that_start_at_once_are_told_from_those_that_wait() -> None:
    tree, deps = trees.line()
    diamond = "diamond(band=0, sizes=[40, 40], slope=4, shifts=[0, 2]); "
    scripts = (
        f"{diamond} wavefront(band=0.0.0)",
        "tile(band=0, sizes=[10, 40]); wavefront(band=0.0)",
    )
    found = [
        schedule_features(
            apply_script(tree, parse_script(script), deps), scops.jacobi_1d()
        )
        for script in scripts
    ]
    assert [f["is_wavefront"] for f in found] == [1, 1]
    assert [f["starts_at_once"] for f in found] == [1, 0]
    # 20 steps at most, 40 values of 2t + i, two arrays
    assert found[0]["tile_bytes"] == pytest.approx(2 * 8 * (40 + 2 * 20), rel=0.1)


def test_tiles_waves_and_copies_are_seen() -> None:
    tree, deps = trees.seidel()
    script = parse_script(
        "tile(band=0, sizes=[8, 16, 32]); wavefront(band=0.0); "
        "parallel(band=0.0.0, member=1); jam(band=0.0.0.0.0.0, factors=[2, 4, 1])"
    )
    found = schedule_features(apply_script(tree, script, deps), scops.gauss_seidel())
    assert found["is_tiled"] == found["is_wavefront"] == found["is_jammed"] == 1
    assert found["code_size"] == 8
    assert 16 * 32 * 8 < found["tile_bytes"] < 100 * 100 * 8
    plain = schedule_features(tree, scops.gauss_seidel())
    assert plain["is_tiled"] == plain["tile_bytes"] == plain["is_jammed"] == 0
