"""Schedules are ranked for some sizes: nobody should have to guess for which."""

from __future__ import annotations

import json

import pytest

from polysched.cli import main

pytestmark = pytest.mark.cc

PROGRAM = """\
void scale(int n, int m, double x[n][m], double f) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      x[i][j] *= f;
#pragma endscop
}
void turn(int n, double x[n][n], double y[n][n]) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      y[j][i] = x[i][j];
#pragma endscop
}
"""


@pytest.fixture
def run(capsys, tmp_path):
    """Run ``polysched optimize``; what it prints."""
    file = tmp_path / "scale.c"
    file.write_text(PROGRAM)

    def call(*arguments):
        output = ["-o", str(tmp_path / "out.c"), "--policy", "minimal"]
        assert main(["optimize", str(file), *output, *arguments]) == 0
        return capsys.readouterr()

    return call


def test_sizes_that_nobody_says_are_told_once(run):
    printed = run()
    assert printed.err.count("note:") == 1
    assert (
        "polysched: note: scale: schedules are ranked for n = m = 1000; "
        "--param n=N --param m=N names other sizes\n"
    ) in printed.err
    assert "note:" not in printed.out


def test_sizes_that_are_said_are_not_told(run):
    assert "ranked for m = 1000; --param m=N names" in run("--param", "n=64").err
    assert "note:" not in run("--param", "n=64,m=32").err


def test_the_note_stays_out_of_json(run):
    printed = run("--json")
    assert json.loads(printed.out)["target"] == "openmp"
    assert "n = m = 1000" in printed.err


def test_sizes_of_the_files_own_call_are_told(capsys, tmp_path):
    file = tmp_path / "called.c"
    caller = "int main(void) { double x[20][30]; scale(20, 30, x, 2.0); }"
    file.write_text(f"{PROGRAM.partition('void turn')[0]}{caller}\n")
    output = ["-o", str(tmp_path / "out.c"), "--policy", "minimal"]
    assert main(["optimize", str(file), *output]) == 0
    assert (
        "ranked for n = 20, m = 30, as the file calls it; --param n=N --param m=N names"
    ) in capsys.readouterr().err
    assert main(["optimize", str(file), *output, "--param", "n=9,m=8"]) == 0
    assert "note:" not in capsys.readouterr().err
