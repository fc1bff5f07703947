"""A private array costs what its copies take that live at the same time."""

from __future__ import annotations

from polysched.analysis import (
    compute_dependences,
    infer_liveness,
    privatize,
    set_band_flags,
)
from polysched.cost import predict, rank
from polysched.cost.read import read_nests
from polysched.cost.storage import fresh_bytes, lay_out_copies
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.testing import ScopBuilder
from tests.unit.cost.test_model import MACHINE

DOUBLE = 8
ROWS = 2000


def sums(extents: str = f"[{ROWS}]") -> Scop:
    """A private row, filled and read for every value of i."""
    b = ScopBuilder("sums")
    b.array("A", f"double[{ROWS}][{ROWS}]")
    b.array("B", f"double[{ROWS}][{ROWS}]")
    b.array("w", f"double{extents}", storage="local", live_in=False, live_out=False)
    at = "w[j]" if extents else "w"
    place = ((0, 0, 0), (0, 1, 0) if extents else (0, 0, 1))
    box = f"0 <= i < {ROWS} and 0 <= j < {ROWS}"
    b.statement("i, j", box, f"{at} = A[i][j] * 2", position=place[0])
    b.statement("i, j", box, f"B[i][j] = {at} + 1", position=place[1])
    scop = privatize(infer_liveness(b.build()))
    (private,) = (a for a in scop.arrays if a.is_private)
    assert private.n_expanded == (1 if extents else 2)
    return scop


def apart(scop: Scop) -> ScheduleTree:
    """All of the first statement before all of the second."""
    loops = "[{{ {0}[i, j] -> [i] }}, {{ {0}[i, j] -> [j] }}]"
    parts = ", ".join(
        f'{{ filter: "{{ {s}[i, j] }}", child: '
        f'{{ schedule: "{loops.format(s)}", permutable: 1, coincident: [1, 1] }} }}'
        for s in ("S0", "S1")
    )
    return ScheduleTree.parse(
        f'{{ domain: "{scop.domain}", child: {{ sequence: [ {parts} ] }} }}'
    )


def fresh(tree: ScheduleTree, scop: Scop) -> float:
    return fresh_bytes(lay_out_copies(read_nests(tree, scop)), 1)


def test_one_copy_is_used_again_within_a_shared_loop() -> None:
    scop = sums()
    assert fresh(original_tree(scop), scop) == ROWS * DOUBLE
    assert fresh(apart(scop), scop) == ROWS * ROWS * DOUBLE


def test_a_scalar_becomes_an_array_where_its_users_are_apart() -> None:
    scop = sums("")
    assert fresh(original_tree(scop), scop) <= DOUBLE
    assert fresh(apart(scop), scop) == ROWS * ROWS * DOUBLE
    laid = lay_out_copies(read_nests(apart(scop), scop))
    copies = {r.rows for n in laid for r in n.references if r.array.startswith("w")}
    assert copies == {((1, 0), (0, 1))}


def test_copies_apart_are_moved_and_their_pages_cleared() -> None:
    scop = sums()
    deps = compute_dependences(scop)
    trees = [apart(scop), original_tree(scop)]
    assert rank(trees, scop, deps, MACHINE) == [1, 0]
    far, near = (predict(t, scop, MACHINE, None, deps) for t in trees)
    assert far is not None
    assert near is not None
    moved = 3 * ROWS * ROWS * DOUBLE  # cleared, written, read
    assert far.memory_seconds > near.memory_seconds + moved / 1e10


def test_a_shifted_reader_finds_a_copy_of_an_earlier_iteration() -> None:
    """Then a loop that both share does not hold all that is done with a copy."""
    scop = sums()
    together = original_tree(scop).text
    shifted = together.replace("S1[i, j] -> [(i)]", "S1[i, j] -> [(1 + i)]", 1)
    assert shifted != together
    assert fresh(ScheduleTree.parse(shifted), scop) == ROWS * ROWS * DOUBLE


def test_copies_lie_along_the_loop_that_walks_from_one_to_the_next() -> None:
    scop = sums()
    swapped = apart(scop).text.replace("[i, j] -> [(i)]", "[i, j] -> [X]")
    swapped = swapped.replace("-> [(j)]", "-> [(i)]").replace("-> [X]", "-> [(j)]")
    for text, rows in ((apart(scop).text, (0, 1)), (swapped, (1, 0))):
        laid = lay_out_copies(read_nests(ScheduleTree.parse(text), scop))
        found = [(r, c) for n in laid for r, c in n.inner_classes() if len(r.rows) == 2]
        copies = {r.rows for r, _ in found if r.array.startswith("w")}
        assert copies == {tuple((int(k == 0), int(k == 1)) for k in rows)}
        assert {c for r, c in found if r.array.startswith("w")} == {"1"}


def test_elements_of_a_copy_for_each_iteration_are_variables() -> None:
    b = ScopBuilder("limit")
    b.array("A", f"double[{ROWS}][{ROWS}]")
    b.array("w", "double[2]", storage="local", live_in=False, live_out=False)
    box = f"0 <= i < {ROWS} and 0 <= j < {ROWS}"
    for k, text in enumerate(("w[0] = A[i][j]", "w[1] = w[0] * 2", "A[i][j] = w[1]")):
        b.statement("i, j", box, text, position=(0, 0, k))
    scop = privatize(infer_liveness(b.build()))
    tree = set_band_flags(original_tree(scop), compute_dependences(scop))
    nests = lay_out_copies(read_nests(tree, scop))
    assert [nest.memory_operations() for nest in nests] == [(1, 0), (0, 0), (1, 0)]
    assert all(nest.is_vectorizable for nest in nests)
