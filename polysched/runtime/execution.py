"""How a program is run, and what the end of a run means."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from polysched.base import RunError
from polysched.records import Failure, FailureKind
from polysched.runtime.child import RunResult
from polysched.runtime.dump import Dump
from polysched.runtime.shim import SHIM_EXIT_STATUS, read_report

_OUT_OF_MEMORY = re.compile(
    r"bad_alloc|out of memory|cannot allocate|alloc\w* failed", re.I
)


@dataclass(frozen=True)
class RunOptions:
    """How the program is run.

    Attributes
    ----------
    threads : int
        OpenMP threads.
    args : tuple of str
        Command line of the program.
    stdin : str, optional
        File that it reads as standard input; by default none.
    cwd : str, optional
        Directory it runs in; by default the current one.
    environment : tuple of (str, str)
        Variables set besides the inherited ones.
    memory_bytes : int, optional
        Resident size at which it is stopped; its address space is limited as well,
        with room for stacks. By default nearly all memory, and any address space.
    parameters : mapping of str to int
        Sizes for a generated driver.
    seed : int
        Of a generated driver's data.
    dump_bytes : int
        Most that a checking run writes.
    """

    threads: int = 1
    args: tuple[str, ...] = ()
    stdin: str | None = None
    cwd: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    memory_bytes: int | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    seed: int = 0
    dump_bytes: int = 512 << 20


@dataclass(frozen=True, eq=False)
class Execution:
    """One finished run of the program.

    Attributes
    ----------
    seconds : float
        Inside the region, all calls together; of its kernels where those are timed.
    n_calls : int
        How often the region was entered.
    result : RunResult
        Exit status, wall time, output.
    dump : Dump, optional
        What the region wrote, if that was asked for.
    device_seconds : tuple of float, optional
        Of kernels, and of copies to and from the device, where it has device code.
    """

    seconds: float
    n_calls: int
    result: RunResult
    dump: Dump | None = None
    device_seconds: tuple[float, float] | None = None


class ChildError(RunError):
    """A run that did not end as it should; `failure` has kind and text."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


def child_environment(
    options: RunOptions, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a run: inherited, with a fixed number of bound threads."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("POLYSCHED")}
    environment.setdefault("OMP_PROC_BIND", "true")
    environment["OMP_NUM_THREADS"] = str(options.threads)
    environment["OMP_DYNAMIC"] = "false"
    environment.update(options.environment)
    environment.update(extra or {})
    return environment


def classify(result: RunResult, expected_status: int | None = None) -> Failure | None:
    """What a run's end means; None when it is as it should be."""
    said = result.stderr().strip()[-500:]
    tail = f": {said}" if said else ""
    if result.stopped_by:
        kinds: dict[str, FailureKind] = {"timeout": "timeout", "memory": "memory"}
        kind = kinds.get(result.stopped_by, "crash")
        return Failure(kind, f"stopped {result.stopped}{tail}", result.limit)
    wrong = [f for f in read_report(result.stderr()) if f.is_error]
    if result.status == SHIM_EXIT_STATUS and wrong:
        return Failure("wrong device code", "; ".join(map(str, wrong)))
    odd = expected_status is not None and result.status != expected_status
    if result.status >= 0 and not odd:
        return None
    if _OUT_OF_MEMORY.search(said) or result.status == -9:
        return Failure("memory", f"{result.ending}{tail}")
    wanted = f", expected exit status {expected_status}" if odd else ""
    return Failure("crash", f"{result.ending}{wanted}{tail}")
