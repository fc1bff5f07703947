"""NVIDIA's compiler as a library, for architectures that nvcc has left behind.

The wheels of release 12 hold no nvcc, but `nvidia-cuda-nvrtc-cu12` has the compiler of
kernels as a library: the host's functions are cut off before it sees them.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from polysched.codegen.cuda.text import HOST_FUNCTION, PRELUDE
from polysched.runtime import KernelResources
from polysched.runtime.ptxas import read_resources

WHEELS = "nvidia-cuda-nvrtc-cu12 nvidia-cuda-runtime-cu12"
HEADERS = "#include <cuda_pipeline.h>\n"


@dataclass(frozen=True)
class Nvrtc:
    """The compiler of release 12, from wheels.

    Attributes
    ----------
    library : Path
        ``libnvrtc.so.12``.
    include : Path
        The runtime's headers.
    """

    library: Path
    include: Path

    @classmethod
    def locate(cls) -> Nvrtc | None:
        """That of this Python environment; None without the wheels."""
        for folder in _wheel_folders():
            library = folder / "cuda_nvrtc" / "lib" / "libnvrtc.so.12"
            include = folder / "cuda_runtime" / "include"
            if library.exists() and include.exists():
                return cls(library, include)
        return None

    def compile(self, device_text: str, architecture: str) -> list[KernelResources]:
        """What the kernels of a printed text take; no file is written."""
        options = (
            f"--gpu-architecture={architecture}",
            "--std=c++17",
            "--ptxas-options=-v",
            f"-I{self.include}",
        )
        return list(read_resources(self._compile(_kernels_of(device_text), options)))

    def _compile(self, text: str, options: Sequence[str]) -> str:
        """What the compiler says of a text that it takes."""
        library = ctypes.CDLL(str(self.library))
        program = ctypes.c_void_p()
        name, no_headers = b"kernels.cu", (0, None, None)
        given = (ctypes.c_char_p * len(options))(*map(str.encode, options))
        made = library.nvrtcCreateProgram(
            ctypes.byref(program), text.encode(), name, *no_headers
        )
        assert made == 0
        status = library.nvrtcCompileProgram(program, len(options), given)
        size = ctypes.c_size_t()
        library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        library.nvrtcGetProgramLog(program, log)
        library.nvrtcDestroyProgram(ctypes.byref(program))
        said = log.value.decode()
        assert status == 0, said
        return said


def _kernels_of(device_text: str) -> str:
    """The kernels, kept although nothing launches them."""
    assert PRELUDE in device_text
    kernels, _, _ = device_text.replace(PRELUDE, HEADERS).partition(
        f'extern "C" void {HOST_FUNCTION}'
    )
    return re.sub(r"\bstatic __global__", 'extern "C" __global__', kernels)


def _wheel_folders() -> Iterator[Path]:
    spec = importlib.util.find_spec("nvidia")
    yield from map(Path, (spec and spec.submodule_search_locations) or ())
