"""One region with every tool: build, check, race."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from polysched.analysis import FloatingPoint
from polysched.base import PolyschedError, Progress
from polysched.bench.build import Builder, Setting
from polysched.bench.ours import Own, choose_own, own_tool
from polysched.bench.peers import Found
from polysched.bench.race import RaceResult, Runner, race
from polysched.bench.report import KernelReport
from polysched.bench.roofline import Bound, bound_of, count_work
from polysched.bench.tuned_peer import build_tuned
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.records import Database, Failure, Measurement, Outcome
from polysched.runtime import RunOptions, Toolchain
from polysched.workflow import prepare_scop

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BenchOptions:
    """How kernels are measured.

    Attributes
    ----------
    budgets : tuple of int
        Measured variants that polysched may try; empty to leave it out.
    freedoms : tuple of str
        Which sums it may reorder: "strict", "reassociate" or both, each with tools of
        its own; empty to leave it out.
    everything : bool
        Whether all kept variants are measured, to see how good the ranking is.
    rounds : int
        Runs of each program, in turn with all others.
    seconds : float
        Wall time after which no round of a kernel is begun.
    run_timeout : float or None
        Wall time of one run; None for three times the original's, at least 10 s.
    compile_timeout : float
        Wall time of compiling one program of a peer.
    peer_budget : int
        Programs that a tuned peer may measure.
    peer_seconds : float
        Wall time after which it measures no further one.
    threads : int
        OpenMP and BLAS threads of every run.
    cc : str
        Compiler of the original and of our variants.
    cflags : tuple of str
        Its options.
    flags : tuple of str
        Preprocessor flags of every file.
    parameters : mapping of str to int
        Sizes of files without a `main`.
    again : bool
        Whether to measure what is in the records already.
    """

    budgets: tuple[int, ...] = (1, 4, 16)
    freedoms: tuple[FloatingPoint, ...] = ("strict",)
    everything: bool = False
    rounds: int = 5
    seconds: float = 120.0
    run_timeout: float | None = None
    compile_timeout: float = 60.0
    peer_budget: int = 48
    peer_seconds: float = 300.0
    threads: int = 1
    cc: str = "gcc"
    cflags: tuple[str, ...] = ("-O3", "-march=native")
    flags: tuple[str, ...] = ()
    parameters: Mapping[str, int] = field(default_factory=dict)
    again: bool = False

    @property
    def toolchain(self) -> Toolchain:
        """The compiler of our variants."""
        return Toolchain(cc=self.cc, cflags=self.cflags)

    @property
    def run_options(self) -> RunOptions:
        """How every program is run."""
        return RunOptions(threads=self.threads, parameters=self.parameters)


def measure_kernel(
    program: Program,
    scop: Scop,
    found: Sequence[Found],
    options: BenchOptions,
    *,
    names: tuple[str, str],
    machine: Machine,
    database: Database | None,
    progress: Progress | None,
) -> KernelReport:
    """Measure one region with every tool that is present.

    Parameters
    ----------
    program, scop : Program, Scop
        The file and the region.
    found : sequence of Found
        Peers; absent ones are skipped.
    options : BenchOptions
        Budgets and limits.
    names : tuple of str
        The kernel's name and its size.
    machine : Machine
        For predictions and bounds.
    database : Database, optional
        Where outcomes of our variants are looked up and stored.
    progress : Progress, optional

    Raises
    ------
    PolyschedError
        If the original cannot be built or run.
    """
    prepared = prepare_scop(scop)
    with tempfile.TemporaryDirectory(prefix="polysched-") as scratch:
        directory = Path(scratch)
        setting = Setting(
            options.toolchain,
            options.run_options,
            options.run_timeout,
            options.compile_timeout,
            options.peer_budget,
            options.peer_seconds,
        )
        builder = Builder(program, prepared, directory, setting)
        runners, results = _build_peers(builder, found)
        own: dict[str, dict[str, object]] = {}
        for fp in options.freedoms if options.budgets else ():
            found_own = _search(builder, scop, fp, options, machine, database, progress)
            if isinstance(found_own, Own):
                more, failed = _build_own(builder, found_own)
                runners += more
                results |= failed
                own[fp] = found_own.to_json()
            else:
                tools = [own_tool(b, fp) for b in options.budgets]
                results |= dict.fromkeys(tools, found_own)
        raced = race(
            runners,
            rounds=options.rounds,
            seconds=options.seconds,
            limit_seconds=builder.limit_seconds,
        )
        results |= _outcomes(raced, builder.n_calls)
        bound = _bound(builder, machine, options.threads)
    order = _order(found, options)
    return KernelReport(
        name=names[0],
        file=program.path,
        scop=scop.name,
        size=names[1],
        results={t: results[t] for t in order if t in results},
        rounds=raced.rounds,
        foreign_cores=raced.foreign_cores,
        bound=bound,
        own=own.get("strict", {}),
        own_fast=own.get("reassociate", {}),
    )


def _bound(builder: Builder, machine: Machine, threads: int) -> Bound | None:
    """The roofline of the original's one call; None where it cannot be told."""
    if builder.n_calls != 1:
        return None
    work = count_work(builder.scop, builder.oracle.dump.parameters)
    return None if work is None else bound_of(work, machine, threads)


def _search(
    builder: Builder,
    scop: Scop,
    fp: FloatingPoint,
    options: BenchOptions,
    machine: Machine,
    database: Database | None,
    progress: Progress | None,
) -> Own | Failure:
    """What our budgets choose, or why there is nothing to choose from."""
    try:
        return choose_own(
            builder.program,
            scop,
            options.budgets,
            fp=fp,
            everything=options.everything,
            sizes={**builder.oracle.dump.parameters, **options.parameters},
            machine=machine,
            toolchain=options.toolchain,
            run_options=options.run_options,
            run_timeout=options.run_timeout,
            database=database,
            progress=progress,
            directory=builder.directory / f"tune-{fp}",
        )
    except PolyschedError as error:
        log.warning("%s: %s", scop.name, error.message)
        return Failure("codegen", str(error))


def _build_peers(
    builder: Builder, found: Sequence[Found]
) -> tuple[list[Runner], dict[str, Outcome]]:
    """Programs of the peers that are present, and the failures of the others."""
    runners: list[Runner] = []
    failures: dict[str, Outcome] = {}
    for one in found:
        if one.absent:
            continue
        tuned = one.peer.is_tuned
        built = build_tuned(builder, one) if tuned else builder.build(one)
        if isinstance(built, Runner):
            runners.append(built)
        elif built is not None:
            log.info("%s: %s, %s", one.peer.name, built.kind, built.text)
            failures[one.peer.name] = built
    return runners, failures


def _build_own(builder: Builder, own: Own) -> tuple[list[Runner], dict[str, Outcome]]:
    """One program per different winner; a budget that found the same shares it."""
    groups: dict[str, list[int]] = {}
    for k, choice in enumerate(own.choices):
        groups.setdefault(choice.variant.id if choice.variant else "", []).append(k)
    runners: list[Runner] = []
    failures: dict[str, Outcome] = {}
    for members in groups.values():
        choices = [own.choices[k] for k in members]
        first = choices[0]
        text = first.variant.region_text() if first.variant else None
        built = builder.build_own(first.name, text)
        tools = tuple(c.name for c in choices)
        if isinstance(built, Failure):
            failures |= dict.fromkeys(tools, built)
        else:
            runners.append(replace(built, names=tools, note=first.note))
    return runners, failures


def _outcomes(raced: RaceResult, n_calls: int) -> dict[str, Outcome]:
    """The race by tool."""
    found: dict[str, Outcome] = {}
    for runner, times in raced.times:
        outcome: Outcome
        if isinstance(times, Failure):
            outcome = times
        else:
            outcome = Measurement(
                times,
                max_relative_error=runner.max_relative_error,
                n_calls=n_calls,
                note=runner.note,
            )
        found |= dict.fromkeys(runner.names, outcome)
    return found


def _order(found: Sequence[Found], options: BenchOptions) -> tuple[str, ...]:
    peers = tuple(f.peer.name for f in found)
    budgets = sorted(options.budgets)
    return (*peers, *(own_tool(b, fp) for fp in options.freedoms for b in budgets))
