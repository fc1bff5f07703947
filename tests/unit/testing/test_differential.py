"""The differential check passes right programs and finds planted faults."""

from dataclasses import replace

import numpy as np
import pytest

from polysched.base import CodegenError
from polysched.ir import ScheduleTree, original_tree
from polysched.testing import (
    Candidate,
    Candidates,
    CheckOptions,
    check_program,
    differential,
    prepare,
    simple_schedules,
)
from polysched.testing.watch import first_difference, read_snapshots

pytestmark = pytest.mark.cc

PROGRAM = """
#include <stdio.h>
static double A[9];
static unsigned B[4][3];
static void scan(int n, double *C, int m) {
    double w = 0;
#pragma scop
    for (int i = 1; i < n; i++) {
        w = A[i - 1] * 0.5;
        A[i] += w;
        for (int j = 0; j < 3; j++)
            C[(i % 4) * m + j] = B[i % 4][j] * w;
    }
#pragma endscop
}
int main(void) {
    static double C[20];
    for (int i = 0; i < 9; i++) A[i] = i;
    for (int i = 0; i < 12; i++) B[i / 3][i % 3] = i * 7u;
    scan(9, C, 5);
    scan(0, C, 5);
    scan(3, C, 4);
    return 0;
}
"""


def original(scop):
    scop, deps = prepare(scop)
    return Candidates(scop, deps, (Candidate(original_tree(scop)),))


def backwards(scop):
    scop, deps = prepare(scop)
    text = original_tree(scop).text.replace("[(i)]", "[(-i)]")
    tree = ScheduleTree.parse(text)
    candidate = Candidate(tree, "BACK>MIC", "unit", ("skew(band=0)",))
    return Candidates(scop, deps, (candidate,))


def test_agreement_is_reported():
    report = check_program(PROGRAM, simple_schedules)
    assert not report.mismatches, [str(m) for m in report.mismatches]
    assert (report.n_scops, report.n_refused, report.n_executions) == (1, 0, 3)
    assert report.n_trees >= 3
    assert report.n_unprinted == 0


def test_number_of_calls_is_limited():
    report = check_program(PROGRAM, options=CheckOptions(max_calls=2))
    assert not report.mismatches
    assert report.n_executions == 2


def test_illegal_schedule_is_found():
    (found,) = check_program(PROGRAM, backwards).mismatches
    assert (found.scop, found.stage) == ("scan", "legality")
    assert "made by BACK>MIC (unit); skew(band=0)" in str(found)


def test_compared_schedules_are_counted_by_kind(monkeypatch):
    monkeypatch.setattr(differential, "find_violation", lambda tree, deps: None)
    monkeypatch.setattr(differential, "print_openmp", print_unchecked)
    report = check_program(PROGRAM, backwards)
    assert report.n_trees == 1
    assert report.kinds == {"BACK>MIC": 1, "unit": 1, "skew": 1}


def test_fault_of_a_space_is_reported():
    def faulty(scop):
        return replace(original(scop), faults=("IP>MIC: illegal: S0[0] before S1[0]",))

    (found,) = check_program(PROGRAM, faulty).mismatches
    assert (found.scop, found.stage) == ("scan", "schedules")
    assert "illegal" in found.text


def test_crash_of_a_scheduler_is_reported_and_ends_nothing():
    def crashing(scop):
        return {}[scop.name]

    report = check_program(PROGRAM, crashing)
    (found,) = report.mismatches
    assert (found.scop, found.stage) == ("scan", "schedules")
    assert "KeyError" in found.text
    assert "test_differential.py:" in found.text
    assert report.n_executions == 3


def test_illegal_schedule_shows_in_the_values_too(monkeypatch):
    monkeypatch.setattr(differential, "find_violation", lambda tree, deps: None)
    monkeypatch.setattr(differential, "print_openmp", print_unchecked)
    stages = {m.stage for m in check_program(PROGRAM, backwards).mismatches}
    assert stages == {"interpreted schedule", "shuffled schedule", "compiled schedule"}


def print_unchecked(scop, tree, options, deps):
    return differential_print(scop, tree, options)


differential_print = differential.print_openmp


def test_wrong_code_is_found(monkeypatch):
    def print_wrong(scop, tree, options, deps):
        return differential_print(scop, tree, options).replace("0.5", "0.25")

    monkeypatch.setattr(differential, "print_openmp", print_wrong)
    found = check_program(PROGRAM, original).mismatches[0]
    assert found.stage == "compiled schedule"
    assert "A[2]: expected" in found.text


def test_wrong_code_that_a_longer_proof_refuses_is_not_printed(monkeypatch):
    def print_wrong(scop, tree, options, deps):
        if options.check_operations > 10:
            raise CodegenError("isl built code that breaks a dependence")
        return differential_print(scop, tree, options).replace("0.5", "0.25")

    monkeypatch.setattr(differential, "print_openmp", print_wrong)
    report = check_program(PROGRAM, original, CheckOptions(proof_operations=10))
    assert not report.mismatches
    assert report.unprinted == {"isl built code that breaks a dependence": 1}
    assert report.n_unprinted == 1
    assert report.n_trees == 0


@pytest.mark.parametrize(
    ("change", "stage"),
    [(("0.5", "0.5 +;"), "compile"), (("A[", "((double *)8)["), "run")],
)
def test_code_that_fails_is_found(monkeypatch, change, stage):
    def print_broken(scop, tree, options, deps):
        return differential_print(scop, tree, options).replace(*change)

    monkeypatch.setattr(differential, "print_openmp", print_broken)
    found = check_program(PROGRAM, original).mismatches
    assert [m.stage for m in found] == [stage]
    assert found[0].scop == "scan"


def test_refused_region_is_reported():
    text = PROGRAM.replace("i % 4) * m", "i * i) * m")
    report = check_program(text, original)
    assert report.n_refused == 1
    assert report.mismatches[0].stage == "frontend"


def test_first_difference():
    a = np.array([[1.0, np.nan], [3.0, 4.0]])
    assert first_difference(a, a.copy()) is None
    b = a.copy()
    b[1, 0] = 5
    assert first_difference(a, b) == "[1][0]: expected 3.0, found 5.0"
    assert "shapes" in first_difference(a, a[0])


def test_snapshots_ignore_other_output():
    output = "hello\n@ f after 1\n= A\n0x1p+1\n2\n= .\nbye\n@ f after 2\n= A\n7\n"
    (found,) = read_snapshots(output)
    assert (found.scop, found.place, found.call) == ("f", "after", 1)
    assert found.texts == {"A": ["0x1p+1", "2"]}
