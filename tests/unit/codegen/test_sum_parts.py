"""Long sums in lanes are added up in four parts; these are exact in any order."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import allow_reordering, set_band_flags
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.testing import Candidate, Candidates, check_program, prepare
from polysched.transform import apply_script, parse_script

PROGRAM = """
#include <stdio.h>
static double x[300], y[300], s[9], t[9];
static int at[300];
static void run(int n, int first)
{
#pragma scop
    LOOP
#pragma endscop
}
int main(void)
{
    for (int i = 0; i < 300; i++) {
        x[i] = i * 7 % 11 / 4.0;
        y[i] = (i * 5 % 13 - 6) / 8.0;
        at[i] = i * 17 % 300;
    }
    static const int sizes[] = {0, 1, 3, 4, 5, 7, 63, 64, 65, 255, 300};
    for (int k = 0; k < 11; k++)
        run(sizes[k], sizes[k] / 3);
    return 0;
}
"""
SUM = "for (int i = 0; i < n; i++) s[2] += x[i] * y[i];"
LATER = "for (int i = first; i < n; i++) s[2] -= x[i] * y[n - 1 - i];"
GATHERED = "for (int i = 0; i < n; i++) s[3] += x[at[i]];"
CHOSEN = "for (int i = 0; i < n; i++) if (x[i] > 1.0) s[4] += y[i];"
KNOWN = "for (int i = 3; i <= 133; i++) s[5] += x[i] * y[i - 3];"
WHOLE = "for (int i = 0; i < 128; i++) s[5] += x[i];"
FEW = "for (int i = 0; i < 63; i++) s[6] += x[i];"
PRODUCT = "for (int i = 0; i < n; i++) s[7] *= x[i] - x[i] + 1.0;"
BUSY = """for (int i = 0; i < n; i++)
        s[7] += x[i] + x[i] * y[i] + (x[i] - y[i]) * (y[i] - x[i]) + y[i] * 2.0;"""
STEP = parse_script("accumulate(band=0, member=0)")


def schedules(scop):
    scop, deps = prepare(scop)
    deps = allow_reordering(deps, scop, "reassociate")
    start = set_band_flags(original_tree(scop), deps)
    tree = apply_script(start, STEP, deps)
    return Candidates(scop, deps, (Candidate(tree, "accumulate"),))


def text_of(loop: str, directory: Path) -> str:
    path = directory / "sums.c"
    path.write_text(PROGRAM.replace("LOOP", loop))
    (scop,) = parse_c(str(path)).scops
    found = schedules(scop)
    return print_openmp(
        found.scop, found.listed[0].tree, deps=found.dependences.validity
    )


def test_four_sums_of_a_quarter_each(tmp_path) -> None:
    text = text_of(SUM, tmp_path)
    assert "const int quarter = n / 4;" in text
    assert "reduction(+:sum,sum_part,sum_part_1,sum_part_2)" in text
    assert "const int t1 = 3 * quarter + place;" in text
    assert "for (int t1 = 4 * quarter; t1 < n; t1++)" in text
    assert "sum += sum_part + (sum_part_1 + sum_part_2);" in text


def test_a_first_value_that_is_not_zero_may_be_far_from_the_last(tmp_path) -> None:
    text = text_of(LATER, tmp_path)
    assert "const int quarter = ((long)n - first) / 4;" in text
    assert "const int t1 = first + 2 * quarter + place;" in text


def test_known_numbers_have_the_parts_they_need(tmp_path) -> None:
    odd, whole, few = (text_of(loop, tmp_path) for loop in (KNOWN, WHOLE, FEW))
    assert "for (int t1 = 131; t1 <= 133; t1++)" in odd
    assert whole.count("for (") == 1
    assert "place" not in few


@pytest.mark.parametrize("loop", [PRODUCT, BUSY], ids=["product", "busy"])
def test_others_stay_one_sum(loop: str, tmp_path) -> None:
    text = text_of(loop, tmp_path)
    assert "reduction(" in text
    assert "quarter" not in text


@pytest.mark.cc
@pytest.mark.parametrize(
    "loop", [SUM, LATER, GATHERED, CHOSEN, KNOWN, WHOLE, FEW, PRODUCT, BUSY]
)
def test_results_are_those_of_the_loop(loop: str) -> None:
    report = check_program(PROGRAM.replace("LOOP", loop), schedules)
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert (report.n_trees, report.n_unprinted) == (1, 0)
