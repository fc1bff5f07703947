"""What the loops of a contraction mean to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polysched.analysis import Reference
from polysched.ir import Guard, Scop
from polysched.transform.band_view import BandView, StatementView

LARGE = 1024  # iterations where a trip count is unknown


@dataclass(frozen=True)
class Contraction:
    """The roles of a band's members.

    Attributes
    ----------
    band : BandView
        Permutable.
    statement : StatementView
        The only one under the band; all members move it that run more than once.
    lane, row : int
        Members of the register tile: contiguous in the target, and the other one.
    inside : tuple of int
        Members that do not move the target.
    outside : tuple of int
        Members that move it besides.
    """

    band: BandView
    statement: StatementView
    lane: int
    row: int
    inside: tuple[int, ...]
    outside: tuple[int, ...]

    @property
    def number(self) -> int:
        """Of the statement."""
        return int(self.statement.name[1:])

    def iterator(self, member: int) -> int:
        """Position of the statement's iterator that a member is."""
        position = _unit_position(self.statement, member)
        assert position is not None
        return position

    def extent(self, member: int) -> int:
        """Trip count of a member, known or estimated; `LARGE` where it is neither."""
        return self.band.extent(member) or LARGE


def find_contraction(band: BandView) -> Contraction | None:
    """What a band's members mean to the contraction it runs, None where it is none."""
    if not band.permutable or len(band.statements) != 1:
        return None
    return find_roles(band, band.statements[0], band.coincident)


def find_roles(
    band: BandView, s: StatementView, free: tuple[bool, ...]
) -> Contraction | None:
    """The roles of a band's members for one statement, None where they have none.

    Parameters
    ----------
    band : BandView
        Permutable.
    s : StatementView
        One of its statements.
    free : tuple of bool
        For each member whether lanes may run along it.
    """
    if any(isinstance(a, Guard) for a in band.scop.statement(s.name).body):
        return None  # it is printed as loops: lanes of a tile all compute
    n_moving = len(s.moving)
    if n_moving < 3 or n_moving + len(s.single) != band.n_members:
        return None
    if any(_unit_position(s, k) is None for k in s.moving):
        return None
    target, moves = find_target(s), {k: s.direction(k) for k in s.moving}
    if target is None:
        return None
    touching = [k for k, d in moves.items() if d and any(target.moves(d))]
    inside = tuple(k for k in s.moving if k not in touching)
    lanes = [
        k for k in touching if free[k] and target.stride_class(moves[k] or ()) == "1"
    ]
    if not inside or not lanes or len(touching) < 2:
        return None
    lane = lanes[-1]
    rows = [k for k in touching if k != lane and _is_reused(s, lane, k)]
    if not rows:
        return None
    row = max(rows, key=lambda k: (min(band.extent(k) or LARGE, LARGE), k))
    outside = tuple(k for k in touching if k not in (lane, row))
    return Contraction(band, s, lane, row, inside, outside)


def find_target(s: StatementView) -> Reference | None:
    """What a statement writes, None where that is several elements or a scalar.

    A private scalar, expanded, that other bands use has a dimension for every loop of
    this band that moves it.
    """
    targets = [r for r in s.references if r.is_write]
    if len(targets) != 1:
        return None
    one = targets[0]
    target = replace(one, rows=(*one.expanded, *one.rows), expanded=())
    return target if target.rows else None


def _unit_position(s: StatementView, member: int) -> int | None:
    """The iterator that a member is, None for sums of several."""
    found = s.members[s.positions[member]]
    moved = [k for k, c in enumerate(found.coefficients) if c]
    if found.kind != "point" or len(moved) != 1 or found.coefficients[moved[0]] != 1:
        return None
    return moved[0]


def _is_reused(s: StatementView, lane: int, row: int) -> bool:
    """Whether some read that moves with the lanes stays along the row."""
    along, across = s.direction(lane), s.direction(row)
    assert along is not None
    assert across is not None
    return any(
        not r.is_write and any(r.moves(along)) and not any(r.moves(across))
        for r in s.references
    )


def n_values(scop: Scop, s: StatementView, iterator: int) -> int | None:
    """Values from the least to the greatest of an iterator; None where not known."""
    domain = scop.statement(s.name).domain
    ends = domain.dim_min(iterator), domain.dim_max(iterator)
    least, greatest = ends[0].min_val(), ends[1].max_val()
    if not least.is_int() or not greatest.is_int():
        return None
    return int(greatest.to_python()) - int(least.to_python()) + 1
