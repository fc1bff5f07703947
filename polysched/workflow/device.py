"""Whether a program is worth a device at all, and what a device file is called."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from polysched.base import CodegenError, PolyschedError
from polysched.cost import array_bytes
from polysched.ir import Scop
from polysched.machine import Gpu, Machine
from polysched.space import gpu_of
from polysched.workflow.spaces import ProgramSpace
from polysched.workflow.variant import Variant, macro_flags

SOURCE, DEVICE = ".c", ".cu"


def find_device_obstacle(
    space: ProgramSpace, parameters: Mapping[str, int] | None = None
) -> str | None:
    """Why a space for a device has nothing that is worth running there, or None.

    Parameters
    ----------
    space : ProgramSpace
        Built with the target "cuda".
    parameters : mapping of str to int, optional
        Sizes that are known.
    """
    gpu = gpu_of(space.machine)
    too_large = _find_excess(space.scop, gpu, parameters or {})
    if too_large is not None:
        return too_large
    mapped = [s for s in space if s.script]
    if not mapped:
        reasons = Counter(d.reason for d in space.dropped if "same" not in d.kind)
        common = reasons.most_common(1)
        return common[0][0] if common else "no schedule was found"
    if all(s.features["n_single_kernels"] == s.features["n_kernels"] for s in mapped):
        return (
            "no parallel loop was found: every schedule would run on a single thread "
            "of the device"
        )
    return None


def check_device_space(
    space: ProgramSpace, parameters: Mapping[str, int] | None = None
) -> None:
    """Refuse a space that has nothing for a device.

    Raises
    ------
    CodegenError
        With the reason.
    """
    reason = find_device_obstacle(space, parameters)
    if reason is not None:
        raise CodegenError(
            f"nothing of {space.scop.name} for the device: {reason}",
            hint="--fallback host takes the version for the processor instead",
        )


def _find_excess(scop: Scop, gpu: Gpu, parameters: Mapping[str, int]) -> str | None:
    known = {p.name for p in scop.parameters}
    values = {k: v for k, v in parameters.items() if k in known}
    sizes = array_bytes(scop.with_parameters_fixed(values) if values else scop)
    needed = sum(size or 0.0 for size in sizes.values())
    if needed <= gpu.memory_bytes:
        return None
    return (
        f"its arrays take {needed / 2**30:.1f} GiB, the memory of {gpu.name} is "
        f"{gpu.memory_bytes / 2**30:.0f} GiB"
    )


def device_pair(path: str) -> tuple[str, str]:
    """The names of the C file and of the device file, from either.

    Raises
    ------
    PolyschedError
        If it ends in neither ``.c`` nor ``.cu``.

    Examples
    --------
    >>> device_pair("build/gemm.opt.c")
    ('build/gemm.opt.c', 'build/gemm.opt.cu')
    """
    target = Path(path)
    if target.suffix not in (SOURCE, DEVICE):
        raise PolyschedError(
            f"the output {path!r} names a pair of files, a C file and a CUDA file; "
            "expected a name that ends in .c or .cu"
        )
    return str(target.with_suffix(SOURCE)), str(target.with_suffix(DEVICE))


def with_build_line(variant: Variant, output: str, machine: Machine) -> Variant:
    """A variant for a device with a line that says how to build its two files."""
    if variant.target != "cuda":
        return variant
    names = [Path(p).name for p in device_pair(output)]
    arch = gpu_of(machine).architecture
    flags = macro_flags(variant.program)
    return variant.built_by(
        shlex.join(["nvcc", "-O3", f"-arch={arch}", *flags, *names])
    )
