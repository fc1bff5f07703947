"""Every processor gets tiles that its SMs take; the measured ones where they fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polysched.analysis import FloatingPoint
from polysched.base import PolyschedError
from polysched.cost.gpu import compute_occupancy
from polysched.machine import Gpu, Machine, known_gpus
from polysched.space import SpaceOptions, build_space
from polysched.space.device_shapes import as_tile, device_shapes
from polysched.transform import SHAPES, DeviceShape, StagedShape
from tests.unit.codegen.cuda.programs import Prepared

PRODUCT = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < M; k++)
        C[i][j] += A[i][k] * B[k][j];"""
SMALL = replace(
    Gpu.named("v100"), name="small", shared_bytes_per_sm=48 << 10,
    shared_bytes_per_block=48 << 10,
)  # fmt: skip


def stages(gpu: Gpu) -> list[StagedShape]:
    return [s.stage for s in plain(gpu) if s.stage is not None]


def plain(gpu: Gpu) -> list[DeviceShape]:
    """Shapes that leave tensor cores alone."""
    return [s for s in device_shapes(gpu) if s.tensor is None]


@pytest.mark.parametrize("gpu", [*known_gpus(), SMALL], ids=lambda gpu: gpu.name)
def test_every_shape_fits(gpu: Gpu) -> None:
    has_async = gpu.compute_capability >= (8, 0)
    found = stages(gpu)
    assert len(set(found)) == len(found) >= 3
    for shape in found:
        tile = as_tile(shape)
        assert has_async or shape.stages <= 2
        registers = tile.registers(4, has_async_copies=has_async)
        shared = tile.shared_bytes(4)
        assert compute_occupancy(gpu, tile.n_threads, registers, shared).blocks_per_sm
        assert tile.block_i == tile.thread_i * shape.threads[0]
        assert tile.block_j == tile.thread_j * shape.threads[1]


def test_measured_shapes_stay_where_they_fit() -> None:
    *usual, last = plain(Gpu.named("h200"))
    assert tuple(usual) == SHAPES
    assert last.stage == replace(SHAPES[0].stage, bulk=True)
    assert tuple(plain(Gpu.named("a100-40gb"))) == SHAPES


def test_tensor_cores_come_first_where_there_are_some() -> None:
    for name, places in (("h200", [0, 2]), ("a100-40gb", [0, 2]), ("v100", [])):
        shapes = device_shapes(Gpu.named(name))
        assert [k for k, s in enumerate(shapes) if s.tensor] == places


@pytest.mark.parametrize(
    ("elem", "fp", "n_tensor"),
    [("double", "strict", 0), ("double", "reassociate", 2), ("float", "reassociate", 0),
     ("float", "tf32", 2), ("int", "tf32", 0)],
)  # fmt: skip
def test_spaces_have_them_where_they_are_allowed(
    tmp_path: Path, elem: str, fp: FloatingPoint, n_tensor: int
) -> None:
    scop = Prepared.of(tmp_path, PRODUCT, elem, n=1000).scop
    machine = Machine(Machine.detect(calibrated=False).cpu, gpu=Gpu.named("h200"))
    options = SpaceOptions(target="cuda", policy="minimal", fp=fp)
    space = build_space(scop, machine, options)
    assert space.fp == (fp if n_tensor else "strict" if elem != "float" else space.fp)
    scripts = [s.script_text for s in space if s.script]
    tensor = [text for text in scripts if "tensor=true" in text]
    assert len({text[text.index("contract") :] for text in tensor}) == n_tensor
    assert len(tensor) < len(scripts)
    if n_tensor:
        assert "tensor=true" in next(s for s in space if s.script).script_text


def test_rows_in_bulk_are_in_a_space_of_many_shapes(tmp_path) -> None:
    scop = Prepared.of(tmp_path, PRODUCT, n=200).scop
    machine = Machine(Machine.detect(calibrated=False).cpu, gpu=Gpu.named("h200"))
    for n_shapes in (4, 9):
        options = SpaceOptions(
            target="cuda", policy="minimal", shapes_per_schedule=n_shapes
        )
        scripts = [s.script_text for s in build_space(scop, machine, options)]
        assert any("bulk=true" in s for s in scripts) == (n_shapes == 9)


def test_rows_in_bulk_come_first_where_asked_for(tmp_path) -> None:
    scop = Prepared.of(tmp_path, PRODUCT, n=200).scop
    cpu = Machine.detect(calibrated=False).cpu
    options = SpaceOptions(target="cuda", policy="minimal", bulk=True)
    machine = Machine(cpu, gpu=Gpu.named("h100"))
    scripts = [s.script_text for s in build_space(scop, machine, options)]
    tiled = [s for s in scripts if "contract(" in s]
    assert len(tiled) >= 2
    assert all("bulk=true" in s for s in tiled)
    machine = Machine(cpu, gpu=Gpu.named("a100-80gb"))
    with pytest.raises(PolyschedError, match="from sm_90 on, a100-80gb is sm_80"):
        build_space(scop, machine, options)


def test_processors_without_asynchronous_copies_get_others() -> None:
    measured = [s.stage for s in SHAPES if s.stage is not None]
    assert not set(stages(Gpu.named("v100"))) & set(measured)
    assert stages(SMALL) != stages(Gpu.named("v100"))
    plain = [replace(s, lines=None) for s in device_shapes(SMALL) if s.stage is None]
    assert plain == [replace(s, lines=None) for s in SHAPES if s.stage is None]


def test_sums_in_order_copy_as_far_ahead_as_the_processor_can() -> None:
    def ahead(name: str) -> set[int]:
        shapes = device_shapes(Gpu.named(name))
        return {s.lines.stages for s in shapes if s.lines is not None}

    assert ahead("h100") == {4}
    assert ahead("v100") == {2}


def test_spaces_have_them(tmp_path) -> None:
    (scop,) = Prepared.of(tmp_path, PRODUCT, n=200).program.scops
    machine = Machine(Machine.detect(calibrated=False).cpu, gpu=Gpu.named("v100"))
    options = SpaceOptions(target="cuda", policy="minimal")
    scripts = [s.script_text for s in build_space(scop, machine, options)]
    staged = [s for s in scripts if "contract(" in s]
    assert staged
    assert not any("stages=3" in s for s in staged)
