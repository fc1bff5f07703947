"""``polysched space``: selecting, sorting, and the files that it writes."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from polysched.base import PolyschedError
from polysched.cli import main
from polysched.cli.space import Choice, short_reason
from polysched.space import load_space
from polysched.workflow import parse

pytestmark = pytest.mark.cc

PROGRAM = """\
double A[64][64], B[64][64], s[64];
void row_sums(void)
{
#pragma scop
  for (int i = 0; i < 64; i++) {
    s[i] = 0;
    for (int j = 0; j < 64; j++)
      s[i] += A[i][j];
  }
#pragma endscop
}
void turn(void)
{
#pragma scop
  for (int i = 0; i < 64; i++)
    for (int j = 0; j < 64; j++)
      B[j][i] = A[i][j];
#pragma endscop
}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sums.c"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def run(capsys, file):
    """Run ``polysched space`` on the file, by default on its first scop."""

    def call(*arguments, status=0, scop="row_sums"):
        flags = ["--policy", "minimal", *(["--scop", scop] if scop else [])]
        found = main(["space", str(file), *flags, *(str(a) for a in arguments)])
        captured = capsys.readouterr()
        assert found == status, captured.err
        return captured

    return call


def _ids(out):
    return re.findall(r"^\d+ +([0-9a-f]{10}) ", out, re.MULTILINE)


def test_filter_shows_what_holds_and_counts_the_rest(run):
    everything = json.loads(run("--json").out)
    held = [s["id"] for s in everything["schedules"] if s["features"]["n_loops"] < 3]
    out = run("--filter", "n_loops < 3").out
    assert _ids(out) == held
    assert 0 < len(held) < len(everything["schedules"])
    assert f"{len(held)} kept" in out
    assert f"{len(everything['schedules']) - len(held)} filtered out" in out


def test_selection_reaches_json_with_its_reasons(run):
    data = json.loads(run("--filter", "is_jammed == 0", "--sample", 2, "--json").out)
    assert data["size"]["kept"] == len(data["schedules"]) == 2
    assert all(s["features"]["is_jammed"] == 0 for s in data["schedules"])
    reasons = {d["reason"] for d in data["dropped"]}
    assert "filtered out by is_jammed == 0" in reasons
    assert "not sampled: 2 are spread over the features" in reasons


def test_sort_and_pareto_show_their_features_first(run):
    out = run("--pareto", "n_lines,stride_score", "--sort", "n_lines").out
    header = next(line for line in out.splitlines() if line.startswith("#"))
    assert header.split()[:5] == ["#", "id", "predicted", "n_lines", "stride_score"]
    rows = [line.split() for line in out.splitlines() if _ids(line)]
    lines = [float(row[4]) for row in rows]
    assert lines == sorted(lines)
    assert "not on the Pareto front" in out


def test_sort_puts_the_better_first(run):
    data = json.loads(run("--sort", "is_jammed", "--json").out)
    values = [s["features"]["is_jammed"] for s in data["schedules"]]
    assert values == sorted(values, reverse=True)
    assert set(values) == {0, 1}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--filter", "outer_paralel > 0"), "did you mean outer_parallel"),
        (("--filter", "depth >"), "cannot read the expression 'depth >'"),
        (("--filter", "open(depth)"), "'open(depth)' is not understood"),
        (("--sort", "speed"), "no feature named 'speed'"),
        (("--pareto", "depth,a-b"), "expected features as in depth,stride_score"),
        (("--pareto", "depth,nothing"), "no feature named 'nothing'"),
        (("--sample", "0"), "0 is not in the range"),
        (("--csv", "-", "--json"), "--csv - and --json both want standard output"),
        (("--csv", "-", "--html", "-"), "--csv - and --html - both want"),
    ],
)
def test_bad_arguments_are_usage_errors_before_any_work(run, arguments, told):
    captured = run(*arguments, status=2)
    assert told in captured.err
    assert captured.out == ""


def test_outputs_must_differ_from_each_other_and_from_the_input(run, file, tmp_path):
    same = tmp_path / "out"
    err = run("--csv", same, "--html", same, status=1).err
    assert "inputs are never changed" in err
    assert "inputs are never changed" in run("--save", file, status=1).err
    assert file.read_text() == PROGRAM


def test_objectives_may_be_named_in_conditions(run):
    data = json.loads(run("--filter", "n_objectives > 0", "--json").out)
    assert all(s["stages"] for s in data["schedules"])
    err = run("--filter", "value_NONSENSE < 3", status=1).err
    assert "no feature named 'value_NONSENSE'" in err


def test_html_page_shows_all_scops(run, tmp_path):
    path = tmp_path / "page.html"
    out = run("--html", path, "--pareto", "n_loops,n_lines", scop=None).out
    page = path.read_text()
    assert page.startswith("<!DOCTYPE html>")
    for name in ("row_sums", "turn"):
        assert f"<h2>scop {name}</h2>" in page
    assert 'aria-label="n lines over n loops"' in page
    assert page.count('<details id="s') == len(_ids(out))


def test_saved_spaces_are_read_back_for_their_scops(run, file, tmp_path):
    path = tmp_path / "space.json"
    data = json.loads(run("--save", path, "--json", scop=None).out)
    scops = parse(str(file)).scops
    for scop, printed in zip(scops, data["scops"], strict=True):
        space = load_space(path, scop)
        assert [s.id for s in space] == [s["id"] for s in printed["schedules"]]
        assert json.loads(json.dumps(space.to_json())) == printed
    path.write_text(path.read_text().replace('"row_sums"', '"other"'))
    assert len(load_space(path, scops[0]))  # the name does not count
    file.write_text(PROGRAM.replace("j < 64", "j < 63"))
    with pytest.raises(PolyschedError, match="holds no space of this row_sums"):
        load_space(path, parse(str(file)).scops[0])


def test_csv_of_several_scops_has_one_header(run, tmp_path):
    path = tmp_path / "all.csv"
    run("--csv", path, scop=None)
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert {r["scop"] for r in rows} == {"row_sums", "turn"}
    assert all(r["n_lines"] for r in rows)


def test_nothing_left_is_said(run):
    out = run("--filter", "depth > 9").out
    assert ", 0 kept," in out
    assert "filtered out" in out
    assert _ids(out) == []


def test_named_features_are_those_of_front_and_order():
    chosen = Choice("a > 1", ("b", "c"), 3, "c")
    assert chosen.named == ("b", "c")
    assert Choice(sort="-b").named == ()


def test_long_reasons_are_cut():
    assert short_reason("same tree") == "same tree"
    assert len(short_reason("x" * 99)) == 40
