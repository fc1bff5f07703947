"""In lanes choices take the place of conditions, where that is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import certain_arrays, privatize
from polysched.codegen import print_actions
from polysched.codegen.chosen_stores import choose_stores
from polysched.frontend import parse_c

FRAME = """#include <math.h>
static int where[64];
void f(int n, const double *x, const int *k, double low, double *y, int *z) {
#pragma scop
  for (int i = 0; i < n; i++) {
    double sum = 0, t; int count = 0;
    for (int j = 0; j < n; j++) {
      double d = x[i] - x[j];
      @
    }
    y[i] = sum + count;
  }
#pragma endscop
}
"""


def lines(body: str, directory: Path) -> list[str]:
    """The body of the statement with the condition, as it is in lanes."""
    path = directory / "case.c"
    path.write_text(FRAME.replace("@", body))
    (scop,) = parse_c(path).scops
    scop = privatize(scop)
    statement = next(s for s in scop.statements if "if" in print_actions(s.body)[0])
    certain = certain_arrays(scop, statement.name)
    found = print_actions(choose_stores(scop, statement, certain))
    return [line.replace("[i][j]", "").replace("sum[i]", "sum") for line in found]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("if (d < low) sum += d;", ["sum = d < low ? sum + d : sum;"]),
        (
            "if (d < low && j != i) sum = d * low;",
            ["sum = ((d < low) & (j != i)) ? d * low : sum;"],
        ),
        (
            "if (d > low) { t = 1 / d; sum -= t * t; }",
            ["t = 1 / d;", "sum = d > low ? sum - t * t : sum;"],
        ),
        (
            "if (d < low) sum = low; else sum += d;",
            ["sum = d < low ? low : sum;", "sum = !(d < low) ? sum + d : sum;"],
        ),
        (
            "if (d > low) { t = d * d; if (t < 9) sum += t; }",
            ["t = d * d;", "sum = ((d > low) & (t < 9)) ? sum + t : sum;"],
        ),
    ],
)
def test_elements_that_no_other_thread_has_are_chosen(
    body: str, expected: list[str], tmp_path: Path
) -> None:
    assert lines(body, tmp_path) == expected


@pytest.mark.parametrize(
    "body",
    [
        "if (d < low) y[j] = d;",  # others may write it, or it may not exist
        "if (d < low) sum += sqrt(d);",
        "if (d < low) sum += x[where[j]];",
        "if (d < low) sum += x[j + 1];",  # may not exist
        "if (k[j]) count = 100 / k[j];",
        "if (k[j] < 9) count += k[j];",  # an int that may run over
        "if (d < 9) count = (int)d;",
        "if (sum < low) sum += d;",  # the condition is about what it changes
        "if (d > low) { t = d; if (t < 9) t = 2; if (t < 8) sum += t; }",
    ],
)
def test_what_may_go_wrong_stays_behind_its_condition(
    body: str, tmp_path: Path
) -> None:
    assert lines(body, tmp_path)[0].startswith("if (")
