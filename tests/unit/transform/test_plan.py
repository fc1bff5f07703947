"""Every planned script is legal; the good ideas for known kernels are among them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    loop_is_parallel,
    prepare_scop,
    set_band_flags,
    statement_places,
)
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.machine import Cpu
from polysched.testing import ScopBuilder
from polysched.transform import (
    Diamond,
    Draft,
    Jam,
    Order,
    Pack,
    PlanShape,
    Registers,
    Tile,
    Vector,
    apply_script,
    parse_script,
    plan_script,
    plan_scripts,
    print_script,
)
from tests.unit import scops
from tests.unit.transform import trees

CPU = Cpu(
    name="test", n_cores=2, n_threads=2, simd_bits=512, l1_bytes=48 << 10,
    l2_bytes=1 << 20, l3_bytes=32 << 20, line_bytes=64, frequency_hz=3e9,
    flops_per_second=9e10, bandwidth_bytes_per_second=1e10,
    bandwidth_all_bytes_per_second=2e10, barrier_seconds=3e-6, isa=("avx512f",),
)  # fmt: skip

DIAMONDS = PlanShape(straighten=True, diamond=True)
PAIRS = PlanShape(jam=True, straighten=True, diamond=True)
FRONTS = PlanShape(fronts=True)
CASES = {
    "gemm": (scops.gemm(), trees.GEMM_BAND, ("S0", "S1")),
    "jacobi": (scops.jacobi_2d(), trees.JACOBI_BAND, ()),
    "seidel": (scops.gauss_seidel(), trees.SEIDEL_BAND, ()),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_known_of_a_changed_tree_is_what_reading_it_gives(name: str) -> None:
    scop, band, order = CASES[name]
    tree, deps = trees.one_band(scop, band, *order)
    start = Draft(tree, deps)
    for script in plan_scripts(tree, scop, deps, CPU):
        draft = start
        assert draft.places
        for step in script:
            draft = draft.do(step)
            copy = ScheduleTree(draft.tree.schedule)
            assert draft.places == statement_places(copy)


def plans(name: str) -> list[str]:
    scop, band, order = CASES[name]
    tree, deps = trees.one_band(scop, band, *order)
    return [print_script(s) for s in plan_scripts(tree, scop, deps, CPU)]


@pytest.mark.parametrize("name", CASES)
def test_plans_are_legal_distinct_and_few(name: str) -> None:
    scop, band, order = CASES[name]
    tree, deps = trees.one_band(scop, band, *order)
    scripts = plan_scripts(tree, scop, deps, CPU)
    assert 1 <= len(scripts) <= 4
    done = [apply_script(tree, s, deps) for s in scripts]
    assert len({t.text for t in done}) == len(done)
    assert all(find_violation(t, deps, scop) is None for t in done)
    assert all(t.schedule.get_domain().is_equal(scop.domain) for t in done)


@pytest.mark.parametrize("name", CASES)
def test_one_plan_is_sequential(name: str) -> None:
    assert any("parallel" not in text for text in plans(name))


@pytest.mark.parametrize("name", CASES)
def test_plan_texts_are_scripts(name: str) -> None:
    for text in plans(name):
        assert print_script(parse_script(text)) == text


def test_product_gets_tiles_register_tiles_threads_and_vectors() -> None:
    best = plans("gemm")[0]
    for word in ("tile(", "jam(", "parallel(", "vector("):
        assert word in best
    assert "wavefront" not in best


@pytest.mark.parametrize(("columns", "is_shared"), [(40, True), (400, False)])
def test_threads_share_rows_where_columns_are_few(
    columns: int, is_shared: bool
) -> None:
    """One tile of columns is nothing to share; each thread copies it for itself."""
    b = ScopBuilder("product")
    b.array("A", "double[480][300]")
    b.array("B", f"double[300][{columns}]")
    b.array("C", f"double[480][{columns}]")
    box = f"0 <= i < 480 and 0 <= j < {columns} and 0 <= k < 300"
    text = "C[i][j] += A[i][k] * B[k][j]"
    b.statement("i, j, k", box, text, position=(0, 0, 0, 0))
    scop = b.build()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    shape = PlanShape(tile=True, jam=True, straighten=True, hold=True)
    draft = plan_script(tree, scop, deps, CPU, shape)
    first = next(s for s in draft.steps if isinstance(s, Tile))
    assert first.sizes[0] == (126 if is_shared else 0)  # of 9 rows
    done = apply_script(tree, draft.steps, deps)
    assert find_violation(done, deps, scop) is None


def scores() -> Scop:
    """Rows by rows, as queries meet keys."""
    b = ScopBuilder("scores")
    b.array("Q", "float[8][320][64]")
    b.array("K", "float[8][320][64]")
    b.array("S", "float[8][320][320]")
    box = "0 <= h < 8 and 0 <= i < 320 and 0 <= j < 320 and 0 <= k < 64"
    text = "S[h][i][j] += Q[h][i][k] * K[h][j][k]"
    b.statement("h, i, j, k", box, text, position=(0, 0, 0, 0, 0))
    return b.build()


def test_operands_of_one_product_of_a_batch_are_copied() -> None:
    """The number of the head stays fixed."""
    scop = scores()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    shape = PlanShape(tile=True, jam=True, straighten=True, hold=True)
    draft = plan_script(tree, scop, deps, CPU, shape)
    (tile,) = (s for s in draft.steps if isinstance(s, Tile))
    (held,) = (s for s in draft.steps if isinstance(s, Registers))
    (copy,) = (s for s in draft.steps if isinstance(s, Pack))
    assert tile.sizes == (1, 0, 192, 64)
    assert held.factors == (1, 6, 64, 1)
    assert copy.iterators == (0, 3, 2)
    done = apply_script(tree, draft.steps, deps)
    assert find_violation(done, deps, scop) is None
    text = print_openmp(scop, done, deps=deps.validity)
    assert "K_packed[3][1][64][64]" in text


@pytest.mark.parametrize("order", ["hijk", "ihjk", "kjih"])
def test_a_member_that_is_fixed_already_stands_in_front_of_a_contraction(
    order: str,
) -> None:
    """Wherever it stood."""
    scop = scores()
    members = (f"{{ S0[h, i, j, k] -> [({name})] }}" for name in order)
    tree, deps = trees.one_band(scop, f"[{', '.join(members)}]")
    sizes = tuple(int(name == "h") for name in order)
    tree = apply_script(tree, (Tile((0,), sizes),), deps)
    shape = PlanShape(tile=True, jam=True, straighten=True, hold=True)
    draft = plan_script(tree, scop, deps, CPU, shape)
    (held,) = (s for s in draft.steps if isinstance(s, Registers))
    assert held.factors[-3:] == (6, 64, 1)
    done = apply_script(tree, draft.steps, deps)
    assert find_violation(done, deps, scop) is None
    for script in plan_scripts(tree, scop, deps, CPU):
        assert find_violation(apply_script(tree, script, deps), deps, scop) is None


def test_copies_of_a_short_loop_fill_the_time_of_a_recurrence() -> None:
    """Five right sides along a line: none waits for another."""
    b = ScopBuilder("line")
    b.array("r", "double[5][900]")
    b.array("c", "double[900]")
    box = "1 <= i < 900 and 0 <= m < 5"
    text = "r[m][i] -= c[i] * r[m][i - 1]"
    b.statement("i, m", box, text, position=(0, 0, 0))
    scop = b.build()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    shape = PlanShape(jam=True, threads=False)
    steps = plan_script(tree, scop, deps, CPU, shape).steps
    assert Jam((0,), (5, 1)) in steps


def test_layers_at_both_ends_of_rows_have_loops_of_their_own() -> None:
    """No lanes ask for them, and no jammed copies do."""
    b = ScopBuilder("layers", ["n", "w"])
    for name in "AB":
        b.array(name, "double[n][n]")
    box = "0 <= i, j < n"
    b.statement("i, j", box, "A[i][j] *= 2.0", position=(0, 0, 0))
    layers = f"{box} and (j < w or j >= n - w)"
    b.statement("i, j", layers, "A[i][j] += B[i][j]", position=(0, 0, 1))
    scop = b.build()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    steps = plan_script(tree, scop, deps, CPU, PlanShape(jam=True)).steps
    kinds = {type(s).__name__ for s in steps}
    assert kinds >= {"Separate", "Vector"}
    assert "Jam" not in kinds
    text = print_openmp(scop, apply_script(tree, steps, deps))
    assert text.count("#pragma omp simd") == 3
    assert " if (" not in text


def test_stencil_keeps_its_vector_loop_whole_inside_waves() -> None:
    best = plans("jacobi")[0]
    assert best.startswith("straighten(band=0); tile(band=0, sizes=[16, 32])")
    for word in ("separate(", "wavefront(", "parallel(", "vector("):
        assert word in best


@pytest.mark.parametrize(
    ("scop", "band", "steps"),
    [
        (
            scops.jacobi_2d(),
            trees.JACOBI_BAND,
            ["straighten", "diamond", "separate", "wavefront", "parallel", "vector"],
        ),
        (
            scops.jacobi_1d(),
            trees.LINE_BAND,
            ["diamond", "distribute", "wavefront", "parallel", "vector", "vector"],
        ),
        (
            scops.nine_points(),
            trees.JACOBI_BAND,
            ["diamond", "distribute", "wavefront", "parallel", "vector", "vector"],
        ),
    ],
    ids=["rows in one loop", "a line", "rows apart"],
)
def test_stencils_run_in_diamonds(scop: Scop, band: str, steps: list[str]) -> None:
    tree, deps = trees.one_band(scop, band)
    found = plan_script(tree, scop, deps, CPU, DIAMONDS)
    assert [s.name for s in found.steps] == steps
    assert find_violation(found.tree, deps) is None


def test_planes_run_apart_with_two_rows_at_once() -> None:
    scop = scops.heat_3d().with_parameters_fixed({"T": 500, "n": 120})
    band = trees.HEAT_BAND.removeprefix("[T, n] -> ")
    tree, deps = trees.one_band(scop, band)
    found = plan_script(tree, scop, deps, CPU, PAIRS)
    assert [s.name for s in found.steps] == [
        "straighten", "diamond", "distribute", "merge", "merge",
        "wavefront", "parallel", "jam", "vector", "jam", "vector",
    ]  # fmt: skip
    jams = [s.factors for s in found.steps if isinstance(s, Jam)]
    assert jams == [(1, 2, 1), (1, 2, 1)]
    sizes = [s.sizes for s in found.steps if isinstance(s, Diamond)]
    assert sizes == [(16, 16, 4)]  # three planes' rows fit half of 48 KiB
    assert find_violation(found.tree, deps) is None


def test_in_a_plane_rows_of_all_statements_stay_together() -> None:
    tree, deps = trees.jacobi()
    assert not plan_script(tree, scops.jacobi_2d(), deps, CPU, PAIRS).steps


@pytest.mark.parametrize(
    ("scop", "band", "simd_bits", "lanes"),
    [
        (scops.jacobi_2d(), trees.JACOBI_BAND, 512, {4}),
        (scops.jacobi_2d(), trees.JACOBI_BAND, 256, {0}),
        (scops.gemm(), trees.GEMM_BAND, 512, {0}),
    ],
    ids=["neighbours", "short vectors", "no neighbours"],
)
def test_loops_over_neighbours_have_vectors_of_half_a_line(
    scop: Scop, band: str, simd_bits: int, lanes: set[int]
) -> None:
    tree, deps = trees.one_band(scop, band)
    cpu = replace(CPU, simd_bits=simd_bits)
    scripts = plan_scripts(tree, scop, deps, cpu, limit=8)
    vectors = [s for script in scripts for s in script if isinstance(s, Vector)]
    assert {step.lanes for step in vectors} == lanes


def test_a_sweep_in_place_has_no_diamonds() -> None:
    tree, deps = trees.seidel()
    assert not plan_script(tree, scops.gauss_seidel(), deps, CPU, DIAMONDS).steps


def test_diamonds_leave_several_tiles_of_a_wave_to_every_core() -> None:
    tree, deps = trees.line()
    scop = scops.jacobi_1d().with_parameters_fixed({"T": 500, "n": 2000})
    whole = plan_script(tree, scops.jacobi_1d(), deps, CPU, DIAMONDS)
    tree, deps = trees.one_band(scop, trees.LINE_BAND.removeprefix("[T, n] -> "))
    small = plan_script(tree, scop, deps, CPU, DIAMONDS)
    sides = [s.sizes[0] for d in (whole, small) for s in d.steps[:1]]
    assert sides == [2048, 256]


def test_a_sweep_in_place_runs_its_tiles_in_fronts() -> None:
    tree, deps = trees.seidel()
    found = plan_script(tree, scops.gauss_seidel(), deps, CPU, FRONTS)
    names = [s.name for s in found.steps]
    assert names == ["tile", "skew", "order", "wavefront", "parallel"]
    assert find_violation(found.tree, deps) is None
    face = found.node((0, 0, 0, 0, 0, 0))
    assert face.band_n_member() == 3
    assert all(loop_is_parallel(face, k, deps.validity) for k in (1, 2))


def test_what_can_start_at_once_has_no_fronts() -> None:
    tree, deps = trees.jacobi()
    assert not plan_script(tree, scops.jacobi_2d(), deps, CPU, FRONTS).steps


@pytest.mark.parametrize(
    ("steps", "size"), [(2, 1), (20, 10), (41, 11), (100, 17), (None, 20)]
)
def test_every_thread_gets_as_many_fronts_of_tiles(
    steps: int | None, size: int
) -> None:
    tree, deps = trees.seidel()
    scop = scops.gauss_seidel()
    if steps is not None:
        scop = scop.with_parameters_fixed({"T": steps, "n": 400})
        fixed = trees.SEIDEL_BAND.removeprefix("[T, n] -> ")
        tree, deps = trees.one_band(scop, fixed)
    found = plan_script(tree, scop, deps, CPU, FRONTS)
    assert [s.sizes for s in found.steps if isinstance(s, Tile)] == [(size, 32, 0)]


def test_recurrence_fills_its_waiting_time_with_copies() -> None:
    best = next(text for text in plans("seidel") if "jam" in text)
    assert "factors=[1, 8, 1]" in best
    assert "skew(band=0, member=2, weights=[0, 1, 0])" in best
    assert "vector" not in best


def test_statements_of_one_loop_share_the_rows_of_a_register_tile() -> None:
    box = "0 <= i < 512 and 0 <= j < 512"
    scop = scops.scop(
        "updated",
        scops.statement(
            "S0",
            f"{{ S0[i, j] : {box} }}",
            (0, 0, 0),
            "r [i, j] -> A[i, j]",
            "r [i, j] -> u[i]",
            "r [i, j] -> v[j]",
            "w [i, j] -> A[i, j]",
        ),
        scops.statement(
            "S1",
            f"{{ S1[i, j] : {box} }}",
            (0, 0, 1),
            "r [i, j] -> A[i, j]",
            "r [i, j] -> y[i]",
            "r [i, j] -> x[j]",
            "w [i, j] -> x[j]",
        ),
    )
    members = (f"{{ S0[i, j] -> [({k})]; S1[i, j] -> [({k})] }}" for k in "ij")
    band = f"[{', '.join(members)}]"
    tree, deps = trees.one_band(scop, band, "S0", "S1")
    script = plan_script(tree, scop, deps, CPU, PlanShape(jam=True)).steps
    assert [s.factors for s in script if isinstance(s, Jam)] == [(4, 1)]
    assert find_violation(apply_script(tree, script, deps), deps, scop) is None


def small(extent: str) -> Scop:
    box = f"0 <= i < {extent} and 0 <= k < {extent} and 0 <= j < {extent}"
    return scops.scop(
        "small",
        scops.statement(
            "S1",
            f"{{ S1[i, k, j] : {box} }}",
            (0, 0, 0, 0),
            "r [i, k, j] -> A[i, k]",
            "r [i, k, j] -> B[k, j]",
            "r [i, k, j] -> C[i, j]",
            "w [i, k, j] -> C[i, j]",
        ),
    )


@pytest.mark.parametrize("extent", ["1", "2", "3", "17", "65"])
def test_odd_sizes_run_every_instance_once_in_order(extent: str) -> None:
    scop = small(extent)
    band = (
        "[{ S1[i, k, j] -> [(i)] }, { S1[i, k, j] -> [(k)] }, { S1[i, k, j] -> [(j)] }]"
    )
    tree, deps = trees.one_band(scop, band)
    for script in plan_scripts(tree, scop, deps, CPU):
        done = apply_script(tree, script, deps)
        assert find_violation(done, deps, scop) is None
        assert done.map.is_injective()


def test_short_loops_are_not_tiled() -> None:
    scop = small("20")
    band = (
        "[{ S1[i, k, j] -> [(i)] }, { S1[i, k, j] -> [(k)] }, { S1[i, k, j] -> [(j)] }]"
    )
    tree, deps = trees.one_band(scop, band)
    texts = [print_script(s) for s in plan_scripts(tree, scop, deps, CPU)]
    assert all("256" not in text for text in texts)


def test_original_tree_of_single_loops_is_planned() -> None:
    scop = scops.jacobi_1d()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    for script in plan_scripts(tree, scop, deps, CPU):
        assert find_violation(apply_script(tree, script, deps), deps, scop) is None


def test_planning_is_deterministic() -> None:
    assert plans("gemm") == plans("gemm")


FILTERS = """static int first[81];
void f(int n, const float *power, float *mel) {
#pragma scop
  for (int t = 0; t < n; t++)
    for (int m = 0; m < 80; m++) {
      float sum = 0.0f;
      for (int k = first[m]; k < first[m + 1]; k++)
        sum += power[t * 1025 + k];
      mel[m * n + t] = sum;
    }
#pragma endscop
}
"""


@pytest.mark.cc
def test_loops_around_a_loop_of_data_keep_their_order(tmp_path: Path) -> None:
    """What is stored would be neighbours in the other one."""
    path = tmp_path / "filters.c"
    path.write_text(FILTERS)
    scop = prepare_scop(parse_c(path).scops[0])
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    for shape in (PlanShape(), PlanShape(tile=True), PlanShape(jam=True)):
        draft = plan_script(tree, scop, deps, CPU, shape)
        assert not any(isinstance(s, Order) for s in draft.steps)


@pytest.mark.parametrize(("guard", "is_held"), [("M[i][k] > 0.0", False), ("", True)])
def test_what_data_guard_is_no_register_tile(guard: str, is_held: bool) -> None:
    """Lanes of a tile all compute: it would be printed as loops."""
    b = ScopBuilder("masked")
    for name in "ABCM":
        b.array(name, "double[1000][1000]")
    box = "0 <= i < 1000 and 0 <= j < 1000 and 0 <= k < 1000"
    text = "C[i][j] += A[i][k] * B[k][j]"
    b.statement("i, j, k", box, text, position=(0, 0, 0, 0), guard=guard or None)
    scop = b.build()
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    shape = PlanShape(tile=True, jam=True, straighten=True, hold=True)
    draft = plan_script(tree, scop, deps, CPU, shape)
    assert any(isinstance(s, Registers) for s in draft.steps) == is_held


def test_members_of_structures_are_near_each_other(tmp_path: Path) -> None:
    """A row of pairs is read two elements at a time, a column a row at a time."""
    path = tmp_path / "permute.c"
    path.write_text(
        "typedef struct { double re, im; } pair;\n"
        "void f(int n, pair x[n][2000], pair y[n][2000], const int to[2000]) {\n"
        "#pragma scop\n"
        "for (int i = 0; i < n; i++)\n"
        "  for (int j = 0; j < 2000; j++)\n"
        "    y[i][j] = x[i][to[j]];\n"
        "#pragma endscop\n}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    draft = plan_script(tree, scop, deps, CPU, PlanShape())
    assert draft.steps
    assert not any(isinstance(s, Order) for s in draft.steps)
