"""The fixed table of PLDI 2019: kinds of nodes and their lists."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.base import Deadline
from polysched.policy import Node, classify_nodes, find_policy, table_objectives
from polysched.schedule import MachineFacts, solve_recipe
from tests.unit import scops
from tests.unit.schedule import programs

LOW, HIGH = MachineFacts(2, 4), MachineFacts(64, 8)


def kinds(program):
    nodes = classify_nodes(program, compute_dependences(program))
    return [(n.kind, n.statements) for n in nodes]


def test_independent_statements_are_a_set():
    assert kinds(programs.mvt()) == [("SET", ("S0", "S1"))]
    found = kinds(programs.two_products())
    assert [kind for kind, _ in found] == ["SET"] * len(found)
    assert found[0] == ("SET", ("S0", "S2"))  # both initialisations


@pytest.mark.parametrize("make", [scops.jacobi_2d, scops.jacobi_1d, scops.gauss_seidel])
def test_sweeps_are_stencil_nodes(make):
    program = make()
    names = tuple(s.name for s in program.statements)
    assert kinds(program) == [("STEN", names)]


def test_a_cycle_without_stencil_is_a_component():
    program = scops.scop(
        "cycle",
        scops.statement(
            "S0", "[n] -> { S0[t, i] : 0 <= t, i < n }", (0, 0, 0),
            "r [t, i] -> A[i]", "r [t, i] -> s[]", "w [t, i] -> B[i]",
        ),
        scops.statement(
            "S1", "[n] -> { S1[t, i] : 0 <= t, i < n }", (0, 1, 0),
            "r [t, i] -> B[i]", "w [t, i] -> A[i]",
        ),
    )  # fmt: skip
    assert kinds(program) == [("SCC", ("S0", "S1"))]


def node(kind, depth, flex=0.0, n=1, has_self=False):
    return Node(kind, tuple(f"S{k}" for k in range(n)), depth, flex, has_self)


@pytest.mark.parametrize(
    ("given", "machine", "expected"),
    [
        (node("SET", 1), LOW, "OP MIC"),
        (node("SET", 1), HIGH, "MIC"),
        (node("SET", 2), LOW, "SO IP OP MIC"),
        (node("SET", 2), HIGH, "SO IP ADA MIC"),
        (node("SET", 3, has_self=True), LOW, "SO IP OPIR MIC"),
        (node("SET", 3, has_self=True), HIGH, "SO IP ADA MIC"),
        (node("SET", 3, n=2), LOW, "SO IP SIS DGF MIC"),
        (node("SET", 3, n=2), HIGH, "SO IP ADA SIS MIC"),
        (node("SCC", 3, 7), LOW, "SO IP 2OP MIC"),
        (node("SCC", 3, 7.5), LOW, "2OP_EASY MIC"),
        (node("STEN", 3, 3), LOW, "SPC SDO MIC"),
        (node("STEN", 3, 5), LOW, "VSKW SDC SPC SDO MIC"),
        (node("STEN", 3, 6), LOW, "2OP_EASY MIC"),
        (node("STEN", 2, 6), LOW, "MIC"),
    ],
)
def test_the_table(given, machine, expected):
    assert table_objectives(given, machine) == tuple(expected.split())


@pytest.mark.parametrize(
    "make", [scops.gemm, scops.jacobi_1d, programs.two_products, programs.mvt]
)
@pytest.mark.parametrize("machine", [LOW, HIGH])
def test_its_schedules_are_legal(make, machine):
    program = make()
    dependences = compute_dependences(program)
    (recipe,) = find_policy("pldi19").recipes(program, dependences, machine)
    solved = solve_recipe(
        program, dependences, recipe, Deadline.after(60), machine=machine
    )
    assert find_violation(solved.tree, dependences, program) is None
    assert solved.partition == "NODE"
