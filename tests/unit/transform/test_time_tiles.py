"""Time tiles for a device: which bands get them, and what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import find_violation
from polysched.transform import DevicePlanner, Draft, print_script
from polysched.transform.time_tiles import TimeShape, tile_time
from tests.unit.codegen.cuda.programs import Prepared
from tests.unit.codegen.cuda.test_meeting import (
    COLUMNS,
    COLUMNS_BAND,
    PLANES,
    PLANES_BAND,
    ROWS,
    ROWS_BAND,
    SWEEP,
    SWEEP_BAND,
)

SHAPE = TimeShape(2, ((8,), (4, 8)), ((4,), (2, 8)))


@pytest.mark.parametrize(
    ("body", "band", "threads"),
    [
        (ROWS, ROWS_BAND, "threads:4"),
        (PLANES, PLANES_BAND, "threads:2,8:2,1"),
        (SWEEP, SWEEP_BAND, "threads:2,8"),
    ],
)
def test_stencils_are_tiled_in_time(
    tmp_path: Path, body: str, band: str, threads: str
) -> None:
    prepared = Prepared.of(tmp_path, body).in_band(band)
    draft = Draft(prepared.tree, prepared.deps)
    tiled = tile_time(draft, prepared.scop, SHAPE, (0,))
    assert tiled is not None
    assert f'mark: "{threads}"' in tiled.tree.text
    assert 'mark: "grid"' in tiled.tree.text
    assert find_violation(tiled.tree, prepared.deps) is None
    # where a step's points are independent, all of them run between two barriers
    waves = print_script(tiled.steps).count("wavefront")
    assert waves == (2 if body is SWEEP else 1)


def test_more_loops_than_a_shape_has_sizes_for_are_left(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, PLANES).in_band(PLANES_BAND)
    shape = TimeShape(2, ((8,),), ((4,),))
    draft = Draft(prepared.tree, prepared.deps)
    assert tile_time(draft, prepared.scop, shape, (0,)) is None


def test_plans_have_time_tiles_and_plain_waves(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, ROWS).in_band(ROWS_BAND)
    planner = DevicePlanner(prepared.scop, prepared.deps)
    scripts = [print_script(d.steps) for d in planner.plan(prepared.tree)]
    assert len(scripts) == 4
    assert sum("grid(" in s for s in scripts) == 3
    assert sum("launch(" in s for s in scripts) == 1


def test_a_parallel_loop_needs_no_time_tiles(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, COLUMNS).in_band(COLUMNS_BAND)
    planner = DevicePlanner(prepared.scop, prepared.deps)
    scripts = [print_script(d.steps) for d in planner.plan(prepared.tree)]
    assert not any("grid(" in s for s in scripts)
