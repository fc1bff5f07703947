"""CUDA text run on the CPU: how it is compiled, started, and what it reports.

The C++ side lies in ``cuda_shim/``: headers that stand in for CUDA's, and a runtime
whose instrumentation hooks see every load and store of a kernel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from polysched.base import ToolchainError
from polysched.runtime.toolchain import Toolchain, compile_flags, run_tool

SHIM_EXIT_STATUS = 97
"""Exit status of a program that the shim ended because of an error."""

SHIM_DIRECTORY = Path(__file__).parent / "cuda_shim"
"""Where the stand-ins for CUDA's headers lie."""

GUARD_BYTES = 4096
"""Unused bytes behind a static shared array."""

_CHECKED = ("-O1", "-fsanitize=thread")
_UNCHECKED = ("-O2",)
_ALWAYS = ("-std=c++17", "-fno-exceptions", "-ffp-contract=off", "-w")
_CLANG_CHECKED = ("-mllvm", "-tsan-instrument-read-before-write=1")
_LINE = re.compile(r"^ps-shim: (error|warning): ([\w-]+): (.*?) \|(.*)$", re.MULTILINE)
_NO_HOOKS = re.compile(
    r"unsupported option .-fsanitize=thread"
    r"|-fsanitize=thread\W{0,3} (is )?not supported"
    r"|nknown command line argument .-tsan"
)
_SECTION = re.compile(r"\s*\.(section|text|data|bss)\b")
_BYTES = re.compile(r"\s*\.(zero|skip|byte|short|value|long|quad)\b")
_PAIR = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")


@dataclass(frozen=True)
class ShimFinding:
    """One thing that the shim found wrong.

    Attributes
    ----------
    is_error : bool
        Whether the program was ended because of it; else it is a warning.
    kind : str
        ``race``, ``block-race``, ``out-of-bounds``, ``use-after-free``,
        ``uninitialised``, ``barrier-divergence``, ``unfinished-copy``,
        ``undrained-copy``, ``source-written``, ``misaligned``, ``host-access``,
        ``host-pointer``, ``bad-copy``, ``stack-overflow``, ``no-memory``; as warnings
        ``leak``, ``never-copied-back`` and ``not-instrumented``.
    text : str
        The finding in words.
    kernel, array : str
        Names, as the program gave them; empty when none is concerned.
    byte, element : int, optional
        Offset in the array, in bytes and in elements.
    size_bytes : int, optional
        Bytes accessed.
    block, thread : tuple of int, optional
        Who did it.
    other_block, other_thread : tuple of int, optional
        With whom it conflicts.
    """

    is_error: bool
    kind: str
    text: str
    kernel: str = ""
    array: str = ""
    byte: int | None = None
    element: int | None = None
    size_bytes: int | None = None
    block: tuple[int, ...] | None = None
    thread: tuple[int, ...] | None = None
    other_block: tuple[int, ...] | None = None
    other_thread: tuple[int, ...] | None = None

    def __str__(self) -> str:
        where = f" in kernel {self.kernel}" if self.kernel else ""
        what = f", {self.array}" if self.array else ""
        if self.element is not None:
            what += f"[{self.element}]"
        parts = [f"{self.kind}: {self.text}{where}{what}"]
        if self.thread is not None:
            parts.append(f"thread {self.thread} of block {self.block}")
        if self.other_thread is not None:
            parts.append(f"thread {self.other_thread} of block {self.other_block}")
        return "; ".join(parts)


def read_report(stderr: str) -> tuple[ShimFinding, ...]:
    """What the shim wrote to standard error, in order; other lines are skipped.

    Examples
    --------
    >>> line = "ps-shim: error: race: write and read | kernel=f array=A element=3"
    >>> print(read_report(line)[0])
    race: write and read in kernel f, A[3]
    """
    return tuple(_finding(*match) for match in _LINE.findall(stderr))


def shim_environment(*, seed: int = 0, is_checked: bool = True) -> dict[str, str]:
    """Environment variables of a run.

    Parameters
    ----------
    seed : int
        Blocks and threads run in another order for every seed.
    is_checked : bool
        Whether loads and stores are checked.
    """
    return {"PS_SHIM_SEED": str(seed), "PS_SHIM_CHECK": str(int(is_checked))}


def compile_shim(directory: Path, *, cxx: str = "g++") -> Path:
    """Compile the shim's runtime to an object; once per compiler is enough."""
    output = directory / "ps_shim.o"
    source = SHIM_DIRECTORY / "device" / "device.cpp"
    toolchain = Toolchain(cc=cxx)
    command = (*toolchain.compiler, "-std=c++17", "-O2", "-w", "-c", str(source))
    run_tool((*command, "-o", str(output)), limit_seconds=toolchain.compile_seconds)
    return output


def compile_kernels(
    source: Path, output: Path, *, cxx: str = "g++", is_checked: bool = True
) -> Path:
    """Compile a ``.cu`` file, unchanged, to an object for the CPU.

    Parameters
    ----------
    source, output : Path
        The CUDA text and the object to write.
    cxx : str
        A C++ compiler: gcc 9 or clang 14, or later.
    is_checked : bool
        Whether every load and store is instrumented. Without, the program is much
        faster, and only barriers, copies and whole pages of memory are checked.

    Raises
    ------
    ToolchainError
        If the compiler refuses the text, or has no instrumentation.
    """
    toolchain = Toolchain(cc=cxx)
    flags = [*_ALWAYS, *(_CHECKED if is_checked else _UNCHECKED)]
    if is_checked and _is_clang(toolchain):
        flags += _CLANG_CHECKED
    command = (*toolchain.compiler, *flags, f"-I{SHIM_DIRECTORY}", "-x", "c++")
    try:
        if is_checked and "__shared__" in source.read_text():
            _compile_with_guards((*command, str(source)), output, toolchain)
        else:
            run_tool(
                (*command, "-c", str(source), "-o", str(output)),
                limit_seconds=toolchain.compile_seconds,
            )
    except ToolchainError as error:
        if _NO_HOOKS.search(error.message):
            raise ToolchainError(
                f"the compiler {cxx!r} cannot instrument loads and stores "
                "(-fsanitize=thread)",
                hint="name gcc 9 or clang 14 or later, or run without checks",
            ) from error
        raise
    return output


def _compile_with_guards(
    command: tuple[str, ...], output: Path, toolchain: Toolchain
) -> None:
    """Compile a text, and put unused bytes behind each of its static shared arrays."""
    assembly = output.with_suffix(".s")
    limit = toolchain.compile_seconds
    run_tool((*command, "-S", "-o", str(assembly)), limit_seconds=limit)
    guarded = "".join(_guard_shared(assembly.read_text().splitlines(keepends=True)))
    assembly.write_text(guarded)
    assemble = (*toolchain.compiler, "-c", str(assembly), "-o", str(output))
    run_tool(assemble, limit_seconds=limit)


def _guard_shared(lines: Iterable[str]) -> Iterator[str]:
    """Assembly whose thread-local variables have unused bytes behind them."""
    is_shared = False
    for line in lines:
        yield line
        if _SECTION.match(line):
            is_shared = ".tbss" in line
        elif is_shared and _BYTES.match(line):
            yield f"\t.zero\t{GUARD_BYTES}\n"


def link_shim_program(
    objects: Sequence[Path],
    output: Path,
    *,
    host_source: Path | None = None,
    toolchain: Toolchain | None = None,
    cxx: str = "g++",
) -> Path:
    """Link kernels, the shim's runtime and the user's C program.

    Parameters
    ----------
    objects : sequence of Path
        What `compile_kernels` and `compile_shim` gave.
    output : Path
        The program to write.
    host_source : Path, optional
        The user's C program; compiled as `toolchain` says.
    toolchain : Toolchain, optional
        Compiler, options and libraries of the C program.
    cxx : str
        The compiler that links.
    """
    tools = toolchain or Toolchain()
    linked = [str(o) for o in objects]
    if host_source is not None:
        compiled = output.with_suffix(".host.o")
        flags = compile_flags(tools, host_source.parent)
        run_tool(
            (*tools.compiler, *flags, "-c", str(host_source), "-o", str(compiled)),
            limit_seconds=tools.compile_seconds,
        )
        linked.append(str(compiled))
    given = (*linked, *tools.objects, *tools.openmp_flags)
    run_tool(
        (*Toolchain(cc=cxx).compiler, *given, "-o", str(output), *tools.libs),
        limit_seconds=tools.compile_seconds,
    )
    return output


def _is_clang(toolchain: Toolchain) -> bool:
    """Whether the compiler calls itself clang."""
    return "clang" in run_tool((*toolchain.compiler, "--version"), limit_seconds=20)


def _finding(severity: str, kind: str, text: str, pairs: str) -> ShimFinding:
    """One line of a report."""
    found = dict(_PAIR.findall(pairs))

    def number(key: str) -> int | None:
        return int(found[key]) if key in found else None

    def triple(key: str) -> tuple[int, ...] | None:
        return tuple(map(int, found[key].split(","))) if key in found else None

    return ShimFinding(
        is_error=severity == "error",
        kind=kind,
        text=text,
        kernel=found.get("kernel", ""),
        array=found.get("array", ""),
        byte=number("byte"),
        element=number("element"),
        size_bytes=number("size"),
        block=triple("block"),
        thread=triple("thread"),
        other_block=triple("other_block"),
        other_thread=triple("other_thread"),
    )
