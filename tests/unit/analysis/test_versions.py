"""Updates in place that read copies: what is taken apart, and equal results."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, copy_versions, prepare_scop
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree
from polysched.testing import Candidate, Candidates, check_program

PROGRAM = """
#include <stdio.h>
static TYPE P[12][12], Q[12][12];
static void run(int n) {
#pragma scop
BODY
#pragma endscop
}
int main(void) {
    static const int sizes[] = {0, 1, 2, 5, 9, 12};
    for (int s = 0; s < 6; s++) {
        for (int i = 0; i < 12; i++)
            for (int j = 0; j < 12; j++) {
                P[i][j] = (7 * i + 13 * j) % 29 - 3 * (i == j);
                Q[i][j] = (5 * i + 3 * j) % 7;
            }
        run(sizes[s]);
    }
    return 0;
}
"""
LOOPS = """
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
"""
PATHS = LOOPS + ("P[i][j] = P[i][j] < P[i][k] + P[k][j] ? P[i][j] : P[i][k] + P[k][j];")
GUARDED = LOOPS + "if (P[i][k] + P[k][j] < P[i][j]) P[i][j] = P[i][k] + P[k][j];"
JORDAN = LOOPS.replace("int j = 0", "int j = k + 1") + (
    "if (i != k) P[i][j] -= P[i][k] / (P[k][k] + 40) * P[k][j];"
)
DOWN = PATHS.replace("int k = 0; k < n; k++", "int k = n - 1; k >= 0; k--")
TAKEN = {
    "paths": PATHS,
    "under a condition": GUARDED,
    "down": DOWN,
    "jordan": JORDAN,
    "sum": LOOPS + "P[i][j] -= P[i][k] * P[k][j] / 64;",
    "bits": LOOPS.replace("< n", "< 12")
    + "P[i][j] = P[i][j] || (P[i][k] > 20 && P[k][j] > 20);",
    "one side": LOOPS + "P[i][j] += Q[k][j] * P[i][k] / 64;",
    "another row": LOOPS + "P[i][j] += P[i][k] / 8 + P[n - 1 - k][j] / 16;",
    "pivot": LOOPS + "P[i][j] -= P[k][k] / 32;",
}
LEFT = {
    # no later iteration changes what one has read
    "lu": LOOPS.replace("int i = 0", "int i = k + 1").replace("j = 0", "j = k + 1")
    + "P[i][j] -= P[i][k] * P[k][j] / 64;",
    "two statements": PATHS.replace("j++)\n", "j++) {\n") + "Q[i][j] = P[i][j]; }",
    "all loops choose": LOOPS + "P[i][j] += P[(i + j + k) / 3][j] / 8;",
    "nothing updated": LOOPS + "P[i][j] = P[i][k] / 2 + P[k][j] / 2;",
    "may not be there": LOOPS + "P[i][j] += k > 0 ? P[i][k - 1] / 8 : 0;",
}


def _program(body: str, type_name: str = "double") -> str:
    return PROGRAM.replace("TYPE", type_name).replace("BODY", body)


def _scop(body: str, tmp_path: Path) -> Scop:
    file = tmp_path / "program.c"
    file.write_text(_program(body))
    return parse_c(str(file)).scops[0]


def _in_order(scop: Scop) -> Candidates:
    scop = copy_versions(prepare_scop(scop))
    deps = compute_dependences(scop, with_input=False)
    return Candidates(scop, deps, (Candidate(original_tree(scop), "in order"),))


def _copies(scop: Scop) -> list[str]:
    return [a.name for a in scop.arrays if a.storage == "scop" and a.n_expanded]


@pytest.mark.parametrize("body", TAKEN.values(), ids=TAKEN)
def test_updates_read_copies_of_what_changes_later(body: str, tmp_path: Path) -> None:
    prepared = copy_versions(prepare_scop(_scop(body, tmp_path)))
    copies = _copies(prepared)
    assert copies
    for s in prepared.statements:
        (write,) = s.writes
        others = [a.array for a in s.reads if not a.relation.is_equal(write.relation)]
        assert write.array in copies or "P" not in others


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("type_name", ["double", "int"])
@pytest.mark.parametrize("body", TAKEN.values(), ids=TAKEN)
def test_their_results_are_equal(body: str, type_name: str) -> None:
    report = check_program(_program(body, type_name), _in_order)
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_trees == 1
    assert report.n_unprinted == 0


@pytest.mark.parametrize("body", LEFT.values(), ids=LEFT)
def test_other_statements_stay_as_they_are(body: str, tmp_path: Path) -> None:
    scop = _scop(body, tmp_path)
    found = copy_versions(prepare_scop(scop))
    assert len(found.statements) == len(scop.statements)


def test_shortest_paths_have_nine_kinds_of_updates(tmp_path: Path) -> None:
    scop = _scop(PATHS.replace("< n", "< 12"), tmp_path)
    prepared = prepare_scop(scop)
    kinds = [s for s in prepared.statements if s.writes[0].array == "P"]
    assert len(kinds) == 9
    assert len(_copies(prepared)) == 4  # a row and a column, before and behind
    assert prepare_scop(scop, with_copies=False).statements == scop.statements


def test_sizes_must_be_known(tmp_path: Path) -> None:
    """What is made of copies later on explodes otherwise."""
    scop = _scop(PATHS, tmp_path)
    assert prepare_scop(scop).statements == scop.statements
