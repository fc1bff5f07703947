"""Private arrays: contracted inside the loop that owns them, expanded where needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import islpy as isl
import pytest

from polysched.analysis import compute_dependences, prepare_scop, set_band_flags
from polysched.codegen import PrintOptions, plan_storage, print_openmp
from polysched.frontend import parse_c
from polysched.ir import (
    Array,
    Const,
    LinearRow,
    Param,
    Rows,
    ScheduleTree,
    Scop,
    build_tree,
    original_tree,
    types,
)
from polysched.transform import Split, apply_script, parse_script
from tests.unit.codegen.handmade import (
    FRAME_2D,
    SQUARE,
    N,
    check_equal,
    make_scop,
    mark_bands,
    tile,
)

SIZES = [(0,), (1,), (6,), (19,)]


def private(name: str, n_expanded: int, *extents: Param | Const) -> Array:
    return Array(
        name,
        types.DOUBLE,
        extents,
        storage="scop",
        live_in=False,
        live_out=False,
        n_expanded=n_expanded,
    )


def scalar_scop() -> Scop:
    return make_scop(
        [*SQUARE, private("t", 2)],
        [
            ("[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0), "t = A[i][j] * 2.0;"),
            (
                "[n] -> { S1[i, j, k] : 0 <= i, j, k < n }",
                (0, 0, 1, 0),
                "C[i][j] += t * B[k][j];",
            ),
        ],
        N,
    )


SCALAR = """
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double t = A[i][j] * 2.0;
            for (int k = 0; k < n; k++)
                C[i][j] += t * B[k][j];
        }"""

IJ = (LinearRow((1, 0)), LinearRow((0, 1)), LinearRow((0, 0)))
IJK = (LinearRow((1, 0, 0)), LinearRow((0, 1, 0)), LinearRow((0, 0, 1)))
IKJ = (LinearRow((1, 0, 0)), LinearRow((0, 0, 1)), LinearRow((0, 1, 0)))


def distributed(scop: Scop) -> ScheduleTree:
    """All definitions before all uses."""
    rows = {
        "S0": Rows(("i", "j"), (0, 0, 0, 0), IJ),
        "S1": Rows(("i", "j", "k"), (1, 0, 0, 0), IKJ),
    }
    return build_tree(scop.domain, rows)


def fused_tiles(scop: Scop, size: int) -> ScheduleTree:
    """Tiles of (i, j) around both statements, k j order inside."""
    member = (
        f"S0[i, j] -> [(floor({{0}}/{size}))]; S1[i, j, k] -> [(floor({{0}}/{size}))]"
    )
    outer = ", ".join(f"{{ {member.format(v)} }}" for v in "ij")
    root = isl.Schedule.from_domain(scop.domain).get_root().child(0)
    node = root.insert_partial_schedule(isl.MultiUnionPwAff(f"[{outer}]")).child(0)
    parts = isl.UnionSetList.alloc(node.get_ctx(), 2)
    for part in ("{ S0[i, j] }", "{ S1[i, j, k] }"):
        parts = parts.add(isl.UnionSet(part))
    node = node.insert_sequence(parts)
    for k, order in enumerate(("{ S0[i, j] -> %s }", "{ S1[i, j, k] -> %s }")):
        inside = ("[i]", "[j]") if k == 0 else ("[i]", "[k]", "[j]")
        band = ", ".join(order % f"[({d[1]})]" for d in inside)
        leaf = node.child(k).child(0)
        node = leaf.insert_partial_schedule(isl.MultiUnionPwAff(f"[{band}]"))
        node = node.parent().parent()
    return ScheduleTree(node.get_schedule())


def test_scalar_is_declared_in_the_loop_that_fixes_its_subscripts() -> None:
    scop = scalar_scop()
    (buffer,) = plan_storage(scop, original_tree(scop))
    assert (buffer.depth, buffer.kept) == (2, ())
    text = print_openmp(scop, mark_bands(original_tree(scop), parallel=0))
    assert "{\n      double t = A[t1][t2] * 2.0;" in text


def test_distributed_definition_and_use_need_the_expanded_array() -> None:
    scop = scalar_scop()
    (buffer,) = plan_storage(scop, distributed(scop))
    assert (buffer.depth, buffer.kept) == (0, (0, 1))
    text = print_openmp(scop, distributed(scop))
    assert "double (*t)[ps_max(1, n)] = __builtin_malloc(" in text
    assert text.count("__builtin_free(t);") == 1


def test_definition_and_use_in_one_tile_share_an_array_of_the_tile() -> None:
    scop = scalar_scop()
    (buffer,) = plan_storage(scop, fused_tiles(scop, 4))
    assert (buffer.depth, buffer.kept, buffer.sizes) == (2, (0, 1), (4, 4))
    assert "double t[4][4];" in print_openmp(scop, fused_tiles(scop, 4))


@pytest.mark.long
@pytest.mark.cc
def test_scalar_results_are_equal_under_all_storages(tmp_path: Path) -> None:
    scop = scalar_scop()
    original = original_tree(scop)
    trees = [
        mark_bands(original, parallel=0),
        mark_bands(original, parallel=1),
        tile(original, 4, "parallel"),
        mark_bands(distributed(scop), parallel=0),
        mark_bands(fused_tiles(scop, 4), parallel=0),
        fused_tiles(scop, 64),
    ]
    check_equal(tmp_path, FRAME_2D, SCALAR, scop, trees, SIZES)


def test_a_private_name_never_hides_another_array() -> None:
    outer = Array("t", types.DOUBLE, ())
    inner = Array(
        "t_2", types.DOUBLE, (), "scop", False, False, n_expanded=1, c_name="t"
    )
    scop = make_scop(
        [SQUARE[0], outer, inner],
        [("{ S0[i] : 0 <= i < 9 }", (0, 0), "t_2 = t; A[0][i] = t_2;")],
    )
    assert "double t_1 = t;" in print_openmp(scop, original_tree(scop))


def two_temporaries() -> Scop:
    """Two loops with a temporary of the same C name, as two arrays."""
    other = replace(private("t_2", 1), c_name="t")
    return make_scop(
        [*SQUARE, private("t", 1), other],
        [
            ("[n] -> { S0[i] : 0 <= i < n }", (0, 0), "t = A[0][i];"),
            ("[n] -> { S1[i] : 0 <= i < n }", (0, 1), "B[0][i] = t * t;"),
            ("[n] -> { S2[i] : 0 <= i < n }", (1, 0), "t_2 = A[1][i];"),
            ("[n] -> { S3[i] : 0 <= i < n }", (1, 1), "B[1][i] = t_2 + 1.0;"),
        ],
        N,
    )


def test_temporaries_share_a_name_where_they_never_meet() -> None:
    scop = two_temporaries()
    text = print_openmp(scop, original_tree(scop))
    assert text.count("double t = ") == 2
    one = (LinearRow((1,)),)
    fused = build_tree(
        scop.domain,
        {f"S{k}": Rows(("i",), (0, beta), one) for k, beta in enumerate((0, 2, 1, 3))},
    )
    text = print_openmp(scop, fused)
    assert text.count("double t = ") == 1
    assert text.count("double t_1 = ") == 1


@pytest.mark.long
@pytest.mark.cc
def test_separated_and_unrolled_tiles_keep_their_temporaries(tmp_path: Path) -> None:
    scop = scalar_scop()
    tree = tile(original_tree(scop), 4)
    trees = []
    for kind in (isl.ast_loop_type.separate, isl.ast_loop_type.unroll):
        changed = tree
        for path, node in tree.bands():
            inner = node.get_schedule_depth() % 2
            node = changed.node(path)
            for member in range(node.band_n_member()):
                if inner or kind == isl.ast_loop_type.separate:
                    node = node.band_member_set_ast_loop_type(member, kind)
            changed = ScheduleTree(node.get_schedule())
        trees.append(changed)
    check_equal(tmp_path, FRAME_2D, SCALAR, scop, trees, SIZES)


@pytest.mark.cc
def test_a_scalar_of_the_function_is_shadowed_without_warnings(tmp_path: Path) -> None:
    scop = two_temporaries()
    arrays = tuple(
        replace(a, storage="local" if a.n_expanded else a.storage) for a in scop.arrays
    )
    scop = replace(scop, arrays=arrays, counters=("i",))
    original = """
    double t;
    int i;
#pragma scop
    for (i = 0; i < n; i++) {
        t = A[0][i];
        B[0][i] = t * t;
    }
    for (i = 0; i < n; i++) {
        t = A[1][i];
        B[1][i] = t + 1.0;
    }
#pragma endscop"""
    before, region = original.split("#pragma scop\n")
    frame = FRAME_2D.replace("@", before + "@")
    tree = mark_bands(original_tree(scop), parallel=0)
    options = PrintOptions(original_text=region)
    text = print_openmp(scop, tree, options)
    assert "  (void)i, (void)t;\n" in text
    loops = region.replace("#pragma endscop", "")
    check_equal(tmp_path, frame, loops, scop, [tree], SIZES, options)


@pytest.mark.long
@pytest.mark.cc
def test_a_copy_written_before_a_loop_and_read_inside_is_one_object(
    tmp_path: Path,
) -> None:
    """isl takes the definition for i = 0 out of the loop over i."""
    scop = make_scop(
        [*SQUARE, private("t", 2), private("s", 1)],
        [
            ("[n] -> { S0[k] : 0 <= k < n }", (0, 0), "s = 1.0 + k % 2;"),
            (
                "[n] -> { S1[k, i] : 0 <= k < n and 0 < i < n }",
                (0, 1, 0),
                "t = A[0][i - 1];",
            ),
            ("[n] -> { S2[k, i] : 0 <= k < n and i = 0 < n }", (0, 1, 1), "t = s;"),
            (
                "[n] -> { S3[k, i] : 0 <= k < n and 0 <= i < n }",
                (0, 1, 2),
                "B[k][i] = t * 0.5; A[1][i] += t;",
            ),
        ],
        N,
    )
    original = """
    for (int k = 0; k < n; k++) {
        double s = 1.0 + k % 2;
        for (int i = 0; i < n; i++) {
            double t;
            if (i > 0)
                t = A[0][i - 1];
            else
                t = s;
            B[k][i] = t * 0.5;
            A[1][i] += t;
        }
    }"""
    tree = original_tree(scop)
    trees = [mark_bands(tree, parallel=1), mark_bands(tree, vector=1), tile(tree, 3)]
    check_equal(tmp_path, FRAME_2D, original, scop, trees, SIZES)


TILED_TAIL = """{{ domain: "{domain}", child: {{ schedule: "[{{
S0[i, b] -> [(i)]; S1[i, j] -> [(i)]; S2[i] -> [(i)]; S3[i, b] -> [(i)];
S4[i] -> [(i)] }}]", child: {{ sequence: [ {{ filter: "{{ S0[i, b] }}", child: {{
mark: "tile", child: {{ schedule: "[{{ S0[i, b] -> [(b - (b) mod 64)] }}]",
child: {{ schedule: "[{{ S0[i, b] -> [(b)] }}]" }} }} }} }}, {{
filter: "{{ S1[i, j] }}", child: {{ schedule: "[{{ S1[i, j] -> [(j)] }}]" }}
}}, {{ filter: "{{ S2[i]; S3[i, b]; S4[i] }}", child: {{ mark: "tile", child: {{
schedule: "[{{ S2[i] -> [(0)]; S3[i, b] -> [(b - (b) mod 64)];
S4[i] -> [(0)] }}]", child: {{ schedule: "[{{ S2[i] -> [(0)];
S3[i, b] -> [(b)]; S4[i] -> [(15)] }}]", child: {{ sequence: [
{{ filter: "{{ S2[i] }}" }}, {{ filter: "{{ S3[i, b] }}" }},
{{ filter: "{{ S4[i] }}" }} ] }} }} }} }} }} ] }} }} }}"""


@pytest.mark.long
def test_a_scope_that_ends_between_uses_is_opened_further_out(tmp_path: Path) -> None:
    """The row's scope would hold two of the sum's three uses, without the mark."""
    scop = make_scop(
        [*SQUARE, private("h", 1, Const(16, types.INT, "16")), private("t", 1)],
        [
            ("[n] -> { S0[i, b] : 0 <= i < n and 0 <= b < 16 }", (0, 0, 0),
             "h[b] = 0.5 * b;"),
            ("[n] -> { S1[i, j] : 0 <= i, j < n }", (0, 1, 0), "h[3] += A[i][j];"),
            ("[n] -> { S2[i] : 0 <= i < n }", (0, 2), "t = 0.0;"),
            ("[n] -> { S3[i, b] : 0 <= i < n and 0 <= b < 16 }", (0, 3, 0),
             "t += h[b];"),
            ("[n] -> { S4[i] : 0 <= i < n }", (0, 4), "B[i][0] = t;"),
        ],
        N,
    )  # fmt: skip
    original = """
    for (int i = 0; i < n; i++) {
        double h[16], t = 0.0;
        for (int b = 0; b < 16; b++)
            h[b] = 0.5 * b;
        for (int j = 0; j < n; j++)
            h[3] += A[i][j];
        for (int b = 0; b < 16; b++)
            t += h[b];
        B[i][0] = t;
    }"""
    text = " ".join(TILED_TAIL.format(domain=scop.domain).split())
    tree = ScheduleTree(isl.Schedule.read_from_str(scop.context.get_ctx(), text))
    check_equal(tmp_path, FRAME_2D, original, scop, [tree], SIZES)


def test_parts_of_a_cut_loop_have_storage_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "case.c"
    path.write_text(
        "void f(int n, double x[100][100], double y[100][100]) {\n#pragma scop\n"
        "for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) {\n"
        "float s = x[i][j]; s += 1; y[i][j] = s > 2 ? s : -s; }\n#pragma endscop\n}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    whole = original_tree(scop)
    inner = Split((0,), 0, ("1", "n - 1")).apply(whole)
    for tree, depth in ((whole, 2), (inner, 2)):
        (buffer,) = plan_storage(scop, tree)
        assert (buffer.depth, buffer.kept) == (depth, ())


def test_parts_of_a_cut_loop_in_other_orders_need_no_array(tmp_path: Path) -> None:
    """Instances (i, j) and (j, i) are at one time of two loops."""
    path = tmp_path / "case.c"
    path.write_text(
        "void f(int n, float c[n][n]) {\n#pragma scop\n"
        "for (int i = 1; i < n; i++) for (int j = 1; j < n; j++) {\n"
        "float s = c[i][0] < c[0][j] ? c[i][0] : c[0][j];\n"
        "c[i][j] = c[i][j] > s ? c[i][j] : s; }\n#pragma endscop\n}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    script = (
        "merge(band=0); split(band=0, member=0, cuts=[9]); "
        "order(band=0.1.0, members=[1, 0])"
    )
    cut = apply_script(tree, parse_script(script), deps)
    (buffer,) = plan_storage(scop, cut)
    assert (buffer.depth, buffer.kept) == (2, ())
    text = print_openmp(scop, cut)
    assert text.count("float s = ") == 2
    assert "malloc" not in text


def test_parts_of_a_cut_loop_may_name_an_element_that_they_never_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "case.c"
    path.write_text(
        "double f(int n, double x[n], double y[n]) {\ndouble s = 0;\n#pragma scop\n"
        "for (int i = 0; i < n; i++) { y[i] = 0; for (int j = 0; j < n; j++) {\n"
        "double d = x[j] - x[i]; y[i] += d; s += i < j ? d : 0; } }\n"
        "#pragma endscop\nreturn s;\n}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    script = (
        "distribute(band=0, member=0, statements=[0, 1, 3, 2]); "
        "split(band=0.2.0.0, member=0, cuts=[1 + c0])"
    )
    cut = apply_script(tree, parse_script(script), deps)
    text = print_openmp(scop, cut)
    assert text.count("s += t1 < t2 ? d[t1][t2] : 0;") == 2


ROW_OF_SUMS = """{ domain: "[n] -> { S0[i, k] : 0 <= i < n and 0 <= k < 10;
S1[i, k, j] : 0 <= i, j < n and 0 <= k < 10; S2[i, k] : 0 <= i < n and 0 <= k < 10 }",
child: { schedule: "[{ S0[i, k] -> [(i)]; S1[i, k, j] -> [(i)]; S2[i, k] -> [(i)] }]",
child: @ } }"""
SUMS_APART = """{ sequence: [
{ filter: "{ S0[i, k] }", child: { schedule: "[{ S0[i, k] -> [(k)] }]" } },
{ filter: "{ S1[i, k, j] }", child: {
schedule: "[{ S1[i, k, j] -> [(j)] }, { S1[i, k, j] -> [(k)] }]" } },
{ filter: "{ S2[i, k] }", child: { schedule: "[{ S2[i, k] -> [(k)] }]" } } ] }"""
SUMS_TOGETHER = """{ schedule: "[n] -> [
{ S0[i, k] -> [(0)]; S1[i, k, j] -> [(j)]; S2[i, k] -> [(n)] },
{ S0[i, k] -> [(k)]; S1[i, k, j] -> [(k)]; S2[i, k] -> [(k)] }]", child: { sequence: [
{ filter: "{ S0[i, k] }" }, { filter: "{ S1[i, k, j] }" }, { filter: "{ S2[i, k] }" }
] } }"""


@pytest.mark.parametrize(
    ("order", "declared"),
    [(SUMS_APART, "double s[10];"), (SUMS_TOGETHER, "double s[10] = {0};")],
)
def test_a_row_that_only_branches_set_starts_as_zero(order: str, declared: str) -> None:
    """gcc -O3 takes `if (j == 0) s[k] = 0.0;` for a maybe, and warns."""
    scop = make_scop(
        [*SQUARE, private("s", 1, Const(10, types.INT, "10"))],
        [
            (
                "[n] -> { S0[i, k] : 0 <= i < n and 0 <= k < 10 }",
                (0, 0, 0),
                "s[k] = 0.0;",
            ),
            (
                "[n] -> { S1[i, k, j] : 0 <= i, j < n and 0 <= k < 10 }",
                (0, 1, 0, 0),
                "s[k] += A[j][k];",
            ),
            (
                "[n] -> { S2[i, k] : 0 <= i < n and 0 <= k < 10 }",
                (0, 2, 0),
                "B[i][k] = s[k];",
            ),
        ],
        N,
    )
    tree = ScheduleTree.parse(ROW_OF_SUMS.replace("@", order).replace("\n", " "))
    assert declared in print_openmp(scop, tree)
