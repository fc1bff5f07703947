"""NVIDIA's compiler: where it is, what it knows, what it makes of a kernel."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from polysched.base import SourceLocation, ToolchainError
from polysched.runtime.child import run_child
from polysched.runtime.ptxas import KernelResources, read_resources, shown_symbols
from polysched.runtime.toolchain import Toolchain, compile_flags, compile_object

Form = Literal["object", "cubin", "ptx"]

_SUFFIXES: dict[Form, str] = {"object": ".o", "cubin": ".cubin", "ptx": ".ptx"}
_MODES: dict[Form, str] = {"object": "-c", "cubin": "-cubin", "ptx": "-ptx"}
_QUESTION_SECONDS = 60.0
_SAID_CHARACTERS = 4000
_WHEELS = "nvidia-cuda-nvcc nvidia-cuda-runtime nvidia-cuda-cccl"
_ERROR_PATTERNS = (
    # of the front end: k.cu(12): error: ...
    re.compile(r"^(?P<file>[^\s(][^(\n]*)\((?P<line>\d+)\): (?:catastrophic )?error:? "
               r"(?P<text>.+)$", re.M),
    # of the host compiler: k.cu:12:3: error: ...
    re.compile(r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?:(?P<column>\d+):)? "
               r"(?:fatal )?error: (?P<text>.+)$", re.M),
)  # fmt: skip
_TOOL_ERROR = re.compile(
    r"^(?:ptxas|nvlink|nvcc|fatbinary)\b.*?(?:error|fatal)\s*: (?P<text>.+)$", re.M
)


@dataclass(frozen=True)
class DeviceCode:
    """A compiled ``.cu`` file.

    Attributes
    ----------
    path : Path
        The object, cubin or PTX file.
    resources : tuple of KernelResources
        What its kernels take, one entry per kernel and architecture; empty for PTX,
        which no assembler has seen.
    """

    path: Path
    resources: tuple[KernelResources, ...]


@dataclass(frozen=True)
class Nvcc:
    """NVIDIA's compiler driver.

    Attributes
    ----------
    path : str
        The program.
    version : tuple of int
        Release, major and minor.
    architectures : tuple of str
        What it makes code for: "sm_80", "sm_90", ...
    flags : tuple of str
        Options of every compilation.
    compile_seconds : float
        Time limit of one compilation.
    """

    path: str
    version: tuple[int, int]
    architectures: tuple[str, ...]
    flags: tuple[str, ...] = ("-O3", "-std=c++17")
    compile_seconds: float = 180.0

    @classmethod
    def locate(cls, command: str | None = None) -> Nvcc:
        """Find the compiler and ask it what it is.

        Parameters
        ----------
        command : str, optional
            The program, by name or path. By default the first of: ``nvcc`` on the
            PATH, that of ``CUDA_HOME`` or ``CUDA_PATH``, that of ``/usr/local/cuda``,
            that of a wheel in this Python environment.

        Raises
        ------
        ToolchainError
            If there is none, or it does not answer.
        """
        names = (command,) if command else _candidates()
        found = next(filter(None, map(shutil.which, names)), None)
        if found is None:
            wanted = f"the compiler {command!r}" if command else "nvcc"
            raise ToolchainError(
                f"cannot find {wanted}",
                hint="put it on the PATH, set CUDA_HOME to the toolkit, or "
                f"pip install {_WHEELS}",
            )
        said, _ = _run((found, "--version"), _QUESTION_SECONDS)
        release = re.search(r"release (\d+)\.(\d+)", said)
        if release is None:
            raise ToolchainError(f"{found!r} does not say which release of nvcc it is")
        codes, _ = _run((found, "--list-gpu-code"), _QUESTION_SECONDS)
        known = sorted(set(re.findall(r"\bsm_\d+\b", codes)), key=_number)
        return cls(found, (int(release[1]), int(release[2])), tuple(known))

    @property
    def release(self) -> str:
        """The version as NVIDIA writes it."""
        return f"{self.version[0]}.{self.version[1]}"

    def knows(self, architecture: str) -> bool:
        """Whether it makes code for this architecture ("sm_90", "sm_90a")."""
        return architecture.rstrip("af") in self.architectures

    def compile(
        self,
        source: Path,
        output: Path | None = None,
        *,
        architectures: Sequence[str],
        form: Form = "object",
        flags: Sequence[str] = (),
        max_registers: int | None = None,
    ) -> DeviceCode:
        """Compile one ``.cu`` file.

        Parameters
        ----------
        source : Path
            The file.
        output : Path, optional
            What to write; by default beside the source, with the form's suffix.
        architectures : sequence of str
            At least one; an object may hold several, and holds the PTX of the last
            besides, for processors to come.
        form : {"object", "cubin", "ptx"}
            Host and device code to link, device code to load, or its text.
        flags : sequence of str
            Further options.
        max_registers : int, optional
            The most registers that a thread may get; what does not fit is spilled.

        Raises
        ------
        ToolchainError
            If the compiler does not know an architecture or refuses the text; the
            error has the line at fault where the compiler names one.
        """
        output = output or source.with_suffix(_SUFFIXES[form])
        command = [
            self.path,
            *self.flags,
            *self._targets(architectures, form),
            *(() if max_registers is None else (f"-maxrregcount={max_registers}",)),
            *(() if form == "ptx" else ("-Xptxas", "-v")),
            *flags,
            _MODES[form],
            str(source),
            "-o",
            str(output),
        ]
        _, said = _run(command, self.compile_seconds)
        return DeviceCode(output, () if form == "ptx" else read_resources(said))

    def link(self, objects: Sequence[Path], output: Path, toolchain: Toolchain) -> Path:
        """Link host and device objects to a program, with the user's libraries."""
        linked = [str(o) for o in objects] + list(toolchain.objects)
        command = [
            self.path,
            *self.flags,
            *_for_host((*toolchain.cflags, *toolchain.openmp_flags)),
            *linked,
            "-o",
            str(output),
            *_for_linker(toolchain.libs),
        ]
        _run(command, self.compile_seconds)
        return output

    def build_program(
        self,
        c_source: Path,
        cuda_source: Path,
        output: Path,
        *,
        architectures: Sequence[str],
        toolchain: Toolchain,
        include: Path | None = None,
    ) -> tuple[Path, DeviceCode]:
        """Compile a C program with the user's compiler, a ``.cu`` file, and link them.

        Parameters
        ----------
        c_source, cuda_source : Path
            The two files; the objects are written beside `output`.
        output : Path
            The program.
        architectures : sequence of str
            See `compile`.
        toolchain : Toolchain
            The C compiler with its options; objects and libraries to link.
        include : Path, optional
            Directory that ``#include "..."`` of the C file refers to.
        """
        host = compile_object(
            c_source,
            output.with_name(f"{output.name}_host.o"),
            toolchain,
            compile_flags(toolchain, include),
        )
        device = self.compile(
            cuda_source,
            output.with_name(f"{output.name}_device.o"),
            architectures=architectures,
        )
        return self.link((host, device.path), output, toolchain), device

    def _targets(self, architectures: Sequence[str], form: Form) -> list[str]:
        """The options that name the architectures."""
        if not architectures:
            raise ToolchainError("nvcc needs an architecture, such as sm_90")
        for architecture in architectures:
            self._check(architecture)
        if form != "object":
            if len(architectures) > 1:
                raise ToolchainError(
                    f"a {form} is for one architecture, found {len(architectures)}: "
                    f"{', '.join(architectures)}"
                )
            name = architectures[0]
            return [f"-arch={name if form == 'cubin' else _virtual(name)}"]
        last = architectures[-1]
        return [
            f"-gencode=arch={_virtual(name)},code="
            + (f"[{name},{_virtual(name)}]" if name == last else name)
            for name in dict.fromkeys(architectures)
        ]

    def _check(self, architecture: str) -> None:
        """Refuse what this release makes no code for."""
        if self.knows(architecture):
            return
        hint = None
        if re.fullmatch(r"sm_\d+[af]?", architecture) and self.architectures:
            oldest = _number(self.architectures[0])
            older = _number(architecture) < oldest
            hint = (
                "older releases of the toolkit know it"
                if older
                else "newer releases of the toolkit may know it"
            )
        raise ToolchainError(
            f"nvcc {self.release} makes no code for {architecture}; it knows "
            f"{', '.join(self.architectures)}",
            hint=hint,
        )


def _candidates() -> Iterator[str]:
    """Where the compiler may be, the likeliest place first."""
    yield "nvcc"
    for name in ("CUDA_HOME", "CUDA_PATH"):
        if os.environ.get(name):
            yield str(Path(os.environ[name]) / "bin" / "nvcc")
    yield "/usr/local/cuda/bin/nvcc"
    spec = importlib.util.find_spec("nvidia")
    for folder in (spec and spec.submodule_search_locations) or ():
        yield from map(str, sorted(Path(folder).glob("*/bin/nvcc"), reverse=True))


def _run(command: Sequence[str], limit_seconds: float) -> tuple[str, str]:
    """What the compiler wrote to its two outputs."""
    shown = shlex.join(command)
    with tempfile.TemporaryDirectory(prefix="polysched-") as scratch:
        try:
            done = run_child(
                command,
                scratch=Path(scratch),
                timeout_seconds=limit_seconds,
                environment=dict(os.environ),
            )
        except OSError as error:
            raise ToolchainError(f"cannot start {shown}: {error.strerror}") from error
        out = done.stdout_path.read_text("utf-8", errors="replace")
        err = done.stderr_path.read_text("utf-8", errors="replace")
    if done.stopped:
        raise ToolchainError(f"stopped, {done.stopped}: {shown}")
    if done.status != 0:
        raise _error(done.status, f"{err}\n{out}".strip(), shown)
    return out, err


def _error(status: int, said: str, shown: str) -> ToolchainError:
    """The compiler's refusal, with the line at fault if it names one."""
    said = shown_symbols(said)
    context = f"nvcc ended with status {status}\n{said[:_SAID_CHARACTERS]}\n{shown}"
    found = [m for m in (p.search(said) for p in _ERROR_PATTERNS) if m]
    if not found:
        tool = _TOOL_ERROR.search(said)
        first = tool["text"] if tool else said.partition("\n")[0]
        return ToolchainError(f"nvcc refuses the kernels: {first}\n{context}")
    first_match = min(found, key=lambda m: m.start())
    file, line = first_match["file"], int(first_match["line"])
    column = first_match.groupdict().get("column")
    where = SourceLocation(file, line, int(column or 0), _line_of(file, line))
    return ToolchainError(
        f"nvcc refuses this: {first_match['text']}\n{context}", where=where
    )


def _line_of(file: str, line: int) -> str:
    """One line of a file; empty when it cannot be read."""
    try:
        lines = Path(file).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _virtual(architecture: str) -> str:
    """The architecture that PTX is written for."""
    return architecture.replace("sm_", "compute_")


def _number(architecture: str) -> int:
    return int(re.sub(r"\D", "", architecture))


def _for_host(flags: Sequence[str]) -> Iterator[str]:
    """The host compiler's own options, as nvcc takes them; commas would split them."""
    for flag in flags:
        yield "-Xcompiler=" + flag.replace(",", r"\,")


def _for_linker(libs: Sequence[str]) -> Iterator[str]:
    """Libraries as nvcc takes them: ``-Wl`` is the host compiler's."""
    for lib in libs:
        if lib.startswith("-Wl,"):
            yield from (f"-Xlinker={word}" for word in lib.split(",")[1:])
        elif lib.startswith(("-l", "-L")) or not lib.startswith("-"):
            yield lib
        else:
            yield from _for_host((lib,))
