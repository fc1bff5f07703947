"""Flat subscripts get dimensions, only when every inner one provably fits."""

import islpy as isl
import pytest

from polysched.ir import Binary, Cast, Const, Load, Param
from polysched.ir.types import LONG

pytestmark = pytest.mark.cc

NEST = "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++)"


def only(scop, array):
    return [a.relation for _, a in scop.iter_accesses() if a.array == array]


def equal(relation, text):
    return relation.is_equal(isl.Map(text))


def test_row_pitch(scop_of):
    scop = scop_of(f"{NEST} x[i * m + j] = 0;")
    array = scop.array("x")
    assert array.extents == (None, Param("m"))
    assert array.pitches == (Param("m"),)
    assert equal(
        only(scop, "x")[0],
        "[n, m] -> { S0[i, j] -> x[i, j] : 0 <= i < n and 0 <= j < m }",
    )
    assert scop.assumptions.plain_is_universe()


def test_numbers_that_lie_side_by_side_widen_the_pitch(scop_of):
    scop = scop_of(f"{NEST} for (int c = 0; c < 3; c++) x[3 * (i * m + j) + c] = 0;")
    three = Const(3, Param("m").type, "3")
    assert scop.array("x").pitches == (Binary("*", three, Param("m")),)
    assert equal(
        only(scop, "x")[0],
        "[n, m] -> { S0[i, j, c] -> x[i, 3j + c] : 0 <= i < n and 0 <= j < m "
        "and 0 <= c < 3 }",
    )
    assert scop.assumptions.plain_is_universe()


def test_rows_of_half_a_size(scop_of):
    scop = scop_of(
        "for (int i = 0; i < n / 2; i++) for (int j = 0; j < m / 2; j++)"
        " x[i * (m / 2) + j] = y[2 * i * m + 2 * j];"
    )
    assert equal(
        only(scop, "x")[0].reset_tuple_id(isl.dim_type.in_),
        "[n, m] -> { [i, j] -> x[i, j] : i >= 0 and 2i <= n - 2 and j >= 0 "
        "and 2j <= m - 2 }",
    )
    assert scop.array("y").pitches == (Param("m"),)


def test_rows_whose_length_is_a_sum_are_counted_by_sums_too(scop_of):
    scop = scop_of(
        "for (int j = 0; j < n; j++) for (int i = 0; i < m; i++)"
        " x[(j + 2) * (m + 4) + i + 2] *= 2;"
        " for (int i = 0; i < m; i++)"
        " x[1 * (m + 4) + i + 2] = x[(n + 1) * (m + 4) + i];"
    )
    read = isl.Map("[n, m] -> { S1[i] -> x[n + 1, i] : 0 <= i < m }")
    assert any(r.is_equal(read) for r in only(scop, "x"))
    assert scop.assumptions.plain_is_universe()


def test_leading_dimension_needs_an_assumption(scop_of):
    scop = scop_of(
        "for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) x[i * m + j] = 0;"
    )
    assert scop.assumptions.is_equal(isl.Set("[n, m] -> { : n <= m or n <= 0 }"))


@pytest.mark.parametrize(
    "subscript",
    [
        "m * i + j",
        "j + i * m",
        "(i * m) + (m - 1 - j)",
        "(i+1)*m - j - 1",
    ],
)
def test_ways_to_write_a_flat_subscript(scop_of, subscript):
    scop = scop_of(f"{NEST} x[{subscript}] = 0;")
    assert scop.array("x").pitches == (Param("m"),)
    assert scop.assumptions.plain_is_universe()


@pytest.mark.parametrize("subscript", ["(long)i * m + j", "j + m * (unsigned long)i"])
def test_rows_of_subscripts_of_eight_bytes_are_counted_in_eight(scop_of, subscript):
    scop = scop_of(f"{NEST} x[{subscript}] = 0;")
    assert scop.array("x").pitches == (Cast(LONG, Param("m")),)
    assert scop.assumptions.plain_is_universe()


def test_halo_in_the_pitch(scop_of):
    scop = scop_of(
        "for (int i = 1; i <= n; i++) for (int j = 1; j <= m; j++)"
        " x[i * (m + 2) + j] += x[(i - 1) * (m + 2) + j] + x[i * (m + 2) + j + 1];"
    )
    assert scop.array("x").pitches == (
        Binary("+", Param("m"), Const(2, Param("m").type, "2")),
    )
    assert len(only(scop, "x")) == 4


def test_three_dimensions(scop_of):
    scop = scop_of(
        "for (int b = 0; b < k; b++) " + NEST + " x[b * n * m + i * m + j] = 0;",
        head="int k, int n, int m, double *x",
    )
    array = scop.array("x")
    assert array.extents == (None, Param("n"), Param("m"))
    assert array.pitches[1] == Param("m")
    assert equal(
        only(scop, "x")[0],
        "[k, n, m] -> { S0[b, i, j] -> x[b, i, j] : 0 <= b < k and 0 <= i < n "
        "and 0 <= j < m }",
    )


def test_time_buffer_in_a_flat_array(scop_of):
    scop = scop_of(
        "for (int t = 0; t < 9; t++) " + NEST +
        " x[((t + 1) % 2) * n * m + i * m + j] = x[(t % 2) * n * m + i * m + j];"
    )  # fmt: skip
    assert scop.array("x").n_dim == 3


def test_constant_pitch(scop_of):
    scop = scop_of(
        "for (int i = 0; i < 10; i++) for (int j = 0; j < 20; j++) A[20 * i + j] = 0;",
        before="double A[200];",
    )
    array = scop.array("A")
    assert [e.value for e in array.extents] == [10, 20]
    assert [p.value for p in array.pitches] == [20]


def test_constant_pitch_that_does_not_fit_stays_flat(scop_of):
    scop = scop_of(
        "for (int i = 0; i < 10; i++) for (int j = 0; j < 21; j++) A[20 * i + j] = 0;",
        before="double A[300];",
    )
    assert scop.array("A").pitches == ()
    assert scop.array("A").n_dim == 1


SPACE = """#define AT(z, y, x) (((z) * 30 + (y)) * 40 + (x))
double A[24000];"""


def test_constant_pitches_of_three_dimensions(scop_of):
    scop = scop_of(
        "for (int z = 1; z < 19; z++) for (int y = 1; y < 29; y++) "
        "for (int x = 1; x < 39; x++) A[AT(z, y, x)] = A[AT(z + 1, y - 1, x - 1)];",
        before=SPACE,
    )
    array = scop.array("A")
    assert [e.value for e in array.extents] == [20, 30, 40]
    assert [p.value for p in array.pitches] == [1200, 40]
    (read,) = (a.relation for _, a in scop.iter_accesses() if a.kind == "read")
    bounds = "1 <= z <= 18 and 1 <= y <= 28 and 1 <= x <= 38"
    assert equal(read, f"{{ S0[z, y, x] -> A[z + 1, y - 1, x - 1] : {bounds} }}")


def test_places_without_an_iterator_have_the_same_dimensions(scop_of):
    scop = scop_of(
        "for (int t = 0; t < 9; t++) {"
        " for (int z = 0; z < 10; z++) for (int y = 0; y < 30; y++)"
        " for (int x = 0; x < 40; x++) A[t % 2 * 12000 + AT(z, y, x)] = t;"
        " A[(t + 1) % 2 * 12000 + AT(5, 15, 20)] = 0; }",
        before=SPACE,
    )
    (write,) = (a.relation for s, a in scop.iter_accesses() if s.name == "S1")
    assert write.range().is_subset(isl.Set("{ A[t, 5, 15, 20] : 0 <= t < 2 }"))


def test_a_stride_is_no_pitch(scop_of):
    scop = scop_of(
        "for (int y = 0; y < 15; y++) for (int x = 0; x < 40; x++)"
        " A[40 * y + x] = A[80 * y + x];",
        before=SPACE,
    )
    assert [p.value for p in scop.array("A").pitches] == [40]


def test_inner_subscript_is_checked_where_it_is_evaluated(scop_of):
    scop = scop_of(f"{NEST} y[i * m + j] = j > 0 ? x[i * m + j - 1] : 0;")
    assert scop.array("x").n_dim == 2
    assert scop.assumptions.plain_is_universe()


PATCHES = "for (int c = 0; c < k; c++) for (int u = 0; u < k; u++) " + NEST


def test_each_of_several_dimensions(scop_of):
    scop = scop_of(
        f"{PATCHES} A[c * k + u][i * m + j] = A[3 * c + u][i * m + j];",
        head="int k, int n, int m, float A[][n * m]",
    )
    array = scop.array("A")
    assert array.extents == (None, Param("k"), Param("n"), Param("m"))
    assert array.base == "((float *)A)"
    assert [p.dtype.n_bytes for p in array.pitches] == [8, 8, 8]
    _, write = only(scop, "A")
    assert write.is_subset(isl.Map("{ S0[c, u, i, j] -> A[c, u, i, j] }"))


def test_a_flat_subscript_beside_rows_of_a_constant(scop_of):
    nest = NEST.replace("i < n", "i < 10")
    scop = scop_of(f"{nest} A[3][i * m + j] = 0;", before="float A[5][100];")
    array = scop.array("A")
    assert [array.extents[0].value, *array.extents[1:]] == [5, None, Param("m")]
    assert [p.dtype.n_bytes for p in array.pitches] == [4, 8]
    assert array.pitches[0].value == 100


def test_rows_of_arrays_that_may_be_large_are_stepped_over_in_eight_bytes(scop_of):
    scop = scop_of(
        f"{NEST} A[i * m + j][n] = 0;", head="int n, int m, float (*A)[50000]"
    )
    pitch = scop.array("A").pitches[-1]
    assert (pitch.value, pitch.dtype.n_bytes) == (50000, 8)


def test_structures_in_rows_that_are_flat(scop_of):
    scop = scop_of(
        f"{NEST} A[i][i * m + j].x = 0;", head="int n, int m, point A[n][n * m]",
        before="typedef struct { double x, y; } point;",
    )  # fmt: skip
    array = scop.array("A")
    assert array.extents[1:3] == (Param("n"), Param("m"))
    assert len(array.pitches) == 3
    assert array.pitches[-1].value == 2


def test_beside_other_subscripts_the_length_of_rows_has_to_be_known(parse):
    (refused,) = parse(
        "void f(int n, int m, float A[n][n * m]) { n = n - 1;\n#pragma scop\n"
        f"{NEST} A[i][i * m + j] = 0;\n#pragma endscop\n}}"
    ).refusals
    assert "declaration may change behind it or is no parameter" in refused.message


@pytest.mark.parametrize(
    ("written", "dimensions"),
    [("A[20 * i + j]", (None, 20)), ("x[i * n + j]", (None, Param("n")))],
)
def test_beside_an_array_that_is_only_read_and_stays_flat(scop_of, written, dimensions):
    nest = "for (int i = 0; i < 10; i++) for (int j = 0; j < 20; j++)"
    scop = scop_of(
        f"{nest} {written} = 1; {nest} {written} += y[i * n + j] + y[i * m + j];",
        before="double A[200];",
    )
    array = scop.array(written[0])
    assert array.n_dim == 2
    assert all(len(w.subscripts) == 2 for w in loads(scop, array.name))
    assert getattr(array.extents[1], "value", array.extents[1]) == dimensions[1]


HEADS = "for (int t = 0; t < n; t++) for (int h = 0; h < H; h++)"
HEADS_OF = "int n, int m, int H, int s, double *x, double *y"


def test_rows_that_fill_a_longer_one(scop_of):
    scop = scop_of(
        f"{HEADS} for (int i = 0; i < s; i++) x[t * m + h * s + i] = 0;", HEADS_OF
    )
    array = scop.array("x")
    assert array.extents == (None, Param("H"), Param("s"))
    assert array.pitches == (Param("m"), Param("s"))
    assert equal(
        only(scop, "x")[0],
        "[n, H, s] -> { S0[t, h, i] -> x[t, h, i] : 0 <= t < n and 0 <= h < H "
        "and 0 <= i < s }",
    )
    (product,) = (p for p in scop.parameters if p.value is not None)
    assert (product.name, product.type.n_bytes) == ("H_s", 8)
    assert scop.assumptions.is_equal(isl.Set("[H_s, m] -> { : H_s <= m }"))


def test_rows_that_fill_a_longer_one_in_pairs(scop_of):
    """Of an odd number the last pair would leave its row: that is assumed away."""
    place = "t * m + h * s + i"
    scop = scop_of(
        f"{HEADS} for (int i = 0; i < s; i += 2) {{ x[{place}] = 0; "
        f"x[{place} + 1] = 1; }}",
        HEADS_OF,
    )
    assert scop.array("x").extents == (None, Param("H"), Param("s"))
    sizes = isl.Set("[n, H, s, H_s, m] -> { : n > 0 and H > 0 and s > 0 and H_s <= m }")
    even = isl.Set("[s] -> { : exists e : s = 2 e }")
    assert scop.assumptions.params().intersect(sizes).is_equal(sizes.intersect(even))


@pytest.mark.parametrize(
    "subscript",
    ["t * m + h * s + i + 1", "t * m + (h + 1) * s + i", "t * m + 2 * h * s + i"],
)
def test_rows_that_may_be_left_fill_none(parse, subscript):
    (refusal,) = parse(
        f"void f({HEADS_OF}) {{\n#pragma scop\n{HEADS} for (int i = 0; i < s; i++) "
        f"x[{subscript}] = 0;\n#pragma endscop\n}}"
    ).refusals
    assert "fit no array dimensions" in refusal.message


def loads(scop, name):
    found = (e for e in scop.iter_expressions() if isinstance(e, Load))
    return [e for e in found if e.array == name]


INSIDE = """for (int i = 0; i < n; i++) for (int k = row[i]; k < row[i + 1]; k++)
  for (int v = {first}; v < {end}; v++) x[i * m + {at}] += k;"""


@pytest.mark.parametrize(
    ("first", "end", "at"),
    [("0", "m", "v"), ("0", "m", "m - 1 - v"), ("1", "m - 1", "v - 1")],
)
def test_loops_inside_of_statements_stay_in_their_rows(scop_of, first, end, at):
    scop = scop_of(
        INSIDE.format(first=first, end=end, at=at), "int n, int m, double *x, int *row"
    )
    assert scop.array("x").pitches == (Param("m"),)
    (write,) = (a.relation for _, a in scop.iter_accesses() if a.is_write)
    rows = write.range()
    assert rows.is_equal(isl.Set("[n, m] -> { x[i, j] : 0 <= i < n and 0 <= j < m }"))


@pytest.mark.parametrize(
    ("first", "end", "at"),
    [("0", "m + 1", "v"), ("0", "k", "v"), ("0", "m", "v * v"), ("0", "m", "v % 3")],
)
def test_other_variables_of_statements_may_lead_anywhere(parse, first, end, at):
    text = INSIDE.format(first=first, end=end, at=at)
    program = parse(
        "void f(int n, int m, double *x, int *row) {\n"
        f"#pragma scop\n{text}\nx[m * n] = x[m * n + n];\n#pragma endscop\n}}"
    )
    for scop in program.scops:
        assert scop.array("x").pitches == ()


def test_loops_from_row_to_row_inside_of_statements_keep_the_array_flat(scop_of):
    scop = scop_of(
        "for (int i = 0; i < n; i++) for (int p = i * m; p < (i + 1) * m; p++)"
        " x[p] = y[p] + i;", "int n, int m, double *restrict x, double *y",
    )  # fmt: skip
    assert scop.array("x").pitches == ()


def test_a_variable_that_two_loops_count_with_has_no_one_range(parse):
    program = parse(
        "void f(int n, int m, double *x, int *row) { int v;\n#pragma scop\n"
        "for (int i = 0; i < n; i++) for (int k = row[i]; k < row[i + 1]; k++) {"
        " for (v = 0; v < n; v++) x[i * m + v] += k;"
        " for (v = 0; v < m; v++) x[i * m + v] *= k; }\n#pragma endscop\n}"
    )
    for scop in program.scops:
        assert scop.array("x").pitches == ()


@pytest.mark.parametrize(
    "last",
    ["n - (size_t)1", "n + (size_t)-1", "n - 1", "(n - 2) + 1", "-(size_t)1 + n"],
)
def test_the_last_element_of_a_row_of_sizes_without_a_sign(scop_of, last):
    scop = scop_of(
        f"for (size_t i = 0; i < n; i++) x[i * n + {last}] = y[i];",
        "size_t n, double *restrict x, const double *restrict y",
        before="#include <stddef.h>",
    )
    (write,) = scop.statements[0].writes
    expected = isl.Map("[n] -> { S0[i] -> x[i, n - 1] : 0 <= i < n }")
    sizes = scop.assumptions.params()
    assert write.relation.intersect_params(sizes).is_equal(
        expected.intersect_params(sizes)
    )
    assert isl.Set("[n] -> { : n > 1 }").is_subset(sizes)
