"""Random programs with device code: compiled for the CPU's stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from polysched.codegen.cuda import join_device
from polysched.runtime import (
    Toolchain,
    compile_kernels,
    compile_shim,
    link_shim_program,
)


def compile_with_device(
    source: bytes,
    devices: Sequence[str],
    name: str,
    directory: Path,
    toolchain: Toolchain,
) -> Path:
    """Compile a C program and the device code of its regions, and link them.

    Parameters
    ----------
    source : bytes
        The C program.
    devices : sequence of str
        Device code, one text per region that calls some.
    name : str
        Base name of the files.
    directory : Path
        Where they go; the stand-in's runtime is compiled there once.
    toolchain : Toolchain
        The C compiler and its options.
    """
    host, kernels = directory / f"{name}.c", directory / f"{name}.cu"
    host.write_bytes(source)
    kernels.write_text(join_device(devices))
    runtime = directory / "ps_shim.o"
    if not runtime.exists():
        compile_shim(directory)
    objects = [compile_kernels(kernels, directory / f"{name}.o"), runtime]
    return link_shim_program(
        objects, directory / name, host_source=host, toolchain=toolchain
    )
