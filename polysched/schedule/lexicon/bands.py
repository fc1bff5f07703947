"""Objectives on permutable bands: variables rho, dependences kept respected below."""

from __future__ import annotations

from polysched.ilp import Linear
from polysched.schedule.lexicon.registry import Forms, objective
from polysched.schedule.model import ScheduleModel


@objective(
    "PERM",
    "dependences satisfied early and still respected below",
    bands="all",
    source="Kong and Pouchet, PLDI 2019",
)
def permutability(model: ScheduleModel) -> Forms:
    """Per linear row, outermost first: maximise the dependences that stay respected.

    ``minimise -sum_D rho_p^D``; the last linear row has none below to be kept for.
    """
    forms = []
    for level in range(model.depth - 1):
        row = [model.rho[d, 2 * level + 1] for d in range(len(model.pieces))]
        forms.append((f"PERM row {level}", Linear.total(row, -1)))
    return forms


@objective("BAND", "one wide permutable band, to be tiled", bands="all", source="own")
def wide_band(model: ScheduleModel) -> Forms:
    """Minimise the dependences dropped at a linear row that has linear rows below.

    PERM counts dependences that a row satisfies and so pushes them outwards; a band
    needs only that none is dropped, whether satisfied or not:
    ``minimise sum_D sum_p (delta_p^D - rho_p^D)`` over the rows between linear ones.
    """
    return [("BAND", _dropped(model, 1))]


@objective(
    "OBAND",
    "one permutable band of all loops but the innermost, which stays long",
    bands="outer",
    source="own",
)
def outer_band(model: ScheduleModel) -> Forms:
    """`BAND` for all linear rows but each pair's last; the vector loop is not tiled.

    For stencils the rows (t, 2t+i) can be tiled in time while j keeps its unit stride;
    the last row may rely on a scalar row in front of it.
    """
    return [("OBAND", _dropped(model, 2))]


def _dropped(model: ScheduleModel, n_inner: int) -> Linear:
    """Dependences dropped at a row, the last `n_inner` linear rows left out."""
    total = Linear()
    for d, piece in enumerate(model.pieces):
        inner = min(
            model.scop.statement(piece.source).n_loops,
            model.scop.statement(piece.sink).n_loops,
        )
        for level in range(inner - n_inner):
            for p in (2 * level + 1, 2 * level + 2):
                total.add(model.delta[d, p], 1)
                total.add(model.rho[d, p], -1)
    return total
