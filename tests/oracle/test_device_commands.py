"""--target cuda as a user meets it: pairs of files, checked runs, refusals."""

from __future__ import annotations

import json
import subprocess

import pytest

from polysched.cli import main
from polysched.runtime import compile_kernels, compile_shim, link_shim_program
from polysched.workflow import load_space, parse
from tests.oracle.test_commands import TWO_SCOPS

pytestmark = pytest.mark.cc

CUDA = ("--target", "cuda", "--policy", "minimal", "--cflags", "-O1")
SERIAL = """\
#include <stdio.h>
static double A[30];
int main(void)
{
  A[0] = 1;
#pragma scop
  for (int i = 1; i < 30; i++)
    A[i] = A[i - 1] * 0.5 + 1;
#pragma endscop
  printf("%.17g\\n", A[29]);
  return 0;
}
"""
LARGE = """\
extern float A[40000][40000];
void clear(void)
{
#pragma scop
  for (int i = 0; i < 40000; i++)
    for (int j = 0; j < 40000; j++)
      A[i][j] = 0;
#pragma endscop
}
"""


@pytest.fixture
def program(tmp_path):
    file = tmp_path / "two.c"
    file.write_text(TWO_SCOPS)
    return file


def run(*words):
    return main([str(w) for w in words])


@pytest.mark.long
def test_optimize_writes_a_pair_that_runs(program, tmp_path, capsys):
    out = tmp_path / "out.cu"
    assert run("optimize", program, *CUDA, "-o", out) == 0
    assert f"{tmp_path / 'out.c'} and {out}" in capsys.readouterr().out
    text, device = (tmp_path / "out.c").read_text(), out.read_text()
    line = "build: nvcc -O3 -arch=sm_90 out.c out.cu"
    assert text.count(line) == device.count(line) == 2
    assert device.count("#include <cuda_runtime.h>") == 1
    assert device.count('extern "C" void ps_scop_') == 2
    objects = [compile_shim(tmp_path), compile_kernels(out, tmp_path / "out.o")]
    binary = link_shim_program(
        objects, tmp_path / "run", host_source=tmp_path / "out.c"
    )
    subprocess.run(["gcc", "-w", program, "-o", tmp_path / "plain"], check=True)
    found, expected = (
        subprocess.run([p], capture_output=True, check=True).stdout
        for p in (binary, tmp_path / "plain")
    )
    assert found == expected


@pytest.mark.long
def test_check_proves_and_runs_the_pair(program, tmp_path, capsys):
    out, device = tmp_path / "out.c", tmp_path / "out.cu"
    assert run("optimize", program, *CUDA, "-o", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["target"], told["output"]) == ("cuda", str(out))
    assert told["device_output"] == str(device)
    assert {s["target"] for s in told["scops"]} == {"cuda"}
    words = ("--target", "cuda", "--cflags", "-O1", "--json")
    assert run("check", program, device, *words) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["target"], found["passed"]) == ("cuda", True)
    assert found["device_output"] == str(device)
    for scop in found["scops"]:
        assert scop["order"]["verdict"] == "proven"
        assert scop["results"]["verdict"] == "equal"
        assert scop["results"]["text"].startswith("bit for bit")


@pytest.mark.long
def test_check_finds_device_code_that_was_edited(program, tmp_path, capsys):
    out, device = tmp_path / "out.c", tmp_path / "out.cu"
    words = ("--scop", "smooth")
    assert run("optimize", program, *CUDA, *words, "-o", out) == 0
    text = device.read_text()
    device.write_text(f"{text}/* of mine */\n")
    capsys.readouterr()
    words = ("--target", "cuda", "--cflags", "-O1")
    assert run("check", program, out, *words) == 1
    told = capsys.readouterr().out
    assert "unproven: its device code was edited" in told
    assert "results  equal" in told  # this edit changes nothing
    assert run("check", program, out, *words[2:]) == 1
    told = capsys.readouterr().out
    assert "unproven: it calls kernels of a device file, which --target cuda" in told
    assert "results  not run" in told
    device.write_text(text.replace("__syncthreads();", ""))
    assert run("check", program, out, *words) == 1
    assert "results  failed: wrong device code" in capsys.readouterr().out
    device.unlink()
    assert run("check", program, out, *words) == 1
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.long
def test_tune_checks_every_schedule_on_the_processor(program, tmp_path, capsys):
    out = tmp_path / "out.c"
    words = ("--device", "cpu", "--budget", "2", "--records", tmp_path / "r.sqlite")
    assert run("tune", program, *CUDA, *words, "-o", out, "--json") == 0
    for scop in json.loads(capsys.readouterr().out)["scops"]:
        tried = [s["measured"] for s in scop["schedules"] if "measured" in s]
        assert tried
        assert all(m["matches"] and not m["max_relative_error"] for m in tried)
        assert all("kernels" in m["note"] for m in tried)
        assert scop["best"] != "original"
    assert "ps_scop_" in out.read_text()
    assert out.with_suffix(".cu").exists()


def test_tune_without_a_gpu_says_what_to_do(program, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("polysched.runtime.device.probe_gpu", lambda **_: None)
    out = tmp_path / "out.c"
    assert run("tune", program, *CUDA, "-o", out) == 1
    assert "--device cpu" in capsys.readouterr().err
    assert not out.exists()


def test_space_lists_kernels_and_comes_back(program, tmp_path, capsys):
    saved = tmp_path / "space.json"
    words = ("--scop", "smooth", "--save", saved, "--json")
    assert run("space", program, *CUDA, *words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["target"] == "cuda"
    best = told["schedules"][0]
    assert best["features"]["n_kernels"] >= 1
    assert best["features"]["coalesced"] == 1
    space = load_space(saved, parse(str(program)), scop="smooth")
    assert space.target == "cuda"
    assert [s.to_json() for s in space] == told["schedules"]
    assert "__global__" in space.variant().device_text()


def test_explain_takes_a_device_schedule_apart(program, capsys):
    assert run("explain", program, *CUDA, "--scop", "smooth") == 0
    out = capsys.readouterr().out
    assert "launch(" in out or "grid(" in out


def test_standard_output_and_other_names_are_refused(program, tmp_path, capsys):
    assert run("optimize", program, *CUDA, "-o", "-") == 2
    assert "two files" in capsys.readouterr().err
    assert run("optimize", program, *CUDA, "-o", tmp_path / "out.cpp") == 1
    assert "ends in .c or .cu" in capsys.readouterr().err
    assert run("optimize", program, "--gpu", "h200", "-o", tmp_path / "out.c") == 2
    assert "--gpu is for --target cuda" in capsys.readouterr().err
    assert run("optimize", program, "--bulk", "-o", tmp_path / "out.c") == 2
    assert "--bulk is for --target cuda" in capsys.readouterr().err
    words = ("--gpu", "a100-80gb", "--bulk", "-o", tmp_path / "out.c")
    assert run("optimize", program, *CUDA, *words) == 1
    assert "rows are copied in bulk from sm_90 on" in capsys.readouterr().err
    words = ("--gpu", "h2000", "-o", tmp_path / "out.c")
    assert run("optimize", program, *CUDA, *words) == 1
    assert "known are" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SERIAL, "no parallel loop was found"),
        (SERIAL.replace("A[i - 1]", "twice(i)"), "twice() is not available"),
        (LARGE, "its arrays take 6.0 GiB, the memory of small is 1 GiB"),
    ],
)
def test_what_gets_nothing_from_a_device(text, reason, tmp_path, capsys):
    gpu = tmp_path / "gpu.json"
    gpu.write_text('{"based_on": "h100", "name": "small", "memory_bytes": 1073741824}')
    source, out = tmp_path / "p.c", tmp_path / "out.c"
    source.write_text("double twice(int);\n" + text)
    words = (*CUDA, "--pure", "twice", "--gpu", gpu, "-o", out)
    assert run("optimize", source, *words) == 1
    told = capsys.readouterr().err
    assert reason in told
    assert "--fallback host" in told
    assert not out.exists()
    assert run("optimize", source, *words, "--fallback", "host") == 0
    assert reason in capsys.readouterr().err
    assert "polysched: schedule" in out.read_text()
    assert not out.with_suffix(".cu").exists()


def test_tune_falls_back_to_the_processor(tmp_path, capsys):
    source, out = tmp_path / "p.c", tmp_path / "out.c"
    source.write_text(SERIAL)
    words = (*CUDA, "--device", "cpu", "--budget", "1", "-o", out)
    records = ("--records", tmp_path / "r.sqlite")
    assert run("tune", source, *words, *records) == 1
    assert "no parallel loop was found" in capsys.readouterr().err
    assert not out.exists()
    assert run("tune", source, *words, *records, "--fallback", "host") == 0
    assert "threads" in capsys.readouterr().out or out.read_text() == SERIAL
    assert not out.with_suffix(".cu").exists()


def test_pins_that_nothing_obeys_are_told_with_what_was_left_out(tmp_path, capsys):
    source = tmp_path / "rows.c"
    source.write_text(
        "static double A[80][80], B[80][80], x[80], y[80];\nvoid k(int n)\n{\n"
        "#pragma scop\n  for (int i = 0; i < n; i++) y[i] = 0;\n"
        "  for (int i = 0; i < n; i++)\n"
        "    for (int j = 0; j < n; j++) y[i] += A[i][j] * x[j];\n"
        "  for (int i = 0; i < n; i++)\n"
        "    for (int j = 0; j < n; j++) B[j][i] = y[i] * A[i][j];\n"
        "#pragma endscop\n}\n"
    )
    words = ("--pin", "row:S1.0=j", "--timeout", "600", "-o", tmp_path / "out.c")
    assert run("optimize", source, *CUDA, *words) == 1
    told = capsys.readouterr().err
    assert "row:S1.0=j was found among" in told
    assert "times does not obey row:S1.0=j" in told
