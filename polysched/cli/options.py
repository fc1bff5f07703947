"""Flags that every command with a FILE takes, collected into one value."""

from __future__ import annotations

import functools
import logging
import math
import re
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from polysched.analysis import FloatingPoint
    from polysched.codegen import Target
    from polysched.ir import OverlapRule

SPACE_SECONDS = 15.0  # that of SpaceOptions, whose import would slow down --help
OVERLAP_RULE: OverlapRule = "ask"  # that of the front end, likewise
_DRAWN = re.compile(r"(?<![^+\s])random(?=\s*(?:$|[+/]))")  # without a seed of its own
STAGES = ("scop", "dependences", "affine", "tree", "ast")
Command = TypeVar("Command", bound=Callable[..., Any])
readable_file = click.Path(exists=True, dir_okay=False, readable=True)


@dataclass(frozen=True)
class Common:
    """The shared flags of one command line.

    Attributes
    ----------
    file : str
        The C file.
    include, define : tuple of str
        Preprocessor flags, as given.
    param : mapping of str to int
        Sizes to predict times for, and for a generated driver.
    machine : str or None
        File that describes the machine instead of this one.
    threads : int or None
        OpenMP threads; None for one per core.
    policy : str
        What chooses recipes.
    fp : {"strict", "reassociate", "tf32"}
        Whether floating-point sums may be added up in another order, and factors of
        their terms rounded.
    pin : tuple of str
        What every schedule must obey, in text form.
    schedule : str or None
        Id of a schedule, or the first digits of it.
    seed : int
        Of made-up data, and of the policy ``random``.
    timeout : float
        Seconds until each space is there.
    began : float
        When the command did, on the monotonic clock.
    as_json : bool
        Whether to print JSON.
    cc : str
        Compiler command.
    cflags : tuple of str
        Its options.
    pure : tuple of str
        Functions without side effects, besides those of math.h.
    overlap : {"ask", "promise"}
        Whether generated code asks if arrays that may overlap do.
    scop : tuple of str
        Names of the SCoPs to look at; empty for all.
    time_stages : bool
        Whether to print how long each stage took.
    print_after : tuple of str
        Stages whose result is to be printed.
    target : {"openmp", "cuda"}
        What the schedules are printed as.
    gpu : str or None
        Name or file of the graphics processor to rank for.
    bulk : bool
        Whether long rows of tiles are to be copied in bulk.
    verbose : int
        1 for what is done, 2 for why, and for tracebacks.
    """

    file: str
    include: tuple[str, ...] = ()
    define: tuple[str, ...] = ()
    param: Mapping[str, int] = field(default_factory=dict)
    machine: str | None = None
    threads: int | None = None
    policy: str = "balanced"
    fp: FloatingPoint = "strict"
    pin: tuple[str, ...] = ()
    schedule: str | None = None
    seed: int = 0
    timeout: float = SPACE_SECONDS
    began: float = field(default_factory=time.monotonic)
    as_json: bool = False
    cc: str = "gcc"
    cflags: tuple[str, ...] = ("-O3", "-march=native")
    pure: tuple[str, ...] = ()
    overlap: OverlapRule = OVERLAP_RULE
    scop: tuple[str, ...] = ()
    time_stages: bool = False
    print_after: tuple[str, ...] = ()
    target: Target = "openmp"
    gpu: str | None = None
    bulk: bool = False
    verbose: int = 0

    @property
    def seeded_policy(self) -> str:
        """The policy; where its schedules are drawn at random, with the seed."""
        if not self.seed:
            return self.policy
        return _DRAWN.sub(rf"\g<0>:{self.seed}", self.policy)

    @property
    def preprocessor_flags(self) -> tuple[str, ...]:
        """``-I`` and ``-D`` flags, and those among the compiler's that matter."""
        named = [f"-I{d}" for d in self.include] + [f"-D{d}" for d in self.define]
        return (*named, *preprocessor_part(self.cflags))


def preprocessor_part(cflags: tuple[str, ...]) -> tuple[str, ...]:
    """The compiler options that the preprocessor must see too."""
    found: list[str] = []
    words = iter(cflags)
    for word in words:
        if word in ("-I", "-D", "-U", "-include", "-isystem", "-iquote"):
            found += [word, next(words, "")]
        elif word.startswith(("-I", "-D", "-U", "-std=")):
            found.append(word)
    return tuple(found)


class Flags(click.ParamType[tuple[str, ...]]):
    """Compiler options in one argument, split as a shell would."""

    name = "flags"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split; unbalanced quotes are a usage error."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(shlex.split(value))
        except ValueError as error:
            self.fail(f"cannot split {value!r} into flags: {error}", param, ctx)


def read_params(
    ctx: click.Context, param: click.Parameter, words: tuple[str, ...]
) -> dict[str, int]:
    """``N=1024,M=7`` and repeated flags as one mapping."""
    values: dict[str, int] = {}
    for piece in (p for word in words for p in word.split(",") if p.strip()):
        name, equals, number = (part.strip() for part in piece.partition("="))
        try:
            if not equals or not name.isidentifier():
                raise ValueError(piece)
            values[name] = int(number, 0)
        except ValueError:
            raise click.BadParameter(
                f"found {piece!r}, expected NAME=INTEGER", ctx=ctx, param=param
            ) from None
    return values


def _time_limit(
    ctx: click.Context, param: click.Parameter, seconds: float | None
) -> float | None:
    if seconds is None or (seconds > 0 and math.isfinite(seconds)):
        return seconds
    message = "expected more than 0 seconds, and an end"
    raise click.BadParameter(message, ctx=ctx, param=param)


# of an option that is a time limit
SECONDS: dict[str, Any] = {
    "type": float,
    "callback": _time_limit,
    "metavar": "SECONDS",
}


_INPUT = (
    click.argument("file", type=readable_file),
    click.option("-I", "--include", multiple=True, metavar="DIR", help="Header path."),
    click.option(
        "-D", "--define", multiple=True, metavar="NAME[=VALUE]", help="C macro."
    ),
    click.option("--cc", default="gcc", show_default=True, help="Compiler command."),
    click.option(
        "--cflags",
        type=Flags(),
        default="-O3 -march=native",
        show_default=True,
        help="Options of the compiler, in one argument.",
    ),
    click.option(
        "--pure",
        multiple=True,
        metavar="NAME",
        help="A function without side effects, besides those of math.h.",
    ),
    click.option(
        "--overlap",
        type=click.Choice(["ask", "promise"]),
        default=OVERLAP_RULE,
        show_default=True,
        help="ask lets generated code find out whether arrays that may overlap do, and "
        "run the original then; promise says that they do not.",
    ),
    click.option(
        "--scop", multiple=True, metavar="NAME", help="Only this scop; repeatable."
    ),
)
_SPACE = {
    "param": click.option(
        "--param",
        multiple=True,
        callback=read_params,
        metavar="NAME=N",
        help="A size to predict for, and for a made-up main; repeatable.",
    ),
    "machine": click.option(
        "--machine", type=readable_file, help="Machine description instead of this one."
    ),
    "threads": click.option(
        "--threads",
        type=click.IntRange(1),
        metavar="N",
        help="OpenMP threads to rank for and to run with; by default one per core.",
    ),
    "policy": click.option(
        "--policy",
        default="balanced",
        show_default=True,
        metavar="NAME",
        help="What chooses recipes: a name, a list as 'SO>IP>OP', FILE.py:FUNCTION; "
        "with a budget as NAME/6; several with +.",
    ),
    "fp": click.option(
        "--fp",
        type=click.Choice(["strict", "reassociate", "tf32"]),
        default="strict",
        show_default=True,
        help="reassociate lets sums be added up in another order, and is content with "
        "a bound on rounding when results are compared; tf32 lets tensor cores round "
        "factors of float sums to 10 bits of mantissa, too.",
    ),
    "pin": click.option(
        "--pin",
        multiple=True,
        metavar="PIN",
        help="What every schedule must obey, as parallel:S0.0, row:S0.1=2t+i, "
        "vector:S0=j, fuse:S0,S1@1, separate:S0,S1@1 or skew<=1; repeatable.",
    ),
    "timeout": click.option(
        "--timeout",
        default=SPACE_SECONDS,
        show_default=True,
        **SECONDS,
        help="Limit for reading FILE and building the space of its scop, from the "
        "start of the command; as long again for each further scop.",
    ),
    "seed": click.option(
        "--seed",
        type=int,
        default=0,
        help="Of made-up data and of the policy random.",
        show_default=True,
    ),
}
_ONLY_OF_SPACES = {"machine", "policy", "pin"}
_TARGET = (
    click.option(
        "--target",
        type=click.Choice(["openmp", "cuda"]),
        default="openmp",
        show_default=True,
        help="Threads of the processor, or kernels of a graphics processor.",
    ),
)
_TARGET_SPACE = (
    click.option(
        "--gpu",
        metavar="NAME|FILE",
        help="The graphics processor to rank for with --target cuda; by default the "
        "machine's, or h100.",
    ),
    click.option(
        "--bulk",
        is_flag=True,
        help="Try tiles of contractions whose long rows are copied in bulk first; for "
        "--target cuda and processors from sm_90 on.",
    ),
)
_ONLY_FOR_CUDA = {
    "gpu": "--gpu", "bulk": "--bulk", "device": "--device", "timed": "--time",
    "fallback": "--fallback",
}  # fmt: skip
_OUTPUT = (
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    click.option(
        "--time-stages", is_flag=True, help="Print the seconds of each stage."
    ),
    click.option(
        "--print-after",
        multiple=True,
        type=click.Choice(STAGES),
        help="Print the result of a stage on standard error; repeatable.",
    ),
    click.option("-v", "--verbose", count=True, help="Say more; -vv even more."),
)


def read_schedule_id(
    ctx: click.Context, param: click.Parameter, word: str | None
) -> str | None:
    """An id that a shell left empty means no schedule, not the first."""
    if word is not None and not word.strip():
        raise click.BadParameter("found no id", ctx=ctx, param=param)
    return word


schedule_option = click.option(
    "--schedule",
    metavar="ID",
    callback=read_schedule_id,
    help="A schedule's id, or the first digits of it.",
)


fallback_option = click.option(
    "--fallback",
    type=click.Choice(["none", "host"]),
    default="none",
    show_default=True,
    help="host takes the version for the processor where --target cuda finds nothing "
    "for the device.",
)


def takes_file(
    *, builds_space: bool, runs: bool = False, has_target: bool = False
) -> Callable[[Command], Callable[..., Any]]:
    """Give a command the shared flags; it receives them as its first argument.

    Parameters
    ----------
    builds_space : bool
        Whether the flags of space building belong to it as well.
    runs : bool
        Whether it runs programs without building a space, and takes their flags.
    has_target : bool
        Whether it can do with schedules for a device.
    """

    def decorate(function: Command) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(**values: Any) -> Any:
            names = {f.name for f in fields(Common)}
            known = {k: v for k, v in values.items() if k in names}
            known.setdefault("timeout", math.inf)
            began = click.get_current_context().find_root().obj
            common = Common(**known, **({} if began is None else {"began": began}))
            if common.target != "cuda":
                _refuse_for_cuda()
            start_logging(common.verbose)
            rest = {k: v for k, v in values.items() if k not in names}
            return function(common, **rest)

        decorated: Callable[..., Any] = run
        groups: list[Callable[[Command], Command]] = [*_INPUT]
        if builds_space or runs:
            shared = (n for n in _SPACE if builds_space or n not in _ONLY_OF_SPACES)
            groups += [_SPACE[name] for name in shared]
        groups += _TARGET if has_target else ()
        groups += (_TARGET_SPACE if has_target and builds_space else ()) + _OUTPUT
        for option in reversed(groups):
            decorated = option(decorated)
        return decorated

    return decorate


def _refuse_for_cuda() -> None:
    """Say of an option that was given for kernels that it does nothing here."""
    context = click.get_current_context()
    for name, option in _ONLY_FOR_CUDA.items():
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option} is for --target cuda")


def start_logging(verbose: int) -> None:
    """Send the package's log to standard error, as much as was asked for."""
    logger = logging.getLogger("polysched")
    levels = (logging.WARNING, logging.INFO, logging.DEBUG)
    logger.setLevel(levels[min(verbose, 2)])
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        logger.addHandler(handler)
