"""Spaces in a file: read back without solving, every schedule proven again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polysched.analysis import (
    FREEDOMS,
    Dependences,
    FloatingPoint,
    allow_reordering,
    compute_dependences,
    find_violation,
    prepare_scop,
)
from polysched.base import IllegalScheduleError, LimitError, PolyschedError
from polysched.codegen import Target
from polysched.ilp import Stage
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Machine
from polysched.schedule import broken_pins, parse_pins
from polysched.sets import node_kind, operation_limit
from polysched.space.describe import Describer
from polysched.space.digest import scop_digest
from polysched.space.saving import FORMAT, VERSION
from polysched.space.schedule_space import Schedule, ScheduleSpace
from polysched.space.size import Dropped, SpaceSize
from polysched.transform import apply_script, parse_script

MAX_OPERATIONS = 500_000_000  # isl operations to prove one schedule


def load_space(path: str | os.PathLike[str], scop: Scop) -> ScheduleSpace:
    """Read a space back; nothing is solved, and every schedule is proven anew.

    Features are computed from the trees again; predicted seconds are taken as they are.

    Parameters
    ----------
    path : path
        Written by `ScheduleSpace.save`.
    scop : Scop
        The SCoP it was built for, as the front end gives it or as the space has it.

    Raises
    ------
    IllegalScheduleError
        If a schedule in the file violates a dependence; names it and a witness.
    PolyschedError
        If the file is no such file, holds no space of this SCoP, or was changed.
    """
    stored = _read(path)
    by_digest = {entry.get("digest"): entry for entry in stored}
    prepared = (prepare_scop(scop, with_copies=flag) for flag in (True, False))
    for candidate in (scop, *prepared):
        entry = by_digest.get(scop_digest(candidate))
        if entry is not None:
            return _read_space(entry, candidate, path)
    names = ", ".join(str(e.get("scop")) for e in stored) or "none"
    raise PolyschedError(
        f"{os.fspath(path)!r} holds no space of this {scop.name}: statements, sizes or "
        f"accesses differ; the file has spaces of {names}",
        hint="build the space anew, or read the program with the same macros",
    )


def _read(path: str | os.PathLike[str]) -> list[Mapping[str, Any]]:
    name = os.fspath(path)
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise PolyschedError(f"cannot read {name!r}: {error.strerror}") from error
    except ValueError as error:
        raise PolyschedError(f"{name!r} is not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise PolyschedError(f"{name!r} is no file of {FORMAT}")
    if data.get("version") != VERSION:
        raise PolyschedError(
            f"{name!r} has version {data.get('version')!r}, expected {VERSION}"
        )
    spaces = data.get("spaces")
    if not isinstance(spaces, list) or not all(isinstance(s, dict) for s in spaces):
        raise PolyschedError(f"{name!r} has no list of spaces")
    return spaces


def _read_space(
    entry: Mapping[str, Any], scop: Scop, path: str | os.PathLike[str]
) -> ScheduleSpace:
    fp: FloatingPoint = entry["fp"] if entry.get("fp") in FREEDOMS else "strict"
    target: Target = "cuda" if entry.get("target") == "cuda" else "openmp"
    dependences = allow_reordering(compute_dependences(scop), scop, fp)
    try:
        machine = Machine.from_json(entry["machine"])
        describer = Describer(scop, dependences, machine)
        schedules = tuple(
            _read_schedule(s, scop, dependences, describer, target)
            for s in entry["schedules"]
        )
        return ScheduleSpace(
            scop=scop,
            dependences=dependences,
            machine=machine,
            policy=str(entry["policy"]),
            size=SpaceSize(**entry["size"], late=entry.get("late", 0)),
            schedules=schedules,
            dropped=tuple(Dropped(d["what"], d["reason"]) for d in entry["dropped"]),
            seconds=float(entry["seconds"]),
            pins=parse_pins(entry["pins"]),
            target=target,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolyschedError(
            f"{os.fspath(path)!r} is damaged: {type(error).__name__} {error}"
        ) from error


def _read_schedule(
    data: Mapping[str, Any],
    scop: Scop,
    dependences: Dependences,
    describer: Describer,
    target: Target,
) -> Schedule:
    """One schedule, its tree proven, its script replayed, its features computed."""
    name = str(data["id"])
    affine = _read_tree(data["affine"], scop, dependences, f"{name} before its script")
    tree = _read_tree(data["tree"], scop, dependences, name)
    if tree.key != name:
        raise PolyschedError(
            f"the tree of schedule {name} was changed: it is schedule {tree.key} now"
        )
    script = parse_script(data["script"])
    if not _is_same_order(apply_script(affine, script), tree):
        raise PolyschedError(
            f"the script of schedule {name} was changed: it gives another tree"
        )
    seconds = data["predicted_seconds"]
    pins = parse_pins(data["pins"])
    return Schedule(
        id=name,
        objectives=tuple(data["objectives"]),
        partition=data["partition"],
        script=script,
        affine=affine,
        tree=tree,
        stages=tuple(Stage(**stage) for stage in data["stages"]),
        features=describer.features(tree, target),
        predicted_seconds=None if seconds is None else float(seconds),
        shape=data["shape"],
        pins=pins,
        broken_pins=broken_pins(tree, pins, scop, dependences) if pins else (),
    )


def _is_same_order(a: ScheduleTree, b: ScheduleTree) -> bool:
    """Whether two trees run everything alike, with the same marks."""
    if a.key == b.key:
        return True
    return _marks(a) == _marks(b) and bool(a.map.is_equal(b.map))


def _marks(tree: ScheduleTree) -> list[str]:
    return [
        str(node.mark_get_id().get_name())
        for _, node in tree.nodes()
        if node_kind(node) == "mark"
    ]


def _read_tree(
    text: str, scop: Scop, dependences: Dependences, name: str
) -> ScheduleTree:
    """A tree that runs every instance of the SCoP and respects every dependence."""
    tree = ScheduleTree.restore(text)
    if not tree.schedule.get_domain().is_equal(scop.domain):
        raise PolyschedError(
            f"schedule {name} was changed: it does not run the instances of {scop.name}"
        )
    try:
        with operation_limit(scop.context.get_ctx(), MAX_OPERATIONS):
            violation = find_violation(tree, dependences, scop)
    except LimitError as error:
        raise LimitError(
            f"schedule {name} is not proven: {error.message} are needed"
        ) from error
    if violation is not None:
        raise IllegalScheduleError(f"schedule {name} is illegal: {violation}")
    return tree
