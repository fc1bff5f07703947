"""Sums that share their condition with something else get their own statements."""

from __future__ import annotations

import numpy as np
import pytest

from polysched.analysis import find_reductions, split_guarded_sums
from polysched.interp import interpret, random_inputs
from polysched.ir import Scop
from polysched.testing import ScopBuilder

SIZE = {"n": 11}


def mark(body: str, guard: str) -> Scop:
    """Elements above a threshold are marked, counted, added up."""
    b = ScopBuilder("mark", ["n"])
    b.array("A", "double[n]")
    b.array("mask", "int[n]")
    b.array("count", "int", storage="local")
    b.array("total", "double", storage="local")
    b.statement("i", "0 <= i < n", "A[i] -= 0.25", position=(0, 0))
    b.statement("i", "0 <= i < n", body, position=(0, 1), guard=guard)
    b.statement("i", "0 <= i < n", "A[i] += 1", position=(1, 0))
    return b.build()


@pytest.mark.parametrize(
    ("body", "guard", "arrays"),
    [
        ("mask[i] = 1; count += 1", "A[i] > 0.3", ["count"]),
        ("count += 1; mask[i] = 1", "A[i] > 0.3", ["count"]),
        ("count += 1; total += A[i]", "A[i] > 0.3", ["count", "total"]),
        (
            "mask[i] = 1; count += 2; total += A[i] * i",
            "A[i] > 0.3",
            ["count", "total"],
        ),
    ],
)
def test_sum_is_found_and_results_stay(
    body: str, guard: str, arrays: list[str]
) -> None:
    scop = mark(body, guard)
    assert not find_reductions(scop)
    done = split_guarded_sums(scop)
    assert sorted(r.array for r in find_reductions(done)) == arrays
    assert len({s.name for s in done.statements}) == len(done.statements)
    given = random_inputs(scop, SIZE, seed=4)
    expected = interpret(scop, None, SIZE, given)
    found = interpret(done, None, SIZE, given)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.parametrize(
    ("body", "guard"),
    [
        ("mask[i] = count; count += 1", "A[i] > 0.3"),
        ("mask[i] = 1; count += 1", "A[i] > count"),
        ("mask[i] = 1; count += mask[i]", "A[i] > 0.3"),
        ("count += 1", "A[i] > 0.3"),
    ],
)
def test_sum_that_others_mention_stays(body: str, guard: str) -> None:
    scop = mark(body, guard)
    assert split_guarded_sums(scop) is scop
