"""Pages whose commands are run: files that they show, commands, what these print."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from polysched.cli.app import main

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"\A(?:/\* (\S+) \*/|# (\S+))\n")
_LIKENESS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_REFUSED = "polysched: error:"


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it.

    Attributes
    ----------
    command : str
        For a shell.
    output : str
        What it prints, with dots for what varies; empty where the page shows nothing.
    """

    command: str
    output: str


@dataclass(frozen=True)
class File:
    """A file that a page shows, named in the comment that is its first line."""

    name: str
    text: str


def read_page(page: Path) -> Iterator[Shown | File]:
    """Files and commands of a page, in order."""
    for language, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        named = _NAMED.match(text)
        if language == "console":
            yield from _commands(text)
        elif named:
            yield File(named[1] or named[2], text)


def _commands(text: str) -> Iterator[Shown]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        n_lines = 1 + next(i for i, line in enumerate(lines) if not line.endswith("\\"))
        command = "\n".join(lines[:n_lines]).replace("\\\n", " ")
        yield Shown(command, "\n".join(lines[n_lines:]))


def run(shown: Shown, directory: Path) -> str:
    """Run a command; what is wrong with it, or nothing."""
    words = shlex.split(shown.command)
    is_ours = words[0] == "polysched" and not {"|", ">", "&&", "||", ";"} & set(words)
    status, printed = _call(words[1:]) if is_ours else _shell(shown.command, directory)
    expects_refusal = _REFUSED in shown.output
    if (status != 0) != expects_refusal:
        return f"$ {shown.command}\nended with status {status}:\n{printed}"
    checker = doctest.OutputChecker()
    if shown.output and not checker.check_output(shown.output, printed, _LIKENESS):
        return f"$ {shown.command}\nprinted\n{printed}\ninstead of\n{shown.output}"
    return ""


def _call(arguments: list[str]) -> tuple[int, str]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = main(arguments)
    return status, printed.getvalue()


def _shell(command: str, directory: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout
