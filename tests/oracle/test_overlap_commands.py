"""Arguments that overlap as a user meets them: asked by default, or promised."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from polysched.cli import main
from polysched.runtime import compile_kernels, compile_shim, link_shim_program

pytestmark = pytest.mark.cc

FLAGS = ("--cflags", "-O1")
SHORT = ("--policy", "minimal", *FLAGS)
PROGRAM = """\
#include <stdio.h>
static double buf[4000];

void smooth(int n, double *a, const double *b)
{
#pragma scop
  for (int i = 1; i < n - 1; i++)
    a[i] = 0.25 * b[i - 1] + 0.5 * b[i] + 0.25 * b[i + 1];
#pragma endscop
}

void behind(int n, double *a, double *b)
{
#pragma scop
  for (int i = 0; i < n; i++)
    a[i + n] = b[i] + 1;
  for (int i = 0; i < n; i++)
    b[i] = 2;
#pragma endscop
}

int main(void)
{
  for (int i = 0; i < 4000; i++) buf[i] = i * 7 % 11;
  smooth(1000, buf, buf + 1000);
  smooth(1000, buf, buf + 1);
  smooth(1000, buf + 1, buf);
  smooth(1000, buf, buf);
  smooth(2, buf, buf);
  behind(500, buf, buf);
  behind(500, buf, buf + 1000);
  behind(500, buf + 20, buf);
  for (int i = 0; i < 4000; i++) printf("%.17g\\n", buf[i]);
  return 0;
}
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "smooth.c"
    file.write_text(PROGRAM)
    return file


def run(*words: object) -> int:
    return main([str(w) for w in words])


def output_of(source: Path) -> bytes:
    binary = source.with_suffix(".run")
    options = ["-O2", "-fopenmp", "-Wall", "-Wextra", "-Werror"]
    options.append("-Wno-unknown-pragmas")  # in the original
    subprocess.run(["gcc", *options, source, "-o", binary], check=True)
    return subprocess.run([binary], check=True, capture_output=True).stdout


def test_what_optimize_writes_asks_and_is_proven(program, tmp_path, capsys) -> None:
    out = tmp_path / "out.c"
    assert run("optimize", program, *SHORT, "-o", out) == 0
    text = out.read_text()
    assert "if (ps_apart(a, 1, (long)n - 1, b, 0, n)) {" in text
    assert "if (ps_apart(b, 0, n, a, n, 2 * (long)n)) {" in text
    assert "promised" not in text
    assert output_of(out) == output_of(program)
    assert run("check", program, out, *FLAGS, "--json") == 0
    found = capsys.readouterr().out
    assert found.count('"verdict": "proven"') == found.count('"verdict": "equal"') == 2


def test_what_rests_on_a_promise_says_so_and_is_proven(
    program, tmp_path, capsys
) -> None:
    out = tmp_path / "out.c"
    words = (program, *SHORT, "--scop", "smooth", "--overlap", "promise")
    assert run("optimize", *words, "-o", out) == 0
    text = out.read_text()
    assert " * promised: no overlap of a and b\n" in text
    assert "ps_apart" not in text
    assert run("check", program, out, *FLAGS, "--no-run") == 0
    assert "proven" in capsys.readouterr().out


def test_other_commands_tell_what_is_asked(program, capsys) -> None:
    assert run("inspect", program) == 0
    assert "asked when it runs: no overlap of a and b\n" in capsys.readouterr().out
    assert run("inspect", program, "--overlap", "promise") == 0
    assert "promised: no overlap of a and b\n" in capsys.readouterr().out
    assert run("inspect", program, "--json") == 0
    for scop in json.loads(capsys.readouterr().out)["scops"]:
        (pair,) = scop["may_overlap"]
        assert (sorted(pair), scop["overlap"]) == (["a", "b"], "ask")
    words = ("explain", program, *SHORT, "--scop", "smooth")
    assert run(*words) == 0
    assert "asked when it runs" in capsys.readouterr().out
    assert run(*words, "--json") == 0
    asked = json.loads(capsys.readouterr().out)["questions"]
    assert asked == ["no overlap of a and b"]
    assert run(*words, "--json", "--overlap", "promise") == 0
    assert json.loads(capsys.readouterr().out)["questions"] == []


@pytest.mark.long
def test_device_code_asks_for_all_that_its_copies_hold(program, tmp_path) -> None:
    out = tmp_path / "out.cu"
    words = ("--target", "cuda", *SHORT)
    assert run("optimize", program, *words, "-o", out) == 0
    host = tmp_path / "out.c"
    text = host.read_text()
    assert "if (ps_apart(a, 0, (long)n - 1, b, 0, n)) {" in text
    assert "if (ps_apart(b, 0, n, a, 0, 2 * (long)n)) {" in text
    objects = [compile_shim(tmp_path), compile_kernels(out, tmp_path / "out.o")]
    binary = link_shim_program(objects, tmp_path / "run", host_source=host)
    done = subprocess.run([binary], check=True, capture_output=True)
    assert done.stdout == output_of(program)
