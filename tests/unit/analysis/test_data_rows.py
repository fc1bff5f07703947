"""Rows between neighbours of an array are independent where it is in order."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, prepare_scop
from polysched.frontend import parse_c
from polysched.ir import Scop

HEAD = """void f(int n, int m, const int *row, int *other, const int *col,
       double *val, double *x, double *y) {
"""
SCALE = """for (int i = 0; i < n; i++)
  for (int k = row[i]; k < row[i + 1]; k++)
    val[k] *= x[i];"""


def prepared(body: str, tmp_path) -> Scop:
    path = tmp_path / "case.c"
    path.write_text(f"{HEAD}#pragma scop\n{body}\n#pragma endscop\n}}\n")
    (scop,) = parse_c(path).scops
    return prepare_scop(scop)


def dependences(scop: Scop, array: str = "val") -> dict[str, str]:
    """The dependences on an array: kind, source and sink, to their pairs."""
    return {
        f"{d.kind} {d.source} {d.sink}": str(d.relation)
        for d in compute_dependences(scop, with_input=False).items
        if d.array == array
    }


def test_rows_of_one_statement_are_independent(tmp_path) -> None:
    scop = prepared(SCALE, tmp_path)
    (fact,) = scop.in_order
    assert fact.array == "row"
    assert str(fact.places) == "[n] -> { [i0] : 0 <= i0 < n }"
    assert dependences(scop) == {}


@pytest.mark.parametrize(
    "body",
    [
        "int end = row[i + 1]; for (int k = row[i]; k < end; k++) val[k] *= x[i];",
        "const int first = row[i], end = row[i + 1]; double s = x[i];"
        " for (int k = first; k < end; ++k) val[k] *= s;",
        "for (int k = row[i]; k < row[i + 1]; k++) if (col[k] > i) val[k] = x[col[k]];",
        "int k; for (k = row[i]; k < row[i + 1]; k++) val[k] = 0.0;",
    ],
    ids=["end", "both-ends", "under-a-condition", "counter-outside"],
)
def test_rows_as_people_write_them(body: str, tmp_path) -> None:
    scop = prepared(f"for (int i = 0; i < n; i++) {{ {body} }}", tmp_path)
    assert [fact.array for fact in scop.in_order] == ["row"]
    assert dependences(scop) == {}


def test_two_statements_meet_in_the_same_row_only(tmp_path) -> None:
    body = f"""{SCALE}
    for (int i = 1; i <= n; i++) {{
      double sum = 0.0;
      for (int k = row[i - 1]; k < row[i]; k++)
        sum += val[k] * x[col[k]];
      y[i - 1] = sum;
    }}"""
    found = dependences(prepared(body, tmp_path))
    assert list(found) == ["flow S0 S1"]
    assert "i' = 1 + i" in found["flow S0 S1"]


def test_what_others_touch_besides_keeps_its_order(tmp_path) -> None:
    body = f"""{SCALE}
    for (int k = 0; k < m; k++)
      val[k] += 1.0;"""
    scop = prepared(body, tmp_path)
    assert scop.in_order
    found = dependences(scop)
    assert {"flow S0 S1", "anti S0 S1", "output S0 S1"} == found.keys()


@pytest.mark.parametrize(
    "body",
    [
        SCALE.replace("row[i + 1]", "row[i + 2]"),
        SCALE.replace("row[i + 1]", "other[i + 1]"),
        SCALE.replace("row", "other") + "\nfor (int i = 0; i < n; i++) other[i] = i;",
        SCALE.replace("val[k] *= x[i];", "val[k + 1] *= x[i];"),
        SCALE.replace("val[k] *= x[i];", "val[k] = val[col[k]] * x[i];"),
        SCALE.replace("val[k] *= x[i];", "{ val[k] *= x[i]; k += col[k]; }"),
        SCALE.replace("val[k] *= x[i];", "y[i] += val[k];"),
        SCALE.replace("row[i]", "row[2 * i]").replace("row[i + 1]", "row[2 * i + 1]"),
        SCALE.replace("int k", "short k"),
        "for (int i = 0; i < n; i++) { int end = row[i + 1]; if (col[i]) end++;"
        " for (int k = row[i]; k < end; k++) val[k] *= x[i]; }",
        "for (int i = 0; i < n; i++) { short end = row[i + 1];"
        " for (int k = row[i]; k < end; k++) val[k] *= x[i]; }",
        SCALE.replace("k < row", "k <= row"),
        SCALE.replace("k++", "k += 2").replace("k = row[i]", "k = row[i] + 1"),
    ],
    ids=["two-rows", "two-arrays", "rows-change", "shifted", "anywhere", "k-changes",
         "nothing-written", "gaps", "short", "end-changes", "short-end",
         "one-more", "begins-later"],
)  # fmt: skip
def test_nothing_is_taken_to_be_in_order(body: str, tmp_path) -> None:
    scop = prepared(body, tmp_path)
    assert scop.in_order == ()
