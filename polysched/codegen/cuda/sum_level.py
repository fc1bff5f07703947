"""One kernel of a sum that threads share: its statements, and who runs them when.

For every launch ``h``, part ``k`` (the block's share of the terms), thread ``t`` and
element ``e`` there is an instance of ::

    zero:    own[h, k, t, e] = 0                       or the element, for an extremum
    terms:   own[h, k, t, e] += ...                    those of the thread, in turn
    meet:    met[h, k, t, e] = own[h, k, t, e]
    gather:  met[h, k, t, e] += met[h, k, t + n q, e]  n = an eighth of all, ..., 1
    hand:    what the block found, met[h, k, 0, e], goes where it is wanted

``own`` is a variable of a thread and ``met`` lies in shared memory. All threads of the
block wait for each other behind `meet` and every `gather`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, reduce

import islpy as isl

from polysched.codegen.cuda.sum_terms import PREFIX, Goal, Shared, Terms, flat, n_out
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_THREADS,
    Access,
    AccessKind,
    Action,
    Array,
    Assign,
    Binary,
    Const,
    Expr,
    Iter,
    Load,
    ScalarType,
    Statement,
    Storage,
)
from polysched.ir.types import INT
from polysched.sets import union_of_maps

RADIX = 8  # sums that a thread puts together before all wait again
_Q = f"{PREFIX}q0"
THREAD: Storage = "thread"
BLOCK: Storage = "block"
Touch = tuple[str, AccessKind, Sequence[str]]  # array, how, subscripts
_SET, _IN, _OUT = isl.dim_type.set, isl.dim_type.in_, isl.dim_type.out


class SumKernel:
    """A kernel that adds up terms; see above.

    Parameters
    ----------
    terms : Terms
        Which.
    name : str
        Begins the names of its statements.
    met : str
        Name of the array in shared memory.
    goal : Goal
        Where the sums go.
    result : str
        The array of the program whose elements are summed up.

    Attributes
    ----------
    arrays : tuple of Array
        ``own`` and ``met``.
    statements : list of Statement
        In order; the last one hands over.
    flow : isl.UnionMap
        Who writes a partial sum, to who needs it.
    schedule : isl.Schedule
        From the mark ``kernel`` on.
    """

    def __init__(
        self, terms: Terms, name: str, met: str, goal: Goal, result: str
    ) -> None:
        self.terms, self.name, self.met, self.goal = terms, name, met, goal
        self.result = result
        self.statements: list[Statement] = []
        self.flow = isl.UnionMap("{ }")
        self._writers = dict.fromkeys((terms.own, met), isl.UnionMap("{ }"))
        self._h = _names("h", terms.outer)
        self._k = _names("k", terms.parts)
        self._t = _names("t", terms.threads)
        self._e = _names("e", terms.element)
        self._all = (*self._h, *self._k, *self._t, *self._e)
        self._home = (*self._h, *self._k, *self._e)
        self.arrays = tuple(
            Array(
                array, terms.type, storage=storage, live_in=False, live_out=False,
                n_expanded=len(self._all),
            )
            for array, storage in ((terms.own, THREAD), (met, BLOCK))
        )  # fmt: skip
        self.schedule = self._build()

    @property
    def beginning(self) -> Statement:
        """The statement that a thread's sum begins with."""
        return self.statements[0]

    @property
    def handing(self) -> Statement:
        """The statement that hands sums over, one instance for each home of terms."""
        return self.statements[-1]

    def _build(self) -> isl.Schedule:
        """Make the statements, and the tree that orders them."""
        epochs = [self._begin()]
        for position, s in enumerate(self.terms.sums):
            n = s.threads
            while n > 1:
                fewer = -(-n // RADIX)
                epochs.append(self._gather(position, n, fewer))
                n = fewer
        epochs.append(self._hand())
        whole = add_band(_sequence(epochs), map(self._blocks, self.statements))
        return add_mark(add_mark(whole, MARK_GRID), MARK_KERNEL)

    def _begin(self) -> isl.Schedule:
        """A thread's own sum, and its way to shared memory."""
        own, met, terms = self.terms.own, self.met, self.terms.statement
        here = self._load(own, self._all)
        touched: list[Touch] = [(own, "must_write", self._all)]
        begin: Expr = self.terms.op.identity(self.terms.type)
        if self.terms.op.begins_with_element:
            begin = self._load(self.result, self._e)
            touched.append((self.result, "read", self._e))
        zero = self._add("zero", self._all, Assign(here, "=", begin), touched)
        self._keep(terms)
        meet = self._add(
            "meet", self._all, Assign(self._load(met, self._all), "=", here),
            [(own, "read", self._all), (met, "must_write", self._all)],
        )  # fmt: skip
        inside = [flat(*(s.value for s in self.terms.sums)), *self.terms.inner]
        bands = (b.intersect_domain(terms.domain) for b in inside)
        parts = [self._leaf(zero), _nest(terms.domain, bands), self._leaf(meet)]
        return self._epoch(_sequence(parts), (zero, terms, meet))

    def _gather(self, position: int, n: int, fewer: int) -> isl.Schedule:
        """Some of n threads add up what up to eight of them have in shared memory."""
        t = self._t[position]
        other = tuple(f"{x} + {fewer} * {_Q}" if x == t else x for x in self._all)
        first, second = self._load(self.met, self._all), self._load(self.met, other)
        done = [f"{x} = 0" for x in self._t[:position]]
        gathered = self._add(
            f"gather{position}_{fewer}", (*self._all, _Q),
            self.terms.op.put(first, second),
            [(self.met, "read", self._all), (self.met, "read", other),
             (self.met, "must_write", self._all)],
            [*done, f"{t} < {fewer}", f"0 < {_Q}", f"{t} + {fewer} * {_Q} < {n}"],
        )  # fmt: skip
        return self._epoch(self._leaf(gathered), [gathered])

    def _hand(self) -> isl.Schedule:
        """The first thread's sum goes to where it is wanted."""
        goal = self.goal
        found = tuple("0" if x in self._t else x for x in self._all)
        kept = tuple(x for x in self._home if x[len(PREFIX)] in goal.kept)
        target = self._load(goal.array, kept)
        met = self._load(self.met, found)
        again: list[Touch] = []
        action: Action = Assign(target, "=", met)
        if goal.op is not None:
            again.append((goal.array, "read", kept))
            action = goal.op.put(target, met)
        handing = self._add(
            "hand", self._home, action,
            [(self.met, "read", found), *again, (goal.array, "must_write", kept)],
        )  # fmt: skip
        return self._epoch(self._leaf(handing), [handing])

    def _load(self, array: str, subscripts: Sequence[str]) -> Load:
        index = self.terms.index
        found = tuple(_expr(s, index) for s in subscripts)
        return Load(array, found, self.terms.type)

    def _add(
        self,
        word: str,
        iterators: Sequence[str],
        action: Action,
        accesses: Sequence[Touch],
        conditions: Sequence[str] = (),
    ) -> Statement:
        """A further statement over launch, part, element and perhaps threads."""
        name = f"{self.name}_{word}"
        domain = self._domain(iterators, conditions)
        found = tuple(
            Access(array, kind, _named(_text(iterators, to), domain, name, array))
            for array, kind, to in accesses
        )
        n = len(iterators)
        domain = domain.set_tuple_name(name)
        for k, iterator in enumerate(iterators):
            domain = domain.set_dim_name(_SET, k, iterator)
        return self._keep(
            Statement(
                name, tuple(iterators), domain, (0,) * (n + 1), (1,) * n, (action,),
                found, text=f"{word} of {self.goal.array}",
            )
        )  # fmt: skip

    def _keep(self, statement: Statement) -> Statement:
        """Note who waits for whom: reads come before writes."""
        self.statements.append(statement)
        own = [a for a in statement.accesses if a.array in self._writers]
        for access in (a for a in own if not a.is_write):
            writers = self._writers[access.array]
            needed = (
                isl.UnionMap.from_map(access.relation).apply_range(writers).reverse()
            )
            self.flow = self.flow.union(needed)
        for access in (a for a in own if a.is_write):
            relation = isl.UnionMap.from_map(access.relation)
            kept = self._writers[access.array].subtract_domain(relation.range())
            self._writers[access.array] = kept.union(relation.reverse())
        return statement

    def _domain(self, iterators: Sequence[str], conditions: Sequence[str]) -> isl.Set:
        """Launch, part and element of any terms, and all threads."""
        homes = self.terms.homes.range()
        if not self._t or self._t[0] not in iterators:
            return homes
        bounds = [
            f"0 <= {t} < {s.threads}"
            for t, s in zip(self._t, self.terms.sums, strict=True)
        ]
        inside = " and ".join([*bounds, *conditions])
        to_home = f"[{', '.join(iterators)}] -> [{', '.join(self._home)}]"
        return isl.Map(f"{{ {to_home} : {inside} }}").intersect_range(homes).domain()

    def _value(self, statement: Statement, s: Shared) -> isl.Map:
        """The value that a statement has of a loop over elements."""
        if statement is self.terms.statement:
            return s.value
        of_home = self.terms.homes.reverse().apply_range(s.value)
        found = _text(statement.iterators, self._home).apply_range(of_home)
        found = found.set_tuple_name(_IN, statement.name)
        return found.intersect_domain(statement.domain).gist_domain(statement.domain)

    def _threads(self, statement: Statement) -> isl.Map:
        """Who runs an instance: a member for each loop that is shared."""
        values, names = [], iter(self._t)
        for s in self.terms.shared:
            if not s.is_sum:
                values.append(self._value(statement, s))
                continue
            t = next(names)
            if statement is self.terms.statement:
                values.append(s.value.apply_range(_function(f"x mod {s.threads}")))
                continue
            at = t if t in statement.iterators else "0"
            values.append(_of(statement, at))
        return flat(*values)

    def _blocks(self, statement: Statement) -> isl.Map:
        """In which block: the first value of the tile, for each loop that is tiled."""
        values, names = [], iter(self._k)
        for s in (s for s in self.terms.shared if s.tile):
            is_term = statement is self.terms.statement
            if s.is_sum and not is_term:
                values.append(_of(statement, f"{s.tile}*{next(names)}"))
                continue
            begin = _function(f"{s.tile}*floor(x/{s.tile})")
            values.append(self._value(statement, s).apply_range(begin))
        return flat(*values) if values else _of(statement, "0")

    def _leaf(self, statement: Statement) -> isl.Schedule:
        """Instances of a statement within a thread."""
        bands = [_of(statement, *self._e)] if self._has_many_elements else []
        if _Q in statement.iterators:
            bands.append(_of(statement, _Q))
        return _nest(statement.domain, bands)

    @cached_property
    def _has_many_elements(self) -> bool:
        """Whether a block's share of the loops does not tell the element."""
        terms = self.terms
        values = flat(terms.outer, *(s.value for s in terms.shared if not s.is_sum))
        return not values.reverse().apply_range(terms.element).is_single_valued()

    def _epoch(
        self, inside: isl.Schedule, statements: Sequence[Statement]
    ) -> isl.Schedule:
        """What threads do until they wait for each other."""
        counts = ",".join(str(s.threads) for s in self.terms.shared)
        shared = add_band(inside, map(self._threads, statements))
        return add_mark(shared, f"{MARK_THREADS}:{counts}")


def add_band(schedule: isl.Schedule, parts: Iterable[isl.Map]) -> isl.Schedule:
    """The schedule below a band, given by a function for each statement."""
    whole = union_of_maps(parts)
    return schedule.insert_partial_schedule(isl.MultiUnionPwAff.from_union_map(whole))


def add_mark(schedule: isl.Schedule, name: str) -> isl.Schedule:
    """The schedule below a mark."""
    top = schedule.get_root().child(0)
    return top.insert_mark(isl.Id(name, context=top.get_ctx())).get_schedule()


def _nest(domain: isl.Set, bands: Iterable[isl.Map]) -> isl.Schedule:
    """A statement's instances in the order of some bands, outermost first."""
    schedule = isl.Schedule.from_domain(isl.UnionSet.from_set(domain))
    return reduce(
        lambda s, band: add_band(s, [band]) if n_out(band) else s,
        reversed(list(bands)),
        schedule,
    )


def _sequence(parts: Iterable[isl.Schedule]) -> isl.Schedule:
    return reduce(lambda a, b: a.sequence(b), parts)


def _names(letter: str, relation: isl.Map) -> tuple[str, ...]:
    return tuple(f"{PREFIX}{letter}{k}" for k in range(n_out(relation)))


def _text(iterators: Sequence[str], to: Sequence[str]) -> isl.Map:
    return isl.Map(f"{{ [{', '.join(iterators)}] -> [{', '.join(to)}] }}")


def _function(text: str) -> isl.Map:
    return isl.Map(f"{{ [x] -> [{text}] }}")


def _of(statement: Statement, *values: str) -> isl.Map:
    """A function of a statement's iterators."""
    found = _text(statement.iterators, values)
    return found.set_tuple_name(_IN, statement.name)


def _named(relation: isl.Map, domain: isl.Set, name: str, array: str) -> isl.Map:
    inside = relation.intersect_domain(domain).set_tuple_name(_IN, name)
    return inside.set_tuple_name(_OUT, array)


def _expr(text: str, index: ScalarType) -> Expr:
    """A subscript: iterators and numbers, their products and sums."""
    for op in (" + ", " * "):
        left, found, right = text.partition(op)
        if found:
            return Binary(op.strip(), _expr(left, index), _expr(right, index))
    return Const(int(text), INT, text) if text.isdecimal() else Iter(text, index)
