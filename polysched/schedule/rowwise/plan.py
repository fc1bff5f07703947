"""What the search decides, as a tree of bands and sequences, and its 2d+1 form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from polysched.ir import LinearRow, Rows, Scop

RowsOfBand = tuple[dict[str, LinearRow], ...]


@dataclass(frozen=True)
class Leaf:
    """Statements that nothing orders any more."""


@dataclass(frozen=True)
class Band:
    """Rows that all members of a group share, outermost first, and what is inside.

    Attributes
    ----------
    rows : tuple of dict of statement name to LinearRow
    inside : Plan
    """

    rows: RowsOfBand
    inside: Plan


@dataclass(frozen=True)
class Sequence:
    """Parts one after the other.

    Attributes
    ----------
    parts : tuple of (tuple of str, Plan)
        Statements of each part, and its plan.
    """

    parts: tuple[tuple[tuple[str, ...], Plan], ...]


Plan = Leaf | Band | Sequence


@dataclass(frozen=True)
class FlatPlan:
    """A plan as rows.

    Attributes
    ----------
    rows : dict of str to Rows
        All with the same number of linear rows.
    bands : dict of str to tuple of int
        Per statement and linear row the number of the band that has it; -1 for rows
        that only pad.
    """

    rows: dict[str, Rows]
    bands: dict[str, tuple[int, ...]]

    def may_join(self, members: tuple[str, ...], first: int, level: int) -> bool:
        """Whether two rows belong to one band: what `build_tree` asks."""
        return all(self.bands[m][first] == self.bands[m][level] for m in members)


def flatten(plan: Plan, scop: Scop, values: Mapping[str, int]) -> FlatPlan:
    """The 2d+1 form of a plan.

    Parameters
    ----------
    plan : Plan
        For all statements.
    scop : Scop
    values : mapping of str to int
        Numbers that stand behind parameters of the search (sizes that were lifted).
    """
    names = tuple(s.name for s in scop.statements)
    writer = _Writer(names, values)
    writer.write(plan, names)
    depth = max((len(linear) for linear in writer.linear.values()), default=0)
    rows, bands = {}, {}
    for s in scop.statements:
        missing = depth - len(writer.linear[s.name])
        zero = LinearRow((0,) * s.n_loops)
        betas = writer.betas[s.name]
        rows[s.name] = Rows(
            s.iterators,
            tuple(betas.get(k, 0) for k in range(depth + 1)),
            (*writer.linear[s.name], *[zero] * missing),
        )
        bands[s.name] = (*writer.bands[s.name], *[-1] * missing)
    return FlatPlan(rows, bands)


class _Writer:
    """Walks a plan and notes scalar and linear rows of every statement."""

    def __init__(self, names: tuple[str, ...], values: Mapping[str, int]) -> None:
        self.linear: dict[str, list[LinearRow]] = {n: [] for n in names}
        self.bands: dict[str, list[int]] = {n: [] for n in names}
        self.betas: dict[str, dict[int, int]] = {n: {} for n in names}
        self._values = values
        self._n_bands = 0

    def write(self, plan: Plan, members: tuple[str, ...]) -> None:
        if isinstance(plan, Band):
            for row in plan.rows:
                for m in members:
                    self.linear[m].append(_with_numbers(row[m], self._values))
                    self.bands[m].append(self._n_bands)
            self._n_bands += 1
            self.write(plan.inside, members)
        elif isinstance(plan, Sequence):
            parts = _flat_parts(plan)
            for position, (part, inside) in enumerate(parts):
                for m in part:
                    self.betas[m][len(self.linear[m])] = position
                self.write(inside, part)


def _flat_parts(plan: Sequence) -> list[tuple[tuple[str, ...], Plan]]:
    """The parts of a sequence, those of sequences inside of it in their place."""
    found: list[tuple[tuple[str, ...], Plan]] = []
    for members, inside in plan.parts:
        if isinstance(inside, Sequence):
            found += _flat_parts(inside)
        else:
            found.append((members, inside))
    return found


def _with_numbers(row: LinearRow, values: Mapping[str, int]) -> LinearRow:
    constant = row.constant + sum(c * values.get(p, 0) for p, c in row.parameters)
    kept = tuple((p, c) for p, c in row.parameters if p not in values)
    return LinearRow(row.coefficients, constant, kept)
