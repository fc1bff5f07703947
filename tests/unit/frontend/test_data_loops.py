"""Loops that end when data say so become part of one statement."""

import islpy as isl
import pytest

from polysched.base import FrontendError
from polysched.ir import (
    Leave,
    Let,
    Local,
    Lookup,
    Repeat,
    action_expressions,
    inner_actions,
    walk,
)

pytestmark = pytest.mark.cc


HEAD = (
    "int n, int m, const int *row, const int *col, const double *val, const double *x, "
    "double *y, double *z"
)
CSR = """for (int i = 0; i < n; i++) {
  double s = 0.0;
  for (int k = row[i]; k < row[i + 1]; k++) s += val[k] * x[col[k]];
  y[i] = s;
}"""


def test_a_sparse_product_is_one_statement_per_row(scop_of):
    scop = scop_of(CSR, HEAD)
    (statement,) = scop.statements
    assert statement.iterators == ("i",)
    begin, loop, end = statement.body
    assert isinstance(begin, Let)
    assert begin.is_new
    assert isinstance(loop, Repeat)
    assert loop.start[0].local.name == "k"
    assert [a.kind for a in statement.accesses if a.array == "y"] == ["must_write"]
    assert {a.array for a in statement.accesses} == {"row", "col", "val", "x", "y"}
    assert end.target.array == "y"
    read = {e.array for e in walk(loop.body[0].value) if isinstance(e, Lookup)}
    assert read == {"val", "x", "col"}
    assert "s" not in {a.name for a in scop.arrays}


def test_what_a_loop_writes_may_happen(scop_of):
    scop = scop_of(
        """for (int i = 0; i < n; i++)
  for (int k = row[i]; k < row[i + 1]; k++) y[i] += val[k] * x[col[k]];""",
        HEAD,
    )
    (statement,) = scop.statements
    kinds = {a.kind for a in statement.accesses if a.array == "y"}
    assert kinds == {"read", "may_write"}


def test_a_sum_over_what_a_loop_found_stays_a_sum(scop_of):
    scop = scop_of(
        """double t = 0;
for (int i = 0; i < n; i++) {
  int k = 0;
  while (k < m && col[k] != i) k++;
  t += k;
}
y[0] = t;""",
        HEAD,
    )
    assert [len(s.body) for s in scop.statements] == [1, 2, 1, 1]
    assert scop.statements[2].body[0].op == "+="


def test_plain_loops_beside_stay_loops(scop_of):
    scop = scop_of(
        """for (int i = 0; i < n; i++) {
  int k = row[i];
  for (int j = 0; j < 4; j++) z[4 * i + j] = k;
  while (k > 0 && col[k] > i) k--;
  y[i] = k;
}""",
        HEAD,
    )
    assert [s.iterators for s in scop.statements] == [
        ("i",), ("i", "j"), ("i",), ("i",),
    ]  # fmt: skip


def test_nested_loops_break_and_continue(scop_of):
    scop = scop_of(
        """for (int i = 0; i < n; i++) {
  y[i] = -1;
  for (int k = row[i]; k < row[i + 1]; k++) {
    if (col[k] < 0) continue;
    if (val[k] > 8) break;
    for (int q = 0; q < col[k]; q++) { if (x[q] < 0) break; y[i] += x[q]; }
  }
}""",
        HEAD,
    )
    loop = scop.statements[1].body[0]
    assert isinstance(loop, Repeat)
    assert sum(isinstance(a, Leave) for a in _all(loop)) == 1
    names = {e.name for e in action_expressions(loop) if isinstance(e, Local)}
    assert names == {"k", "q"}


def _all(action):
    yield action
    for inner in inner_actions(action):
        yield from _all(inner)


def test_names_of_variables_are_told_apart(scop_of):
    scop = scop_of(
        """for (int i = 0; i < n; i++) {
  for (int k = row[i]; k < row[i + 1]; k++) { int t = col[k]; y[i] += t; }
  for (int k = row[i]; k < row[i + 1]; k++) { int t = col[k]; z[i] += t; }
}""",
        HEAD,
    )
    first, second = (
        {e.name for a in s.body for e in action_expressions(a) if isinstance(e, Local)}
        for s in scop.statements
    )
    assert len(first) == len(second) == 2
    assert first.isdisjoint(second)


def test_a_loop_with_nothing_around_it_does_not_scatter(parse):
    program = parse("""void f(int n, const int *row, double *y)
{
#pragma scop
  for (int k = row[0]; k < row[1]; k++)
    y[k] = n;
#pragma endscop
}
""")
    (error,) = program.refusals
    assert isinstance(error, FrontendError)
    assert error.where.line == 4
    assert error.message == (
        "the bounds or step of this loop are not affine, and it writes 'y' at places "
        "that change as it turns"
    )


ROWS = """for (int i = 0; i < n; i++)
  for (int k = row[i]; k < row[i + 1]; k++)
    for (int j = 0; j < m; j++)
      {} += val[k] * B[col[k]][j];"""


def test_rows_of_the_iteration_may_be_written(scop_of):
    scop = scop_of(ROWS.format("C[i][j]"), f"{HEAD}, double C[][m], double B[][m]")
    (statement,) = scop.statements
    (write,) = statement.writes
    assert write.kind == "may_write"
    wanted = "[n, m] -> { S0[i] -> C[i, j] : 0 <= i < n and 0 <= j < m }"
    assert write.relation.is_equal(write.relation.read_from_str(
        write.relation.get_ctx(), wanted
    ))  # fmt: skip
    assert {"B", "C"} <= scop.looked_up


@pytest.mark.parametrize("target", ["y[j]", "C[j][i]", "val[k]", "C[col[k]][j]"])
def test_other_places_may_be_anywhere(scop_of, target):
    head = HEAD.replace("const double *val", "double *val")
    scop = scop_of(ROWS.format(target), f"{head}, double C[][m], double B[][m]")
    (statement,) = scop.statements
    (write,) = statement.writes
    assert write.kind == "may_write"
    shared = write.relation.apply_range(write.relation.reverse())
    assert shared.is_injective() == (target == "C[j][i]")


@pytest.mark.parametrize(
    ("declared", "place"),
    [("i + 1", "i + 1"), ("n - 1 - i", "n - i - 1"), ("i / 2", "floor((i)/2)")],
)
def test_a_number_that_stays_stands_for_its_value_in_what_is_one_statement(
    scop_of, declared, place
):
    """Its declaration is gone, and C may have another variable of the name."""
    scop = scop_of(
        f"""for (int i = 0; i < n - 1; i++) {{
  const int o = {declared};
  for (int k = 0; k < row[o]; k++) y[i] += val[k];
}}""",
        HEAD,
    )
    (statement,) = scop.statements
    assert not any(isinstance(a, Let) and a.local.name == "o" for a in statement.body)
    names = {e.name for e in scop.iter_expressions() if isinstance(e, Local)}
    assert names == {"k"}
    (read,) = (a for a in statement.accesses if a.array == "row")
    expected = isl.Map(f"[n] -> {{ S0[i] -> row[{place}] }}")
    assert read.relation.is_subset(expected)
