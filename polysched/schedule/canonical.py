"""One form for all schedules that order instances alike by construction."""

from __future__ import annotations

from dataclasses import replace

from polysched.ir import Rows


def canonical_rows(rows: dict[str, Rows]) -> dict[str, Rows]:
    """Betas renumbered from 0 without gaps, shifts as small as they can be.

    Statements that share all betas before a row form a group; within a group only the
    order of betas and the differences of constants matter.
    """
    names = list(rows)
    depth = len(rows[names[0]].linear) if names else 0
    result = dict(rows)
    groups = [names]
    for level in range(depth + 1):
        next_groups = []
        for group in groups:
            betas = sorted({result[n].betas[level] for n in group})
            for n in group:
                new = list(result[n].betas)
                new[level] = betas.index(new[level])
                result[n] = replace(result[n], betas=tuple(new))
            next_groups += [
                [n for n in group if result[n].betas[level] == k]
                for k in range(len(betas))
            ]
        groups = next_groups
        if level < depth:
            for group in groups:
                _normalise_shift(result, group, level)
    return result


def _normalise_shift(rows: dict[str, Rows], group: list[str], level: int) -> None:
    least = min(rows[n].linear[level].constant for n in group)
    for n in group:
        linear = list(rows[n].linear)
        linear[level] = replace(linear[level], constant=linear[level].constant - least)
        rows[n] = replace(rows[n], linear=tuple(linear))
