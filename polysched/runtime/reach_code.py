"""C text that finds out how far a region reaches into arrays of unknown size.

``count[key[i]]++`` may write anywhere in an array that is a parameter: where it ends, C
does not say. What is to be dumped are the places between the first and the last that
are written. A slice of the region, all that its subscripts depend on, runs in front of
it and looks at them::

    long polysched_low0 = LONG_MAX, polysched_high0 = LONG_MIN;
    for (int i = 0; i < n; i++) {
      polysched_low0 = key[i] < polysched_low0 ? key[i] : polysched_low0;
      polysched_high0 = ...;
    }
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import islpy as isl

from polysched.base import RunError
from polysched.codegen import PrintOptions, print_openmp
from polysched.ir import (
    Access,
    Action,
    Array,
    Assign,
    Binary,
    Cast,
    Element,
    Guard,
    Load,
    Repeat,
    Scop,
    Select,
    Statement,
    action_expressions,
    assignments,
    depends_on_data,
    original_tree,
    types,
    walk,
)
from polysched.sets import list_sets

_ENDS = "low", "high"


@dataclass(frozen=True)
class Reach:
    """Names of the variables that hold the first and the last subscript."""

    low: str
    high: str


def find_reached(
    scop: Scop, elements: Mapping[str, isl.Set], arrays: Iterable[Array]
) -> tuple[Array, ...]:
    """Those whose rows data choose, and of which nobody says how many there are.

    A function's array parameter is a pointer, to as many rows as the caller has. What
    the region surely writes is there.

    Parameters
    ----------
    scop : Scop
        The region.
    elements : mapping of str to isl.Set
        That may be written.
    arrays : iterable of Array
        Some of those.
    """
    sure = {s.get_tuple_name(): s for s in list_sets(scop.must_writes.range())}
    chosen = {
        a.target.array
        for s in scop.statements
        for action in s.body
        for a in assignments(action)
        if _is_open(a.target)
    }
    return tuple(
        a
        for a in arrays
        if a.name in chosen
        and a.n_expanded == 0
        and (a.storage == "parameter" or a.extents[:1] == (None,))
        and not (a.name in sure and elements[a.name].is_subset(sure[a.name]))
    )


def name_reaches(arrays: Iterable[Array]) -> dict[str, Reach]:
    """Variables for each array."""
    return {
        a.name: Reach(*(f"polysched_{end}{k}" for end in _ENDS))
        for k, a in enumerate(arrays)
    }


def print_reach(
    scop: Scop, reaches: Mapping[str, Reach], is_wanted: str
) -> tuple[str, ...]:
    """Lines that declare the variables, and run the slice where that is wanted.

    Parameters
    ----------
    scop : Scop
        The region.
    reaches : mapping of str to Reach
        Of those that are reached; the result is empty without any.
    is_wanted : str
        A condition in C.

    Raises
    ------
    RunError
        If subscripts depend on what the region itself writes to arrays that it does
        not declare.
    """
    if not reaches:
        return ()
    bounds = "__LONG_MAX__", "-__LONG_MAX__ - 1"
    declared = [
        f"long {name} = {start};"
        for r in reaches.values()
        for name, start in zip((r.low, r.high), bounds, strict=True)
    ]
    part = _Slicer(scop, reaches).slice()
    # where the model does not hold, what is compared is the original twice
    options = PrintOptions(parallel=False, simd=False, original_text="")
    text = print_openmp(part, original_tree(part), options)
    return (*declared, f"if ({is_wanted}) {{", *text.splitlines(), "}")


def _is_open(target: Load) -> bool:
    return bool(target.subscripts) and depends_on_data(target.subscripts[0])


class _Slicer:
    """The part of a region that the first subscripts of some arrays depend on."""

    def __init__(self, scop: Scop, reaches: Mapping[str, Reach]) -> None:
        self._scop = scop
        self._reaches = reaches
        self._needed: set[str] = set()

    def slice(self) -> Scop:
        """A SCoP that writes nothing but the variables and what it declares."""
        written = {a.array for _, a in self._scop.iter_accesses() if a.is_write}
        while True:
            statements = [self._reduced(s) for s in self._scop.statements]
            kept = [s for s in statements if s.body]
            read = {e.array for s in kept for e in _elements(s)} & written
            if read <= self._needed:
                break
            self._needed |= read
            for name in sorted(read):
                self._check(name)
        ends = [Array(name, types.LONG, (), "local") for name in self._names()]
        arrays = (*self._scop.arrays, *ends)
        return replace(  # in its own order, which rests on no other
            self._scop,
            statements=tuple(kept),
            arrays=arrays,
            in_order=(),
            bounded=(),
            overlaps=(),
        )

    def _check(self, name: str) -> None:
        array = self._scop.array(name)
        if array.storage == "scop" or (array.is_scalar and not array.live_in):
            return
        here = ", ".join(self._scop.array(a).source_name for a in self._reaches)
        raise RunError(
            f"where {here} is written depends on {array.source_name}, which the scop "
            "writes as well, and its size is not known: results cannot be compared",
            hint="declare the array with its size",
        )

    def _names(self) -> Iterable[str]:
        for reach in self._reaches.values():
            yield from (reach.low, reach.high)

    def _reduced(self, s: Statement) -> Statement:
        body = self._actions(s.body)
        if not any(True for a in body for _ in assignments(a)):
            return replace(s, body=())
        reduced = replace(s, body=body)
        read = {e.array for e in _elements(reduced)}
        written = {t.target.array for a in body for t in assignments(a)}
        accesses = [
            a
            for a in s.accesses
            if (a.array in written if a.is_write else a.array in read)
        ]
        to_scalar = isl.Map.from_domain(s.domain)
        for name in self._names():
            if name in written:
                relation = to_scalar.set_tuple_name(isl.dim_type.out, name)
                accesses.append(Access(name, "read", relation))
                accesses.append(Access(name, "may_write", relation))
        accesses.sort(key=lambda a: a.is_write)
        return replace(reduced, accesses=tuple(accesses))

    def _actions(self, actions: Iterable[Action]) -> tuple[Action, ...]:
        return tuple(new for a in actions for new in self._action(a))

    def _action(self, action: Action) -> tuple[Action, ...]:
        match action:
            case Assign(target, _, _):
                if target.array in self._reaches and _is_open(target):
                    return self._looks(target)
                return (action,) if target.array in self._needed else ()
            case Guard(cond, then, other):
                return (Guard(cond, self._actions(then), self._actions(other)),)
            case Repeat():
                return (
                    replace(
                        action,
                        start=self._actions(action.start),
                        body=self._actions(action.body),
                        step=self._actions(action.step),
                    ),
                )
        return (action,)

    def _looks(self, target: Load) -> tuple[Action, ...]:
        """Lets the ends know of a subscript."""
        reach = self._reaches[target.array]
        place = Cast(types.LONG, target.subscripts[0])
        return tuple(
            Assign(end, "=", Select(Binary(op, place, end), place, end))
            for op, end in (
                ("<", Load(reach.low, (), types.LONG)),
                (">", Load(reach.high, (), types.LONG)),
            )
        )


def _elements(s: Statement) -> Iterable[Element]:
    """What a statement reads: targets do not count, their subscripts do."""
    targets = {id(t.target) for a in s.body for t in assignments(a) if t.op == "="}
    for action in s.body:
        for top in action_expressions(action):
            for e in walk(top):
                if isinstance(e, Element) and id(e) not in targets:
                    yield e
