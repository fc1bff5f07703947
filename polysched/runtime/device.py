"""Device code in the user's program: compiled for a GPU, or for the CPU's stand-in."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from polysched.base import RunError, ToolchainError
from polysched.machine import Gpu, probe_gpu
from polysched.runtime.device_times import DEVICE_TIMES_H
from polysched.runtime.nvcc import Nvcc
from polysched.runtime.shim import (
    SHIM_DIRECTORY,
    compile_kernels,
    compile_shim,
    link_shim_program,
    shim_environment,
)
from polysched.runtime.toolchain import Toolchain, compile_flags, compile_object

Timed = Literal["region", "kernels"]

TURN = "POLYSCHED_DEVICE_TURN"  # names the file that programs on one GPU lock
UNFUSED = "-ffp-contract=off"
_HEADER = "polysched_device.h"
_ON_CPU = "--device cpu runs the kernels on the processor instead, slowly, with checks"


@dataclass(frozen=True)
class DeviceTools:
    """What builds and runs device code.

    Attributes
    ----------
    nvcc : Nvcc or None
        The compiler for a GPU; None where kernels run on the CPU, every access checked.
    gpu : Gpu or None
        The processor of this machine that they run on, where there is one.
    architecture : str
        What they are compiled for.
    timed : {"region", "kernels"}
        What a run's seconds are: the whole region, copies included, or its kernels.
    cxx : str
        The C++ compiler that makes kernels run on the CPU.
    seed : int
        Of the order of threads on the CPU.
    """

    nvcc: Nvcc | None = None
    gpu: Gpu | None = None
    architecture: str = ""
    timed: Timed = "region"
    cxx: str = "g++"
    seed: int = 0

    @classmethod
    def for_gpu(cls, ranked: Gpu, timed: Timed = "region") -> DeviceTools:
        """The tools for the GPU of this machine, whichever it was ranked for.

        Parameters
        ----------
        ranked : Gpu
            What schedules were ranked for; describes this machine's where no file of
            the package does.
        timed : {"region", "kernels"}
            See above.

        Raises
        ------
        ToolchainError
            If there is no compiler, or it does not know the architecture.
        RunError
            If there is no GPU.
        """
        try:
            nvcc = Nvcc.locate()
        except ToolchainError as error:
            raise ToolchainError(
                error.message,
                hint=f"{error.hint}; {_ON_CPU}" if error.hint else _ON_CPU,
            ) from error
        gpu = probe_gpu(described=(ranked,))
        if gpu is None:
            raise RunError("found no GPU on this machine", hint=_ON_CPU)
        if not nvcc.knows(gpu.architecture):
            known = ", ".join(nvcc.architectures)
            raise ToolchainError(
                f"nvcc {nvcc.release} makes no code for {gpu.architecture}; it knows "
                f"{known}",
                hint=_ON_CPU,
            )
        return cls(nvcc, gpu, gpu.architecture, timed)

    @property
    def is_gpu(self) -> bool:
        """Whether kernels run on a GPU."""
        return self.nvcc is not None

    @property
    def place(self) -> str:
        """Where kernels run, for a message."""
        return f"a GPU of {self.architecture}" if self.is_gpu else "the CPU's stand-in"

    def identity(self) -> str:
        """What shapes programs and times, for records."""
        if self.nvcc is not None:
            parts = self.nvcc.release, *self.nvcc.flags, self.architecture, self.timed
            return " ".join(parts)
        digest = hashlib.sha256(DEVICE_TIMES_H.encode())
        for path in sorted(p for p in SHIM_DIRECTORY.rglob("*") if p.is_file()):
            digest.update(path.read_bytes())
        return f"shim {digest.hexdigest()[:16]} {self.cxx}"

    def environment(self) -> dict[str, str]:
        """Variables of a run.

        On a GPU all kernels are loaded before the clock starts, not at their launch.
        Several runs side by side take turns with it where ``POLYSCHED_DEVICE_TURN`` is
        set.
        """
        if self.is_gpu:
            turn = os.environ.get(TURN, "")
            return {"CUDA_MODULE_LOADING": "EAGER", **({TURN: turn} if turn else {})}
        return shim_environment(seed=self.seed)

    def prepare(self, directory: Path) -> tuple[Path, ...]:
        """Write and compile what all variants share."""
        (directory / _HEADER).write_text(DEVICE_TIMES_H, encoding="ascii")
        return () if self.is_gpu else (compile_shim(directory, cxx=self.cxx),)

    def build(
        self,
        source: Path,
        device: str,
        output: Path,
        toolchain: Toolchain,
        *,
        include: Path | None = None,
        objects: Sequence[Path] = (),
    ) -> Path:
        """Compile a C file and its device code, and link them.

        Parameters
        ----------
        source : Path
            The C file.
        device : str
            Text of the device file; written beside it.
        output : Path
            The program to write.
        toolchain : Toolchain
            The C compiler, its options, objects and libraries.
        include : Path, optional
            Directory that ``#include "..."`` of the C file refers to.
        objects : sequence of Path
            To link besides, those of `prepare` among them.
        """
        kernels = source.with_suffix(".cu")
        header = output.parent / _HEADER
        kernels.write_text(
            f'#include "{header}"\n#line 1 "<device code>"\n{device}',
            encoding="utf-8",
            errors="surrogateescape",
        )
        host = source.with_suffix(".host.o")
        compile_object(source, host, toolchain, compile_flags(toolchain, include))
        compiled = source.with_suffix(".device.o")
        linked = (host, compiled, *objects)
        if self.nvcc is None:
            compile_kernels(kernels, compiled, cxx=self.cxx)
            return link_shim_program(linked, output, toolchain=toolchain, cxx=self.cxx)
        fused = () if UNFUSED not in toolchain.cflags else ("-fmad=false",)
        self.nvcc.compile(
            kernels, compiled, architectures=[self.architecture], flags=fused
        )
        return self.nvcc.link(linked, output, toolchain)


def read_device_times(path: Path) -> tuple[float, float] | None:
    """Seconds of kernels and of copies that a program left; None where it left none."""
    try:
        kernels, copies = path.read_text(encoding="ascii").split()
        return float(kernels), float(copies)
    except (OSError, ValueError):
        return None
