"""Diamonds of a wave stand side by side in time; sides that cross are refused."""

from __future__ import annotations

from collections import Counter

import islpy as isl
import pytest

from polysched.analysis import Dependences, find_violation, loop_is_parallel
from polysched.base import IllegalScheduleError
from polysched.transform import Diamond, Step, Tile, Wavefront, apply_script
from polysched.transform import parse_script as read
from polysched.transform.slant import Slant, find_slant
from tests.unit import scops
from tests.unit.transform import trees

WAVES = "wavefront(band=0.0.0, members=2); parallel(band=0.0.0.0, member=1)"


def test_diamonds_of_a_wave_run_in_parallel() -> None:
    tree, deps = trees.line()
    script = read(f"diamond(band=0, sizes=[8, 8], slope=4, shifts=[0, 2]); {WAVES}")
    done = apply_script(tree, script, deps)
    assert find_violation(done, deps) is None
    assert loop_is_parallel(done.node((0, 0, 0, 0, 0, 0)), 0, deps.validity)


def test_inside_a_diamond_statements_may_run_one_time_step_after_the_other() -> None:
    tree, deps = trees.line()
    script = read(
        f"diamond(band=0, sizes=[8, 8], slope=4, shifts=[0, 2]); {WAVES}; "
        "distribute(band=0.0.0.0.0.0.0, member=1, statements=[0, 1]); "
        "vector(band=0.0.0.0.0.0.0.0.1.0); vector(band=0.0.0.0.0.0.0.0.0.0)"
    )
    done = apply_script(tree, script, deps)
    assert find_violation(done, deps) is None


def test_two_dimensional_diamonds_leave_rows_whole() -> None:
    tree, deps = trees.jacobi()
    script = read(
        "straighten(band=0); diamond(band=0, sizes=[8, 8], slope=4, shifts=[0, 2]); "
        f"{WAVES}; vector(band=0.0.0.0.0.0.0.0)"
    )
    assert find_violation(apply_script(tree, script, deps), deps) is None


def test_members_behind_the_first_two_are_tiled_plainly() -> None:
    tree, deps = trees.jacobi()
    script = read(f"diamond(band=0, sizes=[8, 8, 16], slope=4, shifts=[0, 2]); {WAVES}")
    done = apply_script(tree, script, deps)
    assert [n.band_n_member() for _, n in done.bands()] == [1, 2, 3]
    assert find_violation(done, deps) is None


def tiles_per_wave(step: Step, at: tuple[int, ...]) -> list[int]:
    """How many tiles each wave has, at 40 steps of 100 cells."""
    tree, _ = trees.line()
    waves = Wavefront(at, 2).apply(step.apply(tree)).node((*at, 0))
    runs = waves.band_get_partial_schedule_union_map()
    runs = runs.intersect_domain(waves.get_domain())
    runs = runs.intersect_params(isl.Set("[T, n] -> { : T = 40 and n = 102 }"))
    points: list[isl.Point] = []
    tiles = isl.Set.from_union_set(runs.range()).project_out_all_params()
    tiles.foreach_point(points.append)
    per_wave = Counter(
        int(p.get_coordinate_val(isl.dim_type.set, 0).to_python()) for p in points
    )
    return [per_wave[k] for k in sorted(per_wave)]


def test_all_waves_of_diamonds_have_as_many_tiles() -> None:
    """The oracle for concurrent start: no wave waits for the tiles before it."""
    diamonds = tiles_per_wave(Diamond((0,), (20, 20), 4, (0, 2)), (0, 0, 0))
    assert len(diamonds) >= 8
    assert set(diamonds) <= {5, 6}
    slanted = tiles_per_wave(Tile((0,), (5, 20)), (0, 0))
    assert min(slanted) == 1
    assert max(slanted) >= 4


@pytest.mark.parametrize(
    ("slope", "shifts"), [(3, [0, 2]), (4, [0, 0]), (4, [0, 4]), (1, [0, 1])]
)
def test_wrong_sides_are_refused_with_a_pair_that_shows_it(
    slope: int, shifts: list[int]
) -> None:
    tree, deps = trees.line()
    script = read(f"diamond(band=0, sizes=[8, 8], slope={slope}, shifts={shifts})")
    with pytest.raises(IllegalScheduleError, match="must run before") as caught:
        apply_script(tree, script, deps)
    assert "a side of the tiles goes from the later to the earlier" in str(caught.value)


def test_the_pair_that_shows_it_is_a_true_one() -> None:
    """With a slope of 3 the value at i, read at i + 1 half a step later, is behind."""
    tree, deps = trees.line()
    side = Diamond((0,), (2, 2), 3, (0, 2))
    reason = side.check(tree, deps)
    assert reason is not None
    unchecked = apply_script(tree, (side, *read(WAVES)))
    assert find_violation(unchecked, deps) is not None


@pytest.mark.parametrize("slope", [1, 2, 5])
def test_a_sweep_in_place_starts_in_one_corner_only(slope: int) -> None:
    tree, deps = trees.seidel()
    assert find_slant(tree.node((0,)), deps) is None
    found = Diamond((0,), (8, 8, 0), slope, (0,)).check(tree, deps)
    assert found is not None
    assert "S0[t = " in found


def test_a_band_that_is_not_permutable_is_refused() -> None:
    plain = "[T, n] -> [{ S0[t, i] -> [(t)]; S1[t, i] -> [(t)] }, "
    plain += "{ S0[t, i] -> [(i)]; S1[t, i] -> [(i)] }]"
    tree, deps = trees.one_band(scops.jacobi_1d(), plain, "S0", "S1")
    found = Diamond((0,), (8, 8), 4, (0, 2)).check(tree, deps)
    assert found is not None
    assert "the band goes from the later to the earlier" in found


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("diamond(band=0, sizes=[8], slope=4, shifts=[0, 2])", "1 tile sizes for 2"),
        ("diamond(band=0, sizes=[8, 4], slope=4, shifts=[0, 2])", "that are equal"),
        ("diamond(band=0, sizes=[0, 0], slope=4, shifts=[0, 2])", "that are equal"),
        ("diamond(band=0, sizes=[8, 8], slope=0, shifts=[0, 2])", "slope 0"),
        ("diamond(band=0, sizes=[8, 8], slope=4, shifts=[0])", "1 shifts for 2"),
    ],
)
def test_misfits_are_told(step: str, message: str) -> None:
    tree, _ = trees.line()
    assert message in str(Step.parse(step).find_misfit(tree))


def test_the_text_of_a_step_is_read_back() -> None:
    text = "diamond(band=0, sizes=[8, 8], slope=4, shifts=[0, 2])"
    assert str(Step.parse(text)) == text


def one_statement(*reads: str) -> tuple[isl.ScheduleNode, Dependences]:
    """Space-time with one array per time step, the band skewed by 2."""
    scop = scops.scop(
        "history",
        scops.statement(
            "S0",
            "[T, n] -> { S0[t, i] : 2 <= t < T and 2 <= i < n - 2 }",
            (0, 0),
            *[f"r [t, i] -> A[{r}]" for r in reads],
            "w [t, i] -> A[t, i]",
        ),
    )
    band = "[T, n] -> [{ S0[t, i] -> [(t)] }, { S0[t, i] -> [(2t + i)] }]"
    tree, deps = trees.one_band(scop, band)
    return tree.node((0,)), deps


@pytest.mark.parametrize(
    ("reads", "slope"),
    [
        (["t - 1, i - 1", "t - 1, i + 1"], 3),
        (["t - 1, i - 2", "t - 1, i + 2"], 4),
        (["t - 1, i", "t - 1, i + 1"], 2),
        (["t - 2, i - 1", "t - 2, i + 1"], 3),
        (["t - 1, i - 1", "t - 1, i"], 3),
    ],
)
def test_the_least_slope_is_found(reads: list[str], slope: int) -> None:
    assert find_slant(*one_statement(*reads)) == Slant(slope, (0,))


def test_statements_are_shifted_as_far_as_they_wait_for_each_other() -> None:
    tree, deps = trees.line()
    assert find_slant(tree.node((0,)), deps) == Slant(4, (0, 2))


def test_dependences_that_reach_across_all_space_leave_no_side() -> None:
    scop = scops.scop(
        "mean",
        scops.statement(
            "S0",
            "[T, n] -> { S0[t, i] : 1 <= t < T and 0 <= i < n }",
            (0, 0),
            "r [t, i] -> A[t - 1, 0]",
            "w [t, i] -> A[t, i]",
        ),
    )
    band = "[T, n] -> [{ S0[t, i] -> [(t)] }, { S0[t, i] -> [(i)] }]"
    tree, deps = trees.one_band(scop, band)
    assert find_slant(tree.node((0,)), deps) is None
