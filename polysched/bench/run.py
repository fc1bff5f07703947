"""The benchmark: kernel after kernel, each stored when it is done."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from polysched.base import PolyschedError, Progress, SilentProgress
from polysched.bench.kernel import BenchOptions, measure_kernel
from polysched.bench.numpy_program import describe_sidecar
from polysched.bench.peers import Found
from polysched.bench.report import BenchReport, KernelReport
from polysched.bench.suite import KernelFile
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.records import Database
from polysched.runtime import Workbench, load_average, run_tool
from polysched.workflow import parse

_KEY_DIGITS = 32
_VERSION_SECONDS = 20.0

Tell = Callable[[KernelReport], None]


def run_bench(
    files: Sequence[KernelFile],
    found: Sequence[Found],
    options: BenchOptions,
    *,
    machine: Machine,
    database: Database,
    progress: Progress | None = None,
    tell: Tell | None = None,
) -> BenchReport:
    """Measure every region of every file with every tool.

    A kernel whose report is in the database is not measured again, unless the options
    ask for it, if source, sizes, tools with their versions and flags, machine, threads
    and rounds are the same. A file that cannot be read or run is a report with a
    failure.

    Parameters
    ----------
    files : sequence of KernelFile
        From `find_kernels`.
    found : sequence of Found
        From `detect_peers`.
    options : BenchOptions
        Budgets and limits.
    machine : Machine
        For predictions and bounds.
    database : Database
        Where finished kernels and outcomes of our variants are kept.
    progress : Progress, optional
        Told of stages of each kernel.
    tell : callable, optional
        Called with each kernel's report when it is known.
    """
    setting = _describe(options)
    kernels: list[KernelReport] = []
    for file in files:
        for report in _measure_file(
            file, found, options, machine, database, progress or SilentProgress()
        ):
            kernels.append(report)
            if tell is not None:
                tell(report)
    return BenchReport(tuple(kernels), tuple(found), machine, setting)


def _measure_file(
    file: KernelFile,
    found: Sequence[Found],
    options: BenchOptions,
    machine: Machine,
    database: Database,
    progress: Progress,
) -> list[KernelReport]:
    """One report per region, or one that says why there is none."""
    size = (f"-D{file.size}",) if file.size else ()
    try:
        flags = (*size, *options.flags)
        program = parse(file.path, flags=flags, cc=options.cc)
    except PolyschedError as error:
        return [_failed(file, file.name, "", error)]
    reports = []
    for scop in program.scops:
        many = len(program.scops) > 1
        name = f"{file.name}:{scop.name}" if many else file.name
        try:
            key = _key(program, scop, found, options, machine)
            stored = None if options.again else database.find_report(key)
            if stored is not None:
                report = KernelReport.from_json(stored, machine, options.threads)
            else:
                report = measure_kernel(
                    program,
                    scop,
                    found,
                    options,
                    names=(name, file.size),
                    machine=machine,
                    database=None if options.again else database,
                    progress=progress,
                )
                database.store_report(key, report.to_json())
        except PolyschedError as error:
            report = _failed(file, name, scop.name, error)
        reports.append(report)
    return reports


def _failed(
    file: KernelFile, name: str, scop: str, error: PolyschedError
) -> KernelReport:
    return KernelReport(name, file.path, scop, file.size, failure=str(error))


def _key(
    program: Program,
    scop: Scop,
    found: Sequence[Found],
    options: BenchOptions,
    machine: Machine,
) -> str:
    """Hash of all that a kernel's report depends on."""
    bench = Workbench(
        program,
        scop,
        toolchain=options.toolchain,
        directory=Path(),
        options=options.run_options,
    )
    tools = [f.to_json() for f in found if not f.absent]
    settings = {**asdict(options), "again": None, "parameters": None}
    parts = (
        _version(),
        bench.program_key("bench"),
        bench.toolchain.identity(),
        scop.name,
        sorted(describe_sidecar(program.path).items()),
        tools,
        sorted(settings.items()),
        machine.key,
    )
    digest = hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape"))
    return f"bench-{digest.hexdigest()[:_KEY_DIGITS]}"


def _describe(options: BenchOptions) -> dict[str, object]:
    """What it takes to repeat a benchmark."""
    return {
        "polysched": _version(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "load_average": load_average(),
        "threads": options.threads,
        "rounds": options.rounds,
        "budgets": list(options.budgets),
        "cc": options.cc,
        "cc_version": _compiler_version(options),
        "cflags": list(options.cflags),
        "flags": list(options.flags),
    }


def _compiler_version(options: BenchOptions) -> str:
    command = (*options.toolchain.compiler, "--version")
    said = run_tool(command, limit_seconds=_VERSION_SECONDS)
    return next(iter(said.splitlines()), "")


def _version() -> str:
    return importlib.metadata.version("polysched")
