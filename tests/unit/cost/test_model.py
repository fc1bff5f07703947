"""The model need not know seconds; it must know which schedule is the faster one."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost import predict, predict_seconds, rank
from polysched.cost.model import LARGE_TEAM_SECONDS, TEAM_SECONDS
from polysched.cost.read import read_nests
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, original_tree
from polysched.machine import Cpu, Machine
from polysched.testing import ScopBuilder
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees

MACHINE = Machine(
    Cpu(
        name="test", n_cores=2, n_threads=2, simd_bits=512, l1_bytes=48 << 10,
        l2_bytes=1 << 20, l3_bytes=32 << 20, line_bytes=64, frequency_hz=3e9,
        flops_per_second=9e10, bandwidth_bytes_per_second=1e10,
        bandwidth_all_bytes_per_second=2e10, barrier_seconds=3e-6, isa=("avx512f",),
    )
)  # fmt: skip


def gemm(script: str) -> ScheduleTree:
    tree, deps = trees.gemm()
    return apply_script(tree, parse_script(script), deps)


def seidel(script: str) -> ScheduleTree:
    tree, deps = trees.seidel()
    return apply_script(tree, parse_script(script), deps)


def test_product_ranks_register_tiles_over_tiles_over_plain_loops() -> None:
    tile = "tile(band=0, sizes=[64, 64, 256]); parallel(band=0.0); "
    found = [
        gemm("order(band=0, members=[0, 2, 1])"),
        gemm("vector(band=0, member=2)"),
        gemm("parallel(band=0); vector(band=0.0, member=2)"),
        gemm(tile + "vector(band=0.0.0.0, member=2)"),
        gemm(tile + "jam(band=0.0.0.0, factors=[4, 4, 1]); "
             "vector(band=0.0.0.0, member=2)"),
    ]  # fmt: skip
    sizes = {"n": 1100}
    assert rank(found, scops.gemm(), None, MACHINE, sizes) == [4, 3, 2, 1, 0]


def test_stencil_ranks_straight_waves_first() -> None:
    scop = scops.jacobi_2d()
    tree, deps = trees.jacobi()
    original = set_band_flags(original_tree(scop), deps)
    script = parse_script(
        "straighten(band=0); tile(band=0, sizes=[16, 32]); wavefront(band=0.0); "
        "parallel(band=0.0.0, member=1); vector(band=0.0.0.0.0.0.0)"
    )
    waves = apply_script(tree, script, deps)
    skewed = apply_script(tree, parse_script("tile(band=0, sizes=[32, 32, 32])"), deps)
    sizes = {"n": 1300, "T": 500}
    assert rank([tree, skewed, original, waves], scop, deps, MACHINE, sizes)[:2] == [
        3,
        2,
    ]


def test_fronts_are_charged_for_the_points_they_have() -> None:
    """A front of two skewed loops fills a part of their box, along a diagonal."""
    scop = scops.gauss_seidel()
    sizes = {"n": 400, "T": 20}
    plain = predict(original_tree(scop), scop, MACHINE, sizes)
    fronts = ", ".join(
        f"{{ S0[t, i, j] -> [({row})] }}" for row in ("2t + i + j", "t", "i")
    )
    front = predict(trees.one_band(scop, f"[{fronts}]")[0], scop, MACHINE, sizes)
    assert plain is not None
    assert front is not None
    moved = front.l2_seconds + front.l3_seconds + front.memory_seconds
    assert moved < 4 * plain.compute_seconds


def diamonds(size: int) -> ScheduleTree:
    tree, deps = trees.line()
    script = parse_script(
        f"diamond(band=0, sizes=[{size}, {size}], slope=4, shifts=[0, 2]); "
        "wavefront(band=0.0.0); parallel(band=0.0.0.0, member=1)"
    )
    return apply_script(tree, script, deps)


def test_a_slanted_box_is_counted_as_what_it_holds() -> None:
    """500 steps of 2000 cells: 2000 / 200 waves of 2000 / 200 diamonds."""
    scop = scops.jacobi_1d().with_parameters_fixed({"T": 500, "n": 2002})
    for nest in read_nests(diamonds(200), scop):
        wave, tile, time, cell = nest.trips
        assert (wave, tile) == pytest.approx((10, 10), rel=0.02)
        assert (time, cell) == pytest.approx((100, 100), rel=0.02)
        assert prod(nest.trips) == pytest.approx(nest.n_instances, rel=0.02)


def test_rows_of_slanted_tiles_are_no_longer_than_the_loop_they_follow() -> None:
    """Three values of b, whatever the tiles of 8 hold."""
    box = "{ S0[i, b] : 0 <= i < 900 and 0 <= b < 3 }"
    sides = "r [i, b] -> A[2i + b]", "w [i, b] -> C[i, b]"
    scop = scops.scop("gradient", scops.statement("S0", box, (0, 0, 0), *sides))
    tree, deps = trees.one_band(
        scop, "[{ S0[i, b] -> [(i)] }, { S0[i, b] -> [(-i - b)] }]"
    )
    tiles = parse_script("diamond(band=0, sizes=[8, 8], slope=1, shifts=[0])")
    (nest,) = read_nests(apply_script(tree, tiles, deps), scop)
    assert nest.inner_trips == 3


def test_waves_that_start_at_once_lose_nothing_to_a_pipeline() -> None:
    tree, deps = trees.line()
    script = (
        "tile(band=0, sizes=[50, 200]); wavefront(band=0.0); "
        "parallel(band=0.0.0, member=1)"
    )
    slanted = apply_script(tree, parse_script(script), deps)
    sizes, scop = {"T": 500, "n": 2002}, scops.jacobi_1d()
    found = [predict(t, scop, MACHINE, sizes) for t in (diamonds(200), slanted)]
    at_once, piped = (p.compute_seconds / p.seconds for p in found if p is not None)
    assert at_once > 1.1 * piped


@pytest.mark.parametrize(
    ("rows", "columns", "widths"),
    [(4, 2, [1, 2, 2, 2, 1]), (3, 3, [1, 2, 3, 2, 1]), (1, 3, [1, 1, 1])],
)
def test_waves_of_a_box_fill_and_drain(
    rows: int, columns: int, widths: list[int]
) -> None:
    domain = f"{{ S0[i, j] : 0 <= i < {10 * rows} and 0 <= j < {10 * columns} }}"
    scop = scops.scop(
        "path",
        scops.statement(
            "S0", domain, (0, 0, 0), "r [i, j] -> s[i]", "r [i, j] -> d[j]",
            "w [i, j] -> s[i]", "w [i, j] -> d[j]",
        ),
    )  # fmt: skip
    band = "[{ S0[i, j] -> [(i)] }, { S0[i, j] -> [(j)] }]"
    tree, deps = trees.one_band(scop, band)
    script = (
        "tile(band=0, sizes=[10, 10]); wavefront(band=0.0); "
        "parallel(band=0.0.0, member=1)"
    )
    piped = apply_script(tree, parse_script(script), deps)
    (nest,) = read_nests(piped, scop)
    assert nest.waves_of_a_box == (rows * columns, widths)


def test_waves_of_loops_that_limit_each_other_are_no_box() -> None:
    script = (
        "tile(band=0, sizes=[8, 8, 0]); wavefront(band=0.0); "
        "parallel(band=0.0.0, member=1)"
    )
    for nest in read_nests(seidel(script), scops.gauss_seidel()):
        assert nest.waves_of_a_box is None


def test_rows_that_two_copies_read_are_loaded_once() -> None:
    tree, deps = trees.jacobi()
    script = parse_script("jam(band=0, factors=[1, 2, 1])")
    scop = scops.jacobi_2d()
    (one, _), (two, _) = (
        read_nests(t, scop) for t in (tree, apply_script(tree, script, deps))
    )
    assert one.memory_operations() == (6.0, 0.0)
    assert two.memory_operations() == ((8 + 2) / 2, 0.0)


def test_recurrence_gains_from_copies() -> None:
    scop = scops.gauss_seidel()
    trees_ = [seidel(""), seidel("jam(band=0, factors=[4, 4, 1])")]
    assert rank(trees_, scop, None, MACHINE, {"n": 1000, "T": 50}) == [1, 0]


def test_sums_of_rows_gain_from_squares_that_are_turned() -> None:
    box = "0 <= i < 4000 and 0 <= j < 4000"
    reads = ("r [i, j] -> A[i, j]", "r [i, j] -> x[j]", "r [i, j] -> y[i]")
    sums = scops.statement(
        "S0", f"{{ S0[i, j] : {box} }}", (0, 0, 0), *reads, "w [i, j] -> y[i]"
    )
    scop = scops.scop("sums", sums)
    band = "[{ S0[i, j] -> [(i)] }, { S0[i, j] -> [(j)] }]"
    tree, deps = trees.one_band(scop, band)
    scripts = (
        "",
        "jam(band=0, factors=[8, 1])",
        "registers(band=0, factors=[16, 1], lanes=8)",
    )
    found = [apply_script(tree, parse_script(s), deps) for s in scripts]
    assert rank(found, scop, deps, MACHINE) == [2, 1, 0]


def test_sums_both_ways_gain_from_squares_and_rows_asked_for_ahead() -> None:
    box = "0 <= i < 4000 and 0 <= j < 4000"
    sums = [
        scops.statement(
            name, f"{{ {name}[i, j] : {box} }}", (0, 0, k), "r [i, j] -> A[i, j]",
            f"r [i, j] -> x[{other}]", f"r [i, j] -> {target}[{own}]",
            f"w [i, j] -> {target}[{own}]",
        )
        for k, (name, target, own, other) in enumerate(
            [("S0", "y", "i", "j"), ("S1", "z", "j", "i")]
        )
    ]  # fmt: skip
    scop = scops.scop("sums", *sums)
    rows, columns = (f"S0[i, j] -> [({k})]; S1[i, j] -> [({k})]" for k in "ij")
    tree, deps = trees.one_band(scop, f"[{{ {rows} }}, {{ {columns} }}]")
    scripts = (
        "jam(band=0, factors=[8, 1])",
        "squares(band=0, factors=[8, 1], lanes=8)",
        "squares(band=0, factors=[8, 1], lanes=8, ahead=8)",
    )
    found = [apply_script(tree, parse_script(s), deps) for s in scripts]
    assert rank(found, scop, deps, MACHINE) == [2, 1, 0]


def test_short_loops_do_not_pay_for_threads() -> None:
    threads = gemm("parallel(band=0); vector(band=0.0, member=2)")
    alone = gemm("vector(band=0, member=2)")
    scop = scops.gemm()
    few = [predict_seconds(t, scop, None, MACHINE, {"n": 4}) for t in (threads, alone)]
    many = [
        predict_seconds(t, scop, None, MACHINE, {"n": 999}) for t in (threads, alone)
    ]
    assert few[0] > few[1]
    assert many[0] < many[1]


def test_one_short_run_does_not_pay_for_creating_threads() -> None:
    """What takes half a millisecond is done before the second thread helps."""
    scop = scops.jacobi_1d()
    _, deps = trees.line()
    original = set_band_flags(original_tree(scop), deps)
    apart = (
        "distribute(band=0.0.0.0.0.0.0, member=1, statements=[0, 1]); "
        "vector(band=0.0.0.0.0.0.0.0.1.0); vector(band=0.0.0.0.0.0.0.0.0.0)"
    )
    shared = apply_script(diamonds(256), parse_script(apart), deps)
    ranked = [
        rank([shared, original], scop, deps, MACHINE, {"T": 500, "n": n})
        for n in (1000, 20000)
    ]
    assert ranked == [[1, 0], [0, 1]]


def test_unknown_sizes_are_assumed_large() -> None:
    tree, _ = trees.gemm()
    assert predict_seconds(tree, scops.gemm(), None, MACHINE) == pytest.approx(
        predict_seconds(tree, scops.gemm(), None, MACHINE, {"n": 1000}), rel=0.01
    )


def test_parts_are_told_apart() -> None:
    tree = gemm("parallel(band=0)")
    parts = predict(tree, scops.gemm(), MACHINE, {"n": 100})
    assert parts is not None
    assert TEAM_SECONDS < parts.barrier_seconds < 1.1 * TEAM_SECONDS  # few pages
    large = predict(tree, scops.gemm(), MACHINE, {"n": 1000})
    assert large is not None
    assert large.barrier_seconds == pytest.approx(3e-6 + LARGE_TEAM_SECONDS)
    assert parts.seconds >= max(parts.compute_seconds, parts.l2_seconds) / 2
    repeated = replace(scops.gemm(), is_repeated=True)
    again = predict(tree, repeated, MACHINE, {"n": 100})
    assert again is not None
    assert again.barrier_seconds == pytest.approx(3e-6)
    assert TEAM_SECONDS < parts.seconds - again.seconds < 1.1 * TEAM_SECONDS


@pytest.mark.parametrize("n", [0, 1])
def test_empty_and_tiny_domains_have_a_time(n: int) -> None:
    tree, _ = trees.gemm()
    found = predict_seconds(tree, scops.gemm(), None, MACHINE, {"n": n})
    assert found is not None
    assert found >= 0


def test_program_with_scalar_only_statements() -> None:
    program = scops.scop(
        "scalars",
        scops.statement("S0", "{ S0[] }", (0,), "w [] -> s[]"),
        scops.statement("S1", "{ S1[] }", (1,), "r [] -> s[]", "w [] -> r[]"),
    )
    deps = compute_dependences(program)
    tree = set_band_flags(original_tree(program), deps)
    assert predict_seconds(tree, program, deps, MACHINE) is not None


@pytest.mark.parametrize(
    ("type_", "value", "n_bytes"),
    [
        ("unsigned char", "(x[i] + 2 * x[i + 1]) / 3", 4),
        ("unsigned char", "x[i]", 1),
        ("float", "x[i] + x[i + 1]", 4),
    ],
)
def test_c_computes_with_bytes_as_int(
    type_: str, value: str, n_bytes: int, tmp_path: Path
) -> None:
    path = tmp_path / "case.c"
    path.write_text(
        f"void f({type_} *x, {type_} *y) {{\n#pragma scop\n"
        f"for (int i = 0; i < 999; i++) y[i] = {value};\n#pragma endscop\n}}\n"
    )
    scop = parse_c(path).scops[0]
    (nest,) = read_nests(original_tree(scop), scop)
    assert nest.element_bytes == n_bytes


def test_single_columns_are_not_handed_out_to_threads(tmp_path: Path) -> None:
    path = tmp_path / "case.c"
    path.write_text(
        "void f(double a[3000][3000]) {\n#pragma scop\n"
        "for (int i = 0; i < 3000; i++) for (int j = 0; j < i; j++) {\n"
        "a[i][j] = 0.5 * (a[i][j] + a[j][i]); a[j][i] = a[i][j]; }\n"
        "#pragma endscop\n}\n"
    )
    scop = parse_c(path).scops[0]
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    merged = "merge(band=0); "
    seconds = [
        predict_seconds(apply_script(tree, parse_script(text)), scop, deps, MACHINE)
        for text in (
            merged,
            f"{merged}parallel(band=0, dynamic=true)",
            f"{merged}tile(band=0, sizes=[64, 256]); parallel(band=0.0, dynamic=true)",
        )
    ]
    assert seconds[2] < min(seconds[:2])


@pytest.mark.parametrize(("type_", "waits"), [("double", True), ("int", False)])
def test_sums_of_integers_hardly_wait_for_each_other(
    type_: str, waits: bool, tmp_path: Path
) -> None:
    path = tmp_path / "sums.c"
    path.write_text(
        f"void f({type_} x[200][200], {type_} s[200][200]) {{\n#pragma scop\n"
        "for (int i = 0; i < 200; i++) for (int j = 1; j < 200; j++)\n"
        "s[i][j] = s[i][j - 1] + x[i][j];\n#pragma endscop\n}\n"
    )
    scop = parse_c(path).scops[0]
    deps = compute_dependences(scop)
    band = "[{ S0[i, j] -> [(i)] }, { S0[i, j] -> [(j)] }]"
    tree, _ = trees.one_band(scop, band)
    jam = parse_script("jam(band=0, factors=[8, 1])")
    plain, jammed = (
        predict_seconds(t, scop, deps, MACHINE)
        for t in (tree, apply_script(tree, jam, deps))
    )
    assert (plain > 1.5 * jammed) == waits


def test_pairs_that_fill_a_row_together_run_in_lanes() -> None:
    """Halves of one pair, against the first halves of two rows."""

    def seconds(second: str) -> float:
        b = ScopBuilder("turn")
        b.array("z", "float[2][8192]")
        b.array("c", "float[4096]")
        for k, place in enumerate(("z[0][2 * j]", second)):
            text = f"{place} = {place} * c[j]"
            b.statement("j", "0 <= j < 4096", text, position=(0, k))
        scop = b.build()
        tree = set_band_flags(original_tree(scop), compute_dependences(scop))
        found = predict_seconds(tree, scop, None, MACHINE)
        assert found is not None
        return found

    assert seconds("z[0][2 * j + 1]") < 0.5 * seconds("z[1][2 * j]")


def jammed_sums(n_others: int) -> float:
    """Eight rows of sums at once, others at the first and the last of the terms."""
    b = ScopBuilder("sums")
    for name, extents in (("c", "[64][512]"), ("a", "[64][100]"), ("b", "[100][512]")):
        b.array(name, f"double{extents}")
    box = "0 <= i < 64 and 0 <= j < 512"
    b.statement("i, j", box, "c[i][j] = 0", position=(0, 0, 0))
    text = "c[i][j] += a[i][k] * b[k][j]"
    b.statement("i, j, k", f"{box} and 0 <= k < 100", text, position=(0, 0, 1, 0))
    if n_others > 1:
        b.statement("i, j", box, "c[i][j] = c[i][j] * c[i][j]", position=(0, 0, 2))
    scop = b.build()
    names = ("S0[i, j]", "S1[i, j, k]", "S2[i, j]")[: n_others + 1]
    rows = (
        "; ".join(f"{s} -> [({v})]" for s, v in zip(names, row, strict=False))
        for row in (("i", "i", "i"), ("0", "k", "99"), ("j", "j", "j"))
    )
    band = ", ".join(f"{{ {row} }}" for row in rows)
    order = ("S0", "S1", "S2")[: n_others + 1]
    tree, deps = trees.one_band(scop, f"[{band}]", *order)
    jam = parse_script("jam(band=0, factors=[8, 1, 1])")
    found = predict_seconds(apply_script(tree, jam, deps), scop, None, MACHINE)
    assert found is not None
    return found


def test_copies_that_ask_twice_have_no_lanes() -> None:
    """Of one question, the same for the whole loop, compilers rid it."""
    assert jammed_sums(2) > 1.5 * jammed_sums(1)


def test_transpositions_gain_from_squares_that_are_turned() -> None:
    box = "0 <= i < 256 and 0 <= j < 256"
    copy = scops.statement(
        "S0", f"{{ S0[i, j] : {box} }}", (0, 0, 0),
        "r [i, j] -> A[i, j]", "w [i, j] -> B[j, i]",
    )  # fmt: skip
    scop = scops.scop("transposed", copy)
    band = "[{ S0[i, j] -> [(j)] }, { S0[i, j] -> [(i)] }]"
    tree, deps = trees.one_band(scop, band)
    scripts = ("", "registers(band=0, factors=[8, 8], lanes=8)")
    found = [apply_script(tree, parse_script(s), deps) for s in scripts]
    plain, turned = (predict_seconds(t, scop, deps, MACHINE) for t in found)
    assert plain is not None
    assert turned is not None
    assert turned < plain


@pytest.mark.cc
@pytest.mark.parametrize("terms", [1, 2])
def test_bytes_that_lie_far_apart_fill_no_vectors(tmp_path: Path, terms: int) -> None:
    """A tile whose lanes read a column of bytes is printed as plain loops."""
    path = tmp_path / "bytes.c"
    path.write_text(
        "static signed char A[96][128], B[96][128]; static int C[96][96];\n"
        "void product(void) {\n#pragma scop\n"
        "for (int i = 0; i < 96; i++) for (int j = 0; j < 96; j++)\n"
        "  for (int k = 0; k < 128; k++) C[i][j] += A[i][k] * B[j][k];\n"
        "#pragma endscop\n}\n"
    )
    scop = parse_c(path).scops[0]
    loops = ", ".join(f"{{ S0[i, j, k] -> [({v})] }}" for v in "ijk")
    tree, deps = trees.one_band(scop, f"[{loops}]")
    tile = f"registers(band=0, factors=[6, 64, 1], lanes=16, terms={terms})"
    plain, tiled = (
        predict_seconds(apply_script(tree, parse_script(s), deps), scop, deps, MACHINE)
        for s in ("", tile)
    )
    assert plain is not None
    assert tiled is not None
    assert tiled > plain / 2


def test_short_sums_in_memory_pay_for_the_way_there_and_back(tmp_path: Path) -> None:
    """Three terms for each element, in the innermost loop or around the elements."""
    path = tmp_path / "terms.c"
    path.write_text(
        "void f(int n, double a[n][500], double y[n][500]) {\n#pragma scop\n"
        "for (int i = 0; i < n; i++)\n  for (int j = 0; j < 500; j++)\n"
        "    for (int k = j / 9; k < j / 9 + 3; k++)\n"
        "      y[i][j] += a[i][k];\n#pragma endscop\n}\n"
    )
    scop = parse_c(path).scops[0]
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    (nest,) = read_nests(tree, scop, deps)
    assert nest.n_handed() == 1
    swapped = apply_script(
        tree, parse_script("merge(band=0.0); order(band=0.0, members=[1, 0])"), deps
    )
    (across,) = read_nests(swapped, scop, deps)
    assert across.n_handed() == 0
