"""Frames of tiles: their parts, what does not fit, and equal results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polysched.analysis import (
    Dependences,
    compute_dependences,
    copy_versions,
    find_violation,
    prepare_scop,
    set_band_flags,
)
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree
from polysched.machine import Machine
from polysched.sets import list_sets, node_kind
from polysched.testing import Candidate, Candidates, check_program
from polysched.transform import (
    ScriptPlanner,
    Step,
    apply_script,
    parse_script,
    print_script,
)
from polysched.transform.frames import find_ends
from tests.unit.analysis.test_versions import JORDAN, PATHS, _program

LOOPS = (
    "S0.1.2, S1.1.2, S2.1.2, S3.1.2, S4.1.2, S5.1.2, S6.1.2, S7.1.2, S8.1.2, "
    "S9.1.-, S10.-.1, S11.1.-, S12.-.1, S13.1.-, S14.-.1"
)
TILED = "tile(band=0, sizes=[4]); "
FRAMED = TILED + f"frame(band=0.0.0, size=4, loops=[{LOOPS}], strips=[1, 2])"


def _with_copies(scop: Scop) -> tuple[Scop, Dependences]:
    scop = copy_versions(prepare_scop(scop))
    return scop, compute_dependences(scop, with_input=False)


def _prepared(body: str, tmp_path: Path) -> tuple[Scop, Dependences]:
    file = tmp_path / "program.c"
    file.write_text(_program(body))
    return _with_copies(parse_c(str(file)).scops[0])


def _script(script: str):
    def candidates(scop: Scop) -> Candidates:
        scop, deps = _with_copies(scop)
        tree = set_band_flags(original_tree(scop), deps)
        tree = apply_script(tree, parse_script(script), deps)
        return Candidates(scop, deps, (Candidate(tree, "framed"),))

    return candidates


@pytest.mark.long
@pytest.mark.cc
def test_frames_give_equal_results() -> None:
    report = check_program(_program(PATHS), _script(FRAMED))
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_trees == 1
    assert report.n_unprinted == 0


def test_what_is_inside_along_all_axes_comes_first(tmp_path: Path) -> None:
    scop, deps = _prepared(PATHS, tmp_path)
    tree = set_band_flags(original_tree(scop), deps)
    framed = apply_script(tree, parse_script(FRAMED))
    parts = framed.node((0, 0, 0))
    assert node_kind(parts) == "sequence"
    found = [
        parts.child(k).filter_get_filter().n_set() for k in range(parts.n_children())
    ]
    # the square; its columns and rows, with copies; four kinds of updates outside
    assert found == [15, 9, 9, 1, 1, 1, 1]
    assert find_violation(framed, deps, scop) is None


def test_tiles_end_with_updates_alone_or_not_at_all(tmp_path: Path) -> None:
    """Below a diagonal nothing may be outside along all axes."""
    scop, deps = _prepared(PATHS, tmp_path)
    tree = set_band_flags(original_tree(scop), deps)
    parts = apply_script(tree, parse_script(FRAMED)).node((0, 0, 0))
    alone = tuple(
        list_sets(parts.child(k).filter_get_filter())[0].get_tuple_name()
        for k in range(3, 7)
    )
    assert find_ends(parts, alone) == (3, 4, 5, 6)
    assert find_ends(parts, alone[1:2]) == (4,)
    assert find_ends(parts, (*alone, "S9")) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("size=4", "size=1"), "found a tile of 1"),
        (("S0.1.2, ", ""), "of each statement"),
        (("S0.1.2", "S0.1"), "other axes"),
        (("S0.1.2", "S0.1.3"), "an iterator that S0 does not have"),
        (("S0.1.2", "S0"), "expected some as S3.-.1"),
    ],
)
def test_frames_that_do_not_fit_are_refused(
    change: tuple[str, str], reason: str, tmp_path: Path
) -> None:
    scop, deps = _prepared(PATHS, tmp_path)
    tree = set_band_flags(original_tree(scop), deps)
    tile, frame = parse_script(FRAMED.replace(*change))
    assert reason in str(frame.check(tile.apply(tree), deps))


def test_a_frame_that_mixes_up_axes_is_illegal(tmp_path: Path) -> None:
    scop, deps = _prepared(PATHS, tmp_path)
    tree = set_band_flags(original_tree(scop), deps)
    wrong = FRAMED.replace("S9.1.-", "S9.-.1")
    tile, frame = parse_script(wrong)
    assert "violated" in str(frame.check(tile.apply(tree), deps))


def test_frames_are_read_back() -> None:
    (_, frame) = parse_script(FRAMED)
    assert Step.parse(str(frame)) == frame


@pytest.mark.long
@pytest.mark.parametrize(("body", "n_held"), [(PATHS, 4), (JORDAN, 1)])
def test_updates_that_read_copies_are_planned_in_frames(
    body: str, n_held: int, tmp_path: Path
) -> None:
    machine = Machine.detect(calibrated=False)
    scop, deps = _prepared(body.replace("< n", "< 220"), tmp_path)
    tree = set_band_flags(original_tree(scop), deps)
    planner = ScriptPlanner(scop, deps, replace(machine.cpu, n_cores=2))
    draft = planner.plan(tree)[0]
    script = print_script(draft.steps)
    assert script.count("frame(") == 1
    assert script.count("registers(") == n_held
    assert find_violation(draft.tree, deps, scop) is None
