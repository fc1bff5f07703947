"""Tables that are filled diagonal by diagonal, seen row by row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import islpy as isl

from polysched.analysis import Dependences, find_violation
from polysched.base import Deadline
from polysched.ir import LinearRow, Rows, Scop, Statement, original_tree
from polysched.schedule.facts import MachineFacts
from polysched.schedule.partitioned import solve_recipe
from polysched.schedule.pieces import cut_dependences
from polysched.schedule.solve import Recipe, Solved, rows_to_tree
from polysched.sets import component_functions


@dataclass(frozen=True)
class _Turn:
    """How a statement's instances are named anew.

    Attributes
    ----------
    forms : tuple of tuple of int
        Per new iterator its coefficients of the old ones; all of them together are
        unimodular.
    directions : tuple of int
        Of the new iterators.
    """

    forms: tuple[tuple[int, ...], ...]
    directions: tuple[int, ...]

    def map(self, s: Statement) -> isl.Map:
        """Old instances to new ones."""
        old = [f"x{k}" for k in range(s.n_loops)]
        new = [LinearRow(form).affine_text(tuple(old)) for form in self.forms]
        return isl.Map(
            f"{{ {s.name}[{', '.join(old)}] -> {s.name}[{', '.join(new)}] }}"
        )

    def undo(self, row: LinearRow) -> LinearRow:
        """A row over new iterators as one over old ones."""
        n = len(self.forms)
        weights = (
            sum(
                c * form[j]
                for c, form in zip(row.coefficients, self.forms, strict=True)
            )
            for j in range(n)
        )
        return replace(row, coefficients=tuple(weights))


@dataclass(frozen=True, eq=False)
class Rowwise:
    """A SCoP whose diagonals are rows: other names for the same instances.

    Attributes
    ----------
    original, scop : Scop
        Before and after; the order of the latter is by rows, which is legal, too.
    dependences, original_dependences : Dependences
        Between instances with new names and with old ones.
    """

    original: Scop
    scop: Scop
    original_dependences: Dependences
    dependences: Dependences
    turns: dict[str, _Turn]

    def solve(
        self, recipe: Recipe, deadline: Deadline, machine: MachineFacts | None = None
    ) -> Solved:
        """As `solve_recipe`, with strides and plain rows of the new iterators.

        The schedule is one of the original SCoP; its rows have no shape there.
        """
        pieces = cut_dependences(self.scop, self.dependences)
        found = solve_recipe(
            self.scop, self.dependences, recipe, deadline, pieces, machine
        )
        assert found.rows is not None
        rows = {s.name: self._undo(s, found.rows) for s in self.original.statements}
        tree = rows_to_tree(self.original, self.original_dependences, rows)
        return replace(found, tree=tree, rows=rows, shape=None, known=None)

    def _undo(self, s: Statement, rows: dict[str, Rows]) -> Rows:
        found, turn = rows[s.name], self.turns.get(s.name)
        linear = tuple(turn.undo(r) if turn else r for r in found.linear)
        return Rows(s.iterators, found.betas, linear)


def turn_diagonals(scop: Scop, dependences: Dependences) -> Rowwise | None:
    """Name the instances of loops over diagonals by row and column; None for no such.

    ``for length: for i: c[i][i + length] = ...`` has neither its rows nor its columns
    among its loops; by ``i``, downwards, and ``j = i + length`` it has both, and the
    loop over ``j`` may be the innermost. Antidiagonals, ``c[i][d - i]``, likewise. That
    the new order is legal is proven, so what is no table filled by diagonals is left.

    Parameters
    ----------
    scop, dependences
        What is to be scheduled.
    """
    turns = _find_turns(scop)
    if not turns:
        return None
    maps = {name: turn.map(scop.statement(name)) for name, turn in turns.items()}
    statements = tuple(
        _renamed(s, turns[s.name], maps[s.name]) if s.name in turns else s
        for s in scop.statements
    )
    items = []
    for d in dependences.items:
        relation = d.relation
        if d.source in maps:
            relation = relation.apply_domain(maps[d.source])
        if d.sink in maps:
            relation = relation.apply_range(maps[d.sink])
        items.append(replace(d, relation=relation))
    turned = replace(scop, statements=statements)
    known = Dependences(tuple(items), dependences.context)
    if find_violation(original_tree(turned), known, turned) is not None:
        return None
    return Rowwise(scop, turned, dependences, known, turns)


def _renamed(s: Statement, turn: _Turn, names: isl.Map) -> Statement:
    accesses = tuple(
        replace(a, relation=a.relation.apply_domain(names)) for a in s.accesses
    )
    domain = s.domain.apply(names)
    return replace(s, domain=domain, accesses=accesses, directions=turn.directions)


def _find_turns(scop: Scop) -> dict[str, _Turn]:
    """Per statement in loops over diagonals what its new iterators are."""
    found: dict[str, _Turn] = {}
    for writer in scop.statements:
        for level in range(writer.n_loops - 1):
            sign = _slant(writer, level)
            inside = [s for s in scop.statements if _is_inside(s, writer, level)]
            is_deep = all(s.n_loops >= level + 2 for s in inside)
            if sign and is_deep and not any(s.name in found for s in inside):
                found.update({s.name: _turn(s, level, sign) for s in inside})
    return found


def _is_inside(s: Statement, other: Statement, level: int) -> bool:
    """Whether a statement is in the loop of another that has a number."""
    return s.position[: level + 1] == other.position[: level + 1] and s.n_loops > level


def _slant(s: Statement, level: int) -> int:
    """1 or -1 where a write runs along diagonals with the loop inside a level's; or 0.

    One subscript is the inner iterator alone, another one the sum of the outer
    iterator and of the inner one, or their difference.
    """
    inner = [int(k == level + 1) for k in range(s.n_loops)]
    for access in s.writes:
        used = [_coefficients(f, s) for f in component_functions(access.relation) or []]
        for sign in (1, -1):
            slanted = [sign * i for i in inner]
            slanted[level] = 1
            if inner in used and slanted in used:
                return sign
    return 0


def _coefficients(function: isl.Aff, s: Statement) -> list[int]:
    """What a subscript multiplies each iterator by."""
    values = (
        function.get_coefficient_val(isl.dim_type.in_, k) for k in range(s.n_loops)
    )
    return [int(v.to_python()) if v.is_int() else 0 for v in values]


def _turn(s: Statement, level: int, sign: int) -> _Turn:
    """The inner iterator becomes the outer one, the diagonal's the inner one."""
    forms = [[int(j == k) for j in range(s.n_loops)] for k in range(s.n_loops)]
    row, column = forms[level + 1], list(forms[level])
    column[level + 1] = sign
    forms[level : level + 2] = row, column
    directions = list(s.directions)
    directions[level : level + 2] = -sign, 1
    return _Turn(tuple(tuple(f) for f in forms), tuple(directions))
