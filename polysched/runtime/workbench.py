"""Building, running and checking texts of one region inside the user's program."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from polysched.base import RunError, ToolchainError
from polysched.codegen import identifiers
from polysched.ir import Program, Scop
from polysched.machine import total_memory_bytes
from polysched.records import Failure
from polysched.runtime.child import RunResult, run_child
from polysched.runtime.device import UNFUSED, DeviceTools, read_device_times
from polysched.runtime.driver import print_driver
from polysched.runtime.dump import read_dump, remove_dump
from polysched.runtime.dump_code import print_dump
from polysched.runtime.execution import (
    ChildError,
    Execution,
    RunOptions,
    child_environment,
    classify,
)
from polysched.runtime.harness_source import HARNESS_C
from polysched.runtime.instrument import instrument
from polysched.runtime.toolchain import (
    Toolchain,
    compile_extra_sources,
    compile_object,
    compile_program,
    preprocess,
)

log = logging.getLogger(__name__)

_MEMORY_SHARE = 0.9
_THREAD_BYTES = 256 << 20  # address space of a thread: its stack and malloc arena
_SLACK_BYTES = 1 << 30
_MAIN = re.compile(r"\bmain\s*\(")


class Workbench:
    """Builds programs with different texts in one region, and runs them.

    Parameters
    ----------
    program, scop : Program, Scop
        The file and the region.
    toolchain : Toolchain
        The user's compiler and options; the program's own preprocessor flags are
        added.
    directory : Path
        A directory of its own for sources, programs and dumps.
    options : RunOptions
        How the program is run.
    device : DeviceTools, optional
        What builds and runs device code, where texts come with it.
    """

    def __init__(
        self,
        program: Program,
        scop: Scop,
        *,
        toolchain: Toolchain,
        directory: Path,
        options: RunOptions | None = None,
        device: DeviceTools | None = None,
    ) -> None:
        self.program = program
        self.scop = scop
        self.toolchain = toolchain
        self.directory = directory
        self.options = options or RunOptions()
        self.device = device
        self.include = Path(program.path).resolve().parent
        words = identifiers(program.source.decode("utf-8", errors="replace"))
        self.dump_code = print_dump(scop, words)
        self._flags = (*program.flags, *toolchain.cppflags)
        self._objects: tuple[Path, ...] | None = None
        self._device_objects: tuple[Path, ...] = ()

    @property
    def needs_driver(self) -> bool:
        """Whether nothing the user gave has a `main`."""
        if self.program.has_main or self.toolchain.build_command is not None:
            return False
        texts = (_read(path) for path in self.toolchain.extra_sources)
        return not any(_MAIN.search(text) for text in texts)

    @property
    def is_exact(self) -> bool:
        """Whether original and variants round alike: both run here, unfused."""
        return self.device is not None and not self.device.is_gpu

    def identity(self) -> str:
        """Hash of everything that makes programs of texts."""
        host = self._tools().identity()
        if self.device is None:
            return host
        both = f"{host} {self.device.identity()}"
        return hashlib.sha256(both.encode()).hexdigest()[:16]

    def source(self, text: str | None) -> bytes:
        """The instrumented file with `text` in the region; None for the original."""
        source = instrument(self.program, self.scop, text, self.dump_code)
        if self.needs_driver:
            driver = print_driver(
                self.program, self.scop, self.options.parameters, self.options.seed
            )
            source += b"\n" + driver.encode()
        return source

    def prepare(self) -> None:
        """Compile what all variants share: the harness and the further sources."""
        if self._objects is not None:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / "polysched_harness.c"
        knows_blocks = "#define POLYSCHED_BLOCKS\n" * self.dump_code.asks_blocks
        path.write_text(knows_blocks + HARNESS_C, encoding="ascii")
        tools = self._tools()
        shape = tuple(f for f in tools.cflags if _is_machine_flag(f))
        harness = compile_object(
            path, path.with_suffix(".o"), tools, (*shape, "-O2", "-w")
        )
        self._objects = (harness, *compile_extra_sources(tools, self.directory))
        if self.device is not None:
            self._device_objects = self.device.prepare(self.directory)

    def build(
        self,
        name: str,
        text: str | None,
        extra_flags: tuple[str, ...] = (),
        device: str = "",
    ) -> Path:
        """Compile the program with `text` in the region; None for the original.

        `device` is the text of the device file that the region needs.

        Raises
        ------
        ToolchainError
            If the compiler is missing, refuses the text, or takes too long.
        """
        self.prepare()
        return self.compile(name, self.source(text), extra_flags, device)

    def compile(
        self,
        name: str,
        source: bytes,
        extra_flags: tuple[str, ...] = (),
        device: str = "",
    ) -> Path:
        """Compile an instrumented source; may run in a thread, after `prepare`."""
        tools = self._tools()
        if device:
            return self._compile_pair(name, source, extra_flags, device)
        return compile_program(
            source,
            name,
            self.directory,
            replace(tools, cflags=(*tools.cflags, *extra_flags)),
            include=self.include,
            objects=self._objects or (),
        )

    def _compile_pair(
        self, name: str, source: bytes, extra_flags: tuple[str, ...], device: str
    ) -> Path:
        """Compile an instrumented source and its device code."""
        if self.device is None:
            raise ToolchainError("the program has device code, and nothing builds it")
        tools = self._tools()
        path = self.directory / f"{name}.c"
        path.write_bytes(source)
        return self.device.build(
            path,
            device,
            self.directory / name,
            replace(tools, cflags=(*tools.cflags, *extra_flags)),
            include=self.include,
            objects=(*(self._objects or ()), *self._device_objects),
        )

    def execute(
        self,
        binary: Path,
        *,
        timeout_seconds: float,
        with_dump: bool = False,
        expected_status: int | None = None,
    ) -> Execution:
        """Run a program once.

        Parameters
        ----------
        binary : Path
            From `build`.
        timeout_seconds : float
            Wall time it may take.
        with_dump : bool
            Whether to dump what the region writes, and read it back.
        expected_status : int, optional
            The original's exit status; by default any.

        Raises
        ------
        ChildError
            If it crashes, exits otherwise than expected, meets a limit, or leaves no
            times or no dump.
        """
        times, stem = self.directory / "times", self.directory / "dump"
        times.unlink(missing_ok=True)
        device_times = self.directory / "device_times"
        device_times.unlink(missing_ok=True)
        remove_dump(stem)
        extra = {"POLYSCHED_TIMES": str(times), "POLYSCHED_PARENT": str(os.getpid())}
        if with_dump:
            extra["POLYSCHED_DUMP"] = str(stem)
            extra["POLYSCHED_DUMP_BYTES"] = str(self.options.dump_bytes)
        if self.device is not None:
            extra["POLYSCHED_DEVICE_TIMES"] = str(device_times)
            extra |= self.device.environment()
        result = self._run(binary, timeout_seconds, extra)
        failure = classify(result, expected_status)
        if failure is not None:
            raise ChildError(failure)
        try:
            n_calls, seconds = _read_times(times)
            dump = None
            if with_dump:
                dump = read_dump(stem, self.scop, self.dump_code)
        except RunError as error:
            text = f"{error.message} ({result.ending})"
            raise ChildError(Failure("crash", text)) from error
        finally:
            remove_dump(stem)
        on_device = read_device_times(device_times)
        if on_device and self.device is not None and self.device.timed == "kernels":
            seconds = on_device[0]
        return Execution(seconds, n_calls, result, dump, on_device)

    def program_key(self, *extra: str) -> str:
        """Hash of all that makes the program what it is, but not of the compiler."""
        tools = self._tools()
        options = self.options
        source = self.program.source
        digest = hashlib.sha256()
        parts: tuple[bytes | str, ...] = (
            preprocess(source, self.program.path, tools, self.include),
            repr((options.args, sorted(options.parameters.items()), options.seed)),
            repr((self._flags, sorted(options.environment), extra)),
            *(_read(path) for path in tools.extra_sources),
            _read(options.stdin) if options.stdin else "",
        )
        for part in parts:
            data = part if isinstance(part, bytes) else part.encode("utf-8", "replace")
            digest.update(len(data).to_bytes(8, "little"))
            digest.update(data)
        return digest.hexdigest()[:32]

    def discard(self, name: str) -> None:
        """Delete a program and its source."""
        (self.directory / name).unlink(missing_ok=True)
        for suffix in (".c", ".cu", ".host.o", ".device.o"):
            (self.directory / f"{name}{suffix}").unlink(missing_ok=True)

    def _tools(self) -> Toolchain:
        cflags = self.toolchain.cflags
        if self.is_exact:
            cflags = (*cflags, UNFUSED)
        return replace(self.toolchain, cflags=cflags, cppflags=self._flags)

    def _run(
        self, binary: Path, timeout_seconds: float, extra: Mapping[str, str]
    ) -> RunResult:
        options = self.options
        memory, space = options.memory_bytes, None
        if memory is None:
            memory = int(_MEMORY_SHARE * total_memory_bytes())
        elif self.device is None or not self.device.is_gpu:
            # a GPU's driver reserves addresses for the memory of all processors
            space = memory + options.threads * _THREAD_BYTES + _SLACK_BYTES
        try:
            return run_child(
                (str(binary), *options.args),
                scratch=self.directory,
                timeout_seconds=timeout_seconds,
                environment=child_environment(options, extra),
                memory_bytes=memory,
                space_bytes=space,
                cwd=options.cwd,
                stdin=options.stdin,
            )
        except OSError as error:
            raise RunError(
                f"cannot run the program: {error.strerror} ({error.filename})"
            ) from error


def _is_machine_flag(flag: str) -> bool:
    """Whether it chooses a processor, as ``-march``; ``-mllvm`` takes another word."""
    return flag.startswith("-m") and flag != "-mllvm"


def _read_times(path: Path) -> tuple[int, float]:
    """Calls and seconds that the harness wrote."""
    try:
        calls, seconds = path.read_text(encoding="ascii").split()
        return int(calls), float(seconds)
    except (OSError, ValueError) as error:
        raise RunError("the program left no times") from error


def _read(path: str) -> str:
    """A file's text; empty when it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
