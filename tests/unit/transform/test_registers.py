"""Register tiles and packing on trees: marks, refusals, plans."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.analysis import (
    allow_reordering,
    compute_dependences,
    find_violation,
    infer_liveness,
    privatize,
    set_band_flags,
)
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.machine import Machine
from polysched.transform import (
    Pack,
    Registers,
    apply_script,
    parse_script,
    plan_scripts,
    print_script,
)
from polysched.transform.band_view import view_band
from polysched.transform.contraction import (
    choose_register_tile,
)
from polysched.transform.draft import Draft
from polysched.transform.roles import (
    find_contraction,
)
from tests.unit.transform import trees

CPU = replace(
    Machine.detect(calibrated=False).cpu,
    simd_bits=256,
    isa=("avx2", "fma"),
    l1_bytes=32 * 1024,
    l2_bytes=512 * 1024,
    n_cores=2,
)
WIDE = replace(CPU, simd_bits=512, isa=("avx512f", "avx2", "fma"))


def test_a_register_tile_is_marked_above_its_points_and_legal() -> None:
    tree, deps = trees.gemm()
    script = parse_script("registers(band=0, factors=[6, 1, 8], lanes=4)")
    done = apply_script(tree, script, deps)
    assert find_violation(done, deps) is None
    mark = done.node((0, 0))
    assert mark.mark_get_id().get_name() == "registers:4"
    assert done.node((0, 0, 0)).band_n_member() == 2
    assert print_script(script) == "registers(band=0, factors=[6, 1, 8], lanes=4)"


@pytest.mark.parametrize(
    ("factors", "lanes", "reason"),
    [
        ((6, 8), 4, "found 2 factors for 3 band members"),
        ((1, 1, 1), 1, "found 1 points, expected 2 to 1024"),
        ((6, 1, 8), 3, "found 3 lanes, expected a power of two"),
        ((6, 1, 6), 4, "found 6 points for vectors of 4"),
    ],
)
def test_tiles_without_a_form_are_refused(factors, lanes, reason) -> None:
    tree, _ = trees.gemm()
    assert Registers((0,), factors, lanes).find_misfit(tree) == reason


def test_lanes_along_a_reduction_are_refused_with_a_witness() -> None:
    tree, deps = trees.gemm()
    step = Registers((0,), (4, 4, 1), 4)  # k is the last of the tiled members
    reason = step.check(tree, deps)
    assert reason is not None
    assert "the registers loop leaves their order open" in reason


def test_packing_needs_a_statement_and_iterators_it_has() -> None:
    tree, _ = trees.gemm()
    assert Pack((0,), 7, (0,)).find_misfit(tree) == (
        "found no statement S7 under the band"
    )
    assert Pack((0,), 1, (0, 5)).find_misfit(tree) == (
        "found iterators [0, 5] of a statement with 3"
    )


@pytest.mark.parametrize("again", [(0,), (0, 0)], ids=["above", "below"])
def test_an_operand_is_packed_once(again: tuple[int, ...]) -> None:
    tree, _ = trees.gemm()
    tree = apply_script(
        tree, parse_script("pack(band=0, statement=1, iterators=[1, 2])")
    )
    tree = ScheduleTree.parse(tree.text)
    node = tree.root.child(0)
    assert node.mark_get_id().get_name() == "pack:S1:1,2"
    step = Pack(again, 1, (2, 1))
    assert step.find_band_misfit(tree.node(again)) == (
        "found S1 packed by these iterators already"
    )
    assert Pack(again, 1, (0, 1)).find_band_misfit(tree.node(again)) is None


@pytest.mark.parametrize(
    ("cpu", "n_bytes", "expected"),
    [
        (CPU, 8, (6, 2, 4)),
        (CPU, 4, (6, 2, 8)),
        (WIDE, 8, (6, 4, 8)),
        (replace(CPU, simd_bits=128), 8, (6, 2, 2)),
    ],
)
def test_register_tiles_follow_from_registers_and_lanes(cpu, n_bytes, expected) -> None:
    assert choose_register_tile(cpu, n_bytes) == expected


@pytest.mark.parametrize(
    ("n_rows", "columns", "expected"),
    [
        (8, 8, (8, 1, 8)),  # one vector of 8, not four with 24 idle lanes
        (12, 24, (6, 3, 8)),
        (16, 48, (8, 3, 8)),
        (8, 28, (8, 3, 8)),  # and a narrow tile for four columns
        (0, 56, (6, 4, 8)),
        (32, 0, (8, 3, 8)),
        (64, 0, (6, 4, 8)),
    ],
)
def test_few_rows_and_columns_leave_few_over(n_rows, columns, expected) -> None:
    found = choose_register_tile(WIDE, 8, n_rows=n_rows, columns=columns)
    assert found == expected


PRODUCT = """
static double A[300][400], B[400][500], C[300][500], D[400][500], x[300];
void f(void) {
#pragma scop
    for (int i = 0; i < 300; i++)
        for (int j = 0; j < 500; j++)
            for (int k = 0; k < 400; k++)
                C[i][j] += STATEMENT;
#pragma endscop
}
"""


def product_draft(statement: str, tmp_path) -> tuple[Draft, Scop]:
    file = tmp_path / "product.c"
    file.write_text(PRODUCT.replace("STATEMENT", statement))
    (scop,) = parse_c(str(file)).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    merged = apply_script(tree, parse_script("merge(band=0); merge(band=0)"), deps)
    return Draft(set_band_flags(merged, deps), deps), scop


def plan(statement: str, tmp_path) -> str:
    draft, scop = product_draft(statement, tmp_path)
    scripts = plan_scripts(draft.tree, scop, draft.deps, CPU)
    return print_script(scripts[0])


def test_the_roles_of_a_products_loops_are_found(tmp_path) -> None:
    draft, scop = product_draft("A[i][k] * B[k][j]", tmp_path)
    found = find_contraction(view_band(draft, scop, (0,)))
    assert found is not None
    assert (found.row, found.lane, found.inside, found.outside) == (0, 1, (2,), ())


def test_products_are_planned_with_register_tiles_and_a_packed_operand(
    tmp_path,
) -> None:
    text = plan("A[i][k] * B[k][j]", tmp_path)
    assert "factors=[6, 8, 1], lanes=4)" in text
    assert text.count("pack(") == 1
    assert "iterators=[2, 1]" in text  # B, contiguous along j


def test_a_broadcast_operand_is_packed_where_that_saves_work(tmp_path) -> None:
    scaled = plan("2.5 * A[i][k] * B[k][j]", tmp_path)
    assert "iterators=[0, 2]" in scaled


def test_copies_share_the_second_cache(tmp_path) -> None:
    """Two operands that move with the lanes: each copy has half of it."""
    for second, columns in (("B[k][j]", 256), ("D[k][j]", 128)):
        script = plan(f"A[i][k] * B[k][j] + x[i] * {second}", tmp_path)
        assert f"sizes=[0, {columns}, " in script, script


def test_terms_come_in_turn_where_they_may(tmp_path) -> None:
    draft, scop = product_draft("A[i][k] * B[k][j] + x[i] * D[k][j]", tmp_path)
    free = allow_reordering(draft.deps, scop, "reassociate")
    strict, fast = (
        print_script(plan_scripts(draft.tree, scop, deps, CPU)[0])
        for deps in (draft.deps, free)
    )
    assert "in_turn" not in strict
    assert "lanes=4, in_turn=true)" in fast


def test_no_register_tile_where_the_lanes_find_no_neighbours(tmp_path) -> None:
    assert "registers(" not in plan("A[i][k] * A[j % 7][k]", tmp_path)
    assert "registers(" not in plan("A[i][k]", tmp_path)


ANY_SIZE = """
void f(int n, int m, int k, double A[n][k], double B[k][m], double C[n][m]) {
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            for (int l = 0; l < k; l++)
                C[i][j] += A[i][l] * B[l][j];
#pragma endscop
}
"""


@pytest.mark.parametrize(
    ("sizes", "tiles"),
    [
        ({}, "sizes=[0, 256, 148]); tile(band=0.0.0, sizes=[108, 0, 0])"),
        (
            {"n": 800, "m": 900, "k": 1000},
            "sizes=[0, 232, 168]); tile(band=0.0.0, sizes=[90, 0, 0])",
        ),
        (  # few rows are cut all the same: another call may have more
            {"n": 40, "m": 900, "k": 1000},
            "sizes=[0, 232, 200]); tile(band=0.0.0, sizes=[40, 0, 0])",
        ),
        (  # few columns are shared by all threads
            {"n": 800, "m": 40, "k": 1000},
            "sizes=[0, 24, 168]); tile(band=0.0.0, sizes=[90, 0, 0])",
        ),
    ],
)
def test_tiles_are_even_for_estimated_sizes_and_bounded_for_all(
    sizes, tiles, tmp_path
) -> None:
    file = tmp_path / "product.c"
    file.write_text(ANY_SIZE)
    (scop,) = parse_c(str(file)).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    merged = apply_script(tree, parse_script("merge(band=0); merge(band=0)"), deps)
    merged = set_band_flags(merged, deps)
    script = plan_scripts(merged, scop.with_estimates(sizes), deps, CPU)[0]
    assert tiles in print_script(script)
    assert find_violation(apply_script(merged, script, deps), deps) is None


def test_both_copies_may_stand_above_one_band(tmp_path) -> None:
    """Where the rows fit one block, no loop separates the two marks."""
    file = tmp_path / "product.c"
    text = PRODUCT.replace("STATEMENT", "2.5 * A[i][k] * B[k][j]")
    file.write_text(text.replace("i < 300", "i < 40"))
    (scop,) = parse_c(str(file)).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    merged = apply_script(tree, parse_script("merge(band=0); merge(band=0)"), deps)
    merged = set_band_flags(merged, deps)
    script = plan_scripts(merged, scop, deps, CPU)[0]
    assert print_script(script).count("pack(") == 2
    assert find_violation(apply_script(merged, script, deps), deps) is None


def test_a_private_scalar_that_other_loops_use_is_held_like_an_element(
    tmp_path,
) -> None:
    file = tmp_path / "program.c"
    file.write_text(
        "double A[300][400], B[400][500], C[300][500];\n"
        "void f(void) {\n  double w;\n  #pragma scop\n"
        "  for (int i = 0; i < 300; i++)\n    for (int j = 0; j < 500; j++) {\n"
        "      w = 0;\n"
        "      for (int k = 0; k < 400; k++)\n        w += A[i][k] * B[k][j];\n"
        "      C[i][j] = C[i][j] * w * w;\n    }\n"
        "  #pragma endscop\n}\n"
    )
    scop = privatize(infer_liveness(parse_c(str(file)).scops[0]))
    deps = compute_dependences(scop)
    loops = ", ".join(f"{{ S1[i, j, k] -> [({x})] }}" for x in "ijk")
    names = ("S0[i, j]", "S1[i, j, k]", "S2[i, j]")
    filters = [f'{{ filter: "{{ {name} }}" }}' for name in names]
    band = f'child: {{ schedule: "[{loops}]" }} }}'
    filters[1] = f"{filters[1].removesuffix(' }')}, {band}"
    sequence = f"{{ sequence: [ {', '.join(filters)} ] }}"
    text = f'{{ domain: "{scop.domain}", child: {sequence} }}'
    tree = set_band_flags(ScheduleTree.parse(text), deps)
    found = find_contraction(view_band(Draft(tree, deps), scop, (0, 1, 0)))
    assert found is not None
    assert (found.row, found.lane, found.inside) == (0, 1, (2,))
