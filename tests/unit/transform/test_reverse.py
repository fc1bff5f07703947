"""A parallel loop may run from its other end; the planner lets vectors run forwards."""

from __future__ import annotations

import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    set_band_flags,
)
from polysched.ir import Scop, original_tree
from polysched.machine import Machine
from polysched.testing import ScopBuilder
from polysched.transform import Reverse, Skew, plan_scripts
from tests.unit import scops
from tests.unit.transform import trees


def spread(target: str) -> Scop:
    """Filter taps, the last first, added to a signal that gets longer."""
    b = ScopBuilder("spread", ["n"])
    for name in ("x", "y"):
        b.array(name, "int[3000]")
    b.array("c", "int[64]")
    b.statement(
        "i, k", "0 <= i < n and 0 <= k < 64", f"{target} += x[i] * c[k]",
        position=(0, 0, 0), directions=(1, -1),
    )  # fmt: skip
    return b.build()


@pytest.mark.parametrize(
    ("target", "is_reversed"), [("y[i + k]", True), ("y[i - k]", False)]
)
def test_vector_loops_walk_forwards_in_memory(target: str, is_reversed: bool) -> None:
    scop = spread(target)
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    scripts = plan_scripts(tree, scop, deps, Machine.detect().cpu, limit=8)
    kinds = [{type(step) for step in script} for script in scripts]
    assert any(Reverse in kind for kind in kinds) is is_reversed
    assert not any(Skew in kind for kind in kinds)


def test_reversal_keeps_a_band_permutable_where_the_member_is_parallel() -> None:
    scop = scops.gemm()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    path = next(p for p, n in tree.nodes() if n.get_type().name == "band")
    step = Reverse(path, 0)
    assert step.check(tree, deps) is None
    done = step.apply(tree)
    assert find_violation(done, deps, scop) is None
    node = done.node(path)
    assert node.band_get_permutable()
    assert node.band_member_get_coincident(0)


def test_loop_that_waits_is_not_reversed() -> None:
    tree, deps = trees.seidel()
    reason = Reverse((0,), 2).check(tree, deps)
    assert reason is not None
    assert "violated" in reason
    assert "expected 0 to 2" in str(Reverse((0,), 3).find_misfit(tree))
