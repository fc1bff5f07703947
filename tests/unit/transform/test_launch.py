"""Steps that make kernels: what they accept, and what the tree says after them."""

from __future__ import annotations

from math import prod
from pathlib import Path

import pytest

from polysched.analysis import find_violation
from polysched.base import CodegenError, IllegalScheduleError
from polysched.transform import (
    DevicePlanner,
    DeviceShape,
    Launch,
    apply_script,
    parse_script,
    print_script,
)
from tests.unit.codegen.cuda.programs import Prepared

PRODUCT = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < M; k++)
        C[i][j] += A[i][k] * B[k][j];"""
LAUNCH = "launch(band=0, tile=[8], threads=[4], member=0)"
CONTRACT = (
    "contract(band=0, tile=[8,8,4], threads=[4,4], runs=[1,2], stages=2, tensor=false)"
)


RUN = "launch(band=0, tile=[8], threads=[4], member=0, run=2)"


@pytest.mark.parametrize("text", [LAUNCH, CONTRACT, RUN, "single(band=0)"])
def test_steps_are_read_back(text: str) -> None:
    assert print_script(parse_script(text)).replace(" ", "") == text.replace(" ", "")


def test_marks_say_what_blocks_and_threads_run(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, PRODUCT)
    script = parse_script(f"merge(band=0); merge(band=0); {CONTRACT}")
    tree = apply_script(prepared.tree, script, prepared.deps)
    for mark in ("kernel", "grid", "stage:2", "threads:4,4:1,2"):
        assert f'mark: "{mark}"' in tree.text
    assert find_violation(tree, prepared.deps) is None


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("launch(band=0, tile=[6], threads=[4])", "expected a divisor"),
        ("launch(band=0, tile=[8,8], threads=[8,8])", "expected 1 to 1"),
        ("launch(band=0, tile=[2048], threads=[2048])", "at most 1024"),
        (f"{LAUNCH}; launch(band=0.0.0.0.0.0, tile=[8], threads=[8])", "inside of a"),
        ("launch(band=0, tile=[8], threads=[4], run=3)", "expected one of"),
        ("launch(band=0, tile=[8], threads=[4], run=4)", "runs of 4 for 8 values"),
        ("contract(band=0, tile=[8,8,4], threads=[3,4], runs=[1,1])", "for 8 values"),
        ("contract(band=0, tile=[8,8,4], threads=[4,4], runs=[1])", "1 runs for 2"),
        (
            "contract(band=0, tile=[8,8,4], threads=[4,4], runs=[1,1], stages=9)",
            "expected 1 to 8",
        ),
    ],
)
def test_misfits_are_named(tmp_path: Path, script: str, reason: str) -> None:
    prepared = Prepared.of(tmp_path, PRODUCT)
    with pytest.raises(IllegalScheduleError, match=reason):
        apply_script(prepared.tree, parse_script(script), prepared.deps)


def test_a_loop_that_carries_a_dependence_is_not_shared(tmp_path: Path) -> None:
    body = "for (int i = 1; i < N; i++) C[i][0] = C[i - 1][0] + A[i][0];"
    prepared = Prepared.of(tmp_path, body)
    with pytest.raises(IllegalScheduleError, match="loop leaves their order open"):
        apply_script(prepared.tree, parse_script(LAUNCH), prepared.deps)


def test_a_pipeline_changes_how_many_tiles_are_in_flight(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, PRODUCT)
    script = f"merge(band=0); merge(band=0); {CONTRACT}; "
    tile_loop = "pipeline(band=0.0.0.0.0, stages=4)"
    tree = apply_script(prepared.tree, parse_script(script + tile_loop), prepared.deps)
    assert 'mark: "stage:4"' in tree.text
    text = prepared.print(script + tile_loop).device
    assert "__pipeline_wait_prior(2);" in text
    with pytest.raises(IllegalScheduleError, match="copied to shared memory"):
        prepared.print(script + "pipeline(band=0.0.0.0.0.0, stages=2)")


def test_no_pipeline_hides_copies_that_threads_wait_for(tmp_path: Path) -> None:
    body = PRODUCT.replace("k < M", "k < N")
    prepared = Prepared.of(tmp_path, body, "short", 21)
    script = f"merge(band=0); merge(band=0); {CONTRACT}"
    with pytest.raises(CodegenError, match="of 2 bytes and not asynchronous"):
        prepared.print(script)
    assert "held" in prepared.print(script.replace("stages=2", "stages=1")).device


SWEEP = """for (int i = 1; i < N - 1; i++)
    for (int j = 1; j < N - 1; j++)
      C[i][j] = E[0][i][j] + E[0][i][j + 1];"""


@pytest.mark.parametrize(
    ("body", "elem", "n", "run"),
    [
        (SWEEP, "float", 24, 4),
        (SWEEP, "double", 24, 2),
        (SWEEP, "unsigned char", 24, 4),
        (SWEEP, "float", 22, 1),  # rows are not aligned
        (PRODUCT, "float", 24, 1),  # a loop inside
        (SWEEP.replace("C[i][j]", "C[i][2]"), "float", 24, 1),
    ],
)
def test_threads_take_vectors_where_results_lie_side_by_side(
    tmp_path: Path, body: str, elem: str, n: int, run: int
) -> None:
    given = Prepared.of(tmp_path, body, elem, n)
    shape = DeviceShape(((128,), (1, 128)), (1, 4), run=4)
    (draft,) = DevicePlanner(given.scop, given.deps, (shape,)).plan(given.tree)
    step = draft.steps[-1]
    assert isinstance(step, Launch)
    assert step.run == run
    assert step.tile[-1] == step.threads[-1] * run
    assert prod(step.threads) == 128
