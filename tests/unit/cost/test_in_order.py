"""What waits for the iteration before takes as long as one thread takes for it."""

from __future__ import annotations

from dataclasses import replace

from polysched.cost import predict_seconds
from polysched.ir import original_tree
from polysched.machine import Cpu
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.cost.test_model import MACHINE

MANY = replace(MACHINE.cpu, n_cores=8, bandwidth_all_bytes_per_second=8e10)
BOX = "0 <= i, j < 4000"
STRIPS = (
    "merge(band=0.1.0); merge(band=0.0.0); "
    "fuse_tiles(band=0, children=[0, 1], members=[0, 0], size=16); "
)


def predicted(shared: str, cpu: Cpu = MACHINE.cpu) -> float:
    """Strips of a copy, and of sums that need no matrix at all."""
    first = scops.statement(
        "S0", f"{{ S0[i, j] : {BOX} }}", (0, 0, 0), "r [i, j] -> A[i, j]",
        "w [i, j] -> B[i, j]",
    )  # fmt: skip
    second = scops.statement(
        "S1", f"{{ S1[i, j] : {BOX} }}", (1, 0, 0), "r [i, j] -> x[i]",
        "r [i, j] -> y[j]", "w [i, j] -> y[j]",
    )  # fmt: skip
    scop = scops.scop("strips", first, second)
    tree = apply_script(original_tree(scop), parse_script(STRIPS + shared))
    found = predict_seconds(tree, scop, None, replace(MACHINE, cpu=cpu))
    assert found is not None
    return found


def test_a_part_that_waits_takes_the_time_of_one_thread_where_that_is_longer() -> None:
    share, ordered = "parallel(band=0.0)", "ordered(band=0.0, part=1)"
    assert 0.8 * predicted(share) < predicted(ordered) < 1.02 * predicted(share)
    assert predicted(ordered, MANY) > 2 * predicted(share, MANY)
