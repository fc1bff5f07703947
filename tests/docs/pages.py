"""Pages of the reference that are written from the code, so that they stay true."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator

import click

from polysched.analysis import DEVICE_FEATURES, FEATURES
from polysched.cli.app import app
from polysched.policy import POLICIES
from polysched.schedule import PARTITIONS
from polysched.space import better_direction, fact_sentence
from polysched.transform import Step

_SHARED_BY = 4  # commands that take an option alike, for it to be told once


def command_line_page() -> str:
    """Every command with its options; those that many share stand at the end."""
    commands = list(_commands(app, "polysched"))
    takers: dict[tuple[str, str], list[str]] = {}
    for path, command in commands:
        for record in _records(command, path):
            takers.setdefault(record, []).append(path.removeprefix("polysched "))
    shared = {r: names for r, names in takers.items() if len(names) >= _SHARED_BY}
    parts = [
        "# Command line",
        "Results go to standard output, all else to standard error. "
        "Exit status 0: done; 1: refused or failed; 2: usage, or pins that exclude "
        "each other; 130: interrupted. Options that several commands share are "
        "[listed once](#shared-options), with the commands that take them.",
    ]
    parts += [_command(path, command, shared) for path, command in commands]
    rows = [(f"`{names}`", text, ", ".join(by)) for (names, text), by in shared.items()]
    parts += ["## Shared options", _table(("option", "what it does", "taken by"), rows)]
    return "\n\n".join(parts) + "\n"


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _records(command: click.Command, path: str) -> list[tuple[str, str]]:
    """Names and help of each option but --help, as click prints them."""
    context = click.Context(command, info_name=path)
    found = [p.get_help_record(context) for p in command.params]
    return [record for record in found if record]


def _command(path: str, command: click.Command, shared: Iterable[object]) -> str:
    """A command's section: how it is called, what it does, its own options."""
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    own = [
        (f"`{n}`", text)
        for n, text in _records(command, path)
        if (n, text) not in shared
    ]
    told = inspect.cleandoc(command.help or "").replace("\b\n", "")
    parts = [f"## {path}", f"```text\n{usage}\n```", told]
    if own:
        parts.append(_table(("option", "what it does"), own))
    return "\n\n".join(parts)


def tables_page() -> str:
    """Features, steps, policies and partitions, a row each."""
    facts = ("predicted_seconds", "n_objectives", "n_proven", "solver_seconds")
    facts += ("value_NAME", "bound_NAME", "seconds_NAME")
    steps = sorted(_steps(), key=lambda kind: kind.name)
    sections = (
        (
            "Features",
            "Numbers that a schedule's tree alone decides. Conditions (`--filter`), "
            "fronts and sorting know them by these names; *low* or *high* is the "
            "better direction.",
            _table(("feature", "better", "counts"), map(_feature, FEATURES)),
        ),
        (
            "Features of device schedules",
            "Those of `--target cuda` have these as well.",
            _table(("feature", "better", "counts"), map(_feature, DEVICE_FEATURES)),
        ),
        (
            "Facts",
            "What conditions know besides; NAME is an objective that was minimised.",
            _table(("fact", "better", "what it is"), map(_feature, facts)),
        ),
        (
            "Steps",
            "What scripts are made of: each turns a schedule tree into another and "
            "checks that it is legal.",
            _table(
                ("step", "what it does"), _named((s.name, _first(s)) for s in steps)
            ),
        ),
        (
            "Policies",
            "What chooses recipes; [more](../policies.md).",
            _table(
                ("policy", "asks for"),
                _named((p.name, p.summary) for p in POLICIES.values()),
            ),
        ),
        (
            "Partitions",
            "Which statements are scheduled together.",
            _table(
                ("partition", "together"),
                _named((p.name, p.summary) for p in PARTITIONS.values()),
            ),
        ),
    )
    parts = [f"## {title}\n\n{told}\n\n{table}" for title, told, table in sections]
    return "# Features and steps\n\n" + "\n\n".join(parts) + "\n"


def _steps() -> Iterator[type[Step]]:
    """Every kind of step that has a text form."""
    kinds = [Step]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if kind.name and kind.__module__.startswith("polysched."):
            yield kind


def _named(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((f"`{name}`", told) for name, told in rows)


def _feature(name: str) -> tuple[str, str, str]:
    return f"`{name}`", better_direction(name) or "", fact_sentence(name)


def _first(kind: type) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in escaped)])
