"""The nouns of a static control part: arrays, accesses, statements, the SCoP itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import islpy as isl

from polysched.base import PolyschedError, Shown, SourceLocation
from polysched.ir.actions import Action, action_expressions, has_repeat
from polysched.ir.expr import (
    Element,
    Expr,
    Iter,
    Local,
    Lookup,
    depends_on_data,
    walk,
)
from polysched.ir.functions import Function
from polysched.ir.overlap import MayOverlap
from polysched.ir.ranges import Range
from polysched.ir.sizes import evaluate_size
from polysched.ir.types import INT, ScalarType
from polysched.sets import read_set, union_of_maps, union_of_sets

Storage = Literal["global", "static", "local", "parameter", "scop", "thread", "block"]
AccessKind = Literal["read", "must_write", "may_write"]


@dataclass(frozen=True)
class Parameter:
    """A symbolic integer constant of the SCoP, named as its C variable.

    Attributes
    ----------
    name : str
        The variable.
    type : ScalarType
        Its type.
    value : Expr, optional
        Of one that C does not have: a product of others, which generated code computes
        in front of everything else.
    held : str
        The C expression of one that C has under no name, ``grid->nx``, which generated
        code gives to a variable in front of everything else.
    """

    name: str
    type: ScalarType = INT
    value: Expr | None = None
    held: str = ""


@dataclass(frozen=True)
class Array:
    """An array, or a scalar when it has no dimensions.

    Attributes
    ----------
    name : str
        Name of the array in isl spaces; unique within the SCoP.
    type : ScalarType
        Element type.
    extents : tuple of (Expr or None)
        Elements per dimension as expressions over parameters and constants; None when
        the declaration does not say (a pointer, or the outermost dimension of a
        function's array parameter).
    storage : str
        Where it lives: "global", "static" (function-local static), "local" (automatic
        variable of the function), "parameter" (pointer or array parameter) or "scop"
        (declared inside the SCoP: private); what code for a device adds may live with
        a "thread" or, in shared memory, with a "block".
    live_in : bool
        Whether the SCoP may read a value it did not write.
    live_out : bool
        Whether the program may read it after the SCoP.
    pitches : tuple of Expr
        For a linearised C object ``A[i*n + j]`` seen as ``A[i][j]``: the number of
        elements per step of each dimension but the last (here ``(n,)``); empty when C
        subscripts the array directly. One of eight bytes multiplies in them.
    n_expanded : int
        How many leading subscripts are iterators of enclosing loops, added because
        each iteration of those loops has its own private copy (array expansion). The
        C object has only the remaining subscripts.
    c_name : str
        Name in the C source when it differs from `name` (shadowed locals).
    view : str
        The C expression that takes an object of structures, or of several dimensions
        that `pitches` flatten, as numbers of one type, ``((double *)bodies)``; empty
        where C has the array itself.
    is_part : bool
        Whether its C object, structures of several types, holds other numbers as well,
        which are other arrays.
    confined : bool
        Whether nothing in the program mentions it outside of the SCoP, so that only
        the SCoP itself, when it runs again, could read what it left.
    held : str
        The C expression of a pointer that C has under no name, ``grid->ez``, which
        generated code gives to a variable.
    in_rows : bool
        Whether C has pointers to its rows, ``double **A``: where they lie is data, and
        an element is reached through as many pointers as subscripts.
    is_work : bool
        Whether it stands for an array of any size, a caller's or the file's, so that
        iterations which have one each must not run at the same time.
    """

    name: str
    type: ScalarType
    extents: tuple[Expr | None, ...] = ()
    storage: Storage = "global"
    live_in: bool = True
    live_out: bool = True
    pitches: tuple[Expr, ...] = ()
    n_expanded: int = 0
    c_name: str = ""
    view: str = ""
    is_part: bool = False
    confined: bool = False
    held: str = ""
    in_rows: bool = False
    is_work: bool = False

    @property
    def n_dim(self) -> int:
        """Number of subscripts in isl spaces, expanded ones included."""
        return self.n_expanded + len(self.extents)

    @property
    def is_scalar(self) -> bool:
        """Whether the C object is a scalar variable."""
        return not self.extents

    @property
    def is_private(self) -> bool:
        """Whether no value enters or leaves the SCoP through it."""
        return not self.live_in and not self.live_out

    @property
    def source_name(self) -> str:
        """The C identifier."""
        return self.c_name or self.name

    @property
    def base(self) -> str:
        """The C expression that is subscripted."""
        return self.view or self.source_name


@dataclass(frozen=True, eq=False)
class Access:
    """One access relation of a statement.

    Attributes
    ----------
    array : str
        Name of the array.
    kind : {"read", "must_write", "may_write"}
        A data-dependent condition turns a write into a may-write; reads are always
        an over-approximation.
    relation : isl.Map
        ``{ S[i, j] -> A[i] }``, restricted to the statement's domain.
    """

    array: str
    kind: AccessKind
    relation: isl.Map

    @property
    def is_write(self) -> bool:
        """Whether the access may change the array."""
        return self.kind != "read"


@dataclass(frozen=True, eq=False, repr=False)
class Statement(Shown):
    """A statement: what it computes, for which instances, in which original order.

    Attributes
    ----------
    name : str
        ``S0``, ``S1``, ... in source order; the tuple name of its isl spaces.
    iterators : tuple of str
        Names of the surrounding loops' iterators, outermost first; they name the
        dimensions of `domain` too.
    domain : isl.Set
        ``{ S0[i, j] : ... }``; instances carry the values of the C iterators.
    position : tuple of int, length n_loops + 1
        Textual order: `position[k]` is the rank of the statement (or of the loop that
        holds it) inside loop k-1. Two statements share their first d loops exactly
        when their positions agree in the first d entries.
    directions : tuple of int, length n_loops
        +1 for a loop that counts up, -1 for one that counts down.
    body : tuple of Action
        Executed in order by each instance.
    accesses : tuple of Access
        Every access of the body; reads before writes.
    where : SourceLocation, optional
        Place in the user's source.
    text : str
        The user's own text, one line, for messages.
    is_unordered : bool
        Whether the terms that it accumulates may come in any order even where floating
        point is not to be reassociated: the source promises none, as NumPy's sums.
    """

    name: str
    iterators: tuple[str, ...]
    domain: isl.Set
    position: tuple[int, ...]
    directions: tuple[int, ...]
    body: tuple[Action, ...]
    accesses: tuple[Access, ...]
    where: SourceLocation | None = None
    text: str = ""
    is_unordered: bool = False

    @property
    def headline(self) -> str:
        """Its name, iterators and text."""
        return f"Statement {self.name}[{', '.join(self.iterators)}]: {self.text or '-'}"

    @property
    def n_loops(self) -> int:
        """Depth of the loop nest around the statement."""
        return len(self.iterators)

    @property
    def has_data_loops(self) -> bool:
        """Whether loops that data end are inside of its instances."""
        return any(map(has_repeat, self.body))

    @property
    def reads(self) -> tuple[Access, ...]:
        """Read accesses."""
        return tuple(a for a in self.accesses if not a.is_write)

    @property
    def writes(self) -> tuple[Access, ...]:
        """May- and must-write accesses."""
        return tuple(a for a in self.accesses if a.is_write)


@dataclass(frozen=True)
class SourceRegion:
    """Bytes of the user's file that a SCoP occupies.

    Attributes
    ----------
    file : str
        Path of the file.
    start, end : int
        Byte offsets: from the first byte of the ``#pragma scop`` line to just behind
        the line end of the ``#pragma endscop`` line.
    line, end_line : int
        Lines of the two pragmas, counted from 1; of a part of a region that was refused
        as a whole, its first and last line.
    indent : str
        White space in front of ``#pragma scop``'s first statement, for printing.
    """

    file: str
    start: int
    end: int
    line: int
    end_line: int
    indent: str = ""


@dataclass(frozen=True, eq=False)
class InOrder:
    """That elements of an array are no greater than those behind them.

    Attributes
    ----------
    array : str
        Of integers, with one subscript.
    places : isl.Set
        Subscripts of the elements that are meant, as sets of parameters.
    """

    array: str
    places: isl.Set


@dataclass(frozen=True)
class Bounded:
    """That a scalar, which the SCoP only reads, is a small number.

    Attributes
    ----------
    scalar : str
        Of an integer type.
    limit : int
        It is at least the negative of that, and less than that.
    """

    scalar: str
    limit: int

    @property
    def range(self) -> Range:
        """What it may be."""
        return Range(-self.limit, self.limit - 1)


@dataclass(frozen=True, eq=False, repr=False)
class Scop(Shown):
    """A static control part.

    Attributes
    ----------
    name : str
        Name for people and records: the enclosing function, with ``.2`` and so on for
        further SCoPs of the same function.
    parameters : tuple of Parameter
        In order of first use.
    context : isl.Set
        Parameter values that the program guarantees.
    assumptions : isl.Set
        Parameter values for which the model is exact (a checked delinearisation may
        need ``m <= n``); generated code falls back to the original text outside it.
    statements : tuple of Statement
        In source order.
    arrays : tuple of Array
        Every accessed array and scalar, in order of first use.
    region : SourceRegion, optional
        None for a SCoP that was not read from a file.
    function : str
        Name of the enclosing C function, or empty.
    estimates : tuple of (str, int)
        Values of parameters that sizes of tiles are chosen for; nothing is proven
        with them.
    counters : tuple of str
        C names of the variables from outside that its loops count with.
    mentioned : tuple of str
        C names of further variables that the text mentions, and generated code may do
        without.
    called : tuple of str
        Static functions that nothing but its text calls.
    is_repeated : bool
        Whether it stands in a loop, so that threads are there when it runs again.
    in_order : tuple of InOrder
        What dependences rest on besides; generated code falls back to the original
        text where it is not so.
    bounded : tuple of Bounded
        Scalars that code may take to be small, if it asks; it falls back to the
        original text where they are not.
    moved : frozenset of str
        C names of parameters and pointers that the text of the region changes, while
        the model means what they are in front of it; nobody reads them behind it, but
        for those that `behind` sets.
    behind : str
        C text behind generated code, in lines: it sets what the region
        changes and is no part of the model, as pointers that it exchanges.
    overlaps : tuple of MayOverlap
        Names of what may be one piece of memory, while dependences take them for two.
    promised : bool
        Whether somebody promises that they are two; otherwise generated code asks, and
        falls back to the original text.
    functions : tuple of Function
        Those of the file that statements call, for code that cannot call them, callees
        in front of callers; some have bodies that are not known here.
    """

    name: str
    parameters: tuple[Parameter, ...]
    context: isl.Set
    statements: tuple[Statement, ...]
    arrays: tuple[Array, ...]
    assumptions: isl.Set = field(default_factory=lambda: read_set("{ : }"))
    region: SourceRegion | None = None
    function: str = ""
    estimates: tuple[tuple[str, int], ...] = ()
    counters: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    is_repeated: bool = False
    in_order: tuple[InOrder, ...] = ()
    bounded: tuple[Bounded, ...] = ()
    moved: frozenset[str] = frozenset()
    behind: str = ""
    overlaps: tuple[MayOverlap, ...] = ()
    promised: bool = False
    functions: tuple[Function, ...] = ()

    @property
    def headline(self) -> str:
        """Its name, and how many statements, arrays and parameters it has."""
        n, m, k = len(self.statements), len(self.arrays), len(self.parameters)
        return f"Scop {self.name}: {n} statements, {m} arrays, {k} parameters"

    def statement(self, name: str) -> Statement:
        """The statement of that name."""
        return self._by_name[name]

    def array(self, name: str) -> Array:
        """The array of that name."""
        return self._arrays[name]

    @cached_property
    def _by_name(self) -> dict[str, Statement]:
        return {s.name: s for s in self.statements}

    @cached_property
    def _arrays(self) -> dict[str, Array]:
        return {a.name: a for a in self.arrays}

    @cached_property
    def looked_up(self) -> frozenset[str]:
        """Arrays of which elements are touched at places that depend on data."""
        found = (e for e in self.iter_expressions() if isinstance(e, Element))
        return frozenset(
            e.array for e in found if isinstance(e, Lookup) or e.is_chosen_by_data
        )

    @property
    def known_ranges(self) -> dict[str | Local | Iter, Range]:
        """What scalars may be that generated code asks about."""
        return {b.scalar: b.range for b in self.bounded}

    @cached_property
    def open_arrays(self) -> frozenset[str]:
        """Arrays of unknown size, in which data choose the row or the element.

        Relations bound what such a subscript may be by its type; whether there are so
        many elements, nobody says.
        """
        return frozenset(
            e.array
            for e in self.iter_expressions()
            if isinstance(e, Element) and self._chooses_openly(e)
        )

    def _chooses_openly(self, element: Element) -> bool:
        array = self.array(element.array)
        first = element.subscripts[array.n_expanded : array.n_expanded + 1]
        return array.extents[:1] == (None,) and any(map(depends_on_data, first))

    @cached_property
    def domain(self) -> isl.UnionSet:
        """All statement instances, as a union set.

        Without redundant constraints: isl drops them in place when some operation finds
        them, and the text of a tree would depend on what was done before.
        """
        return union_of_sets(
            [s.domain.intersect_params(self.context) for s in self.statements]
        ).remove_redundancies()

    def access_relation(self, *kinds: AccessKind) -> isl.UnionMap:
        """Instances to array elements, for all accesses of the given kinds."""
        return union_of_maps(
            [a.relation for _, a in self.iter_accesses() if a.kind in kinds]
        ).intersect_domain(self.domain)

    @property
    def reads(self) -> isl.UnionMap:
        """All reads."""
        return self.access_relation("read")

    @property
    def must_writes(self) -> isl.UnionMap:
        """All writes that happen for certain."""
        return self.access_relation("must_write")

    @property
    def may_writes(self) -> isl.UnionMap:
        """All writes, certain or not."""
        return self.access_relation("must_write", "may_write")

    def iter_expressions(self) -> Iterator[Expr]:
        """Every expression in the statements' bodies, parents before children."""
        for statement in self.statements:
            for action in statement.body:
                for top in action_expressions(action):
                    yield from walk(top)

    def iter_accesses(self) -> Iterator[tuple[Statement, Access]]:
        """Every access with its statement, in source order."""
        for statement in self.statements:
            for access in statement.accesses:
                yield statement, access

    @property
    def asked_overlaps(self) -> tuple[MayOverlap, ...]:
        """Those that generated code asks about."""
        return () if self.promised else self.overlaps

    @property
    def is_promised(self) -> bool:
        """Whether its results rest on a promise."""
        return self.promised and bool(self.overlaps)

    @property
    def products(self) -> tuple[Parameter, ...]:
        """Parameters that C does not have."""
        return tuple(p for p in self.parameters if p.value is not None)

    def with_products(self, values: Mapping[str, int]) -> dict[str, int]:
        """Values of parameters, and of those that are made of them."""
        found = dict(values)
        for p in self.products:
            assert p.value is not None
            value = evaluate_size(p.value, values)
            if value is not None:
                found[p.name] = value
        return found

    def with_parameters_fixed(self, values: Mapping[str, int]) -> Scop:
        """The same SCoP with `values` added to its context."""
        values = self.with_products(values)
        unknown = set(values) - {p.name for p in self.parameters}
        if unknown:
            known = ", ".join(p.name for p in self.parameters) or "none"
            raise PolyschedError(
                f"no parameter named {sorted(unknown)[0]!r}; "
                f"the parameters are: {known}"
            )
        fixed = " and ".join(f"{n} = {v}" for n, v in values.items()) or "true"
        names = ", ".join(values)
        extra = read_set(f"[{names}] -> {{ : {fixed} }}")
        return replace(self, context=self.context.intersect(extra))

    def with_estimates(self, values: Mapping[str, int]) -> Scop:
        """The same SCoP, with values that its parameters often have."""
        known = {p.name for p in self.parameters}
        all_ = self.with_products(values).items()
        kept = tuple(sorted((n, v) for n, v in all_ if n in known))
        return replace(self, estimates=kept)

    @cached_property
    def estimated_context(self) -> isl.Set:
        """The context, with parameters at their estimates where there are some."""
        if not self.estimates:
            return self.context
        fixed = " and ".join(f"{n} = {v}" for n, v in self.estimates)
        names = ", ".join(n for n, _ in self.estimates)
        found = self.context.intersect(read_set(f"[{names}] -> {{ : {fixed} }}"))
        return self.context if found.is_empty() else found
