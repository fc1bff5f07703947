"""From a kernel and a peer to a program that was found right, or the failure."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from polysched.base import MismatchError, RunError, ToolchainError
from polysched.bench.gemm_program import GemmProgram, count_dense_operations
from polysched.bench.numpy_program import NumpyProgram, find_sidecar
from polysched.bench.peers import BASELINE, GEMM, NUMPY, Found
from polysched.bench.race import Runner
from polysched.bench.report import contest_of
from polysched.bench.translate import mark_region, region_text, translate
from polysched.ir import Program, Scop
from polysched.records import Failure
from polysched.runtime import (
    ChildError,
    Execution,
    RunOptions,
    Toolchain,
    Workbench,
)
from polysched.tune import Oracle, TuneOptions, consult_oracle

_LINE = re.compile(rb"^#line [^\n]*\n", re.M)
_UNFUSED = ("-ffp-contract=off",)
_REFERENCE = "reference"
_CHEAP_SECONDS = 1.0  # a run so short is checked twice, since races come and go
_LEAST_LIMIT_SECONDS = 10.0
_LIMIT_FACTOR = 3.0  # a run may take so many times the original's time
_SAID_CHARACTERS = 500
_DOUBLE_BYTES = 8


@dataclass(frozen=True)
class Setting:
    """How programs are built and run.

    Attributes
    ----------
    toolchain : Toolchain
        Of the original and of polysched's own variants.
    run_options : RunOptions
        Threads, arguments, sizes.
    run_timeout : float or None
        Wall time of one run; None for one from the original's.
    compile_timeout : float
        Wall time of one compilation of a peer's program.
    peer_budget : int
        Programs that a tuned peer may measure.
    peer_seconds : float
        Wall time after which it measures no further one.
    """

    toolchain: Toolchain
    run_options: RunOptions
    run_timeout: float | None = None
    compile_timeout: float = 60.0
    peer_budget: int = 48
    peer_seconds: float = 300.0


@dataclass(frozen=True)
class _Verdict:
    """A program's results are right: seconds of the checking run, error, a note."""

    seconds: float
    max_relative_error: float
    note: str


class Builder:
    """Builds one region of one file with any tool, and compares with the original.

    Parameters
    ----------
    program, scop : Program, Scop
        The file and the region.
    directory : Path
        For sources and programs.
    setting : Setting
        Compiler and limits.

    Raises
    ------
    ToolchainError, RunError
        If the original cannot be built, or cannot be run to its end.
    """

    def __init__(
        self, program: Program, scop: Scop, directory: Path, setting: Setting
    ) -> None:
        self.program = program
        self.scop = scop
        self.directory = directory
        self.setting = setting
        self._unfused: Oracle | None = None
        self._written: dict[tuple[str, ...], bytes | ChildError] = {}
        bench = self.workbench(_REFERENCE, self._plain())
        self.oracle = self._consult(bench)
        first = self.oracle.samples[0]
        self.n_calls = first.n_calls
        wall = first.result.wall_seconds
        self.limit_seconds = setting.run_timeout or max(
            _LEAST_LIMIT_SECONDS, _LIMIT_FACTOR * wall
        )

    def workbench(self, name: str, toolchain: Toolchain) -> Workbench:
        """A place for a tool's programs."""
        return Workbench(
            self.program,
            self.scop,
            toolchain=toolchain,
            directory=self.directory / name,
            options=self.setting.run_options,
        )

    def build(self, found: Found) -> Runner | Failure | None:
        """A peer's program; None where the peer has nothing for this kernel."""
        peer = found.peer
        if peer.name == NUMPY:
            return self._build_numpy()
        if peer.name == GEMM:
            return self._build_gemm()
        if not peer.is_translator:
            return self.build_with(found, (), found.command)
        failure: Failure | None = None
        for options in peer.option_sets:
            built = self.build_with(found, options)
            if isinstance(built, Runner):
                used = " ".join(w for w in options if failure and "{" not in w)
                return replace(built, note=_join(built.note, used))
            failure = failure or built
        return failure

    def build_own(
        self, name: str, text: str | None, *, check: bool = False
    ) -> Runner | Failure:
        """The program with a text of ours in the region; None for the original's.

        Tuning has compared what it chooses with the original; with `check` that is
        done here.
        """
        bench = self.workbench(name, self.setting.toolchain)
        try:
            binary = bench.build(name, text)
            verdict = self._verify(bench, name, bench.source(text)) if check else None
        except ToolchainError as error:
            return Failure("compile", str(error))
        if isinstance(verdict, Failure):
            return verdict
        return self._runner(name, bench, binary)

    def build_with(
        self,
        found: Found,
        options: tuple[str, ...],
        cc: str = "gcc",
        *,
        sizes: tuple[int, ...] = (),
    ) -> Runner | Failure:
        """With these words for a translator, sides of tiles, if the results are right.

        A program that was built for the same peer before is replaced.
        """
        peer = found.peer
        openmp = ("-fopenmp",) if peer.openmp else ()
        tools = Toolchain(
            cc=shlex.quote(cc),
            cflags=peer.cflags,
            openmp_flags=openmp,
            compile_seconds=self.setting.compile_timeout,
        )
        bench = self.workbench(peer.name, tools)
        try:
            bench.prepare()
            source = self._source(bench, found, options, sizes)
            verdict = self._verify(bench, peer.name, source)
        except ToolchainError as reason:
            return Failure("compile", _short(reason))
        except RunError as reason:
            told = getattr(reason, "failure", Failure("crash", str(reason)))
            return told if isinstance(told, Failure) else Failure("crash", str(reason))
        if isinstance(verdict, Failure):
            return verdict
        binary = bench.directory / peer.name
        return replace(
            self._runner(peer.name, bench, binary),
            note=verdict.note,
            max_relative_error=verdict.max_relative_error,
            first_seconds=None if peer.name == BASELINE else verdict.seconds,
        )

    def _source(
        self,
        bench: Workbench,
        found: Found,
        options: tuple[str, ...],
        sizes: tuple[int, ...],
    ) -> bytes:
        """The instrumented file, through a source-to-source tool where it is one."""
        if not options:
            return bench.source(None)
        key = (found.command, *options, *map(str, sizes))
        if key not in self._written:
            self._written[key] = self._translate(bench, found, options, sizes)
        written = self._written[key]
        if isinstance(written, ChildError):
            raise written
        return written

    def _translate(
        self,
        bench: Workbench,
        found: Found,
        options: tuple[str, ...],
        sizes: tuple[int, ...],
    ) -> bytes | ChildError:
        """What a source-to-source tool writes, or how it fails."""
        marked, scop = mark_region(self.program, self.scop)
        text = region_text(marked, scop)
        plain = Workbench(
            marked,
            scop,
            toolchain=bench.toolchain,
            directory=bench.directory,
            options=bench.options,
        )
        source = _LINE.sub(b"", plain.source(text))
        try:
            return translate(
                source,
                found.command,
                options,
                self._preprocessor(),
                bench.directory,
                sizes=sizes,
                limit_seconds=found.peer.translate_seconds,
            )
        except ChildError as error:
            return error

    def _preprocessor(self) -> tuple[str, ...]:
        include = Path(self.program.path).resolve().parent
        return (f"-I{include}", *self.program.flags)

    def _verify(self, bench: Workbench, name: str, source: bytes) -> _Verdict | Failure:
        """Compile and run a source, and compare what it computes."""
        binary = bench.compile(name, source)
        run = self._execute(bench, binary)
        try:
            comparison = self.oracle.compare(run)
            if run.result.wall_seconds < _CHEAP_SECONDS:
                self.oracle.compare(self._execute(bench, binary))
        except MismatchError as error:
            if "-ffast-math" not in bench.toolchain.cflags:
                note = self._second_opinion(bench, name, source)
                if note:
                    return _Verdict(run.seconds, 0.0, note)
            return Failure("mismatch", str(error))
        return _Verdict(run.seconds, comparison.max_relative_error, self.oracle.note)

    def _second_opinion(self, bench: Workbench, name: str, source: bytes) -> str:
        """Why differing results are right after all; empty when they are not.

        A compiler fuses multiply and add in one text and not in the other, and a
        program may amplify that; without fusing both must agree.
        """
        try:
            if self._unfused is None:
                plain = self.workbench("unfused", _unfused(self._plain()))
                self._unfused = self._consult(plain)
            again = self.workbench(f"{name}-unfused", _unfused(bench.toolchain))
            again.prepare()
            binary = again.compile(name, source)
            self._unfused.compare(self._execute(again, binary))
        except (MismatchError, RunError, ToolchainError):
            return ""
        return "equal without fused multiply-add, which this program amplifies"

    def _build_numpy(self) -> Runner | Failure | None:
        sidecar = find_sidecar(self.program.path)
        if sidecar is None:
            return None
        if self.n_calls != 1:
            told = f"the region runs {self.n_calls} times, a sidecar computes one call"
            return Failure("codegen", told)
        try:
            numpy = NumpyProgram(
                sidecar,
                self.program,
                self.scop,
                self.directory / NUMPY,
                self.setting.run_options,
            )
            comparison, note = numpy.check(self.oracle, self.limit_seconds)
        except ChildError as error:
            return error.failure
        except MismatchError as error:
            return Failure("mismatch", str(error))
        except RunError as error:
            return Failure("crash", str(error))
        largest = comparison.max_relative_error
        return Runner((NUMPY,), numpy.run, note, largest, contest_of(NUMPY))

    def _build_gemm(self) -> Runner | None:
        """The yardstick of a dense kernel; None for the others."""
        if self.n_calls != 1:
            return None
        known = self.oracle.dump.parameters
        operations = count_dense_operations(self.scop, known)
        if operations is None:
            return None
        written = {a.array for _, a in self.scop.iter_accesses() if a.is_write}
        types = [self.scop.array(name).type for name in sorted(written)]
        size = max((t.n_bytes for t in types if t.is_float), default=_DOUBLE_BYTES)
        options = self.setting.run_options
        gemm = GemmProgram(operations, size, self.directory / GEMM, options)
        note = f"{operations / 1e9:.3g} thousand million operations"
        return Runner((GEMM,), gemm.run, note, contest=contest_of(GEMM))

    def _plain(self) -> Toolchain:
        """The original's compiler, without OpenMP: that is how its author builds it."""
        return replace(self.setting.toolchain, openmp_flags=())

    def _consult(self, bench: Workbench) -> Oracle:
        """Build and run the original."""
        binary = bench.build(_REFERENCE, None)
        options = TuneOptions(timeout_seconds=self.setting.run_timeout)
        return consult_oracle(bench, binary, options)

    def _execute(self, bench: Workbench, binary: Path) -> Execution:
        return bench.execute(
            binary,
            timeout_seconds=self.limit_seconds,
            with_dump=True,
            expected_status=self.oracle.status,
        )

    def _runner(self, name: str, bench: Workbench, binary: Path) -> Runner:
        def run(limit_seconds: float) -> float:
            return bench.execute(
                binary,
                timeout_seconds=limit_seconds,
                expected_status=self.oracle.status,
            ).seconds

        return Runner((name,), run, contest=contest_of(name))


def _unfused(toolchain: Toolchain) -> Toolchain:
    return replace(toolchain, cflags=(*toolchain.cflags, *_UNFUSED))


def _join(*notes: str) -> str:
    return "; ".join(n for n in notes if n)


def _short(error: ToolchainError) -> str:
    return str(error)[:_SAID_CHARACTERS]
