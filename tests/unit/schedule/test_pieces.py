"""Cutting dependences: few rows for stencils, and the same verdict on every form."""

from __future__ import annotations

import random

import islpy as isl

from polysched.analysis import compute_dependences
from polysched.schedule import Piece, cut_dependences
from polysched.sets import ConeRow, dependence_cone
from tests.unit import scops


def star_3d(*more_reads: str):
    offsets = [(0, 0, 0)] + [
        tuple(sign * int(k == axis) for k in range(3))
        for axis in range(3)
        for sign in (-1, 1)
    ]
    reads = [f"r [t, i, j, k] -> A[i + {a}, j + {b}, k + {c}]" for a, b, c in offsets]
    box = "0 < i < n and 0 < j < n and 0 < k < n"
    return scops.scop(
        "star",
        scops.statement(
            "S0",
            f"[n, m] -> {{ S0[t, i, j, k] : 0 <= t < m and {box} }}",
            (0, 0, 0, 0, 0),
            *reads,
            *more_reads,
            "w [t, i, j, k] -> B[i, j, k]",
        ),
        scops.statement(
            "S1",
            f"[n, m] -> {{ S1[t, i, j, k] : 0 <= t < m and {box} }}",
            (0, 1, 0, 0, 0),
            "r [t, i, j, k] -> B[i, j, k]",
            "w [t, i, j, k] -> A[i, j, k]",
        ),
    )


def holds(rows: tuple[ConeRow, ...], form: tuple[int, int, list[int], list[int]]):
    constant, size, source, sink = form
    for row in rows:
        value = row.constant * constant + row.parameters * size
        value += sum(a * b for a, b in zip(row.source, source, strict=True))
        value += sum(a * b for a, b in zip(row.sink, sink, strict=True))
        if value < 0 or (row.equality and value):
            return False
    return True


def is_nonnegative(piece: Piece, form) -> bool:
    """Whether no integer point of the dependences makes a form negative."""
    constant, size, source, sink = form
    terms = [f"{c}x{k}" for k, c in enumerate(source)]
    terms += [f"{c}y{k}" for k, c in enumerate(sink)]
    value = " + ".join([*terms, f"{size}n", f"{size}m", str(constant)])
    negative = isl.Map(
        f"[n, m] -> {{ {piece.source}[x0, x1, x2, x3] -> "
        f"{piece.sink}[y0, y1, y2, y3] : {value} < 0 }}"
    )
    return bool(isl.Map.from_basic_map(piece.exact).intersect(negative).is_empty())


def test_cone_from_single_accesses_is_exact_where_that_of_the_hull_is_too_strict():
    program = star_3d()
    pieces = cut_dependences(program, compute_dependences(program))
    many = [p for p in pieces if p.exact.n_constraint() > 20]
    assert many
    rng = random.Random(7)
    for piece in many:
        whole = dependence_cone(piece.relation)
        assert len(piece.cone) < len(whole)
        verdicts = set()
        for _ in range(150):
            row = [rng.randrange(3) for _ in range(4)]
            other = row if rng.random() < 0.8 else [rng.randrange(3) for _ in row]
            form = (rng.randrange(-2, 5), rng.randrange(2), [-c for c in row], other)
            verdict = holds(piece.cone, form)
            assert not verdict or is_nonnegative(piece, form), form
            assert verdict or not holds(whole, form), form
            verdicts.add(verdict)
        assert verdicts == {True, False}


def test_accesses_that_never_meet_change_no_cone():
    alone = star_3d()
    beside = star_3d("r [t, i, j, k] -> A[i + 2n, j, k]")
    found = cut_dependences(beside, compute_dependences(beside))
    known = cut_dependences(alone, compute_dependences(alone))
    assert [(str(p.exact), p.cone) for p in found] == [
        (str(p.exact), p.cone) for p in known
    ]
