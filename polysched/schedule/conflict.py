"""Why pins cannot be obeyed: an irreducible set of constraints, in words.

What is impossible is so within the model: rows in 2d+1 form with non-negative
coefficients along each loop's direction, of a triangular form, without parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import islpy as isl

from polysched.analysis import (
    Dependence,
    Dependences,
    Violation,
    describe_violation,
)
from polysched.base import ConflictError, Deadline
from polysched.ilp import Problem, find_conflict, find_relaxation
from polysched.ir import Scop
from polysched.schedule.constrain import pin_group, require_pin
from polysched.schedule.model import ModelOptions, ScheduleModel
from polysched.schedule.pieces import Piece, n_common_loops
from polysched.schedule.pins import Pin, PinRow

BOUNDS = "bounds"
WIDE_FACTOR, WIDE_SHIFT = 4, 64  # "without bounds": a model needs some
_WIDE_SECONDS = 10.0

GroupKind = Literal["pin", "dependence", "rank", "bounds"]

_RANK_ADVICE = (
    "each row of a statement adds one iterator, with factor 1 or -1, to those before "
    "it: pin other rows, or fewer"
)


@dataclass(frozen=True, eq=False)
class ConflictGroup:
    """One member of a conflict.

    Attributes
    ----------
    kind : {"pin", "dependence", "rank", "bounds"}
        A pin; dependences between two statements that one loop of the source carries;
        the full rank of a statement's rows; the model's bounds of coefficients and
        shifts. Ranks are named only where no dependence is to blame; otherwise they are
        taken for granted (without them any loop is parallel: one that does not move).
    name : str
        In words, ``flow dependence S0 -> S0 through A (carried by loop t)``.
    dependences : tuple of Dependence
        Those whose pairs are at stake.
    witness : Violation or None
        One pair of instances of a dependence.
    """

    kind: GroupKind
    name: str
    dependences: tuple[Dependence, ...] = ()
    witness: Violation | None = None


@dataclass(frozen=True, eq=False)
class Conflict:
    """Constraints that exclude each other.

    Attributes
    ----------
    groups : tuple of ConflictGroup
        Pins first; together they have no schedule.
    is_irreducible : bool
        Whether it is proven that all but any one of them have one.
    obstacles : tuple of ConflictGroup
        Dependences without all of which the pins could be obeyed; found by
        `find_obstacles` only.
    """

    groups: tuple[ConflictGroup, ...]
    is_irreducible: bool
    obstacles: tuple[ConflictGroup, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the groups."""
        return tuple(g.name for g in self.groups)

    @property
    def witnesses(self) -> tuple[str, ...]:
        """One pair of instances per dependence of the conflict, in words."""
        return tuple(describe_order(g.witness) for g in self.groups if g.witness)

    @property
    def advice(self) -> tuple[str, ...]:
        """What a conflict with the full rank of a statement means."""
        found = any(g.kind == "rank" for g in self.groups)
        return (_RANK_ADVICE,) if found else ()

    def __str__(self) -> str:
        pins = [g.name for g in self.groups if g.kind == "pin"]
        others = [g.name for g in self.groups if g.kind != "pin"]
        ends = [f"the {name}" for name in others]
        if not ends:
            excludes = "excludes itself" if len(pins) == 1 else "exclude each other"
            text = f"{_listed(pins)} {excludes}"
        else:
            conflicts = "conflicts" if len(pins) == 1 else "conflict"
            text = f"{_listed(pins)} {conflicts} with {_listed(ends)}"
        if self.is_irreducible:
            return text
        return f"{text} (not proven irreducible: time ran out)"

    def to_json(self) -> dict[str, object]:
        """The conflict as one object."""
        return {
            "text": str(self),
            "groups": [_group_json(g) for g in self.groups],
            "irreducible": self.is_irreducible,
            "obstacles": [_group_json(g) for g in self.obstacles],
        }


class PinConflictError(ConflictError):
    """Pins cannot be obeyed; pairs of instances that show it are in the hint.

    Parameters
    ----------
    conflict : Conflict
        Kept as an attribute.
    """

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(
            str(conflict),
            conflict.names,
            is_irreducible=conflict.is_irreducible,
            hint="; ".join((*conflict.witnesses, *conflict.advice)) or None,
        )
        self.conflict = conflict


def describe_order(pair: Violation) -> str:
    """The witness of a dependence in words."""
    at = f" ({pair.parameters})" if pair.parameters else ""
    return f"{pair.order}, both touch {pair.element}{at}"


def explain_conflict(
    scop: Scop,
    dependences: Dependences,
    pins: Sequence[Pin],
    deadline: Deadline,
    pieces: tuple[Piece, ...],
) -> Conflict:
    """An irreducible conflict of pins that no shape of rows can obey.

    Parameters
    ----------
    scop, dependences, pieces
        The pieces cut from the dependences (`cut_dependences`).
    pins : sequence of Pin
        Known to be infeasible in the shape "any".
    deadline : Deadline
        After it the conflict is not proven irreducible.
    """
    backward = _find_backward(scop, pins)
    if backward is not None:
        return Conflict(backward, is_irreducible=True)
    analysis = _Analysis(scop, dependences, pins, pieces)
    seconds = min(_WIDE_SECONDS, deadline.remaining_seconds())
    is_possible = analysis.wide.is_feasible(seconds)
    problem = analysis.wide if is_possible is False else analysis.narrow
    culprits = find_conflict(problem, analysis.bundles, deadline, analysis.ranks)
    if not any(name in analysis.by_name for name in culprits.names):
        culprits = find_conflict(problem, analysis.bundles, deadline)
    groups = tuple(analysis.describe(name) for name in culprits.names)
    if is_possible is not False:
        groups = (*groups, ConflictGroup("bounds", _name_bounds(pins)))
    is_irreducible = culprits.is_proven and is_possible is not None
    return Conflict(groups, is_irreducible)


def find_obstacles(
    scop: Scop,
    dependences: Dependences,
    conflict: Conflict,
    pins: Sequence[Pin],
    deadline: Deadline,
    pieces: tuple[Piece, ...],
) -> Conflict:
    """The conflict, and what all would have to go for the pins to be obeyed.

    An irreducible conflict names one reason; there may be others behind it. None are
    added when the pins are impossible without any dependence, too.
    """
    analysis = _Analysis(scop, dependences, pins, pieces)
    names = tuple(analysis.by_name)
    found = find_relaxation(analysis.narrow, analysis.bundles, names, deadline)
    if found is None:
        return conflict
    return replace(conflict, obstacles=tuple(map(analysis.describe, found.names)))


def pinned_options(options: ModelOptions, pins: Sequence[Pin]) -> ModelOptions:
    """The options with a coefficient bound that admits what the pins fix."""
    rows = [p for p in pins if isinstance(p, PinRow)]
    largest = max((abs(c) for p in rows for _, c in p.coefficients), default=0)
    bound = max(options.coefficient_bound, largest)
    return replace(options, coefficient_bound=bound)


class _Analysis:
    """The model with pins, its groups by name, tight and with wide bounds."""

    def __init__(
        self,
        scop: Scop,
        dependences: Dependences,
        pins: Sequence[Pin],
        pieces: tuple[Piece, ...],
    ) -> None:
        self.scop = scop
        self.dependences = dependences
        self.pieces = pieces
        self.pins = {pin_group(p): p for p in pins}
        options = pinned_options(ModelOptions(shape="any"), pins)
        wide = replace(
            options,
            coefficient_bound=WIDE_FACTOR * options.coefficient_bound,
            shift_bound=WIDE_SHIFT,
        )
        model = self._build(options)
        self.narrow: Problem = model.problem
        self.wide: Problem = self._build(wide).problem
        self.by_name: dict[str, list[int]] = {}
        flow_first = sorted(range(len(pieces)), key=lambda d: not pieces[d].flow)
        for d in flow_first:
            self.by_name.setdefault(self._name_piece(d), []).append(d)
        self.ranks = tuple(f"rank {s.name}" for s in scop.statements if s.n_loops)
        self.bundles: dict[str, frozenset[str]] = {
            **{name: frozenset([name]) for name in (*self.pins, *self.ranks)},
            **{
                name: frozenset(model.dependence_group(d) for d in members)
                for name, members in self.by_name.items()
            },
        }

    def _build(self, options: ModelOptions) -> ScheduleModel:
        model = ScheduleModel(self.scop, self.dependences, self.pieces, options)
        for pin in self.pins.values():
            require_pin(model, pin)
        return model

    def _name_piece(self, d: int) -> str:
        piece = self.pieces[d]
        source, sink = (self.scop.statement(n) for n in (piece.source, piece.sink))
        causes = self._causes(d)
        kinds = _listed(list(dict.fromkeys(c.kind for c in causes)))
        arrays = _listed(list(dict.fromkeys(c.array for c in causes)))
        ends = f"{piece.source} -> {piece.sink}"
        what = f"{kinds} dependence {ends} through {arrays}"
        if piece.level < n_common_loops(source, sink):
            return f"{what} (carried by loop {source.iterators[piece.level]})"
        return f"{what} (within one iteration)"

    def _causes(self, d: int) -> list[Dependence]:
        """The dependences that have pairs in a piece."""
        piece = self.pieces[d]
        pairs = isl.Map.from_basic_map(piece.exact)
        return [
            item
            for item in self.dependences.items
            if item.orders
            and (item.source, item.sink) == (piece.source, piece.sink)
            and not item.relation.intersect(pairs).is_empty()
        ]

    def describe(self, name: str) -> ConflictGroup:
        """A bundle as a member of a conflict."""
        if name in self.pins:
            return _pin(self.pins[name])
        if name not in self.by_name:
            return ConflictGroup("rank", name.replace("rank", "full rank of"))
        members = self.by_name[name]
        causes = dict.fromkeys(c for d in members for c in self._causes(d))
        first = next(iter(causes))
        exact = isl.Map.from_basic_map(self.pieces[members[0]].exact)
        pairs = first.relation.intersect(exact)
        witness = describe_violation(first, pairs, self.scop, "in the original order")
        return ConflictGroup("dependence", name, tuple(causes), witness)


def _pin(pin: Pin) -> ConflictGroup:
    return ConflictGroup("pin", pin_group(pin))


def _find_backward(
    scop: Scop, pins: Sequence[Pin]
) -> tuple[ConflictGroup, ConflictGroup] | None:
    """A row pin against the direction of a loop, which no bound admits."""
    bound = pinned_options(ModelOptions(), pins).coefficient_bound
    for pin in pins:
        if not isinstance(pin, PinRow):
            continue
        s = scop.statement(pin.statement)
        directions = dict(zip(s.iterators, s.directions, strict=True))
        for name, c in pin.coefficients:
            if c * directions[name] < 0:
                way = "up" if directions[name] > 0 else "down"
                what = f"{name} counts {way}: 0 to {bound * directions[name]}"
                return _pin(pin), ConflictGroup("bounds", f"{BOUNDS} ({what})")
    return None


def _name_bounds(pins: Sequence[Pin]) -> str:
    options = pinned_options(ModelOptions(), pins)
    return (
        f"{BOUNDS} (coefficients 0 to {options.coefficient_bound} along each loop, "
        f"shifts 0 to {options.shift_bound})"
    )


def _listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _group_json(group: ConflictGroup) -> dict[str, object]:
    return {
        "kind": group.kind,
        "name": group.name,
        "dependences": [
            {"kind": d.kind, "array": d.array, "source": d.source, "sink": d.sink}
            for d in group.dependences
        ],
        "witness": describe_order(group.witness) if group.witness else None,
    }
