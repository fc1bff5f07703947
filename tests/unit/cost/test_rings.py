"""Statements of one loop that hand values on wait for each other, several at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost.chains import Link
from polysched.cost.read import read_nests
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import Jam, Merge, Skew, apply_script

pytestmark = pytest.mark.cc

SPREAD = """for (int i = 1; i < 1000; i++) {
  double a = x[i] + e[i - 1];
  double b = a * a + w[i];
  y[i] = b;
  e[i] = b - a;
}"""


def nests_of(tmp_path: Path, body: str, script=(), *, fused: bool = True):
    path = tmp_path / "ring.c"
    path.write_text(
        "double x[1000], y[1000], w[1000], e[1000], u[1000][1000];\n"
        f"void f(void)\n{{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(path).scops
    deps = compute_dependences(scop)
    tree = apply_script(set_band_flags(original_tree(scop), deps), script, deps)
    return read_nests(tree, scop, deps, fused=fused)


@pytest.mark.parametrize("fused", [True, False])
def test_an_iteration_waits_for_the_longest_way(tmp_path: Path, fused: bool) -> None:
    """Of `e`, which the one before stored, over `a` and `b`, and back to `e`."""
    links = [n.link for n in nests_of(tmp_path, SPREAD, fused=fused)]
    product_and_sum = 1.0 if fused else 2.0
    assert links == [
        Link(1.0, True),
        Link(product_and_sum, False),
        None,  # nobody waits for it
        Link(1.0, False),
    ]


@pytest.mark.parametrize(
    "body",
    [
        SPREAD.replace("e[i - 1]", "e[i]"),
        SPREAD.replace("e[i - 1]", "e[i + 1]"),
        "for (int i = 1; i < 1000; i++) { x[i] = x[i - 1] * 2; y[i] = x[i]; }",
    ],
    ids=["the same iteration", "a later one", "one statement"],
)
def test_elsewhere_there_is_no_ring(tmp_path: Path, body: str) -> None:
    assert not any(n.link for n in nests_of(tmp_path, body))


def test_a_ring_of_an_outer_loop_costs_no_waiting(tmp_path: Path) -> None:
    body = (
        "for (int t = 1; t < 9; t++) for (int i = 0; i < 1000; i++)"
        " { y[i] = x[i] + 1; x[i] = y[i] * 2; }"
    )
    assert not any(n.link for n in nests_of(tmp_path, body))


def test_rows_side_by_side_wait_together(tmp_path: Path) -> None:
    body = """for (int t = 1; t < 999; t++) for (int i = 1; i < 1000; i++) {
      double a = u[t - 1][i] + u[t][i - 1];
      u[t][i] = a * 0.5;
    }"""
    merged = (Merge((0,)), Skew((0,), 1, (1, 0)))
    alone = nests_of(tmp_path, body, merged)
    jammed = nests_of(tmp_path, body, (*merged, Jam((0,), (4, 1))))
    assert [n.link for n in alone] == [n.link for n in jammed]
    assert alone[0].link == Link(1.0, True)
    assert [n.chains for n in jammed] == [4 * n.chains for n in alone]
