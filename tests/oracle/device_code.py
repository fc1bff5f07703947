"""Default choices for a device, and what NVIDIA's compiler makes of their kernels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polysched.cost.device import kernel_work
from polysched.cost.kernels import read_kernels
from polysched.machine import Gpu, Machine
from polysched.runtime import KernelResources, Nvcc
from polysched.workflow import Variant, build_space, parse
from tests.oracle.nvrtc import Nvrtc

ASKED = re.compile(
    r"cudaFuncSetAttribute\((\w+),\s*"
    r"cudaFuncAttributeMaxDynamicSharedMemorySize,\s*(\d+)\)"
)
SECONDS = 20.0  # for one space, as `optimize` takes by default and a little more


@dataclass(frozen=True)
class Expected:
    """What the model takes a kernel to need.

    Attributes
    ----------
    n_registers : float
        Of a thread.
    shared_bytes : float
        Of a block.
    is_staged : bool
        Whether operands go through shared memory.
    """

    n_registers: float
    shared_bytes: float
    is_staged: bool


@dataclass(frozen=True)
class Compiled:
    """A kernel of a default choice: as predicted, and as assembled.

    Attributes
    ----------
    expected : Expected
        By the model.
    found : KernelResources
        By the assembler.
    shared_bytes : int
        Of a block, with what its launch asks for.
    """

    expected: Expected
    found: KernelResources
    shared_bytes: int


def default_variants(path: Path, gpu: Gpu, flags: Sequence[str] = ()) -> list[Variant]:
    """The first choice for every scop of a program."""
    machine = Machine(Machine.detect(calibrated=False).cpu, gpu=gpu)
    program = parse(str(path), flags=tuple(flags))
    spaces = [
        build_space(program, machine, scop=s.name, seconds=SECONDS, target="cuda")
        for s in program.scops
    ]
    return [space.first_printable()[0] for space in spaces]


def has_compiler(architecture: str) -> bool:
    """Whether nvcc makes code for an architecture, or the library of release 12."""
    return Nvcc.locate().knows(architecture) or Nvrtc.locate() is not None


def compile_kernels(
    variant: Variant, folder: Path, architecture: str
) -> list[Compiled]:
    """The kernels of a variant, in order."""
    loads = read_kernels(variant.tree, variant.scop)
    assembled = _assemble(variant, folder, architecture)
    by_number = {int(r.name.rsplit("_", 1)[1]): r for r in assembled}
    assert sorted(by_number) == list(range(len(loads)))
    text = variant.device_text()
    asked = dict(ASKED.findall(text))
    found = []
    for number, load in enumerate(loads):
        work = kernel_work(load)
        is_staged = any(s.stage is not None for s in load.statements)
        resources = by_number[number]
        expected = Expected(
            work.registers_per_thread,
            work.shared_bytes_per_block,
            is_staged,
        )
        shared = resources.shared_bytes + int(asked.get(resources.name, 0))
        found.append(Compiled(expected, resources, shared))
    return found


def _assemble(
    variant: Variant, folder: Path, architecture: str
) -> Sequence[KernelResources]:
    nvcc, library = Nvcc.locate(), Nvrtc.locate()
    if library is not None and not nvcc.knows(architecture):
        return library.compile(variant.device_text(), architecture)
    source = folder / f"{variant.scop.name}.cu"
    source.write_text(variant.device_text())
    return nvcc.compile(source, architectures=[architecture], form="cubin").resources


def _of_kernel(ptx: str, kernel: str) -> str:
    text = ptx[re.search(rf"\.entry \w*{kernel}\w*\(", ptx).end() :]  # type: ignore[union-attr]
    return text.partition(".entry")[0]


def bulk_stages_in_flight(ptx: str, kernel: str) -> int:
    """The same of copies in bulk: phases announced before the first is waited for.

    Each turn of the loop then announces another one before it computes.
    """
    ahead, _, loop = _of_kernel(ptx, kernel).partition("mbarrier.try_wait.parity")
    announced = ahead.count("mbarrier.arrive.expect_tx")
    assert ahead.count("mbarrier.init") >= announced + 1
    first = loop.index("mbarrier.arrive.expect_tx")
    assert (
        first < loop.index("cp.async.bulk.shared::cluster.global") < loop.index("fma")
    )
    return announced + 1


def stages_in_flight(ptx: str, kernel: str) -> int:
    """Tiles that a kernel's loop has begun to copy, at most, the one in use among them.

    Each turn waits until all but so many groups of copies have arrived and begins
    another one; the tile that it then computes on is one more.
    """
    text = _of_kernel(ptx, kernel)
    assert "cp.async.cg.shared.global" in text
    (left,) = re.findall(r"cp\.async\.wait_group\s+(\d+);", text)
    loop = text[text.index("cp.async.wait_group") :]
    copies, commit = loop.find("cp.async.cg"), loop.find("cp.async.commit_group")
    assert 0 < copies < commit
    return int(left) + 1 + 1
