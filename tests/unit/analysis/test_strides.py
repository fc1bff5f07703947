"""Directions, strides and footprints of references under a schedule."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import islpy as isl
import pytest

from polysched.analysis import (
    Reference,
    box_footprint,
    has_gap,
    iterator_extent,
    member_directions,
    references,
    statement_members,
    step_bytes,
    stride_classes,
)
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree
from polysched.testing import ScopBuilder
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees


def test_direction_undoes_the_skew() -> None:
    members = statement_members(trees.jacobi()[0])["S1"]
    assert [m.coefficients for m in members] == [(1, 0, 0), (2, 1, 0), (2, 0, 1)]
    assert [m.constant for m in members] == [0, 1, 1]
    assert member_directions(members)[0] == (1, -2, -2)
    assert member_directions(members)[2] == (0, 0, 1)


def test_tiles_and_waves_are_told_apart_from_points() -> None:
    tree, deps = trees.seidel()
    script = parse_script("tile(band=0, sizes=[4, 8, 0]); wavefront(band=0.0)")
    members = statement_members(apply_script(tree, script, deps))["S0"]
    assert [m.kind for m in members] == ["wave", "tile", "point", "point", "point"]
    assert members[0].summed == (((1, 0, 0), 4), ((1, 1, 0), 8))
    assert members[1].size == 8
    assert members[1].marks == ("tile", "wavefront")


def test_a_tile_is_known_by_whatever_its_start_is_written_as() -> None:
    tree, deps = trees.jacobi()
    script = parse_script("jam(band=0, factors=[1, 2, 1])")
    members = statement_members(apply_script(tree, script, deps))["S0"]
    (start,) = (m for m in members if m.kind != "point")
    assert (start.kind, start.coefficients, start.size) == ("tile", (2, 1, 0), 2)


def test_constant_member_moves_nothing() -> None:
    members = statement_members(trees.gemm()[0])["S0"]
    assert [m.is_constant for m in members] == [False, True, False]
    assert member_directions(members)[1] is None


def test_stride_classes() -> None:
    by_array = {r.array: r for r in references(scops.gemm())["S1"]}
    along_j = (Fraction(0), Fraction(0), Fraction(1))
    along_k = (Fraction(0), Fraction(1), Fraction(0))
    assert [by_array[a].stride_class(along_j) for a in "ABC"] == ["0", "1", "1"]
    assert [by_array[a].stride_class(along_k) for a in "ABC"] == ["1", "N", "0"]


@pytest.mark.parametrize(
    ("n", "expected"), [(None, None), (1, 1), (8, 8)], ids=["open", "one", "eight"]
)
def test_extent_needs_known_parameters(n: int | None, expected: int | None) -> None:
    scop = scops.gemm()
    scop = scop if n is None else scop.with_parameters_fixed({"n": n})
    assert iterator_extent(scop, "S1", (1, 0, 0)) == expected
    if n == 8:
        assert iterator_extent(scop, "S1", (2, 1, 0)) == 22


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("0 <= i < n", False),
        ("0 <= i < w or n - w <= i < n", True),
        ("0 <= i < n and (i < w or i >= n - w)", True),
        ("0 <= i < n and i mod 2 = 0", False),
        ("0 <= i < n and (i mod 4 = 0 or i mod 4 = 1)", False),
        ("0 <= i < n and i != w", True),
    ],
)
def test_gaps_are_values_between(where: str, expected: bool) -> None:
    b = ScopBuilder("layers", ["n", "w"])
    b.array("A", "double[n]")
    b.statement("i", where, "A[i] = 1.0", position=(0, 0))
    assert has_gap(b.build(), "S0", (1,)) == expected


def test_footprint_of_a_box_counts_each_element_once() -> None:
    scop = scops.gemm()
    members = statement_members(trees.gemm()[0])["S1"]
    directions = member_directions(members)
    sizes = {0: 4, 1: 8, 2: 16}
    found = box_footprint(scop, references(scop)["S1"], directions, sizes)
    assert found == 8 * (4 * 8 + 8 * 16 + 4 * 16)
    lines = box_footprint(scop, references(scop)["S1"], directions, {0: 4}, 64)
    assert lines == 64 * (4 + 1 + 4)


@pytest.mark.parametrize(("step", "lines"), [(2, 250), (4, 1000)])
def test_copies_of_a_body_fill_the_gaps_of_a_loop(step: int, lines: int) -> None:
    """Pixels of four bytes, two in a round of a loop by two, or by four."""
    b = ScopBuilder("pixels")
    b.array("p", "float[4000][4]")
    b.statement("i", "0 <= i < 4000", "p[i][0] = 0.0", position=(0, 0))
    scop = b.build()
    rounds, copies = (Fraction(step),), (Fraction(1),)
    found = box_footprint(
        scop, references(scop)["S0"], [rounds, copies], {0: 500, 1: 2}, 64
    )
    assert found == 64 * lines


def test_neighbours_share_a_footprint() -> None:
    scop = scops.jacobi_2d()
    members = statement_members(trees.jacobi()[0])["S0"]
    directions = member_directions(members)
    found = box_footprint(scop, references(scop)["S0"], directions, {1: 4, 2: 6})
    assert found == 8 * (6 * 8 + 4 * 6)


def test_planes_that_no_loop_moves_to_are_apart(tmp_path: Path) -> None:
    """What is read of one plane is no reason to touch as much of the other."""
    file = tmp_path / "planes.c"
    text = "A[(t + 1) % 2][i][j] = A[t % 2][i - 1][j] + A[t % 2][i + 1][j];"
    file.write_text(
        "double A[2][90][90];\nvoid f(void) {\n#pragma scop\n"
        "for (int t = 0; t < 9; t++) for (int i = 1; i < 89; i++)"
        f" for (int j = 0; j < 90; j++)\n{text}\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(file).scops
    directions = [tuple(Fraction(k == n) for k in range(3)) for n in range(3)]
    found = box_footprint(scop, references(scop)["S0"], directions, {2: 80})
    assert found == 8 * 80 * (2 + 1)
    found = box_footprint(scop, references(scop)["S0"], directions, {1: 5, 2: 80})
    assert found == 8 * 80 * (7 + 5)


def test_a_cross_touches_its_rows_and_not_the_box_around_them(tmp_path: Path) -> None:
    """The rows of four arms of four points and of their middle: 17 of a box of 81."""
    file = tmp_path / "cross.c"
    arms = "".join(
        f" + A[i - {k}][j][k] + A[i + {k}][j][k] + A[i][j - {k}][k] + A[i][j + {k}][k]"
        for k in range(1, 5)
    )
    file.write_text(
        "double A[90][90][90], B[90][90][90];\nvoid f(void) {\n#pragma scop\n"
        "for (int i = 4; i < 86; i++) for (int j = 4; j < 86; j++)"
        f" for (int k = 0; k < 90; k++)\nB[i][j][k] = A[i][j][k]{arms};\n"
        "#pragma endscop\n}\n"
    )
    (scop,) = parse_c(file).scops
    reads = [r for r in references(scop)["S0"] if r.array == "A"]
    directions = [tuple(Fraction(k == n) for k in range(3)) for n in range(3)]
    assert box_footprint(scop, reads, directions, {2: 80}) == 8 * 80 * 17
    found = box_footprint(scop, reads, directions, {1: 10, 2: 80})
    assert found == 8 * 80 * (8 * 10 + 18)
    found = box_footprint(scop, reads, directions, {0: 3, 1: 10, 2: 80})
    assert found == 8 * 80 * (11 * 10 + 3 * 8)


def test_rows_behind_each_other_share_lines() -> None:
    """Rows of 17 doubles are 136 bytes apart, though three lines hold one."""
    b = ScopBuilder("short_rows")
    b.array("A", "double[40][17]")
    b.statement("i, j", "0 <= i < 40 and 0 <= j < 17", "A[i][j] = 0", position=(0,) * 3)
    scop = b.build()
    directions = [(Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))]
    extents = {0: 40, 1: 17}
    found = box_footprint(scop, references(scop)["S0"], directions, extents, 64)
    assert found == 40 * 136
    found = box_footprint(scop, references(scop)["S0"], directions, {1: 17}, 64)
    assert found == 3 * 64


def test_a_diagonal_touches_its_lines_and_not_the_box_around_them() -> None:
    scop = scops.jacobi_2d()
    rows = ("t", "i + j", "i")
    front = f"[{', '.join(f'{{ S0[t, i, j] -> [({row})] }}' for row in rows)}]"
    domain = scop.statement("S0").domain
    node = isl.Schedule.from_domain(domain.to_union_set()).get_root().child(0)
    node = node.insert_partial_schedule(isl.MultiUnionPwAff(front))
    members = statement_members(ScheduleTree(node.get_schedule()))["S0"]
    directions = member_directions(members)
    reads = [r for r in references(scop)["S0"] if not r.is_write]
    found = box_footprint(scop, reads, directions, {2: 400}, 64)
    assert 400 * 64 < found <= 400 * 2 * 64
    assert box_footprint(scop, reads, directions, {2: 2}, 64) <= 4 * 64
    whole = box_footprint(scop, reads, directions, {1: 400, 2: 400}, 64)
    assert whole > 400 * 400 * 8


PAIRS = """
void turn(int n, float z[2 * n], float c[n], float s[n]) {
#pragma scop
  for (int j = 0; j < n; j++) {
    float re = z[2 * j], im = z[2 * j + 1];
    z[2 * j] = re * c[j] - im * s[j];
    z[2 * j + %d] = im * c[j] + re * s[j];
  }
#pragma endscop
}
"""


@pytest.mark.parametrize(("last", "of_stores"), [(1, "1"), (3, "N"), (2, "N")])
def test_what_fills_a_row_together_is_contiguous(
    tmp_path: Path, last: int, of_stores: str
) -> None:
    """Halves of pairs fill their row, halves of different pairs do not."""
    file = tmp_path / "pairs.c"
    file.write_text(PAIRS % last)
    (scop,) = parse_c(file).scops
    found = [r for of_one in references(scop).values() for r in of_one if r.rows]
    classes = stride_classes([(r, (1,)) for r in found])
    by_place = {
        (r.array, r.is_write, r.offsets): c for r, c in zip(found, classes, strict=True)
    }
    assert by_place["z", False, (0,)] == by_place["z", False, (1,)] == "1"
    assert by_place["z", True, (0,)] == by_place["z", True, (last,)] == of_stores
    assert by_place["c", False, (0,)] == "1"


def test_copies_of_a_body_fill_a_row_together() -> None:
    """`x[3 * j + b]` with `b` unrolled three times, and only twice."""
    reference = Reference("x", False, ((0, 0), (3, 1)), (5, 0))
    for n_copies, expected in [(3, "1"), (2, "N")]:
        copies = [((0, 1), n_copies)]
        assert stride_classes([(reference, (1, 0))], copies) == [expected]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("c[i][j] = 0.0", [4000, 8]),
        ("c[i][2 * j] = 0.0", [4000, 16]),
        ("c[j][500 - i] = 0.0", [8, 4000]),
        ("c[i][j / 2] = 0.0", [4000, None]),  # not every step moves
        ("v[i][j] = 0.0", [None, 8]),  # rows of any length
    ],
)
def test_bytes_from_one_element_to_the_next(text: str, steps: list[int | None]) -> None:
    b = ScopBuilder("steps", ["n", "m"])
    b.array("c", "double[500][500]")
    b.array("v", "double[n][m]")
    b.statement("i, j", "0 <= i, j < 200", text, position=(0, 0, 0))
    scop = b.build()
    (written,) = references(scop)["S0"]
    assert [step_bytes(scop, written, d) for d in ((1, 0), (0, 1))] == steps
