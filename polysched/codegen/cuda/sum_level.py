"""One sum in a kernel whose threads share it: its statements, and who runs them.

For every launch ``h``, part ``k`` (the block's share of the terms), thread ``t`` and
element ``e`` there is an instance of ::

    zero:    own[h, k, t, e] = 0                       or the element, for an extremum
    terms:   own[h, k, t, e] += ...                    those of the thread, in turn
    meet:    met[h, k, t, e] = own[h, k, t, e]
    gather:  met[h, k, t, e] += met[h, k, t + n q, e]  n = an eighth of all, ..., 1
    hand:    what the block found, met[h, k, 0, e], goes where it is wanted

``own`` is a variable of a thread and ``met`` lies in shared memory. All threads of the
block wait for each other behind `meet` and every `gather`.

Where all threads of whole warps add up terms of one element, each warp first folds its
32 sums without shared memory, in five steps, and then stands for one thread::

    pass:    next[h, k, t, e] = own[h, k, t + n, e]    as it is there now; n = 16,
    fold:    own[h, k, t, e] += next[h, k, t, e]       8, 4, 2, 1

All lanes pass at once. So whatever has to come before or behind another lane's `pass`
does, if it comes before or behind the own one: that is how dependences are told here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, reduce

import islpy as isl

from polysched.codegen.cuda.mapping import WARP
from polysched.codegen.cuda.shuffles import find_lanes, from_lane_above
from polysched.codegen.cuda.sum_names import (
    function_of,
    name_access,
    of_statement,
    select,
    subscript,
    take_names,
    written_by,
)
from polysched.codegen.cuda.sum_schedule import add_band, in_sequence, nest
from polysched.codegen.cuda.sum_terms import (
    PREFIX,
    Goal,
    Shared,
    Terms,
    flat,
    place_in_block,
    place_in_grid,
)
from polysched.ir import (
    Access,
    AccessKind,
    Action,
    Array,
    Assign,
    Binary,
    Const,
    Expr,
    Load,
    Statement,
    Storage,
)
from polysched.ir.types import INT

RADIX = 8  # sums that a thread puts together before all wait again
_Q = f"{PREFIX}q0"
_STEP = f"{PREFIX}s0"  # of a warp that folds its sums
N_STEPS = 5  # until one of 32 is left
THREAD: Storage = "thread"
BLOCK: Storage = "block"
Touch = tuple[str, AccessKind, Sequence[str]]  # array, how, subscripts
_SET, _IN, _OUT = isl.dim_type.set, isl.dim_type.in_, isl.dim_type.out


class SumLevel:
    """What adds up terms in one kernel; see above.

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
        ``own``, ``next`` where warps fold, and ``met`` where several threads, or warps,
        are left then.
    statements : list of Statement
        In order; the last one hands over.
    flow : isl.UnionMap
        Who writes a partial sum, to who needs it.
    before, behind : list of isl.Schedule
        What a thread runs before its terms and behind them.
    gathering : list of isl.Schedule
        What it runs then, with a barrier before each.
    handing_over : isl.Schedule
        The end, behind a barrier.
    """

    def __init__(
        self, terms: Terms, name: str, met: str, goal: Goal, result: str
    ) -> None:
        self.terms, self.name, self.met, self.goal = terms, name, met, goal
        self.result = result
        self.statements: list[Statement] = []
        self.flow = isl.UnionMap("{ }")
        self._h = take_names("h", terms.outer)
        self._k = take_names("k", terms.parts)
        self._t = take_names("t", terms.threads)
        self._e = take_names("e", terms.element)
        self._all = (*self._h, *self._k, *self._t, *self._e)
        self._home = (*self._h, *self._k, *self._e)
        self._next = f"{terms.own}_next"
        folded = self._folded
        self._counts = [
            s.threads // WARP if k == folded else s.threads
            for k, s in enumerate(terms.sums)
        ]
        storage = {terms.own: THREAD}
        if folded is not None:
            storage[self._next] = THREAD
        if folded is None or any(n > 1 for n in self._counts):
            storage[met] = BLOCK
        self._writers = dict.fromkeys(storage, isl.UnionMap("{ }"))
        self.arrays = tuple(
            Array(
                array, terms.type, storage=place, live_in=False, live_out=False,
                n_expanded=len(self._all),
            )
            for array, place in storage.items()
        )  # fmt: skip
        self.before = [self._begin()]
        self._keep(terms.statement)
        self.behind = self._meet()
        self.gathering = list(self._gather_all())
        self.handing_over = self._hand()

    @property
    def beginning(self) -> Statement:
        """The statement that a thread's sum begins with."""
        return self.statements[0]

    @property
    def handing(self) -> Statement:
        """The statement that hands sums over, one instance for each home of terms."""
        return self.statements[-1]

    def _begin(self) -> isl.Schedule:
        """A thread's own sum begins."""
        own = self.terms.own
        touched: list[Touch] = [(own, "must_write", self._all)]
        begin: Expr = self.terms.op.identity(self.terms.type)
        if self.terms.op.begins_with_element:
            begin = self._load(self.result, self._e)
            touched.append((self.result, "read", self._e))
        action = Assign(self._load(own, self._all), "=", begin)
        return self._leaf(self._keep(self._make("zero", self._all, action, touched)))

    def _meet(self) -> list[isl.Schedule]:
        """A thread's own sum, or its warp's, goes to shared memory."""
        own, met = self.terms.own, self.met
        parts = [self._fold()] if self._folded is not None else []
        if met in self._writers:
            led = self._load(own, self._leading)
            meet = self._keep(self._make(
                "meet", self._all, Assign(self._load(met, self._all), "=", led),
                [(own, "read", self._leading), (met, "must_write", self._all)], (),
                self._counts,
            ))  # fmt: skip
            parts.append(self._leaf(meet))
        return parts

    def _gather_all(self) -> Iterator[isl.Schedule]:
        """From a sum for each thread to one."""
        for position, n in enumerate(self._counts):
            while n > 1:
                fewer = -(-n // RADIX)
                yield self._gather(position, n, fewer)
                n = fewer

    def _fold(self) -> isl.Schedule:
        """Warps put the sums of their lanes together."""
        own, other, at = self.terms.own, self._next, (*self._all, _STEP)
        here, there = self._load(own, self._all), self._load(other, self._all)
        half = Const(WARP // 2, INT, str(WARP // 2))
        distance = Binary(">>", half, subscript(_STEP, self.terms.index))
        steps = [f"0 <= {_STEP} < {N_STEPS}"]
        passing = self._make(
            "pass", at,
            Assign(there, "=", from_lane_above(here, distance, self.terms.type)),
            [(own, "read", self._all), (other, "must_write", self._all)], steps,
        )  # fmt: skip
        folding = self._make(
            "fold", at, self.terms.op.put(here, there),
            [(own, "read", self._all), (other, "read", self._all),
             (own, "must_write", self._all)], steps,
        )  # fmt: skip
        pair = (passing, folding)
        self.statements += pair
        self.flow = self.flow.union(self._steps_in_turn(passing, folding))
        self._writers[own] = written_by(folding)
        inside = in_sequence(nest(s.domain, ()) for s in pair)
        return add_band(inside, [of_statement(s, _STEP) for s in pair])

    def _steps_in_turn(self, passing: Statement, folding: Statement) -> isl.UnionMap:
        """A warp passes what its lanes have found, folds it, passes that, and so on."""
        begun = self._needed(passing)
        at = passing.iterators
        same, later = select(at, at), select(at, (*at[:-1], f"{at[-1]} + 1"))
        turns = (
            same.intersect_domain(passing.domain.reset_tuple_id())
            .set_tuple_name(_IN, passing.name)
            .set_tuple_name(_OUT, folding.name),
            later.intersect_range(passing.domain.reset_tuple_id())
            .set_tuple_name(_IN, folding.name)
            .set_tuple_name(_OUT, passing.name),
        )
        return reduce(lambda a, b: a.union(isl.UnionMap.from_map(b)), turns, begun)

    def _gather(self, position: int, n: int, fewer: int) -> isl.Schedule:
        """Some of n threads add up what up to eight of them have in shared memory."""
        t = self._t[position]
        other = tuple(f"{x} + {fewer} * {_Q}" if x == t else x for x in self._all)
        first, second = self._load(self.met, self._all), self._load(self.met, other)
        done = [f"{x} = 0" for x in self._t[:position]]
        gathered = self._keep(self._make(
            f"gather{position}_{fewer}", (*self._all, _Q),
            self.terms.op.put(first, second),
            [(self.met, "read", self._all), (self.met, "read", other),
             (self.met, "must_write", self._all)],
            [*done, f"{t} < {fewer}", f"0 < {_Q}", f"{t} + {fewer} * {_Q} < {n}"],
            self._counts,
        ))  # fmt: skip
        return self._leaf(gathered)

    def _hand(self) -> isl.Schedule:
        """The first thread's sum goes to where it is wanted."""
        goal = self.goal
        found = tuple("0" if x in self._t else x for x in self._all)
        kept = tuple(x for x in self._home if x[len(PREFIX)] in goal.kept)
        target = self._load(goal.array, kept)
        source = self.met if self.met in self._writers else self.terms.own
        met = self._load(source, found)
        again: list[Touch] = []
        action: Action = Assign(target, "=", met)
        if goal.op is not None:
            again.append((goal.array, "read", kept))
            action = goal.op.put(target, met)
        handing = self._keep(self._make(
            "hand", self._home, action,
            [(source, "read", found), *again, (goal.array, "must_write", kept)],
        ))  # fmt: skip
        return self._leaf(handing)

    def _load(self, array: str, subscripts: Sequence[str]) -> Load:
        index = self.terms.index
        found = tuple(subscript(s, index) for s in subscripts)
        return Load(array, found, self.terms.type)

    def _make(
        self,
        word: str,
        iterators: Sequence[str],
        action: Action,
        accesses: Sequence[Touch],
        conditions: Sequence[str] = (),
        counts: Sequence[int] = (),
    ) -> Statement:
        """A statement over launch, part, element and perhaps threads, or so many."""
        name = f"{self.name}_{word}"
        domain = self._domain(iterators, conditions, counts)
        found = tuple(
            Access(array, kind, name_access(select(iterators, to), domain, name, array))
            for array, kind, to in accesses
        )
        n = len(iterators)
        domain = domain.set_tuple_name(name)
        for k, iterator in enumerate(iterators):
            domain = domain.set_dim_name(_SET, k, iterator)
        return Statement(
            name, tuple(iterators), domain, (0,) * (n + 1), (1,) * n, (action,),
            found, text=f"{word} of {self.goal.array}",
        )  # fmt: skip

    def _keep(self, statement: Statement) -> Statement:
        """Note who waits for whom: reads come before writes."""
        self.statements.append(statement)
        self.flow = self.flow.union(self._needed(statement))
        for access in statement.accesses:
            if access.is_write and access.array in self._writers:
                relation = isl.UnionMap.from_map(access.relation)
                kept = self._writers[access.array].subtract_domain(relation.range())
                self._writers[access.array] = kept.union(relation.reverse())
        return statement

    def _needed(self, statement: Statement) -> isl.UnionMap:
        """Who has written what a statement reads of partial sums, to the statement."""
        found = isl.UnionMap("{ }")
        for access in statement.accesses:
            if not access.is_write and access.array in self._writers:
                read = isl.UnionMap.from_map(access.relation)
                writers = self._writers[access.array]
                found = found.union(read.apply_range(writers).reverse())
        return found

    def _domain(
        self, iterators: Sequence[str], conditions: Sequence[str], counts: Sequence[int]
    ) -> isl.Set:
        """Launch, part and element of any terms, and all threads."""
        homes = self.terms.homes.range()
        if not self._t or self._t[0] not in iterators:
            return homes
        counts = counts or [s.threads for s in self.terms.sums]
        bounds = [f"0 <= {t} < {n}" for t, n in zip(self._t, counts, strict=True)]
        inside = " and ".join([*bounds, *conditions])
        to_home = f"[{', '.join(iterators)}] -> [{', '.join(self._home)}]"
        return isl.Map(f"{{ {to_home} : {inside} }}").intersect_range(homes).domain()

    def _value(self, statement: Statement, s: Shared) -> isl.Map:
        """The value that a further statement has of a loop over elements."""
        of_home = self.terms.homes.reverse().apply_range(s.value)
        found = select(statement.iterators, self._home).apply_range(of_home)
        found = found.set_tuple_name(_IN, statement.name)
        return found.intersect_domain(statement.domain).gist_domain(statement.domain)

    def place_in_block(self, statement: Statement) -> isl.Map:
        """Who runs an instance: a member for each loop that is shared."""
        if statement is self.terms.statement:
            return place_in_block(self.terms.shared)
        values, names = [], iter(self._t)
        for s in self.terms.shared:
            if not s.is_sum:
                values.append(self._value(statement, s))
                continue
            t = next(names)
            at = t if t in statement.iterators else "0"
            if statement.name.endswith("_meet"):
                at = self._leading[self._all.index(t)]
            values.append(of_statement(statement, at))
        return flat(*values)

    def place_in_grid(self, statement: Statement) -> isl.Map:
        """In which block: the first value of the tile, for each loop that is tiled."""
        if statement is self.terms.statement:
            return place_in_grid(self.terms.shared)
        values, names = [], iter(self._k)
        for s in (s for s in self.terms.shared if s.tile):
            if s.is_sum:
                values.append(of_statement(statement, f"{s.tile}*{next(names)}"))
                continue
            begin = function_of(f"{s.tile}*floor(x/{s.tile})")
            values.append(self._value(statement, s).apply_range(begin))
        return flat(*values) if values else of_statement(statement, "0")

    def _leaf(self, statement: Statement) -> isl.Schedule:
        """Instances of a statement within a thread."""
        bands = [of_statement(statement, *self._e)] if self._has_many_elements else []
        if _Q in statement.iterators:
            bands.append(of_statement(statement, _Q))
        return nest(statement.domain, bands)

    @cached_property
    def _folded(self) -> int | None:
        """Which of the sums' loops lies along warps that fold it, None for none."""
        shared = self.terms.shared
        lanes = find_lanes([s.threads for s in shared])
        if lanes is None or not shared[lanes].is_sum or self._has_many_elements:
            return None
        return sum(s.is_sum for s in shared[:lanes])

    @property
    def _leading(self) -> tuple[str, ...]:
        """Where the sum of a thread, or that of a warp in its first lane, is kept."""
        leading = list(self._all)
        if self._folded is not None:
            place = len(self._h) + len(self._k) + self._folded
            leading[place] = f"{WARP} * {leading[place]}"
        return tuple(leading)

    @cached_property
    def _has_many_elements(self) -> bool:
        """Whether a block's share of the loops does not tell the element."""
        terms = self.terms
        values = flat(terms.outer, *(s.value for s in terms.shared if not s.is_sum))
        return not values.reverse().apply_range(terms.element).is_single_valued()
