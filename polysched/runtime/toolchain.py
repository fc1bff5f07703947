"""The user's compiler: command lines, errors with the compiler's own words."""

from __future__ import annotations

import hashlib
import logging
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polysched.base import ToolchainError, UnavailableError
from polysched.runtime.child import run_child

log = logging.getLogger(__name__)

_STDERR_CHARACTERS = 4000
_NO_ROOM = (
    "No space left on device",
    "Disk quota exceeded",
    "Cannot allocate memory",
    "virtual memory exhausted",
    "Killed signal",
)  # what compilers say of the machine, whose messages are English here


@dataclass(frozen=True)
class Toolchain:
    """How the user's program is built.

    Attributes
    ----------
    cc : str
        Compiler command; may hold several words (``ccache gcc``).
    cflags : tuple of str
        Options of every compilation and of the link.
    openmp_flags : tuple of str
        What turns OpenMP on; empty for none.
    cppflags : tuple of str
        ``-I`` and ``-D`` options.
    extra_sources : tuple of str
        Further C files of the program, compiled once with the same options.
    objects : tuple of str
        Object files and archives to link.
    libs : tuple of str
        ``-l`` and ``-L`` options, last on the link's command line.
    build_command : str, optional
        A shell command that builds the program instead: ``{source}`` stands for the
        source and the harness object, ``{output}`` for the program to write. Where
        the two inputs must stand apart, ``{harness}`` takes the object.
    compile_seconds : float
        Time limit of one compilation.
    """

    cc: str = "gcc"
    cflags: tuple[str, ...] = ("-O3", "-march=native")
    openmp_flags: tuple[str, ...] = ("-fopenmp",)
    cppflags: tuple[str, ...] = ()
    extra_sources: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    libs: tuple[str, ...] = ("-lm",)
    build_command: str | None = None
    compile_seconds: float = 120.0

    @property
    def compiler(self) -> tuple[str, ...]:
        """The words of `cc`."""
        return tuple(shlex.split(self.cc))

    def identity(self) -> str:
        """Hash of the compiler's version and everything that shapes its output."""
        version = run_tool((*self.compiler, "--version"), limit_seconds=20)
        parts = (
            version,
            self.cc,
            self.cflags,
            self.openmp_flags,
            self.libs,
            self.build_command,
            tuple(_content(path) for path in self.objects),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def run_tool(
    command: Sequence[str], *, limit_seconds: float, include: Path | None = None
) -> str:
    """Run a compiler or a build command; give its standard output.

    `include` is added to where the compiler looks for headers, for commands whose
    options are not ours to choose.

    Raises
    ------
    ToolchainError
        If it is not there, fails, or takes too long; with the command and the first
        of what it said. An `UnavailableError` if that is no fault of what it compiles.
    """
    shown = shlex.join(command)
    if shutil.which(command[0]) is None:
        raise UnavailableError(
            f"cannot find the compiler {command[0]!r}",
            hint="name another one, or put it on the PATH",
        )
    with tempfile.TemporaryDirectory(prefix="polysched-") as scratch:
        try:
            done = run_child(
                command,
                scratch=Path(scratch),
                timeout_seconds=limit_seconds,
                environment=_environment(include),
            )
        except OSError as error:
            raise UnavailableError(f"cannot start {shown}: {error.strerror}") from error
        if done.stopped:
            raise ToolchainError(f"stopped, {done.stopped}: {shown}")
        if done.status != 0:
            said = (done.stderr() or done.stdout()).strip()
            is_killed = done.status < 0 or any(w in said for w in _NO_ROOM)
            kind = UnavailableError if is_killed else ToolchainError
            raise kind(
                f"{command[0]} ended with status {done.status}\n"
                f"{said[:_STDERR_CHARACTERS]}\ncommand: {shown}"
            )
        return done.stdout()


def compile_object(
    source: Path, output: Path, toolchain: Toolchain, flags: Sequence[str]
) -> Path:
    """Compile one C file to an object."""
    command = (*toolchain.compiler, *flags, "-c", str(source), "-o", str(output))
    run_tool(command, limit_seconds=toolchain.compile_seconds)
    return output


def compile_program(
    source: bytes,
    name: str,
    directory: Path,
    toolchain: Toolchain,
    *,
    include: Path | None = None,
    objects: Sequence[Path] = (),
) -> Path:
    """Compile and link a whole program.

    Parameters
    ----------
    source : bytes
        Text of the main C file; written to `directory`.
    name : str
        Base name of the files written.
    directory : Path
        Where source and program go.
    toolchain : Toolchain
        Compiler and options. Its `extra_sources` are *not* compiled here; see
        `compile_extra_sources`.
    include : Path, optional
        Directory that ``#include "..."`` of the source refers to.
    objects : sequence of Path
        Objects to link besides the toolchain's.

    Returns
    -------
    Path
        The program.

    Raises
    ------
    ToolchainError
        If the compiler is missing, refuses the source, or takes too long.
    """
    path, output = directory / f"{name}.c", directory / name
    path.write_bytes(source)
    started = time.monotonic()
    if toolchain.build_command is not None:
        command = _build_command(toolchain.build_command, path, output, objects)
        run_tool(
            ("sh", "-c", command),
            limit_seconds=toolchain.compile_seconds,
            include=include,
        )
    else:
        run_tool(
            (
                *toolchain.compiler,
                *compile_flags(toolchain, include),
                str(path),
                *(str(o) for o in objects),
                *toolchain.objects,
                "-o",
                str(output),
                *toolchain.libs,
            ),
            limit_seconds=toolchain.compile_seconds,
        )
    if not output.exists():
        raise ToolchainError(f"the build wrote no program to {output.name!r}")
    log.debug("compiled %s in %.2f s", name, time.monotonic() - started)
    return output


def compile_flags(toolchain: Toolchain, include: Path | None) -> tuple[str, ...]:
    """Options of a compilation; warnings are the user's own build's matter."""
    quoted = ("-iquote", str(include)) if include else ()
    return (
        *toolchain.cflags,
        *toolchain.openmp_flags,
        *quoted,
        *toolchain.cppflags,
        "-w",
    )


def line_directive(line: int, name: str) -> str:
    """``#line``: what follows is this line of that file."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'#line {line} "{quoted}"\n'


def compile_extra_sources(toolchain: Toolchain, directory: Path) -> tuple[Path, ...]:
    """Compile the program's further C files to objects, once."""
    if toolchain.build_command is not None:
        return ()
    found = []
    for k, text in enumerate(toolchain.extra_sources):
        path = Path(text)
        if not path.is_file():
            raise ToolchainError(f"cannot read the source {text!r}: no such file")
        output = directory / f"extra{k}_{path.stem}.o"
        flags = compile_flags(toolchain, None)
        found.append(compile_object(path, output, toolchain, flags))
    return tuple(found)


def preprocess(source: bytes, name: str, toolchain: Toolchain, include: Path) -> bytes:
    """The source after the preprocessor, or itself when that fails.

    `name` is what ``__FILE__`` stands for, in assertions for instance.
    """
    with tempfile.TemporaryDirectory(prefix="polysched-") as scratch:
        path = Path(scratch) / "program.c"
        path.write_bytes(line_directive(1, name).encode() + source)
        flags = compile_flags(toolchain, include)
        command = (*toolchain.compiler, *flags, "-E", "-P", str(path))
        try:
            return run_tool(command, limit_seconds=toolchain.compile_seconds).encode()
        except ToolchainError:
            return source


def _build_command(
    template: str, source: Path, output: Path, objects: Sequence[Path]
) -> str:
    """The template with its places filled in."""
    if "{source}" not in template or "{output}" not in template:
        raise ToolchainError(
            f"the build command {template!r} needs both {{source}} and {{output}}"
        )
    linked = shlex.join(str(o) for o in objects)
    quoted = shlex.quote(str(source))
    apart = "{harness}" in template
    filled = template.replace("{source}", quoted if apart else f"{quoted} {linked}")
    filled = filled.replace("{harness}", linked)
    return filled.replace("{output}", shlex.quote(str(output)))


def _environment(include: Path | None) -> dict[str, str]:
    """The environment of this process, with a directory for headers."""
    environment = dict(os.environ)
    if include is not None:
        known = environment.get("CPATH")
        paths = [str(include), *([known] if known else [])]
        environment["CPATH"] = os.pathsep.join(paths)
    return environment


def _content(path: str) -> str:
    """Hash of a file's content; empty when it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""
