"""Solving in tests, schedules as short texts, and the oracles that judge claims."""

from __future__ import annotations

from fractions import Fraction

import islpy as isl

from polysched.analysis import Dependences, compute_dependences, loop_is_parallel
from polysched.base import Deadline
from polysched.ir import Rows, Scop, build_tree
from polysched.schedule import MachineFacts, Recipe, Solved, solve_recipe
from polysched.sets import union_of_maps


def solve(
    program: Scop,
    objectives: str,
    shape: str = "unit",
    machine: MachineFacts | None = None,
) -> Solved:
    recipe = Recipe(tuple(objectives.split()), shape)
    dependences = compute_dependences(program)
    return solve_recipe(program, dependences, recipe, Deadline(), machine=machine)


def matrix(rows: Rows) -> list[tuple[int, ...]]:
    return [r.coefficients for r in rows.linear]


def values(solved: Solved) -> dict[str, int | None]:
    return {stage.name: stage.value for stage in solved.stages}


def text(solved: Solved) -> str:
    """Scalar and linear rows of every statement: ``S0: 0 i 0 2t+j+1 0``."""
    found = []
    for name, rows in solved.rows.items():
        parts = [str(rows.betas[0])]
        for row, beta in zip(rows.linear, rows.betas[1:], strict=True):
            terms = [
                ("" if c == 1 else str(c)) + iterator
                for c, iterator in zip(row.coefficients, rows.iterators, strict=True)
                if c
            ]
            if row.constant or not terms:
                terms.append(str(row.constant))
            parts += ["+".join(terms), str(beta)]
        found.append(f"{name}: {' '.join(parts)}")
    return "; ".join(found)


def is_parallel(
    program: Scop,
    dependences: Dependences,
    rows: dict[str, Rows],
    name: str,
    level: int,
) -> bool:
    """Whether a loop carries no dependence of a statement, decided by isl.

    The loops are those of the rows, one band each; nothing of the integer program is
    asked.
    """
    tree = build_tree(program.domain, rows)
    mine = [
        node
        for _, node in tree.bands()
        if not node.get_domain().intersect(_instances(program, name)).is_empty()
    ]
    touching = [
        d.relation for d in dependences.items if d.orders and name in (d.source, d.sink)
    ]
    if not touching:
        return True
    return loop_is_parallel(mine[level], 0, union_of_maps(touching))


def _instances(program: Scop, name: str) -> isl.UnionSet:
    return isl.UnionSet.from_set(program.statement(name).domain)


def rank(rows: Rows, n_loops: int) -> int:
    """Rank of a statement's linear rows over the rationals."""
    left = [[Fraction(c) for c in r] for r in matrix(rows)]
    found = 0
    for column in range(n_loops):
        pivot = next((r for r in left if r[column]), None)
        if pivot is None:
            continue
        left.remove(pivot)
        found += 1
        left = [
            [a - r[column] / pivot[column] * b for a, b in zip(r, pivot, strict=True)]
            for r in left
        ]
    return found
