"""Flow by relation algebra is isl's flow, and stands in where isl fails."""

from dataclasses import replace

import islpy as isl
import pytest

from polysched.analysis import compute_dependences, flow, infer_liveness
from polysched.analysis.liveness import value_flow
from polysched.ir import original_tree
from polysched.testing import ScopBuilder
from tests.unit import scops


def guarded():
    """A guard with a modulo at which isl's dataflow analysis ends with an error."""
    b = ScopBuilder("guarded")
    b.array("C", "double[20]")
    domain = (
        "0 <= i <= 5 and j <= 1 + i and 0 < k <= j and "
        "((i + k) mod 2 = 1 or ((i + k) mod 2 = 0 and i >= 2))"
    )
    for position, text in enumerate(("C[k+2] = 1.0 - C[k+2]", "C[i+j-1] = 2.0")):
        place = (0, 0, 0, position)
        b.statement("i, j, k", domain, text, position=place, directions=(1, -1, 1))
    return b.build()


def overwritten():
    """Possible and certain writes in turn."""
    b = ScopBuilder("overwritten", ["n"])
    b.array("A", "double[n]")
    b.array("B", "double[n]")
    b.statement("i", "0 <= i < n", "A[i] = 1.0", position=(0, 0))
    b.statement("i", "0 <= i < n", "A[i] = 2.0", position=(0, 1), guard="B[i] > 0")
    b.statement("i", "0 <= i < n - 1", "B[i] += A[i+1]", position=(1, 0))
    b.statement("i", "1 <= i < n", "A[i] = B[i-1]", position=(1, 1))
    return b.build()


@pytest.mark.parametrize(
    "make", [scops.gemm, scops.jacobi_1d, scops.gauss_seidel, overwritten]
)
def test_both_ways_agree(make):
    scop = make()
    reads = scop.access_relation("read")
    arguments = (
        reads.intersect_domain(scop.domain),
        scop.must_writes,
        scop.access_relation("may_write"),
        original_tree(scop).map,
    )
    by_isl = flow.compute_flow(*arguments)
    by_algebra = flow.subtract_overwritten(*arguments)
    assert not by_isl.pairs.is_empty()
    assert by_algebra.pairs.is_equal(by_isl.pairs)
    assert by_algebra.exposed.is_equal(by_isl.exposed)


@pytest.mark.parametrize(
    "make", [scops.gemm, scops.jacobi_1d, scops.gauss_seidel, overwritten]
)
def test_reads_wait_for_their_next_writes_up_to_a_certain_one(make):
    """Pairs of one element in that order, less those with a certain write between."""
    scop = make()
    order = original_tree(scop).map
    earlier = order.lex_lt_union_map(order)
    reads = scop.reads
    must, may = scop.must_writes, scop.access_relation("may_write")

    def pairs(first, second):
        same = first.range_map().apply_range(second.range_map().reverse())
        return same.intersect(time.lex_lt_union_map(time))

    time = reads.union(must).union(may).domain_map().apply_range(order)
    later = pairs(must, must.union(may))
    nearest = pairs(reads, must.union(may)).subtract(
        pairs(reads, must).apply_range(later)
    )
    found = compute_dependences(scop).union("anti")
    assert not found.is_empty()
    assert found.is_subset(earlier)
    assert found.is_equal(nearest.factor_domain())


def test_what_another_pass_knows_is_not_asked_again(monkeypatch):
    scop = scops.jacobi_1d()
    asked = []
    ask = flow._ask_isl
    monkeypatch.setattr(flow, "_ask_isl", lambda *a: asked.append(a) or ask(*a))
    before = value_flow(scop)
    n_asked = len(asked)
    assert n_asked
    again = value_flow(replace(scop, statements=scop.statements[:]))
    assert len(asked) == n_asked
    assert again.pairs.is_equal(before.pairs)
    changed = replace(scop.statements[0], position=(0, 7, 0))
    value_flow(replace(scop, statements=(changed, *scop.statements[1:])))
    assert len(asked) > n_asked


def test_accesses_one_by_one_have_the_same_dependences(monkeypatch):
    scop = scops.jacobi_1d()
    whole = compute_dependences(scop, with_input=False)
    monkeypatch.setattr(flow, "MANY_ACCESSES", 1)
    apart = compute_dependences(scop, with_input=False)
    for kind in ("flow", "anti", "output"):
        assert apart.union(kind).is_equal(whole.union(kind))
    reads = scop.access_relation("read")
    assert len(flow.split_accesses(reads)) > 1


def last_writes():
    """The flow of `guarded`, by running it."""
    writer, pairs = {}, set()
    for i in range(6):
        for j in range(1 + i, 0, -1):
            for k in range(1, j + 1):
                if (i + k) % 2 == 1 or i >= 2:
                    if k + 2 in writer:
                        pairs.add((*writer[k + 2], "S0", i, j, k))
                    writer[k + 2] = ("S0", i, j, k)
                    writer[i + j - 1] = ("S1", i, j, k)
    return pairs


def test_flow_is_found_where_isl_fails():
    scop = guarded()
    deps = compute_dependences(infer_liveness(scop))
    text = "; ".join(
        f"{a}[{i}, {j}, {k}] -> {b}[{x}, {y}, {z}]"
        for a, i, j, k, b, x, y, z in last_writes()
    )
    assert deps.flow.is_equal(isl.UnionMap(f"{{ {text} }}"))


@pytest.mark.parametrize("make", [scops.gemm, scops.jacobi_1d, overwritten])
def test_an_access_that_takes_too_long_depends_on_all_before(make, monkeypatch):
    scop = make()
    exact = compute_dependences(scop)
    needed = value_flow(scop)
    monkeypatch.setattr(flow, "MIN_OPERATIONS", 1)
    reads = scop.access_relation("read").intersect_domain(scop.domain)
    may = scop.access_relation("may_write")
    order = original_tree(scop).map
    budget = flow.FlowBudget(total=0)
    found = flow.compute_flow(reads, scop.must_writes, may, order, budget)
    later = order.lex_lt_union_map(order)
    touching = scop.must_writes.union(may).apply_range(reads.reverse())
    assert exact.flow.is_subset(found.pairs)
    assert needed.exposed.is_subset(found.exposed)
    assert found.pairs.is_equal(touching.intersect(later))
