"""Access relations of statements, exact under affine conditions inside expressions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import islpy as isl

from polysched.frontend.affine import Affine, NotAffine
from polysched.ir import Access, AccessKind, Action, Assign, Binary, Expr, Load, Select

Visit = Callable[[Load, isl.Set, bool], None]


class PathWalker:
    """Visits loads and targets, each with the instances that reach it.

    Parameters
    ----------
    affine : Affine
        Reads conditions.
    on_access : callable
        Called with a load, its instances, and whether it is written.
    """

    def __init__(self, affine: Affine, on_access: Visit) -> None:
        self._affine = affine
        self._on_access = on_access

    def action(self, action: Action, domain: isl.Set) -> None:
        """Visit everything in an action."""
        if isinstance(action, Assign):
            self._target(action, domain)
            return
        self.expr(action.cond, domain)
        holds, fails = self.split(action.cond, domain)
        for branch, part in ((action.then, holds), (action.other, fails)):
            for inner in branch:
                self.action(inner, part)

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
    """

    def __init__(self, affine: Affine, statement: str) -> None:
        self._affine = affine
        self._statement = statement
        self._reads: list[Access] = []
        self._walker = PathWalker(affine, self._on_access)

    def collect(self, body: tuple[Action, ...], domain: isl.Set) -> tuple[Access, ...]:
        """Reads before writes, each once.

        Raises
        ------
        NotAffine
            If a subscript is not affine.
        """
        for action in body:
            self._walker.action(action, domain)
        writes = _Writes()
        for action in body:
            writes.add(self._writes(action, domain))
        found = [self._access(n, "must_write", r) for n, r in writes.must.items()]
        found += [self._access(n, "may_write", r) for n, r in writes.may.items()]
        return (*self._reads, *found)

    def _on_access(self, load: Load, domain: isl.Set, written: bool) -> None:
        if written:
            return
        relation = self._relation(load, domain)
        if relation.is_empty():
            return
        same = any(
            a.array == load.array and a.relation.is_equal(relation) for a in self._reads
        )
        if not same:
            self._reads.append(self._access(load.array, "read", relation))

    def _writes(self, action: Action, domain: isl.Set) -> _Writes:
        if isinstance(action, Assign):
            relation = self._relation(action.target, domain)
            return _Writes({action.target.array: relation})
        holds, fails = self._walker.split(action.cond, domain)
        then, other = _Writes(), _Writes()
        for inner in action.then:
            then.add(self._writes(inner, holds))
        for inner in action.other:
            other.add(self._writes(inner, fails))
        if holds.is_disjoint(fails):
            then.add(other)
            return then
        return then.either(other)

    def _relation(self, load: Load, domain: isl.Set) -> isl.Map:
        relation = isl.Map.from_domain(domain)
        for subscript in load.subscripts:
            value = self._affine.value(subscript, domain)
            relation = relation.flat_range_product(isl.Map.from_pw_aff(value))
        relation = relation.intersect_domain(domain).coalesce()
        relation = relation.set_tuple_name(isl.dim_type.in_, self._statement)
        for position, name in enumerate(self._affine.iterators):
            relation = relation.set_dim_name(isl.dim_type.in_, position, name)
        named: isl.Map = relation.set_tuple_name(isl.dim_type.out, load.array)
        return named

    def _access(self, array: str, kind: AccessKind, relation: isl.Map) -> Access:
        return Access(array, kind, relation)
