"""Loops that threads share by adding to copies: what is proven, what is refused."""

from __future__ import annotations

from pathlib import Path

import islpy as isl
import pytest

from polysched.analysis import (
    Dependences,
    Prover,
    allow_reordering,
    compute_dependences,
    find_accumulation,
    find_copied_reduction,
    find_violation,
    set_band_flags,
)
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import ShareSums

SQUARE = "0 <= i < n and 0 <= j < n"


def program(*texts: str, type_: str = "double", where: str = SQUARE) -> Scop:
    """Statements in the loops i and j."""
    b = ScopBuilder("sums", ["n"])
    b.array("s", type_)
    for name in "xyz":
        b.array(name, f"{type_}[]")
    b.array("A", f"{type_}[][]")
    for k, text in enumerate(texts):
        b.statement("i,j", where, text, position=(0, 0, k))
    return b.build()


def allowed(scop: Scop, fp: str = "reassociate") -> tuple[ScheduleTree, Dependences]:
    deps = allow_reordering(compute_dependences(scop), scop, fp)
    return set_band_flags(original_tree(scop), deps), deps


def verdict(scop: Scop, *arrays: str, fp: str = "reassociate") -> str | None:
    """What the step says; the proof of the tree, however it is led, must agree."""
    tree, deps = allowed(scop, fp)
    step = ShareSums((0,), 0, arrays)
    found = step.check(tree, deps)
    marked = step.apply(tree)
    violation = find_violation(marked, deps, scop)
    assert (violation is None) == (found is None)
    assert (Prover(deps, scop).find_violation(marked) is None) == (found is None)
    return found


@pytest.mark.parametrize(
    ("type_", "text", "fp", "is_copied"),
    [
        ("double", "s = fmax(s, fabs(A[i][j]))", "strict", True),
        ("double", "y[j] = fmax(y[j], fabs(A[i][j]))", "strict", True),
        ("double", "s = fmax(s, A[i][j])", "strict", False),
        ("double", "s = fmax(s, A[i][j])", "reassociate", False),  # begins with what?
        ("int", "s = A[i][j] if A[i][j] < s else s", "strict", True),
        ("double", "s += A[i][j]", "strict", False),
    ],
)
def test_extrema_have_copies_where_no_bit_depends_on_the_order(
    type_: str, text: str, fp: str, is_copied: bool
) -> None:
    scop = program(text, type_=type_)
    array = text[0]
    assert (verdict(scop, array, fp=fp) is None) == is_copied


@pytest.mark.parametrize(
    ("texts", "arrays"),
    [
        (["y[j] += A[i][j] * x[i]"], ["y"]),
        (["y[j] -= A[i][j] * x[i]"], ["y"]),
        (["y[j] = A[i][j] + y[j]"], ["y"]),
        (["y[j] *= A[i][j]"], ["y"]),
        (["s += A[i][j]"], ["s"]),
        (["y[j] += A[i][j]", "s -= A[i][j]"], ["y", "s"]),
        (["y[j] += A[i][j]", "z[i] = z[i] * x[j]"], ["y"]),  # z waits within i
        (["y[j] += x[j]", "A[i][j] = x[j]"], ["y"]),
        (["y[i + j] += A[i][j]"], ["y"]),
    ],
)
def test_sums_that_nothing_else_looks_at(texts: list[str], arrays: list[str]) -> None:
    assert verdict(program(*texts), *arrays) is None


@pytest.mark.parametrize(
    ("texts", "arrays", "named"),
    [
        (["y[j] += A[i][j]", "z[i] = y[j]"], "y", "flow dependence on y from S0 to S1"),
        (["z[i] = y[j]", "y[j] += A[i][j]"], "y", "dependence on y"),
        (["y[j] += A[i][j]", "y[j] = 0.0"], "y", "dependence on y"),
        (["y[j] += A[i][j]", "y[j] += x[i]"], "y", "dependence on y"),  # two sums
        (["y[j] += A[i][j]", "s += x[j]"], "y", "dependence on s"),  # s is shared, too
        (["y[j] += A[i][j] * y[i]"], "y", "dependence on y from S0 to S0"),
        (["y[j] = y[j] * 0.5 + A[i][j]"], "y", "dependence on y from S0 to S0"),
        (["y[j] = fmax(y[j], A[i][j])"], "y", "dependence on y from S0 to S0"),
        (["y[j] += A[i][j]", "x[j] = x[j] * 0.5 + 1.0"], "y", "dependence on x"),
    ],
)
def test_others_are_refused_with_the_dependence(
    texts: list[str], arrays: str, named: str
) -> None:
    found = verdict(program(*texts), *arrays.split(","))
    assert found is not None
    assert named in found
    assert "must run before" in found


def test_a_copy_hides_what_a_reader_needs() -> None:
    scop = program("y[j] += A[i][j]", "z[i] = y[j]")
    tree, deps = allowed(scop)
    marked = ShareSums((0,), 0, ("y",)).apply(tree)
    violation = find_violation(marked, deps, scop)
    assert violation is not None
    assert violation.reason == "each thread adds to a copy of y"
    assert violation.element.startswith("y[")


def test_a_copy_hides_it_from_lanes_of_the_same_loop_as_well() -> None:
    scop = program("y[i] += A[i][j]", "z[i] = y[i]")  # no loop over i carries anything
    tree, deps = allowed(scop)
    band = tree.node((0,)).insert_mark(isl.Id("vector")).parent().child(0)
    marked = ScheduleTree(band.insert_mark(isl.Id("parallel:static:y")).get_schedule())
    violation = find_violation(marked, deps, scop)
    assert violation is not None
    assert violation.reason == "each thread adds to a copy of y"


def test_strict_sums_of_floating_point_numbers_stay_in_order() -> None:
    text = "y[j] += A[i][j]"
    assert verdict(program(text), "y", fp="strict") is not None
    assert verdict(program(text, type_="int"), "y", fp="strict") is None


def test_without_arrays_there_is_nothing_to_copy() -> None:
    tree, _ = allowed(program("y[j] += A[i][j]"))
    reason = ShareSums((0,), 0).find_misfit(tree)
    assert reason == "found no arrays, expected those that the loop adds to"


def test_threads_share_one_loop_only() -> None:
    tree, _ = allowed(program("s += A[i][j]"))
    marked = ShareSums((0,), 0, ("s",)).apply(tree)
    reason = ShareSums((0, 0, 0), 0, ("s",)).find_misfit(marked)
    assert reason == "a loop around the band is already marked parallel"


@pytest.mark.cc
def test_threads_count_in_copies_but_not_a_device_s(tmp_path: Path) -> None:
    path = tmp_path / "count.c"
    path.write_text(
        "int count[9], key[99];\nvoid f(void)\n{\n#pragma scop\n"
        "for (int i = 0; i < 99; i++) count[key[i]] += i;\n#pragma endscop\n}\n"
    )
    (scop,) = parse_c(path).scops
    assert verdict(scop, "count", fp="strict") is None
    tree, deps = allowed(scop, "strict")
    (reduction,) = deps.reductions
    assert reduction.is_scattered
    node = tree.node((0,))
    assert find_copied_reduction(node, "count", deps) is reduction
    assert find_copied_reduction(node, "count", deps, on_device=True) is None
    assert find_accumulation(node, 0, deps) is None
