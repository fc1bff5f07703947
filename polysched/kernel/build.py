"""From a Python function and types to a library: read, scheduled, printed, compiled."""

from __future__ import annotations

import logging
import platform
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from polysched.base import FrontendError, PolyschedError, ToolchainError
from polysched.ir import Program, Scop, Statement
from polysched.kernel.bounds import Bounds, name_in_c
from polysched.kernel.cache import (
    ENTRY,
    LIBRARY,
    PLAIN,
    SOURCE,
    Manifest,
    digest_library,
)
from polysched.kernel.entry import PLAIN_SUFFIX, print_entry
from polysched.kernel.options import KernelOptions
from polysched.kernel.reach import ALWAYS, NEVER, find_bounds, is_ended_by_data
from polysched.kernel.worth import enlarge, print_worth
from polysched.machine import Machine
from polysched.policy import find_policy
from polysched.runtime import RunOptions, Toolchain, run_tool
from polysched.tensor import ArgType, CFunction, lower, read_function
from polysched.tune import TuneOptions
from polysched.workflow import (
    ProgramSpace,
    Tuned,
    Variant,
    build_space,
    optimize,
    parse,
    tune,
)

log = logging.getLogger(__name__)

# nobody reads a kernel's errno or exception flags: values are the same without them,
# and loops with comparisons or square roots can be vectorised
_FLAGS = ("-O3", "-march=native", "-fwrapv", "-fno-trapping-math", "-fno-math-errno")
# calls of exp and the like in vectorised loops, where the machine's libm has them
_VECTOR_MATH = ("-include", str(Path(__file__).with_name("vector_math.h")))
_HAS_VECTOR_MATH = (2, 35)  # version of glibc
_LIBRARY_FLAGS = ("-shared", "-fPIC", "-fvisibility=hidden", "-w")
ORIGINAL = "original"
_NOT_MEASURED = "without tune the model chooses a schedule; Kernel.space lists all"

# NumPy's threads go on for a while after each product, and Python's own want a core as
# well: a thread that was put off keeps the others waiting at every barrier
_BARRIER_SECONDS = 2e-5


@dataclass(frozen=True, eq=False)
class Lowered:
    """A Python function for one signature, as a program with one SCoP.

    Attributes
    ----------
    types : dict of str to ArgType
        Of its parameters, in order.
    function : CFunction
        The C function.
    program : Program
        Its file, read; places and texts of statements are those of the Python source.
    bounds : Bounds
        Conditions on sizes.
    """

    types: Mapping[str, ArgType]
    function: CFunction
    program: Program
    bounds: Bounds

    @property
    def scop(self) -> Scop:
        """Its static control part."""
        return self.program.scops[0]

    @property
    def is_ended_by_data(self) -> bool:
        """Whether data say how often some of its loops turn."""
        return any(map(is_ended_by_data, self.scop.statements))


def lower_function(
    function: Callable[..., object], types: Mapping[str, ArgType], cc: str = "gcc"
) -> Lowered:
    """Read a Python function for one signature.

    Raises
    ------
    FrontendError
        If something in it is not taken, with its place in the Python source.
    OutOfBoundsError
        If it leaves an array whatever the sizes are.
    """
    return read_c_function(lower(read_function(function, types)), types, cc)


def read_c_function(
    function: CFunction, types: Mapping[str, ArgType], cc: str = "gcc"
) -> Lowered:
    """Read the C text of a function and find its conditions on sizes."""
    with tempfile.TemporaryDirectory(prefix="polysched-") as scratch:
        path = Path(scratch) / f"{function.name}.c"
        path.write_text(function.text, encoding="utf-8")
        try:
            program = parse(str(path), cc=cc)
        except FrontendError as error:
            raise _placed_in_python(error, function) from error
    scop = _with_python_places(program.scops[0], function)
    bounds = find_bounds(function, scop)
    program = replace(program, scops=(_with_private_temporaries(scop, function),))
    return Lowered(types, function, program, bounds)


def build_kernel_space(
    lowered: Lowered, options: KernelOptions, parameters: Mapping[str, int]
) -> ProgramSpace:
    """The schedules of a kernel, ranked for the given sizes."""
    machine = options.machine or _in_python(Machine.detect())
    if options.threads is not None:
        machine = machine.limited(options.threads)
    known = {p.name for p in lowered.scop.parameters}
    named = name_in_c(lowered.function, parameters)
    sizes = {k: v for k, v in named.items() if k in known}
    return build_space(
        lowered.program,
        machine,
        policy=options.policy,
        fp=options.fp,
        seconds=options.timeout,
        parameters=enlarge(lowered.scop, sizes),
    )


def _in_python(machine: Machine) -> Machine:
    """The machine as a kernel finds it: beside other threads of its process."""
    seconds = max(machine.cpu.barrier_seconds, _BARRIER_SECONDS)
    return replace(machine, cpu=replace(machine.cpu, barrier_seconds=seconds))


def tune_kernel(
    lowered: Lowered, options: KernelOptions, parameters: Mapping[str, int]
) -> Tuned:
    """Measure a few schedules of a kernel in a generated program.

    Raises
    ------
    PolyschedError
        If data say what it reaches: data that are made up would not be like any call's.
    """
    if lowered.function.index_arrays:
        index_array = lowered.function.parameter(lowered.function.index_arrays[0])
        raise PolyschedError(
            f"elements of {index_array.source!r} say what {lowered.function.name} "
            "reaches, and cannot be made up to measure it", hint=_NOT_MEASURED,
        )  # fmt: skip
    if lowered.is_ended_by_data:
        raise PolyschedError(
            f"data say how often loops of {lowered.function.name} turn, and cannot be "
            "made up to measure it", hint=_NOT_MEASURED,
        )  # fmt: skip
    space = build_kernel_space(lowered, options, parameters)
    threads = options.threads or space.machine.cpu.n_threads
    values = name_in_c(lowered.function, parameters)
    return tune(
        space,
        options=TuneOptions(
            budget=options.budget,
            fp="strict" if space.fp == "strict" else "reassociate",
        ),
        toolchain=toolchain(options),
        run_options=RunOptions(threads=threads, parameters=values),
    )


def build_library(
    lowered: Lowered,
    options: KernelOptions,
    parameters: Mapping[str, int],
    directory: Path,
) -> Manifest:
    """Fill a directory with the library of a kernel.

    Parameters
    ----------
    lowered : Lowered
        The kernel.
    options : KernelOptions
        Whether to measure, how long to search.
    parameters : mapping of str to int
        Sizes to choose a schedule for.
    directory : Path
        Is given the library and its C texts.

    Raises
    ------
    ToolchainError
        If the compiler is missing or does not take the source text either.
    """
    choice = _choose(lowered, options, parameters)
    return _build(lowered, choice, options, directory)


def build_tuned(
    lowered: Lowered, tuned: Tuned, options: KernelOptions, directory: Path
) -> Manifest:
    """Fill a directory with the library of a kernel's best measured schedule."""
    return _build(lowered, _print_tuned(lowered, tuned), options, directory)


@dataclass(frozen=True)
class _Choice:
    """The scheduled file (None for the text as it is), its schedule's id, and why."""

    text: str | None
    schedule: str
    note: str


def _build(
    lowered: Lowered, choice: _Choice, options: KernelOptions, directory: Path
) -> Manifest:
    schedule, note = choice.schedule, choice.note
    try:
        _compile(lowered, choice.text, options, directory)
    except ToolchainError as error:
        if schedule == ORIGINAL:
            raise
        log.info("schedule %s is not compiled: %s", schedule, error.message)
        note = f"the compiler refused schedule {schedule}"
        schedule = ORIGINAL
        _compile(lowered, None, options, directory)
    return Manifest(
        lowered.function,
        dict(lowered.types),
        lowered.bounds,
        schedule,
        note,
        digest_library(directory),
    )


def toolchain(options: KernelOptions) -> Toolchain:
    """How kernels are compiled; integers wrap as NumPy's do."""
    is_exact = options.fp == "strict" or not _has_vector_math()
    return Toolchain(cc=options.cc, cflags=_FLAGS + (() if is_exact else _VECTOR_MATH))


def _has_vector_math() -> bool:
    """Whether this machine's libm has functions of several numbers at once."""
    library, version = platform.libc_ver()
    numbers = tuple(int(part) for part in version.split(".") if part.isdigit())
    is_glibc = library == "glibc" and numbers >= _HAS_VECTOR_MATH
    return is_glibc and platform.machine() == "x86_64"


def _choose(
    lowered: Lowered, options: KernelOptions, parameters: Mapping[str, int]
) -> _Choice:
    """What the options ask for; the text as it is where no schedule is found."""
    find_policy(options.policy)  # a wrong name is an error, and no reason to go on
    try:
        is_made_up = lowered.function.index_arrays or lowered.is_ended_by_data
        if options.tune and not is_made_up:
            return _print_tuned(lowered, tune_kernel(lowered, options, parameters))
        space = build_kernel_space(lowered, options, parameters)
        variant, _ = space.first_printable(lambda *_: "ranked first by the model")
        return _print(lowered, variant)
    except ToolchainError:
        raise
    except PolyschedError as error:
        log.info("%s keeps its order: %s", lowered.function.name, error.message)
        return _Choice(None, ORIGINAL, error.message)


def _print_tuned(lowered: Lowered, tuned: Tuned) -> _Choice:
    if tuned.best is None:
        return _Choice(None, ORIGINAL, "no schedule that was measured beats it")
    return _print(lowered, tuned.best)


def _print(lowered: Lowered, variant: Variant) -> _Choice:
    text = optimize(lowered.program, [variant]).decode()
    return _Choice(text, variant.id, variant.reason)


def _compile(
    lowered: Lowered,
    text: str | None,
    options: KernelOptions,
    directory: Path,
) -> None:
    """Compile the scheduled text, the text as it is, and the entry that calls them."""
    function, bounds = lowered.function, lowered.bounds
    scheduled = NEVER if text is None else _both(bounds.scheduled, lowered.scop)
    bounds = replace(bounds, scheduled=scheduled)
    has_threads = text is not None and "#pragma omp parallel" in text
    renamed = f"#define {function.name} {function.name}{PLAIN_SUFFIX}\n"
    texts = {
        SOURCE: text if text is not None else function.text,
        PLAIN: renamed + function.text,
        ENTRY: print_entry(function, lowered.types, bounds, has_threads),
    }
    for name, content in texts.items():
        (directory / name).write_text(content, encoding="utf-8")
    tools = toolchain(options)
    command = (
        *tools.compiler,
        *tools.cflags,
        *tools.openmp_flags,
        *_LIBRARY_FLAGS,
        *(str(directory / name) for name in texts),
        "-o",
        str(directory / LIBRARY),
        *tools.libs,
    )
    run_tool(command, limit_seconds=tools.compile_seconds)


def _both(condition: str, scop: Scop) -> str:
    """The condition for a right schedule and that for a worthwhile one."""
    worth = print_worth(scop)
    if NEVER in (condition, worth):
        return NEVER
    parts = [f"({c})" for c in (condition, worth) if c != ALWAYS]
    return " && ".join(parts) or ALWAYS


def _with_private_temporaries(scop: Scop, function: CFunction) -> Scop:
    """Temporaries hold nothing before and after; results nothing before."""
    temporary = {p.name for p in function.temporaries}
    fresh = temporary | {p.name for p in function.results}
    arrays = tuple(
        replace(
            a,
            live_in=a.live_in and a.source_name not in fresh,
            live_out=a.live_out and a.source_name not in temporary,
        )
        for a in scop.arrays
    )
    return replace(scop, arrays=arrays)


def _with_python_places(scop: Scop, function: CFunction) -> Scop:
    """Statements say where they stand in the Python source."""
    statements = tuple(_with_place(s, function) for s in scop.statements)
    return replace(scop, statements=statements)


def _with_place(statement: Statement, function: CFunction) -> Statement:
    if statement.where is None or statement.where.line not in function.lines:
        return statement
    line = function.lines[statement.where.line]
    return replace(
        statement, where=line.where, text=line.text, is_unordered=line.is_unordered
    )


def _placed_in_python(error: FrontendError, function: CFunction) -> FrontendError:
    """The same refusal at the place of the Python source."""
    line = function.lines.get(error.where.line) if error.where else None
    if line is None:
        return error
    return type(error)(error.message, where=line.where, hint=error.hint)
