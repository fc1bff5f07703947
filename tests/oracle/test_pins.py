"""Pins on the command line: obeyed in the output, or exit status 2 and no output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polysched.cli import main

pytestmark = pytest.mark.cc

SEIDEL = """\
static double A[40][40];
int main(void)
{
#pragma scop
  for (int t = 0; t < 10; t++)
    for (int i = 1; i < 39; i++)
      for (int j = 1; j < 39; j++)
        A[i][j] = (A[i][j - 1] + A[i][j + 1] + A[i - 1][j] + A[i + 1][j]) / 4;
#pragma endscop
  return A[3][3] > 0;
}
"""
QUICK = ("--policy", "minimal", "--cflags", "-O1")


@pytest.fixture
def seidel(tmp_path: Path) -> str:
    path = tmp_path / "seidel.c"
    path.write_text(SEIDEL)
    return str(path)


@pytest.mark.parametrize("command", ["optimize", "tune"])
def test_conflict_is_named_with_status_2_and_nothing_is_written(
    command, seidel, tmp_path, capsys
) -> None:
    out = tmp_path / "out.c"
    flags = ("--records", str(tmp_path / "r.sqlite")) if command == "tune" else ()
    words = [command, seidel, "-o", str(out), *QUICK, *flags]
    assert main([*words, "--pin", "parallel:S0.0"]) == 2
    err = capsys.readouterr().err
    assert "pin parallel:S0.0 conflicts with the flow, anti and output" in err
    assert "dependence S0 -> S0 through A (carried by loop t)" in err
    assert not out.exists()


@pytest.mark.parametrize(
    ("pin", "told"),
    [
        ("parallel:S0", "not a pin"),
        ("parallel:S3.0", "the statements are: S0"),
        ("vector:S0=k", "the iterators of S0 are: t, i, j"),
    ],
)
def test_bad_pin_is_a_usage_error(pin, told, seidel, capsys) -> None:
    assert main(["space", seidel, *QUICK, "--pin", pin]) == 2
    assert told in capsys.readouterr().err


def test_optimized_file_says_which_pins_it_obeys(seidel, tmp_path, capsys) -> None:
    out = tmp_path / "out.c"
    words = ["optimize", seidel, "-o", str(out), *QUICK, "--json"]
    assert main([*words, "--pin", "parallel:S0.1", "--pin", "skew<=2"]) == 0
    (scop,) = json.loads(capsys.readouterr().out)["scops"]
    assert scop["pins"] == ["parallel:S0.1", "skew<=2"]
    assert scop["broken_pins"] == []
    assert " * pins: parallel:S0.1, skew<=2\n" in out.read_text()
    assert main(["check", seidel, str(out), "--cflags", "-O1"]) == 0


@pytest.mark.long
def test_explain_prices_wants(seidel, capsys) -> None:
    words = ["explain", seidel, *QUICK, "--schedule", "original"]
    assert main([*words, "--want", "parallel:S0.0", "--want", "parallel:S0.1"]) == 0
    out = capsys.readouterr().out
    assert "parallel:S0.0: cannot be had, pin parallel:S0.0 conflicts" in out
    assert "parallel:S0.1: possible" in out
    assert main([*words, "--want", "all", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [w["pin"] for w in data["wants"]] == [
        "parallel:S0.0",
        "parallel:S0.1",
        "parallel:S0.2",
    ]
    assert [w["conflict"] is None for w in data["wants"]] == [False, True, True]
    assert main(words) == 0
    assert "ask with --want all" in capsys.readouterr().out


@pytest.mark.long
def test_resumed_tuning_does_not_take_results_of_other_pins(
    seidel, tmp_path, capsys
) -> None:
    out, records = tmp_path / "out.c", tmp_path / "r.sqlite"
    words = ["tune", seidel, "-o", str(out), *QUICK, "--records", str(records)]
    words += ["--budget", "1", "--repeats", "1", "--json"]

    def stored(*pins: str) -> list[bool]:
        flags = [word for pin in pins for word in ("--pin", pin)]
        assert main([*words, *flags]) == 0
        data = json.loads(capsys.readouterr().out)
        assert data["pins"] == list(pins)
        return [s["stored"] for s in data["schedules"] if "stored" in s]

    assert stored("parallel:S0.1") == [False]
    assert stored("parallel:S0.1") == [True]
    assert stored("parallel:S0.1", "skew<=3") == [False]
