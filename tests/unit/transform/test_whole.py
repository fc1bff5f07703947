"""Which loops get vectors that begin at multiples of their length."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.base import PolyschedError
from polysched.cost import rank
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree
from polysched.machine import Machine
from polysched.testing import ScopBuilder
from polysched.transform import PlanShape, Vector, apply_script, parse_script
from polysched.transform import plan_script as plan
from polysched.workflow import prepare_scop
from tests.unit.transform.test_plan import CPU

STENCIL = "B[i][k] = A[i][k - 1] + A[i][k + 1]"
SHARED = PlanShape(jam=True)


def rows(n: int | str, body: str = STENCIL, first: int = 1) -> Scop:
    b = ScopBuilder("rows")
    b.array("A", f"double[64][{n}]")
    b.array("B", f"double[64][{n}]")
    b.statement(
        "i, k", f"0 <= i < 64 and {first} <= k < {n} - 1", body, position=(0, 0, 0)
    )
    return b.build()


def planned(scop: Scop) -> Vector:
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    draft = plan(tree, scop, deps, CPU, SHARED)
    assert find_violation(draft.tree, deps, scop) is None
    (found,) = (s for s in draft.steps if isinstance(s, Vector))
    return found


@pytest.mark.parametrize(("n", "lanes"), [(1200, 8), (1300, 4)])
def test_rows_of_whole_vectors_get_vectors_that_begin_with_them(n, lanes) -> None:
    step = planned(rows(n))
    assert (step.lanes, step.whole) == (lanes, True)


BYTES = """static unsigned char A[64][1300], B[64][1300];
void f(void) {
#pragma scop
  for (int i = 0; i < 64; i++)
    for (int k = 1; k < 1299; k++) {
      int m = A[i][k - 1] - A[i][k + 1];
      B[i][k] = m < 0 ? -m : m;
    }
#pragma endscop
}
"""


def test_lanes_are_those_of_what_is_kept(tmp_path) -> None:
    """Bytes that are computed with as `int` on their way to bytes."""
    path = tmp_path / "bytes.c"
    path.write_text(BYTES)
    (scop,) = parse_c(path).scops
    assert planned(prepare_scop(scop)).lanes == 32


@pytest.mark.parametrize(
    "scop",
    [
        rows(1201),  # rows begin anywhere
        rows(1200, "B[i][k - 1] = A[i][k - 1] + A[i][k + 1]"),  # written elsewhere
        rows(1200, "B[i][k] = A[i][k - 1] + A[i][k + 1] + B[i][k]"),  # not twice
        rows(16),  # the ends are too much of it
    ],
)
def test_other_rows_get_vectors_that_begin_anywhere(scop: Scop) -> None:
    assert not planned(scop).whole


def test_whole_vectors_have_lanes() -> None:
    tree = original_tree(rows(1200))
    with pytest.raises(PolyschedError, match="whole vectors of 0 lanes"):
        apply_script(tree, parse_script("vector(band=0.0, whole=true)"))


def test_the_model_knows_that_whole_vectors_are_faster() -> None:
    scop = rows(1200)
    tree = set_band_flags(original_tree(scop), compute_dependences(scop))
    scripts = [f"vector(band=0.0, lanes=8{more})" for more in ("", ", whole=true")]
    trees = [apply_script(tree, parse_script(script)) for script in scripts]
    assert rank(trees, scop, None, Machine(CPU)) == [1, 0]
