"""Dependences are value based: each read sees its last write, and nothing before it."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.analysis import Dependence, compute_dependences
from tests.unit import scops


def find(items: tuple[Dependence, ...], kind: str, source: str, sink: str) -> isl.Map:
    found = [d for d in items if (d.kind, d.source, d.sink) == (kind, source, sink)]
    assert len(found) == 1
    return found[0].relation


@pytest.mark.parametrize("kind", ["flow", "anti", "output"])
def test_reduction_carries_each_kind_along_k_only(kind: str) -> None:
    items = compute_dependences(scops.gemm()).items
    expected = isl.Map(
        "[n] -> { S1[i, k, j] -> S1[i, k + 1, j] : 0 <= i, j < n and 0 <= k < n - 1 }"
    )
    assert find(items, kind, "S1", "S1").is_equal(expected)


def test_initialisation_reaches_the_first_update_only() -> None:
    items = compute_dependences(scops.gemm()).items
    expected = isl.Map("[n] -> { S0[i, j] -> S1[i, 0, j] : 0 <= i, j < n }")
    assert find(items, "flow", "S0", "S1").is_equal(expected)


def test_input_dependences_order_nothing() -> None:
    dependences = compute_dependences(scops.gemm())
    shared = {d.array for d in dependences.of_kind("input")}
    assert {"A", "B"} <= shared
    assert not any(d.orders for d in dependences.of_kind("input"))
    assert compute_dependences(scops.gemm(), with_input=False).of_kind("input") == ()


def test_must_write_hides_earlier_write_and_may_write_does_not() -> None:
    def three(kind: str) -> isl.Map:
        program = scops.scop(
            "x",
            scops.statement("S0", "{ S0[] }", (0,), "w [] -> A[]"),
            scops.statement("S1", "{ S1[] }", (1,), f"{kind} [] -> A[]"),
            scops.statement("S2", "{ S2[] }", (2,), "r [] -> A[]"),
        )
        return compute_dependences(program).flow

    assert three("w").is_equal(isl.UnionMap("{ S1[] -> S2[] }"))
    assert three("m").is_equal(isl.UnionMap("{ S1[] -> S2[]; S0[] -> S2[] }"))


def test_downward_loop_turns_the_direction_of_the_dependence() -> None:
    program = scops.scop(
        "down",
        scops.statement(
            "S0",
            "[n] -> { S0[i] : 0 <= i < n }",
            (0, 0),
            "r [i] -> A[i + 1]",
            "w [i] -> A[i]",
            directions=(-1,),
        ),
    )
    expected = isl.UnionMap("[n] -> { S0[i] -> S0[i - 1] : 0 < i < n }")
    assert compute_dependences(program).flow.is_equal(expected)


def test_context_limits_what_is_considered() -> None:
    one = scops.scop("gemm", *scops.gemm().statements, context="[n] -> { : n = 1 }")
    dependences = compute_dependences(one)
    assert [
        d for d in dependences.items if d.source == d.sink == "S1" and d.orders
    ] == []


def test_pairs_of_reads_that_isl_takes_long_for_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They order nothing; what orders is found all the same."""
    scop = scops.jacobi_1d()
    whole = compute_dependences(scop)
    monkeypatch.setattr("polysched.analysis.dependences.MAX_INPUT_OPERATIONS", 10)
    found = compute_dependences(scop)
    assert whole.of_kind("input")
    assert not found.of_kind("input")
    assert len(found.items) == len(whole.items) - len(whole.of_kind("input"))


def test_of_an_array_that_takes_too_long_the_rest_is_found_in_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that meets in it is ordered; pairs of reads order nothing."""
    scop = scops.jacobi_1d()
    whole = compute_dependences(scop)
    monkeypatch.setattr("polysched.analysis.flow.ACCESS_OPERATIONS", 10)
    monkeypatch.setattr("polysched.analysis.flow.MIN_OPERATIONS", 5)
    found = compute_dependences(scop)
    assert whole.validity.is_strict_subset(found.validity)
    assert not found.of_kind("input")
