"""The text around the loops: comment, macros, names, pragmas, limits, splicing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import islpy as isl
import pytest

from polysched.base import CodegenError
from polysched.codegen import PrintOptions, identifiers, print_openmp, splice
from polysched.codegen.ctext import integer
from polysched.ir import (
    Array,
    Const,
    Param,
    Program,
    ScheduleTree,
    Scop,
    SourceRegion,
    original_tree,
    types,
)
from tests.unit.codegen.handmade import check_equal, make_scop, mark_bands, tile

VECTOR = Array("A", types.DOUBLE, (Param("n"),))


def copy_scop(**more: object) -> Scop:
    return make_scop(
        [VECTOR],
        [("[n] -> { S0[i] : 0 <= i < n }", (0, 0), "A[i] = A[i] + 1.0;")],
        {"n": types.INT},
        **more,  # type: ignore[arg-type]
    )


def test_header_cannot_end_the_comment() -> None:
    options = PrintOptions(header=("schedule 12", "because */ exit(1); /* it is"))
    text = print_openmp(copy_scop(), original_tree(copy_scop()), options)
    assert text.startswith(
        "/* polysched: schedule 12\n * because * / exit(1); / * it is\n */\n{\n"
    )


def test_generated_names_avoid_the_program() -> None:
    scop = make_scop(
        [replace(VECTOR, name="t1"), Array("ps_min", types.DOUBLE)],
        [("[n, m] -> { S0[i] : 0 <= i < n and i < m }", (0, 0), "t1[i] = ps_min;")],
        {"n": types.INT, "m": types.INT},
    )
    options = PrintOptions(reserved=identifiers("#define ps_min_1 #define t_1 2"))
    text = print_openmp(scop, original_tree(scop), options)
    assert "for (int t__1 = 0; t__1 < ps_min_2(m, n); t__1++)" in text.replace(
        "ps_min_2(n, m)", "ps_min_2(m, n)"
    )
    assert text.endswith("#undef ps_min_2\n")


def test_loops_are_long_when_a_parameter_is(tmp_path: Path) -> None:
    scop = make_scop(
        [VECTOR],
        [("[n] -> { S0[i] : 0 <= i < n - 1 }", (0, 0), "A[i + 1] = i / n + i;")],
        {"n": types.ULONG},
        {"i": types.ULONG},
    )
    text = print_openmp(scop, original_tree(scop))
    assert "for (long t1 = 0; t1 < (long)n - 1; t1++)" in text
    assert "const unsigned long i = t1;\n    A[i + 1] = i / n + i;" in text


def test_parallel_pragmas_never_nest_and_simd_needs_unit_steps() -> None:
    scop = make_scop(
        [Array("A", types.DOUBLE, (None, None))],
        [("{ S0[i, j] : 0 <= i, j < 99 }", (0, 0, 0), "A[i][j] = 1.0;")],
    )
    tree = mark_bands(original_tree(scop), parallel=0, vector=1)
    text = print_openmp(scop, tree)
    assert "#pragma omp parallel for schedule(static)\n  for (int t1 = 0;" in text
    assert "    #pragma omp simd\n    for (int t2 = 0;" in text
    both = tile(original_tree(scop), 8, "parallel")
    assert print_openmp(scop, both).count("#pragma") == 1
    plain = PrintOptions(parallel=False, simd=False)
    assert "#pragma" not in print_openmp(scop, tree, plain)
    wide = tile(original_tree(scop), 8, "vector")
    assert "#pragma" not in print_openmp(scop, wide)


def test_a_mark_may_name_its_loop_schedule() -> None:
    scop = copy_scop()
    (path, _) = original_tree(scop).bands()[0]
    node = original_tree(scop).node(path).insert_mark(isl.Id("parallel:dynamic,4"))
    text = print_openmp(scop, ScheduleTree(node.get_schedule()))
    assert "schedule(dynamic,4)" in text
    node = original_tree(scop).node(path).insert_mark(isl.Id("parallel:fast"))
    with pytest.raises(CodegenError, match="unknown loop schedule 'fast'"):
        print_openmp(scop, ScheduleTree(node.get_schedule()))


def test_a_mark_may_name_its_lanes() -> None:
    scop = copy_scop()
    (path, _) = original_tree(scop).bands()[0]
    node = original_tree(scop).node(path).insert_mark(isl.Id("vector:4"))
    text = print_openmp(scop, ScheduleTree(node.get_schedule()))
    assert "#pragma omp simd simdlen(4)\n  for" in text
    node = original_tree(scop).node(path).insert_mark(isl.Id("vector:all"))
    with pytest.raises(CodegenError, match="unknown number of lanes 'all'"):
        print_openmp(scop, ScheduleTree(node.get_schedule()))


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (1, "for (int t1 = n - 1; t1 >= 0; t1--)"),
        (8, "for (int t1 = (n - 1 + 8) / 8 * 8 - 8; t1 >= 0; t1 -= 8)"),
    ],
)
def test_threads_may_begin_with_the_last_iteration(size: int, head: str) -> None:
    text = print_openmp(
        copy_scop(), tile(original_tree(copy_scop()), size, "parallel:backwards")
    )
    assert f"#pragma omp parallel for schedule(dynamic)\n  {head}" in text


def test_a_pragma_that_breaks_a_dependence_is_refused() -> None:
    scop = copy_scop()
    tree = mark_bands(original_tree(scop), parallel=0)
    bad = isl.UnionMap("[n] -> { S0[i] -> S0[i + 1] : 0 <= i < n - 1 }")
    with pytest.raises(CodegenError, match="internal inconsistency"):
        print_openmp(scop, tree, deps=bad)
    same = isl.UnionMap("[n] -> { S0[i] -> S0[i] : 0 <= i < n - 1 }")
    assert "#pragma" in print_openmp(
        scop, tree, PrintOptions(check_operations=0), deps=same
    )


def test_a_tree_that_leaves_instances_unordered_is_refused() -> None:
    """isl adds loops of its own for what no band orders."""
    grid = make_scop(
        [Array("A", types.DOUBLE, (Param("n"), Param("n")))],
        [("[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0), "A[i][j] = 1.0;")],
        {"n": types.INT},
    )
    rows = isl.MultiUnionPwAff("[n] -> [{ S0[i, j] -> [(i + j)] }]")
    root = isl.Schedule.from_domain(grid.domain).get_root().child(0)
    tree = ScheduleTree(root.insert_partial_schedule(rows).get_schedule())
    with pytest.raises(CodegenError, match="without an order"):
        print_openmp(grid, tree)


@pytest.mark.long
def test_code_that_explodes_is_refused() -> None:
    scop = make_scop([VECTOR], [("{ S0[i] : 0 <= i < 5000 }", (0, 0), "A[i] = 0.0;")])
    (path, _) = original_tree(scop).bands()[0]
    band = original_tree(scop).node(path)
    band = band.band_member_set_ast_loop_type(0, isl.ast_loop_type.unroll)
    unrolled = ScheduleTree(band.get_schedule())
    with pytest.raises(CodegenError, match=r"schedule explodes.*more than 100 loops"):
        print_openmp(scop, unrolled, PrintOptions(max_nodes=100, max_operations=0))
    with pytest.raises(CodegenError, match=r"schedule explodes.*isl operations"):
        print_openmp(scop, unrolled, PrintOptions(max_operations=10))
    assert isl.DEFAULT_CONTEXT.get_max_operations() == 0


def test_unrolling_without_a_constant_bound_is_refused() -> None:
    scop = copy_scop()
    (path, _) = original_tree(scop).bands()[0]
    band = original_tree(scop).node(path)
    band = band.band_member_set_ast_loop_type(0, isl.ast_loop_type.unroll)
    with pytest.raises(CodegenError, match="isl builds no code"):
        print_openmp(scop, ScheduleTree(band.get_schedule()))


def test_assumptions_need_the_original_text() -> None:
    scop = copy_scop(assumptions="[n] -> { : n <= 100 }")
    with pytest.raises(CodegenError, match="original text is needed"):
        print_openmp(scop, original_tree(scop))
    sure = copy_scop(assumptions="[n] -> { : n <= 9 }", context="[n] -> { : n < 5 }")
    assert "else" not in print_openmp(sure, original_tree(sure))


FRAME_1D = """
#include <stdio.h>
#include <stdlib.h>
static double A[64];
static void f(int n)
{
@
}
int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 0; i < 64; i++)
        A[i] = (7 * i) % 13 / 4.0;
    f(n);
    for (int i = 0; i < 64; i++)
        printf("%.17g\\n", A[i]);
    return 0;
}
"""


@pytest.mark.cc
def test_outside_its_assumptions_the_original_runs(tmp_path: Path) -> None:
    original = (
        "#pragma scop\n    for (int i = 0; i < n; i++)\n"
        "        A[i] = A[i] + 1.0;\n#pragma endscop\n"
    )
    scop = copy_scop(assumptions="[n] -> { : n <= 10 and exists (e : n = 2e) }")
    options = PrintOptions(original_text=original)
    text = print_openmp(scop, original_tree(scop), options)
    assert "if (n <= 10 && n % 2 == 0) {" in text.replace("(n) % 2", "n % 2")
    assert "#pragma scop" not in text
    loop = original.split("\n", 1)[1].rsplit("#", 1)[0]
    check_equal(tmp_path, FRAME_1D, loop, scop, [], [(8,), (9,), (12,)], options)


@pytest.mark.cc
def test_linearised_arrays_and_data_dependent_guards(tmp_path: Path) -> None:
    flat = Array(
        "A", types.DOUBLE, (Param("n"), Const(4, types.INT, "4")), "global",
        pitches=(Const(4, types.INT, "4"),),
    )  # fmt: skip
    scop = make_scop(
        [flat],
        [
            (
                "[n] -> { S0[i, j] : 1 <= i < n and 0 <= j < 4 }",
                (0, 0, 0),
                "if (A[i - 1][j] > A[i][3 - j]) A[i][j] *= 2.0; "
                "else { A[i][j] += 0.5; A[i][3 - j] = A[i - 1][j]; }",
            )
        ],
        {"n": types.INT},
        context="[n] -> { : n <= 16 }",
    )
    original = """
    for (int i = 1; i < n; i++)
        for (int j = 0; j < 4; j++)
            if (A[(i - 1) * 4 + j] > A[i * 4 + 3 - j])
                A[i * 4 + j] *= 2.0;
            else {
                A[i * 4 + j] += 0.5;
                A[i * 4 + 3 - j] = A[(i - 1) * 4 + j];
            }"""
    text = print_openmp(scop, original_tree(scop))
    assert "if (A[4 * t1 + t2 - 4] > A[4 * t1 - t2 + 3]) {" in text
    trees = [tile(original_tree(scop), 3)]
    check_equal(tmp_path, FRAME_1D, original, scop, trees, [(0,), (1,), (16,)])


def test_symbolic_pitches_are_parenthesised_where_needed() -> None:
    flat = Array(
        "A", types.DOUBLE, (None, Param("n")), "parameter", pitches=(Param("n"),)
    )
    scop = make_scop(
        [flat],
        [("[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0), "A[i + 1][j] = 0.0;")],
        {"n": types.INT},
    )
    text = print_openmp(scop, original_tree(scop))
    assert "A[(t1 + 1) * n + t2] = 0.0;" in text


def test_a_pitch_of_eight_bytes_multiplies_in_them() -> None:
    wide = Const(50000, types.LONG, "50000")
    flat = Array("A", types.DOUBLE, (None, wide), "parameter", pitches=(wide,))
    scop = make_scop(
        [flat],
        [("[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0), "A[i + 1][j] = 0.0;")],
        {"n": types.INT},
    )
    text = print_openmp(scop, original_tree(scop))
    assert "A[(t1 + 1) * 50000L + t2] = 0.0;" in text


def test_splice_keeps_all_other_bytes() -> None:
    source = b"int a;\r\n#pragma scop\r\nold\r\n#pragma endscop\r\nint \xe9;\n"
    start, end = source.index(b"#pragma scop"), source.index(b"int \xe9")
    region = SourceRegion("x.c", start, end, 2, 4, "")
    scop = replace(copy_scop(), region=region)
    program = Program("x.c", source, (scop,))
    assert splice(program, {}) == source
    new = splice(program, {"f": "{\n}\n"})
    assert new == b"int a;\r\n{\r\n}\r\nint \xe9;\n"
    with pytest.raises(CodegenError, match="no scop 'g'"):
        splice(program, {"g": ""})


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, -(2**63)])
def test_numbers_that_no_loop_counts_to_are_refused(value):
    """As text, a condition on them would hold for other sizes."""
    with pytest.raises(CodegenError, match=str(value)):
        integer(value)
    assert integer(2**63 - 1).text == "9223372036854775807L"
