"""Access relations of statements, exact under affine conditions inside expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field

import islpy as isl

from polysched.frontend.affine import Affine
from polysched.frontend.exact_values import NotAffine
from polysched.frontend.literals import integer
from polysched.ir import (
    Access,
    AccessKind,
    Action,
    Assign,
    Binary,
    Cast,
    Element,
    Expr,
    Guard,
    Iter,
    Load,
    Local,
    Lookup,
    Range,
    Select,
    assignments,
    depends_on_data,
    inner_actions,
    map_action,
    own_expressions,
    range_of,
    walk,
)
from polysched.sets import read_set

Visit = Callable[[Load, isl.Set, bool], None]
VisitLookup = Callable[[Lookup, isl.Set], None]
MAX_SPREAD = 1 << 20  # of values of a subscript that threads might have copies of


@dataclass(frozen=True, eq=False)
class UnknownPlaces:
    """What is known of places that depend on data.

    Attributes
    ----------
    extents : mapping of str to tuple of (Expr or None)
        Of the arrays that have such places.
    from_anywhere : set of str
        Those of them whose first subscript may be any: they are pointers, and written.
    ranges : mapping of (str, Local or Iter) to Range
        What the region's own variables hold.
    only_read : set of str
        Those that the region never writes: what is not affine may be anywhere, too.
    runs : mapping of str to (int, int)
        Of arrays of structures, where the last subscript begins and ends that members
        of their type have: C keeps a subscript in the member's own array.
    """

    extents: Mapping[str, tuple[Expr | None, ...]]
    from_anywhere: Set[str]
    ranges: Mapping[str | Local | Iter, Range]
    only_read: Set[str] = frozenset()
    runs: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def values(self, subscript: Expr) -> isl.Set:
        """What types and operators let a subscript be, where these are few values."""
        found = range_of(subscript, self.ranges)
        if found is None or found.high - found.low > MAX_SPREAD:
            return read_set("{ [] }").add_dims(isl.dim_type.set, 1)
        return read_set(f"{{ [{found.low}:{found.high}] }}")


class PathWalker:
    """Visits loads and targets, each with the instances that reach it.

    Parameters
    ----------
    affine : Affine
        Reads conditions.
    on_access : callable
        Called with a load, its instances, and whether it is written.
    on_lookup : callable, optional
        Called with an element at a place that depends on data, and its instances.
    """

    def __init__(
        self, affine: Affine, on_access: Visit, on_lookup: VisitLookup | None = None
    ) -> None:
        self._affine = affine
        self._on_access = on_access
        self._on_lookup = on_lookup

    def action(self, action: Action, domain: isl.Set) -> None:
        """Visit everything in an action."""
        match action:
            case Assign():
                self._target(action, domain)
            case Guard(cond, then, other):
                self.expr(cond, domain)
                holds, fails = self.split(cond, domain)
                for branch, part in ((then, holds), (other, fails)):
                    for inner in branch:
                        self.action(inner, part)
            case _:
                for expr in own_expressions(action):
                    self.expr(expr, domain)
                for inner in inner_actions(action):
                    self.action(inner, domain)

    def _target(self, action: Assign, domain: isl.Set) -> None:
        self.expr(action.value, domain)
        for subscript in action.target.subscripts:
            self.expr(subscript, domain)
        if action.op != "=":
            self._on_access(action.target, domain, False)
        self._on_access(action.target, domain, True)

    def expr(self, expr: Expr, domain: isl.Set) -> None:
        """Visit the loads of an expression, in order of evaluation."""
        if domain.is_empty():
            return
        is_choice = isinstance(expr, Select) or (
            isinstance(expr, Binary) and expr.op in {"&&", "||"}
        )
        if is_choice and not any(isinstance(e, Element) for e in walk(expr)):
            return
        if isinstance(expr, Select):
            self.expr(expr.cond, domain)
            holds, fails = self.split(expr.cond, domain)
            self.expr(expr.then, holds)
            self.expr(expr.other, fails)
        elif isinstance(expr, Binary) and expr.op in {"&&", "||"}:
            self.expr(expr.left, domain)
            holds, fails = self.split(expr.left, domain)
            self.expr(expr.right, holds if expr.op == "&&" else fails)
        else:
            for operand in expr.operands:
                self.expr(operand, domain)
            if isinstance(expr, Load):
                self._on_access(expr, domain, False)
            elif isinstance(expr, Lookup) and self._on_lookup is not None:
                self._on_lookup(expr, domain)

    def split(self, cond: Expr, domain: isl.Set) -> tuple[isl.Set, isl.Set]:
        """Instances at which a condition may hold, and may fail."""
        try:
            holds = self._affine.condition(cond, domain)
        except NotAffine:
            return domain, domain
        return holds, domain.subtract(holds).coalesce()


@dataclass
class _Writes:
    """Relations written by some actions, by array."""

    must: dict[str, isl.Map] = field(default_factory=dict)
    may: dict[str, isl.Map] = field(default_factory=dict)

    def add(self, other: _Writes) -> None:
        """Everything that happens after, as certainly."""
        _unite(self.must, other.must)
        _unite(self.may, other.may)

    def either(self, other: _Writes) -> _Writes:
        """What happens when one of two branches is taken, it is not known which."""
        both = {
            name: relation.intersect(other.must[name])
            for name, relation in self.must.items() if name in other.must
        }  # fmt: skip
        both = {n: r.coalesce() for n, r in both.items() if not r.is_empty()}
        result = _Writes(both)
        for part in (self.must, self.may, other.must, other.may):
            for name, relation in part.items():
                rest = relation
                if name in both:
                    rest = relation.subtract(both[name])
                if not rest.is_empty():
                    _unite(result.may, {name: rest})
        return result


def without_unreached(
    body: tuple[Action, ...], accesses: Iterable[Access]
) -> tuple[Action, ...]:
    """A body with a number for elements that no instance reads, ``0 ? x[i] : 1``.

    What has no access is an array that the statement does not need. Elements that data
    choose stay: where no value lies in the array, the text says what is read all the
    same.

    Parameters
    ----------
    body : tuple of Action
        Of a statement; it is not changed.
    accesses : iterable of Access
        All that its instances touch.
    """
    targets = {a.target.array for action in body for a in assignments(action)}
    kept = targets | {a.array for a in accesses}

    def change(expr: Expr) -> Expr | None:
        if not isinstance(expr, Element) or expr.array in kept:
            return None
        if any(map(depends_on_data, expr.subscripts)):
            return None
        return Cast(expr.dtype, integer(1))

    return tuple(map_action(action, change) for action in body)


def has_value(affine: Affine, subscript: Expr, domain: isl.Set) -> bool:
    """Whether a subscript is an affine function."""
    try:
        affine.value(subscript, domain)
    except NotAffine:
        return False
    return True


def _unite(total: dict[str, isl.Map], more: dict[str, isl.Map]) -> None:
    for name, relation in more.items():
        known = total.get(name)
        total[name] = relation if known is None else known.union(relation).coalesce()


class AccessCollector:
    """Collects the accesses of one statement.

    Parameters
    ----------
    affine : Affine
        Reads subscripts and conditions.
    statement : str
        Name of the statement.
    unknown : UnknownPlaces
        What is known of places that depend on data.
    """

    def __init__(self, affine: Affine, statement: str, unknown: UnknownPlaces) -> None:
        self._affine = affine
        self._statement = statement
        self._unknown = unknown
        self._reads: list[Access] = []
        self._walker = PathWalker(affine, self._on_access, self._on_lookup)

    def collect(self, body: tuple[Action, ...], domain: isl.Set) -> tuple[Access, ...]:
        """Reads before writes, each once.

        Raises
        ------
        NotAffine
            If a subscript is not affine.
        """
        for action in body:
            self._walker.action(action, domain)
        writes = self._all(body, domain)
        found = [self._access(n, "must_write", r) for n, r in writes.must.items()]
        found += [self._access(n, "may_write", r) for n, r in writes.may.items()]
        return (*self._reads, *found)

    def _on_access(self, load: Load, domain: isl.Set, written: bool) -> None:
        if not written:
            self._add_read(load.array, self._relation(load, domain))

    def _on_lookup(self, lookup: Lookup, domain: isl.Set) -> None:
        self._add_read(lookup.array, self._relation(lookup, domain))

    def _add_read(self, array: str, relation: isl.Map) -> None:
        if relation.is_empty():
            return
        same = any(
            a.array == array and a.relation.is_equal(relation) for a in self._reads
        )
        if not same:
            self._reads.append(self._access(array, "read", relation))

    def _writes(self, action: Action, domain: isl.Set) -> _Writes:
        match action:
            case Assign(target):
                return self._stores(target, domain)
            case Guard(cond, then, other):
                holds, fails = self._walker.split(cond, domain)
                first, second = self._all(then, holds), self._all(other, fails)
                if holds.is_disjoint(fails):
                    first.add(second)
                    return first
                return first.either(second)
        return self._all(inner_actions(action), domain).either(_Writes())

    def _stores(self, target: Load, domain: isl.Set) -> _Writes:
        """What an assignment writes, in a row at most where data decide."""
        written = {target.array: self._relation(target, domain)}
        is_sure = not target.is_chosen_by_data
        return _Writes(written) if is_sure else _Writes({}, written)

    def _all(self, actions: tuple[Action, ...], domain: isl.Set) -> _Writes:
        """What actions write one after another."""
        writes = _Writes()
        for action in actions:
            writes.add(self._writes(action, domain))
        return writes

    def _relation(self, element: Element, domain: isl.Set) -> isl.Map:
        """Instances to the element, or to all that it may be where data decide."""
        relation = isl.Map.from_domain(domain)
        for k, subscript in enumerate(element.subscripts):
            if self._is_unknown(element, subscript, domain):
                places = self._places(element.array, k, subscript, domain)
            else:
                places = isl.Map.from_pw_aff(self._affine.place(subscript, domain))
            relation = relation.flat_range_product(places)
        return self._named(relation, domain, element.array)

    def _is_unknown(self, element: Element, subscript: Expr, domain: isl.Set) -> bool:
        """Whether a subscript may be anything, for all that the model says of it."""
        if element.array not in self._unknown.extents:
            return False
        if depends_on_data(subscript):
            return True
        is_affine = isinstance(element, Load) or has_value(
            self._affine, subscript, domain
        )
        return not is_affine

    def _places(
        self, array: str, position: int, subscript: Expr, domain: isl.Set
    ) -> isl.Map:
        """Whatever a subscript may be."""
        unknown = self._unknown
        values = unknown.values(subscript)
        if array in unknown.runs and position == len(unknown.extents[array]) - 1:
            first, end = unknown.runs[array]
            run = read_set(f"{{ [{first}:{end - 1}] }}")
            return isl.Map.from_domain_and_range(domain, values.intersect(run))
        places = isl.Map.from_domain_and_range(domain, values)
        if position == 0 and array in unknown.from_anywhere:
            return places
        zero = isl.Val.zero(domain.get_ctx())
        places = places.lower_bound_val(isl.dim_type.out, 0, zero)
        extent = unknown.extents[array][position]
        if extent is not None:
            size = isl.Map.from_pw_aff(self._affine.value(extent, domain))
            below = isl.Map.lex_gt(values.get_space())
            places = places.intersect(size.apply_range(below))
        return places

    def _named(self, relation: isl.Map, domain: isl.Set, array: str) -> isl.Map:
        relation = relation.intersect_domain(domain).coalesce()
        relation = relation.set_tuple_name(isl.dim_type.in_, self._statement)
        for position, name in enumerate(self._affine.iterators):
            relation = relation.set_dim_name(isl.dim_type.in_, position, name)
        named: isl.Map = relation.set_tuple_name(isl.dim_type.out, array)
        return named

    def _access(self, array: str, kind: AccessKind, relation: isl.Map) -> Access:
        return Access(array, kind, relation)
