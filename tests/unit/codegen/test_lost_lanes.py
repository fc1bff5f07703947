"""Loops whose iterations have no lanes are not told to run in lanes."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import apply_script, parse_script

LANES = "vector(band=0, member=0)"
SHARED = "parallel(band=0, member=0); vector(band=0.0, member=0, lanes=8)"


def row(text: str) -> Scop:
    b = ScopBuilder("row", [])
    b.array("x", "float[400]")
    b.array("y", "float[400]")
    b.statement("j", "0 <= j < 400", text, position=(0, 0))
    return b.build()


@pytest.mark.parametrize(
    ("text", "has_lanes"),
    [
        ("y[j] = x[j] + 1", True),
        ("y[j] = sqrtf(x[j])", True),
        ("y[j] = fmaxf(x[j], 1)", True),
        ("y[j] = floorf(x[j])", True),
        ("y[j] = expf(x[j])", False),
        ("y[j] = 1 / (1 + expf(x[j]))", False),
        ("y[j] = powf(x[j], 3)", False),
    ],
)
def test_calls_of_libraries_have_no_lanes(text: str, has_lanes: bool) -> None:
    scop = row(text)
    tree = apply_script(original_tree(scop), parse_script(LANES))
    assert ("#pragma omp simd" in print_openmp(scop, tree)) is has_lanes


def test_threads_still_share_such_a_loop() -> None:
    scop = row("y[j] = expf(x[j])")
    tree = apply_script(original_tree(scop), parse_script(SHARED))
    text = print_openmp(scop, tree)
    assert "#pragma omp parallel for schedule(static)\n" in text
    assert "simd" not in text


@pytest.mark.parametrize(
    ("inner", "has_lanes"),
    [("0 <= k < 6", True), ("0 <= k < n", True), ("0 <= k < j", False)],
)
def test_loops_inside_have_the_same_turns_in_all_lanes(
    inner: str, has_lanes: bool
) -> None:
    b = ScopBuilder("rows", ["n"])
    b.array("x", "float[40][400]")
    b.array("y", "float[400]")
    text, domain = "y[j] += x[k][j]", f"0 <= j < 400 and {inner}"
    b.statement("j, k", domain, text, position=(0, 0, 0))
    scop = b.build()
    tree = apply_script(original_tree(scop), parse_script(LANES))
    assert ("#pragma omp simd" in print_openmp(scop, tree)) is has_lanes


def test_clang_does_not_warn_of_lanes_that_it_leaves_out() -> None:
    scop = row("y[j] = x[j] + 1")
    plain = print_openmp(scop, original_tree(scop))
    lanes = print_openmp(scop, apply_script(original_tree(scop), parse_script(LANES)))
    quiet = '#ifdef __clang__\n#pragma clang diagnostic ignored "-Wpass-failed"\n#endif'
    assert quiet in lanes
    assert "clang" not in plain


@pytest.mark.cc
@pytest.mark.parametrize(
    ("body", "has_lanes"),
    [
        ("int z[3] = {0, 1, i}; t[i] = z[0] - z[2];", True),
        ("int z[3] = {0, 1, i}; t[i] += z[c[i] & 1];", False),
        ("int z[3] = {0, 1, i}; z[c[i] % 3] = 5; t[i] = z[1];", False),
        ("int z[3] = {0, 1, i}; t[i] = z[i % 3];", False),
    ],
)
def test_lanes_look_up_nothing_in_arrays_of_their_own(
    body: str, has_lanes: bool, tmp_path: Path
) -> None:
    """Clang's lanes would share the array."""
    path = tmp_path / "own.c"
    path.write_text(
        "void f(int n, int *restrict t, const int *restrict c) {\n#pragma scop\n"
        f"for (int i = 0; i < n; i++) {{ {body} }}\n#pragma endscop\n}}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    tree = apply_script(original_tree(scop), parse_script(LANES))
    assert ("#pragma omp simd" in print_openmp(scop, tree)) is has_lanes
