"""Register tiles as vectors: what is held, what is not, equal results at the edges."""

from __future__ import annotations

import re
from dataclasses import replace

import islpy as isl
import pytest

from polysched.analysis import FloatingPoint, allow_reordering, set_band_flags
from polysched.base import CodegenError, IllegalScheduleError
from polysched.codegen import print_openmp
from polysched.codegen.ctext import Names, Text
from polysched.codegen.cut_rows import cut_loop
from polysched.codegen.linear import Linear
from polysched.codegen.macros import Macros
from polysched.codegen.nodes import Block, Instance, Loop
from polysched.codegen.tile_loops import TileLoops, narrow
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.sets import node_kind
from polysched.testing import Candidate, Candidates, check_program, prepare
from polysched.transform import Registers, apply_script, parse_script, print_script

PROGRAM = """
#include <stdio.h>
#define R 24
typedef TYPE real;
static TERMS A[R][R], B[R][R];
static real C[R][R], x[R];
static void init(void) {
    for (int i = 0; i < R; i++)
        for (int j = 0; j < R; j++) {
            A[i][j] = (3 * i + j) % 7 / (real)4;
            B[i][j] = (i + 5 * j) % 11 / (real)8;
            C[i][j] = (i * j) % 5;
            x[i] = i;
        }
}
static void run(int ni, int nj, int nk, real alpha) {
#pragma scop
BODY
#pragma endscop
}
int main(void) {
    static const int sizes[][3] = {
        {13, 17, 9}, {8, 8, 4}, {1, 1, 1}, {0, 3, 2}, {3, 0, 0}, {5, 16, 0}, {4, 9, 24},
    };
    for (int s = 0; s < 7; s++) {
        init();
        run(sizes[s][0], sizes[s][1], sizes[s][2], (real)1.5);
    }
    return 0;
}
"""
LOOPS = """
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++)
            for (int k = 0; k < nk; k++)
                STATEMENT
"""
PRODUCT = "C[i][j] += alpha * A[i][k] * B[k][j];"
MERGED = "merge(band=0); merge(band=0); "
HELD = MERGED + "registers(band=0, factors=[2, 8, 1], lanes=4)"
TILED = MERGED + (
    "tile(band=0, sizes=[0, 8, 4]); tile(band=0.0.0, sizes=[4, 0, 0]); "
    "parallel(band=0.0); "
    "registers(band=0.0.0.0.0.0, factors=[2, 4, 1], lanes=4); "
)
PACKED = TILED + (
    "pack(band=0.0.0.0.0.0, statement=0, iterators=[0, 2]); "
    "pack(band=0.0.0.0.0, statement=0, iterators=[2, 1])"
)


def program(
    statement: str,
    type_name: str = "double",
    loops: str = LOOPS,
    terms: str = "real",
) -> str:
    text = PROGRAM.replace("TYPE", type_name).replace("TERMS", terms)
    return text.replace("BODY", loops.replace("STATEMENT", statement))


def scripted(script: str, fp: FloatingPoint = "strict"):
    def schedules(scop: Scop) -> Candidates:
        scop, deps = prepare(scop)
        deps = allow_reordering(deps, scop, fp)
        start = set_band_flags(original_tree(scop), deps)
        tree = apply_script(start, parse_script(script), deps)
        return Candidates(scop, deps, (Candidate(tree, "script"),))

    return schedules


def text_of(source: str, script: str, tmp_path, fp: FloatingPoint = "strict") -> str:
    file = tmp_path / "program.c"
    file.write_text(source)
    (scop,) = parse_c(str(file)).scops
    found = scripted(script, fp)(scop)
    return print_openmp(
        found.scop, found.listed[0].tree, deps=found.dependences.validity
    )


def check(source: str, script: str, fp: FloatingPoint = "strict") -> None:
    report = check_program(source, scripted(script, fp))
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_unprinted == 0
    assert report.n_trees == 1


def test_accumulators_stay_in_vectors_across_the_reduction(tmp_path) -> None:
    text = text_of(program(PRODUCT), HELD, tmp_path)
    assert "vector_size(32)" in text
    assert "ps_double4 c3 = *(ps_double4 *)&C[t1 + 1][t2 + 4];" in text
    assert text.count("c3 += a1 * b1;") == 1
    loop = text.index("for (int t3 = 0; t3 < nk; t3++)")
    assert text.index("ps_double4 c0 =") < loop < text.index("= c0;")


def test_a_reduction_that_may_be_empty_is_guarded(tmp_path) -> None:
    text = text_of(program(PRODUCT), HELD, tmp_path)
    assert "if (0 < nk) {" in text


def test_rows_of_an_edge_are_held_together(tmp_path) -> None:
    """One row alone would wait for each of its additions."""
    text = text_of(program(PRODUCT), HELD, tmp_path)
    lines = [line.strip() for line in text.splitlines()]
    first = lines.index("double c0 = C[t1][t5];")  # columns that fill no vector
    assert lines[first + 1] == "double c1 = C[t1 + 1][t5];"


def test_what_fills_no_vector_fills_one_of_half_the_lanes(tmp_path) -> None:
    text = text_of(program(PRODUCT), HELD, tmp_path)
    assert "ps_double2 c1 = *(ps_double2 *)&C[t1 + 1][t5];" in text


@pytest.mark.parametrize(
    ("n", "lanes"), [(7, [4, 2, 1]), (8, [4]), (5, [4, 1]), (3, [2, 1]), (2, [2])]
)
def test_a_known_rest_has_the_parts_it_needs(n: int, lanes: list[int]) -> None:
    loop = Loop(
        "t1", Text("0"), Text(f"t1 <= {n - 1}"), 1, 0, Block(()), n_iterations=n
    )
    parts = narrow(loop, 4)
    assert [w for _, w in parts] == lanes
    values: list[int] = []
    for part, width in parts:
        first, last = eval(str(part.first).replace("/", "//")), part.bound[1].text
        for start in range(first, eval(last) + 1, part.step):
            values += range(start, start + width)
    assert values == list(range(n))


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    "script", [HELD, TILED, PACKED], ids=["held", "tiled", "packed"]
)
@pytest.mark.parametrize("type_name", ["double", "float"])
def test_products_are_equal_at_every_edge(script: str, type_name: str) -> None:
    check(program(PRODUCT, type_name), script)


TRIANGLE = """
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++)
            for (int k = BEGIN; k < END; k++)
                STATEMENT
"""


@pytest.mark.long
@pytest.mark.parametrize(("begin", "end"), [("0", "i"), ("i + 1", "nk")])
@pytest.mark.parametrize("factors", ["3, 16", "3, 4", "4, 12"])
def test_rows_of_a_triangle_are_held_while_all_of_them_run(
    begin: str, end: str, factors: str, tmp_path
) -> None:
    script = MERGED + (
        f"order(band=0, members=[0, 2, 1]); order(band=0, members=[0, 2, 1]); "
        f"registers(band=0, factors=[{factors}, 1], lanes=4)"
    )
    loops = TRIANGLE.replace("BEGIN", begin).replace("END", end)
    source = program(PRODUCT, loops=loops)
    check(source, script)
    last = int(factors.split(",")[0]) - 1
    text = text_of(source, script, tmp_path)
    held = rf"double\d? c{last} = [^;]*C\[t\d( - 1)? \+ {last}\]\[t(\d)\];"
    lanes = {found[2] for found in re.finditer(held, text)}
    assert "5" in lanes  # of the columns that are left, the rows of a tile


def test_a_loop_is_cut_where_the_rows_begin_to_depend_on_it() -> None:
    k, i = Linear.atom(Text("k")), Linear.atom(Text("i"))
    one = Linear((), 1)
    row = Loop(
        "r", Text("ps_max(i, k + 1)"), Text("r <= i + 5"), 1, 1, Block(()),
        lower=(i, k.plus(one)), upper=(i.plus(one, 5),),
    )  # fmt: skip
    lane = Loop("j", Text("0"), Text("j <= 15"), 1, 2, Block(()), n_iterations=16)
    loop = Loop(
        "k", Text("a"), Text("k <= ps_min(b, i + 4)"), 1, 0, Block(()),
        lower=(Linear.atom(Text("a")),),
        upper=(Linear.atom(Text("b")), i.plus(one, 4)),
    )  # fmt: skip
    tile = TileLoops((row, lane), Instance("S0", ()), 8)
    cut = cut_loop(tile, loop, Macros(Names(())))
    assert cut is not None
    assert cut.is_first
    assert str(cut.whole.condition.text) == "k <= ps_min(b, i - 1)"
    assert cut.tile.loops[0].first.text == "i"
    assert cut.tile.loops[0].n_iterations == 6
    assert cut.rest.first.text == "ps_max(a, i)"
    moved = replace(loop, first=Text("a + 1"))  # no longer the loop that was made
    assert cut_loop(tile, moved, Macros(Names(()))) is None
    assert cut_loop(replace(tile, loops=(lane, row)), loop, Macros(Names(()))) is None


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    "statement",
    [
        "C[i][j] = C[i][j] - A[i][k] * B[k][j];",
        "C[i][j] -= (A[i][k] + x[k]) * -B[k][j] / 2.0;",
        "C[i][j] += B[k][j];",
        "C[i][j] += A[i][k];",
        "C[i][j] *= 0.5;",
        "C[i][j] += k;",
        "C[i][j] = C[i][j] < A[i][k] + B[k][j] ? C[i][j] : A[i][k] + B[k][j];",
        "C[i][j] = A[i][k] >= C[i][j] ? A[i][k] : C[i][j];",
        "C[i][j] = -x[k] > C[i][j] ? C[i][j] : -x[k];",
    ],
)
def test_updates_of_many_forms_are_vectors_and_equal(statement, tmp_path) -> None:
    assert "ps_double4" in text_of(program(statement), HELD, tmp_path)
    check(program(statement), HELD)


TWO = "C[i][j] -= alpha * A[i][k] * B[k][j] - A[k][j] * B[i][k];"


@pytest.mark.cc
@pytest.mark.parametrize("type_name", ["double", "float"])
def test_terms_that_may_be_reordered_are_added_in_turn(type_name, tmp_path) -> None:
    """All numbers are small multiples of 1/64: sums are exact in any order."""
    script = HELD.replace("lanes=4", "lanes=4, in_turn=true")
    source = program(TWO, type_name)
    text = text_of(source, script, tmp_path, "reassociate")
    first, second = text.index("c3 -= "), text.index("c0 += ")
    assert first < second < text.index("c3 += ")  # one term of all vectors, then one
    check(source, script, "reassociate")


def test_terms_in_turn_are_refused_where_sums_have_an_order(tmp_path) -> None:
    script = HELD.replace("lanes=4", "lanes=4, in_turn=true")
    with pytest.raises(IllegalScheduleError, match="terms of an update come in turn"):
        text_of(program(TWO), script, tmp_path)


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    "statement",
    [
        "C[i][j] += A[i][k] * B[j][i];",
        "C[i][j] += i * j;",
        "C[i][j] += A[i][k] > 0.5 ? B[k][j] : 1.0;",
        "C[i][j] += (float)(A[i][k] * B[k][j]);",
    ],
    ids=["far", "iterators", "choice", "narrowed"],
)
def test_what_is_no_arithmetic_on_lanes_stays_loops(statement, tmp_path) -> None:
    assert "ps_double4" not in text_of(program(statement), HELD, tmp_path)
    check(program(statement), HELD)


@pytest.mark.cc
def test_an_update_in_place_is_held_while_it_reads_elsewhere(tmp_path) -> None:
    loops = """
    for (int k = 0; k < nk; k++)
        for (int i = k + 1; i < 20; i++)
            for (int j = k + 1; j < 20; j++)
                C[i][j] -= C[i][k] * C[k][j];
    """
    script = MERGED + "registers(band=0, factors=[1, 2, 4], lanes=4)"
    source = program("", loops=loops)
    text = text_of(source, script, tmp_path)
    loop = text.index("for (int t3 = 0; t3 < ps_min(ps_min(nk, t1), t2); t3++)")
    assert text.rindex("ps_double4 c1 =", 0, loop) < loop < text.index("= c1;")
    check(source, script)


@pytest.mark.cc
def test_lanes_that_read_what_others_hold_stay_loops(tmp_path) -> None:
    loops = """
    for (int i = 0; i < ni; i++)
        for (int k = 0; k < nk; k++)
            for (int j = 0; j < nj; j++)
                C[i][j + 1] += C[i][j] * B[k][j];
    """

    def unchecked(scop: Scop) -> Candidates:
        scop, deps = prepare(scop)
        tree = set_band_flags(original_tree(scop), deps)
        tree = Registers((0, 0, 0), (8,), 4).apply(tree)
        return Candidates(scop, deps, (Candidate(tree, "unchecked"),))

    report = check_program(program("", loops=loops), unchecked)
    assert not [m for m in report.mismatches if m.stage != "legality"]


@pytest.mark.long
@pytest.mark.cc
def test_a_packed_operand_may_be_transposed_for_the_lanes(tmp_path) -> None:
    statement = "C[i][j] += A[i][k] * B[j][k];"
    text = text_of(program(statement), PACKED, tmp_path)
    assert "ps_double4" in text
    assert "B_packed[" in text
    check(program(statement), PACKED)


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(
    ("sums", "terms", "product"),
    [
        ("int", "signed char", "A[i][k] * B[k][j]"),
        ("int", "short", "(A[i][k] - 3) * (B[k][j] - 5)"),
        ("int", "unsigned char", "A[i][k] * B[k][j]"),
        ("long", "int", "(long)A[i][k] * B[k][j]"),
        ("float", "short", "alpha * A[i][k] * B[k][j]"),
        ("double", "float", "(double)A[i][k] * (double)B[k][j]"),
    ],
)
def test_short_terms_are_widened_in_lanes(
    sums: str, terms: str, product: str, tmp_path
) -> None:
    """As C converts them, whether they are copied first or not."""
    source = program(f"C[i][j] += {product};", sums, terms=terms)
    text = text_of(source, HELD, tmp_path)
    assert f"convertvector(*(const ps_{terms.replace(' ', '_')}4 *)" in text
    for script in (HELD, PACKED):
        check(source, script)


@pytest.mark.cc
@pytest.mark.parametrize("terms", ["long", "_Bool"])
def test_terms_that_do_not_widen_stay_loops(terms: str, tmp_path) -> None:
    source = program("C[i][j] += (int)A[i][k] * (int)B[k][j];", "int", terms=terms)
    assert "ps_int4" not in text_of(source, HELD, tmp_path)
    check(source, HELD)


@pytest.mark.long
def test_short_operands_are_copied_as_what_lanes_compute_with(tmp_path) -> None:
    source = program("C[i][j] += A[i][k] * B[k][j];", "int", terms="signed char")
    text = text_of(source, PACKED, tmp_path)
    assert "int A_packed[4][4]" in text
    assert "convertvector" not in text


def test_bytes_become_lanes_of_four_bytes_in_two_steps(tmp_path) -> None:
    """gcc 12 takes a vector apart that is to have four times as many bytes."""
    source = program("C[i][j] += A[i][k] * B[k][j];", "int", terms="signed char")
    text = text_of(source, HELD, tmp_path)
    loaded = "*(const ps_signed_char4 *)&B[t3][t2]"
    halfway = f"__builtin_convertvector({loaded}, ps_short4)"
    assert f"= __builtin_convertvector({halfway}, ps_int4);" in text


@pytest.mark.long
def test_the_packed_operand_is_computed_once(tmp_path) -> None:
    text = text_of(program(PRODUCT), PACKED, tmp_path)
    assert text.count("= alpha * A[") == 1
    assert "double A_packed[4][4] __attribute__((aligned(64)));" in text


def test_a_script_reads_back() -> None:
    script = parse_script(PACKED)
    assert parse_script(print_script(script)) == script


def test_trees_that_are_not_marked_print_no_vectors(tmp_path) -> None:
    assert "vector_size" not in text_of(program(PRODUCT), MERGED, tmp_path)


def test_copies_that_would_go_stale_are_refused(tmp_path) -> None:
    statement = "C[i][j] += A[i][k] * C[k][j];"
    script = "pack(band=0, statement=0, iterators=[2, 1])"
    with pytest.raises(CodegenError, match="cannot pack C: what S0 reads is written"):
        text_of(program(statement), script, tmp_path)


BACKWARDS = """
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++)
            for (int k = i + 1; k < 20; k++)
                C[i][j] += A[k][i] * C[k][j];
"""


@pytest.mark.long
@pytest.mark.cc
def test_what_is_written_once_it_has_been_read_may_be_copied(tmp_path) -> None:
    """A row is changed after all rows in front of it have read it."""
    script = PACKED.replace("iterators=[0, 2]", "iterators=[2, 0]")
    source = program("", loops=BACKWARDS)
    assert "double C_packed[4][8]" in text_of(source, script, tmp_path)
    check(source, script)


def test_what_is_read_once_it_has_been_written_is_not_copied(tmp_path) -> None:
    loops = BACKWARDS.replace("k = i + 1; k < 20", "k = 0; k < i")
    script = TILED + "pack(band=0.0.0.0.0, statement=0, iterators=[2, 1])"
    with pytest.raises(CodegenError, match="cannot pack C: what S0 reads is written"):
        text_of(program("", loops=loops), script, tmp_path)


IN_TURN = """
    for (int i = 0; i < ni; i++) {
        for (int j = 0; j < 8; j++)
            FIRST[i][j] = A[i][j];
        for (int j = 0; j < 8; j++)
            for (int k = 0; k < 8; k++)
                B[i][k] += C[i][j] * A[j][k];
        for (int j = 0; j < 8; j++)
            C[i][j] = 0;
    }
"""
COPIED_ROW = "pack(band=0, statement=1, iterators=[0, 1])"


@pytest.mark.cc
def test_what_a_later_statement_writes_may_be_copied(tmp_path) -> None:
    source = program("", loops=IN_TURN.replace("FIRST", "D").replace("ni", "8"))
    source = source.replace("static real C[R][R]", "static real C[R][R], D[R][R]")
    assert "C_packed" in text_of(source, COPIED_ROW, tmp_path)
    check(source, COPIED_ROW)


def test_what_an_earlier_statement_writes_is_not_copied(tmp_path) -> None:
    source = program("", loops=IN_TURN.replace("FIRST", "C").replace("ni", "8"))
    with pytest.raises(CodegenError, match="cannot pack C: what S1 reads is written"):
        text_of(source, COPIED_ROW, tmp_path)


def test_a_copy_is_not_copied_again(tmp_path) -> None:
    file = tmp_path / "product.c"
    file.write_text(program(PRODUCT))
    (scop,) = parse_c(str(file)).scops
    script = MERGED + "tile(band=0, sizes=[4, 4, 4]); "
    found = scripted(f"{script}pack(band=0.0.0, statement=0, iterators=[2, 1])")(scop)
    tree = found.listed[0].tree
    assert "_packed" in print_openmp(found.scop, tree)
    mark = next(
        node
        for _, node in tree.nodes()
        if node_kind(node) == "mark"
        and str(node.mark_get_id().get_name()).startswith("pack")
    )
    again = mark.insert_mark(isl.Id("pack:S0:1,2"))
    with pytest.raises(CodegenError, match="it is a copy that is filled in the same"):
        print_openmp(found.scop, ScheduleTree(again.get_schedule()))


def test_copies_of_unknown_size_are_refused(tmp_path) -> None:
    script = "pack(band=0, statement=0, iterators=[0, 2])"
    with pytest.raises(CodegenError, match="has no constant range in a tile"):
        text_of(program(PRODUCT), script, tmp_path)


def test_nothing_to_pack_is_refused(tmp_path) -> None:
    script = "pack(band=0, statement=0, iterators=[0, 1])"
    with pytest.raises(CodegenError, match="nothing to pack: S0 reads no expression"):
        text_of(program(PRODUCT), script, tmp_path)


def test_a_bound_that_is_a_choice_is_taken_whole() -> None:
    condition = Text("t1 <= a > b ? a : b", 0)
    loop = Loop("t1", Text("0"), condition, 1, 0, Block(()), start=Linear())
    whole, lanes = narrow(loop, 4)[0]
    assert lanes == 4
    assert str(whole.condition) == "t1 <= (a > b ? a : b) - 3"
