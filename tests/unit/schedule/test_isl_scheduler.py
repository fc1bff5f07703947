"""isl's schedulers run in a child that a deadline ends."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation
from polysched.base import Deadline, LimitError
from polysched.schedule import IslBatch, IslVariant, find_core, isl_schedule
from tests.unit import scops


@pytest.mark.parametrize("algorithm", ["isl", "feautrier"])
def test_isl_schedules_are_legal(algorithm: str) -> None:
    program = scops.jacobi_2d()
    dependences = compute_dependences(program)
    solved = isl_schedule(program, dependences, IslVariant(algorithm))
    assert solved.objectives == (algorithm,)
    assert find_violation(solved.tree, dependences, program) is None


def test_variants_are_answered_in_order() -> None:
    program = scops.gemm()
    dependences = compute_dependences(program)
    variants = [IslVariant("feautrier"), IslVariant("isl", serialize=True)]
    batch = IslBatch(program, dependences, variants)
    batch.wait(Deadline())
    names = [batch.collect(k).objectives for k in range(2)]
    assert names == [("feautrier",), ("isl+serial",)]


def test_a_child_without_time_is_ended_and_said() -> None:
    program = scops.gemm()
    batch = IslBatch(program, compute_dependences(program), [IslVariant()])
    batch.cancel()
    batch.wait(Deadline.after(0))
    with pytest.raises(LimitError, match=r"isl's scheduler \(isl\) did not finish"):
        batch.collect(0)


def test_core_leaves_out_statements_without_loops_and_puts_them_back() -> None:
    program = scops.scop(
        "x",
        scops.statement("S0", "{ S0[] }", (0,), "w [] -> a[]"),
        scops.statement(
            "S1",
            "[n] -> { S1[i] : 0 <= i < n }",
            (1, 0),
            "r [i] -> a[]",
            "w [i] -> A[i]",
        ),
        scops.statement("S2", "{ S2[] }", (2,), "r [] -> A[0]", "w [] -> b[]"),
    )
    dependences = compute_dependences(program)
    core = find_core(program, dependences)
    assert [s.name for s in core.scop.statements] == ["S1"]
    assert not [d for d in core.dependences.items if d.orders]
    tree = core.embed(isl_schedule(core.scop, core.dependences).tree, dependences)
    assert tree.schedule.get_domain().is_equal(program.domain)
    assert find_violation(tree, dependences, program) is None


def test_scop_without_loops_is_its_own_core() -> None:
    program = scops.scop("x", scops.statement("S0", "{ S0[] }", (0,), "w [] -> a[]"))
    core = find_core(program, compute_dependences(program))
    assert [s.name for s in core.scop.statements] == ["S0"]


def test_sizes_that_are_numbers_stay_numbers() -> None:
    program = scops.scop(
        "x",
        scops.statement(
            "S0", "{ S0[i] : 0 <= i < 2000 }", (0, 0), "r [i] -> A[i]", "w [i] -> B[i]"
        ),
        scops.statement(
            "S1",
            "{ S1[i] : 0 <= i < 1999 }",
            (1, 0),
            "r [i] -> B[1999 - i]",
            "w [i] -> A[i]",
        ),
    )
    dependences = compute_dependences(program)
    for variant in (IslVariant(), IslVariant("feautrier")):
        tree = isl_schedule(program, dependences, variant, Deadline.after(60)).tree
        assert tree.schedule.get_domain().is_equal(program.domain)
        assert "lifted" not in tree.text
        assert find_violation(tree, dependences, program) is None
