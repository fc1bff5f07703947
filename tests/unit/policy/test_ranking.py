"""Dependence keys and their order: deep loops over large arrays decide first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.analysis import compute_dependences
from polysched.policy import par_priority, rank_dependences
from tests.unit import scops
from tests.unit.schedule import programs
from tests.unit.schedule.programs import nest


def rank(program, statements=None, n_cores=2):
    found = compute_dependences(program)
    return rank_dependences(program, found, statements, n_cores)


def test_key_of_an_initialised_product():
    update, pair = (r.key for r in rank(scops.gemm()) if r.array == "C")
    assert (update.n_statements, update.self_dependence) == (1, True)
    assert (update.dim_source, update.dim_sink, update.dim_data) == (3, 3, 2)
    assert update.cardinality == "N-N"
    assert (pair.n_statements, pair.dim_source, pair.dim_sink) == (2, 2, 3)
    assert pair.cardinality == "1-N"
    assert pair.kinds & 1  # a value flows
    assert pair.has_dependence


def test_deepest_loops_over_the_largest_array_go_first():
    ranks = [r.rank for r in rank(programs.two_products())]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[0] == (3, 2, 3, 6)  # of both products, many instances per element


def test_sharing_is_a_key_without_dependence():
    program = programs.pair(
        nest("S0", "i j", "r A[i, j]", "w B[i, j]"),
        nest("S1", "i", "r A[i, i]", "w C[i]", position=(1, 0)),
    )
    (shared,) = rank(program)
    assert (shared.source, shared.sink, shared.array) == ("S0", "S1", "A")
    assert not shared.key.has_dependence
    assert shared.key.kinds == 8
    assert not shared.key.self_dependence


def test_a_statement_without_dependences_has_an_entry_of_its_own():
    program = programs.single("i j", "r A[i]", "w B[i, j]")
    (alone,) = rank(program)
    assert str(alone) == "S0 alone"
    assert (alone.key.n_statements, alone.key.kinds) == (1, 0)


def test_a_group_sees_its_inside_only():
    program = programs.two_products()
    inside = rank(program, ["S1"])
    assert {(r.source, r.sink) for r in inside} == {("S1", "S1")}


def test_triangular_domains_are_told():
    domain = "[n] -> { S0[i, j] : 0 <= j <= i < n }"
    program = scops.scop(
        "tri", scops.statement("S0", domain, (0, 0, 0), "w [i, j] -> A[i]")
    )
    (found,) = rank(program)
    assert not found.key.rect_source
    assert "not rectangular" in str(found.key)


@pytest.mark.parametrize(
    ("cores", "priority"), [(1, 0), (7, 0), (8, 1), (19, 1), (20, 2), (128, 2)]
)
def test_cores_become_a_priority(cores, priority):
    assert par_priority(cores) == priority
    assert rank(scops.gemm(), n_cores=cores)[0].key.par_priority == priority


def test_distance_weighs_dependence_over_loops_over_shape():
    key = rank(scops.gemm())[0].key
    assert key.distance(key) == 0
    shape = key.distance(replace(key, rect_source=False))
    kind = key.distance(replace(key, kinds=key.kinds ^ 2))
    loops = key.distance(replace(key, dim_sink=2))
    lost = key.distance(replace(key, has_dependence=False))
    assert 0 < shape < kind < loops < lost
