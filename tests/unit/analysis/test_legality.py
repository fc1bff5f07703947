"""Legality is decided by isl; a refusal names a pair that truly is out of order."""

from __future__ import annotations

from dataclasses import replace

import islpy as isl
import pytest

from polysched.analysis import (
    Dependences,
    Violation,
    check_legal,
    compute_dependences,
    find_violation,
    set_band_flags,
)
from polysched.base import IllegalScheduleError, SourceLocation
from polysched.ir import LinearRow, Rows, ScheduleTree, Scop, build_tree, original_tree
from tests.unit import scops

PROGRAMS = [scops.gemm, scops.jacobi_1d, scops.jacobi_2d, scops.gauss_seidel]


def tree_of(program: Scop, rows: dict[str, list[tuple[int, ...]]]) -> ScheduleTree:
    """Rows given per statement as beta, linear, beta, linear, ..., beta."""
    made = {}
    for s in program.statements:
        given = rows[s.name]
        betas = tuple(r[0] for r in given[0::2])
        linear = tuple(
            LinearRow(r[: s.n_loops], sum(r[s.n_loops :])) for r in given[1::2]
        )
        made[s.name] = Rows(s.iterators, betas, linear)
    return build_tree(program.domain, made)


def assert_true_witness(
    violation: Violation, tree: ScheduleTree, dependences: Dependences
) -> None:
    """The pair is a dependence, and the tree does not run its source first."""
    values = (
        f" : {violation.parameters.replace(',', ' and')}"
        if violation.parameters
        else ""
    )
    names = ", ".join(p.split(" = ")[0] for p in violation.parameters.split(", ") if p)
    prefix = f"[{names}] -> " if names else ""

    def point(instance: str) -> str:
        name, _, inside = instance.partition("[")
        coordinates = [c.split(" = ")[-1] for c in inside.rstrip("]").split(", ") if c]
        return f"{name}[{', '.join(coordinates)}]"

    pair = isl.UnionMap(
        f"{prefix}{{ {point(violation.source)} -> {point(violation.sink)}{values} }}"
    )
    assert not pair.is_empty()
    assert pair.is_subset(dependences.validity)
    times = pair.apply_domain(tree.map).apply_range(tree.map)
    deltas = times.deltas()
    forward = []
    deltas.foreach_set(
        lambda s: forward.append(
            s.is_subset(isl.Set(f"{{ {_vector(s)} : {_positive(s)} }}"))
        )
    )
    assert forward == [False]


def _vector(s: isl.Set) -> str:
    return f"[{', '.join(f'd{k}' for k in range(s.dim(isl.dim_type.set)))}]"


def _positive(s: isl.Set) -> str:
    n = s.dim(isl.dim_type.set)
    cases = [
        " and ".join([f"d{j} = 0" for j in range(k)] + [f"d{k} > 0"]) for k in range(n)
    ]
    return " or ".join(f"({c})" for c in cases)


@pytest.mark.parametrize("make", PROGRAMS)
def test_original_order_is_legal(make) -> None:
    program = make()
    assert find_violation(original_tree(program), compute_dependences(program)) is None


@pytest.mark.parametrize(
    ("make", "rows"),
    [
        # the update before the initialisation
        (
            scops.gemm,
            {
                "S0": [(1,), (1, 0), (0,), (0, 1), (0,), (0, 0), (0,)],
                "S1": [(0,), (1, 0, 0), (0,), (0, 1, 0), (0,), (0, 0, 1), (0,)],
            },
        ),
        # the sum backwards
        (
            scops.gemm,
            {
                "S0": [(0,), (1, 0), (0,), (0, 1), (0,), (0, 0), (0,)],
                "S1": [(1,), (1, 0, 0), (0,), (0, -1, 0), (0,), (0, 0, 1), (0,)],
            },
        ),
        # space before time
        (
            scops.gauss_seidel,
            {"S0": [(0,), (0, 1, 0), (0,), (1, 0, 0), (0,), (0, 0, 1), (0,)]},
        ),
        # a wavefront that is not steep enough
        (
            scops.gauss_seidel,
            {"S0": [(0,), (1, 1, -1), (0,), (0, 1, 0), (0,), (0, 0, 1), (0,)]},
        ),
        # both sweeps in one body, not shifted
        (
            scops.jacobi_1d,
            {
                "S0": [(0,), (1, 0), (0,), (0, 1), (0,)],
                "S1": [(0,), (1, 0), (0,), (0, 1), (1,)],
            },
        ),
        # two instances at the same time
        (
            scops.jacobi_1d,
            {
                "S0": [(0,), (1, 0), (0,), (0, 0), (0,)],
                "S1": [(0,), (1, 0), (0,), (0, 0), (0,)],
            },
        ),
    ],
)
def test_planted_illegal_order_is_refused_with_a_true_witness(make, rows) -> None:
    program = make()
    dependences = compute_dependences(program)
    tree = tree_of(program, rows)
    violation = find_violation(tree, dependences, program)
    assert violation is not None
    assert_true_witness(violation, tree, dependences)
    assert violation.element.startswith(violation.dependence.array + "[")
    with pytest.raises(IllegalScheduleError, match="must run before"):
        check_legal(tree, dependences, program)


def test_parallel_mark_on_a_loop_that_carries_is_refused() -> None:
    program = scops.jacobi_1d()
    dependences = compute_dependences(program)
    tree = original_tree(program)
    path, node = tree.bands()[0]
    marked = node.insert_mark(isl.Id("parallel")).get_schedule()
    violation = find_violation(ScheduleTree(marked), dependences, program)
    assert violation is not None
    assert "parallel loop" in violation.reason
    inner = tree.bands()[1][1].insert_mark(isl.Id("parallel")).get_schedule()
    assert find_violation(ScheduleTree(inner), dependences, program) is None
    assert path == (0,)


def test_witness_names_the_lines_of_its_statements() -> None:
    program = scops.jacobi_1d()
    placed = [
        replace(s, where=SourceLocation("jacobi.c", 7 + 2 * k))
        for k, s in enumerate(program.statements)
    ]
    program = replace(program, statements=tuple(placed))
    _, node = original_tree(program).bands()[0]
    marked = ScheduleTree(node.insert_mark(isl.Id("parallel")).get_schedule())
    violation = find_violation(marked, compute_dependences(program))
    assert violation is not None
    assert violation.lines == (9, 7)
    assert f"{violation.sink} (lines 9 and 7), both touch A[" in str(violation)
    assert replace(violation, lines=(9, 9)).order.endswith(" (line 9)")
    assert replace(violation, lines=()).order.endswith(violation.sink)


def test_missing_instances_are_refused() -> None:
    program = scops.jacobi_1d()
    dependences = compute_dependences(program)
    cut = program.domain.subtract(isl.UnionSet("[n] -> { S0[t, 3] }"))
    tree = build_tree(
        cut,
        {
            "S0": Rows(("t", "i"), (0, 0, 0), (LinearRow((1, 0)), LinearRow((0, 1)))),
            "S1": Rows(("t", "i"), (0, 1, 0), (LinearRow((1, 0)), LinearRow((0, 1)))),
        },
    )
    assert find_violation(tree, dependences, program) is not None


def test_band_flags_are_exact() -> None:
    program = scops.gemm()
    tree = set_band_flags(original_tree(program), compute_dependences(program))
    flags = [
        (bool(n.band_get_permutable()), bool(n.band_member_get_coincident(0)))
        for _, n in tree.bands()
    ]
    assert flags == [(True, True), (True, True), (True, False), (True, True)]
