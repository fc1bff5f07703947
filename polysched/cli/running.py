"""Flags of the commands that build and run the user's program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from polysched.base import PolyschedError
from polysched.cli.options import SECONDS, Common, readable_file
from polysched.runtime import RunOptions, Toolchain

Command = TypeVar("Command", bound=Callable[..., Any])
_SOURCE, _OBJECTS = ".c", (".o", ".a", ".so")

_FLAGS = (
    click.option(
        "--source",
        "sources",
        multiple=True,
        type=readable_file,
        help="A further C file of the program; repeatable.",
    ),
    click.option(
        "--lib",
        "libs",
        multiple=True,
        metavar="NAME",
        help="A library, as in -lNAME; repeatable.",
    ),
    click.option(
        "--build",
        metavar="CMD",
        help="Shell command that builds the program from {source} to {output}.",
    ),
    click.option(
        "--arg", "args", multiple=True, metavar="WORD", help="Argument of the program."
    ),
    click.option("--stdin", type=readable_file, help="Standard input of the program."),
    click.option(
        "--run-timeout",
        **SECONDS,
        help="Limit of one run; by default from the original's time.",
    ),
    click.argument("extra", nargs=-1),
)


@dataclass(frozen=True)
class Running:
    """How the program is built and run, as the command line has it.

    Attributes
    ----------
    sources, libs, args : tuple of str
        Further C files, libraries, arguments of the program.
    build : str or None
        Build command.
    stdin : str or None
        Input file of the program.
    extra : tuple of str
        What follows ``--``: sources, objects, archives, ``-l`` and ``-L`` options.
    """

    sources: tuple[str, ...]
    libs: tuple[str, ...]
    build: str | None
    args: tuple[str, ...]
    stdin: str | None
    extra: tuple[str, ...]

    def toolchain(self, common: Common) -> Toolchain:
        """The compiler and what it links.

        Raises
        ------
        PolyschedError
            If a file that follows ``--`` is missing or of no known kind.
        """
        found: dict[str, list[str]] = {"source": [], "object": [], "lib": []}
        for word in self.extra:
            found[_kind(word)].append(word)
        return Toolchain(
            cc=common.cc,
            cflags=common.cflags,
            extra_sources=(*self.sources, *found["source"]),
            objects=tuple(found["object"]),
            libs=(*(f"-l{n}" for n in self.libs), *found["lib"], "-lm"),
            build_command=self.build,
        )

    def run_options(self, common: Common, n_cores: int) -> RunOptions:
        """Threads, arguments and sizes of every run."""
        return RunOptions(
            threads=common.threads or n_cores,
            args=self.args,
            stdin=self.stdin,
            parameters=common.param,
            seed=common.seed,
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        """Files that must not be written to."""
        files = [*self.sources, *(w for w in self.extra if not w.startswith("-"))]
        return (*files, self.stdin) if self.stdin else tuple(files)


def runs_program(function: Command) -> Callable[..., Any]:
    """Give a command the flags; `take_running` collects them."""
    decorated: Callable[..., Any] = function
    for flag in reversed(_FLAGS):
        decorated = flag(decorated)
    return decorated


def take_running(values: dict[str, Any]) -> Running:
    """Take the flags of `runs_program` out of a command's arguments."""
    return Running(**{name: values.pop(name) for name in Running.__annotations__})


def _kind(word: str) -> str:
    """What a word behind ``--`` is: "source", "object" or "lib"."""
    if word.startswith(("-l", "-L", "-Wl,")):
        return "lib"
    if word.startswith("-"):
        raise click.UsageError(
            f"found {word!r} behind --, expected C files, objects, archives, -l or -L; "
            "compiler options go into --cflags"
        )
    path = Path(word)
    if not path.is_file():
        raise PolyschedError(f"cannot read {word!r}: no such file")
    if path.suffix == _SOURCE:
        return "source"
    if path.suffix in _OBJECTS:
        return "object"
    raise PolyschedError(
        f"cannot tell what {word!r} is; expected a file ending in .c, .o, .a or .so"
    )
