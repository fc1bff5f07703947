"""``polysched tune --html``: the report of a real tuning, and where it may go."""

from __future__ import annotations

import json

import pytest

from polysched.cli import main
from polysched.runtime import LoadMeter
from tests.unit.show.pages import Page, check_alone

pytestmark = pytest.mark.cc

PROGRAM = """\
double A[400];
int main(void)
{
  for (int i = 0; i < 400; i++) A[i] = i % 7;
#pragma scop
  for (int i = 0; i < 400; i++)
    A[i] = 2.0 * A[i]; // <b>
#pragma endscop
  return 0;
}
"""


@pytest.fixture
def run(tmp_path, capsys):
    """Tune the program with one variant; what was printed, and the status."""
    path = tmp_path / "p.c"
    path.write_text(PROGRAM)

    def call(*arguments):
        flags = ["--policy", "minimal", "--budget", "1", "--repeats", "1"]
        flags += ["--records", str(tmp_path / "records.sqlite")]
        status = main(["tune", str(path), *flags, *(str(a) for a in arguments)])
        return status, capsys.readouterr()

    return call


def test_report_has_curve_code_and_source(run, tmp_path):
    report = tmp_path / "report.html"
    status, captured = run("-o", tmp_path / "out.c", "--html", report)
    assert status == 0, captured.err
    assert "measured" in captured.out
    text = report.read_text(encoding="utf-8")
    page = Page(text)
    check_alone(text, page)
    assert "1 trials of main" in " ".join(
        a["aria-label"] or "" for a in page.all("svg")
    )
    assert "// <b>" in page.words
    assert "tuning of" in page.text


def test_report_must_not_take_the_place_of_other_files(run, tmp_path):
    out = tmp_path / "out.c"
    status, captured = run("-o", out, "--html", out)
    assert status == 1
    assert "inputs are never changed" in captured.err
    assert not out.exists()
    status, captured = run("-o", "-", "--html", "-")
    assert status == 2
    assert "standard output for itself" in captured.err


def test_report_goes_to_standard_output_alone(run, tmp_path):
    status, captured = run("-o", tmp_path / "out.c", "--html", "-")
    assert status == 0
    assert captured.out.startswith("<!DOCTYPE html>")
    assert captured.out.rstrip().endswith("</html>")


@pytest.mark.parametrize(("cores", "is_told"), [(0.7, True), (0.05, False)])
def test_a_busy_machine_is_told(run, tmp_path, monkeypatch, cores, is_told):
    monkeypatch.setattr(LoadMeter, "foreign_cores", lambda _: cores)
    report = tmp_path / "report.html"
    status, captured = run("-o", tmp_path / "out.c", "--html", report)
    assert status == 0, captured.err
    assert ("other programs kept 0.7 cores busy" in captured.err) is is_told
    assert ("kept the machine busy" in report.read_text(encoding="utf-8")) is is_told


CALLED = """\
void scale(int n, double a[n])
{
#pragma scop
  for (int i = 0; i < n; i++)
    a[i] = 2.0 * a[i];
#pragma endscop
}
double A[321];
int main(void)
{
  scale(321, A);
  return 0;
}
"""


@pytest.mark.long
def test_sizes_are_taken_from_a_run(tmp_path, capsys):
    path = tmp_path / "called.c"
    path.write_text(CALLED)
    flags = ["--policy", "minimal", "--budget", "1", "--repeats", "1"]
    flags += ["--records", str(tmp_path / "records.sqlite")]

    def tune(*more):
        out = str(tmp_path / "out.c")
        assert main(["tune", str(path), *flags, "-o", out, *more]) == 0
        return capsys.readouterr().out

    assert "sizes as the program runs: --param n=321" in tune()
    assert "sizes as the program runs" not in tune("--param", "n=300")
    assert json.loads(tune("--json"))["parameters"] == {"n": 321}
    assert json.loads(tune("--json", "--param", "n=300"))["parameters"] == {"n": 300}
