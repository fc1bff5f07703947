"""Private rows: where they live, and which of them lie side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import islpy as isl
import pytest

from polysched.codegen import PrintOptions, plan_storage, print_openmp
from polysched.codegen.storage import lay_out_along_loops
from polysched.ir import (
    Const,
    LinearRow,
    Param,
    Rows,
    Scop,
    build_tree,
    original_tree,
    types,
)
from tests.unit.codegen.handmade import (
    FRAME_2D,
    SQUARE,
    N,
    check_equal,
    make_scop,
    mark_bands,
)
from tests.unit.codegen.test_storage import SIZES, private


@pytest.mark.cc
def test_private_row_in_a_parallel_loop(tmp_path: Path) -> None:
    scop = make_scop(
        [*SQUARE, private("row", 1, Param("n"))],
        [
            ("[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0), "row[j] = A[i][j];"),
            (
                "[n] -> { S1[i, j] : 0 <= i < n and 0 < j < n }",
                (0, 1, 0),
                "row[j] += 0.5 * row[j - 1];",
            ),
            (
                "[n] -> { S2[i, j] : 0 <= i, j < n }",
                (0, 2, 0),
                "B[i][j] = row[n - 1 - j];",
            ),
        ],
        N,
    )
    scop = expand_rows(scop)
    original = """
    for (int i = 0; i < n; i++) {
        double row[n];
        for (int j = 0; j < n; j++)
            row[j] = A[i][j];
        for (int j = 1; j < n; j++)
            row[j] += 0.5 * row[j - 1];
        for (int j = 0; j < n; j++)
            B[i][j] = row[n - 1 - j];
    }"""
    two = (LinearRow((1, 0)), LinearRow((0, 1)))
    apart = build_tree(
        scop.domain,
        {f"S{k}": Rows(("i", "j"), (k, 0, 0), two) for k in range(3)},
    )
    tree = mark_bands(original_tree(scop), parallel=0)
    assert "  for (int t1 = 0; t1 < n; t1++) {\n    double row[n];" in print_openmp(
        scop, tree
    )
    trees = [tree, apart, mark_bands(apart, parallel=2)]
    check_equal(tmp_path, FRAME_2D, original, scop, trees, SIZES)


def expand_rows(scop: Scop) -> Scop:
    """Put the iterator i in front of the subscripts of the array row."""
    from polysched.ir import Access, Iter, Load, map_action

    def change(e: object) -> Load | None:
        if isinstance(e, Load) and e.array == "row" and len(e.subscripts) == 1:
            return Load("row", (Iter("i"), *e.subscripts), e.type)
        return None

    def widen(a: Access) -> Access:
        if a.array != "row":
            return a
        wide = isl.Map("{ [i, j] -> row[i, k] }")
        wide = wide.set_tuple_name(
            isl.dim_type.in_, a.relation.get_tuple_name(isl.dim_type.in_)
        )
        first = wide.project_out(isl.dim_type.out, 1, 1).set_tuple_name(
            isl.dim_type.out, "row"
        )
        both = first.flat_range_product(a.relation)
        return replace(a, relation=both.set_tuple_name(isl.dim_type.out, "row"))

    return replace(
        scop,
        statements=tuple(
            replace(
                s,
                body=tuple(map_action(a, change) for a in s.body),
                accesses=tuple(widen(a) for a in s.accesses),
            )
            for s in scop.statements
        ),
    )


def test_large_constant_private_arrays_live_on_the_heap() -> None:
    size = Const(100, types.INT, "100")
    scop = make_scop(
        [*SQUARE, private("w", 0, size, size)],
        [("{ S0[i, j] : 0 <= i, j < 100 }", (0, 0, 0), "w[i][j] = A[i][j];")],
    )
    text = print_openmp(scop, original_tree(scop))
    assert "double (*w)[100] = __builtin_malloc(sizeof(double[100][100]));" in text
    options = PrintOptions(heap_bytes=10**6)
    assert "double w[100][100];" in print_openmp(scop, original_tree(scop), options)


def test_a_row_that_the_user_put_elsewhere_is_not_moved_to_the_stack() -> None:
    row = private("w", 1, Param("n", types.INT))
    box = "[n] -> { {} [t, i] : 0 <= t, i < n }"
    own = "double *w = w_parts[omp_get_thread_num()];"
    for storage, declared in (("local", own), ("scop", "double w[n];")):
        scop = make_scop(
            [SQUARE[0], replace(row, storage=storage)],
            [
                (box.replace("{}", "S0"), (0, 0, 0), "w[t][i] = A[t][n - 1 - i];"),
                (box.replace("{}", "S1"), (0, 1, 0), "A[t][i] = w[t][i];"),
            ],
            N,
        )
        text = print_openmp(scop, mark_bands(original_tree(scop), parallel=0))
        before = text[: text.index(declared)]
        assert before.count("for (") == 1, "each thread has a row of its own"


@pytest.mark.cc
def test_lanes_have_rows_of_their_own(tmp_path: Path) -> None:
    """What is made outside of a vector loop has an element for each iteration."""
    box = "[n] -> { {} [t, i] : 0 <= t, i < n }"
    scop = make_scop(
        [*SQUARE, private("w", 1, Const(40, types.INT, "40"))],
        [
            (box.replace("{}", "S0"), (0, 0, 0), "w[i] = A[t][n - 1 - i];"),
            (box.replace("{}", "S1"), (0, 1, 0), "B[t][i] = w[i] + w[n - 1 - i];"),
        ],
        N,
    )
    options = PrintOptions(heap_bytes=0)
    tree = mark_bands(original_tree(scop), vector=0)
    assert "w[t1][t2] = A[t1][" in print_openmp(scop, tree, options)
    assert "w[t2] = A[t1][" in print_openmp(scop, original_tree(scop), options)
    original = """
    for (int t = 0; t < n; t++)
        for (int i = 0; i < n; i++)
            B[t][i] = A[t][n - 1 - i] + A[t][i];"""
    check_equal(tmp_path, FRAME_2D, original, scop, [tree], SIZES, options)


@pytest.mark.parametrize(("parallel", "n_loops"), [(None, 0), (0, 1), (1, 0)])
def test_the_heap_is_asked_once_and_threads_find_their_part(
    parallel: int | None, n_loops: int
) -> None:
    size = Const(100, types.INT, "100")
    scop = make_scop(
        [*SQUARE, private("w", 1, size, size)],
        [
            ("{ S0[t, i, j] : 0 <= t, i, j < 100 }", (0, 0, 0, 0),
             "w[t][i][j] = A[i][j];"),
            ("{ S1[t, i, j] : 0 <= t, i, j < 100 }", (0, 1, 0, 0),
             "A[j][i] = w[t][j][i];"),
        ],
    )  # fmt: skip
    tree = original_tree(scop)
    if parallel is not None:
        tree = mark_bands(tree, parallel=parallel)
    (buffer,) = plan_storage(scop, tree)
    assert (buffer.depth, buffer.kept) == (1, (1, 2))
    lines = print_openmp(scop, tree).splitlines()
    (asked,) = (k for k, s in enumerate(lines) if "__builtin_malloc" in s)
    assert not any("for (" in s for s in lines[:asked])
    made = next(k for k, s in enumerate(lines) if "double (*w)[100] = " in s)
    loops = [s for s in lines[:made] if "for (" in s]
    assert len(loops) == n_loops
    if parallel == 0:
        begin = "w_parts_memory + 64 - (__SIZE_TYPE__)w_parts_memory % 64"
        assert f"double (*w_parts)[100][100] = (void *)({begin});" in "\n".join(lines)


@pytest.mark.long
@pytest.mark.cc
def test_private_rows_on_the_heap_in_parallel_loops(tmp_path: Path) -> None:
    """Two at a time, one named as the parts of the other; then one of them again."""
    size = Const(40, types.INT, "40")
    again = replace(private("w_2", 1, size), c_name="w")
    box = "[n] -> {{ S{}[i, j] : 0 <= i, j < n }}"
    bodies: list[tuple[tuple[int, ...], str]] = [
        ((0, 0, 0), "w[j] = A[i][j];"),
        ((0, 1, 0), "w_parts[j] = B[i][j];"),
        ((0, 2, 0), "C[i][j] = w[n - 1 - j] - w_parts[j];"),
        ((1, 0, 0), "w_2[j] = C[i][j];"),
        ((1, 1, 0), "A[i][j] = w_2[n - 1 - j];"),
    ]
    scop = make_scop(
        [*SQUARE, private("w_parts", 1, size), private("w", 1, size), again],
        [(box.format(k), where, body) for k, (where, body) in enumerate(bodies)],
        N,
    )
    original = """
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            C[i][j] = A[i][n - 1 - j] - B[i][j];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            A[i][j] = C[i][n - 1 - j];"""
    tree = original_tree(scop)
    trees = [tree, mark_bands(mark_bands(tree, parallel=4), parallel=0)]
    options = PrintOptions(heap_bytes=0)
    check_equal(tmp_path, FRAME_2D, original, scop, trees, SIZES, options)
    text = print_openmp(scop, trees[1], options)
    assert text.count("__builtin_malloc") == 2, "memory of w is used again"


@pytest.mark.long
@pytest.mark.cc
def test_rows_that_advance_together_lie_beside_each_other(tmp_path: Path) -> None:
    """The loop over i, innermost, walks from one private row to the next."""
    scop = make_scop(
        [*SQUARE, private("w", 1, Const(40, types.INT, "40"))],
        [
            ("[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0), "w[j] = A[i][j];"),
            ("[n] -> { S1[i, j] : 0 <= i < n and 1 < j < n }", (0, 1, 0),
             "w[j] = w[j - 2] * 0.5 + B[i][j];"),
            ("[n] -> { S2[i, j] : 0 <= i, j < n }", (0, 2, 0), "C[i][j] = w[j];"),
        ],
        N,
    )  # fmt: skip
    across = (LinearRow((0, 1)), LinearRow((1, 0)))
    rows = {
        f"S{k}": Rows(("i", "j"), (k, 0, 0), across if k == 1 else (*reversed(across),))
        for k in range(3)
    }
    tree = build_tree(scop.domain, rows)
    planned = plan_storage(scop, tree)
    assert [b.kept for b in planned] == [(0, 1)]
    assert [b.kept for b in lay_out_along_loops(planned, scop, tree)] == [(0, 1)]
    rows |= {"S2": Rows(("i", "j"), (2, 0, 0), across)}
    together = build_tree(scop.domain, rows)
    (buffer,) = lay_out_along_loops(plan_storage(scop, together), scop, together)
    assert buffer.kept == (1, 0)
    assert "w[t1][t2] = w[t1 - 2][t2] * 0.5" in print_openmp(scop, together)
    original = """
    for (int i = 0; i < n; i++) {
        double w[40];
        for (int j = 0; j < n; j++)
            w[j] = A[i][j];
        for (int j = 2; j < n; j++)
            w[j] = w[j - 2] * 0.5 + B[i][j];
        for (int j = 0; j < n; j++)
            C[i][j] = w[j];
    }"""
    trees = [tree, together, mark_bands(together, parallel=3)]
    check_equal(tmp_path, FRAME_2D, original, scop, trees, SIZES)
