"""``tune --target cuda --device gpu`` from end to end, on a GPU that is none.

What only a GPU can show is not shown here: that it runs the text as the stand-in does,
and how fast. Everything around it is: how kernels are compiled and linked, what a run
finds in its environment, whose seconds are compared, what becomes of failures.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from polysched.cli import main
from polysched.machine import Gpu
from polysched.runtime import DeviceTools
from tests.oracle.fake_gpu import install_fake_gpu
from tests.oracle.test_commands import TWO_SCOPS

pytestmark = pytest.mark.cc

SMOOTH = ("--target", "cuda", "--policy", "minimal", "--scop", "smooth")
WORDS = (*SMOOTH, "--budget", "1", "--repeats", "1", "--cflags", "-O1")


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """A folder of commands; kernels take 2 microseconds, copies 3."""
    folder = tmp_path_factory.mktemp("gpu") / "bin"
    install_fake_gpu(folder, "0.000000002 0.000003")
    return folder


@pytest.fixture
def program(tmp_path, fast, monkeypatch):
    monkeypatch.setenv("PATH", f"{fast}{os.pathsep}{os.environ['PATH']}")
    file = tmp_path / "two.c"
    file.write_text(TWO_SCOPS)
    return file


def tune(program: Path, *words: object) -> int:
    records = ("--records", program.parent / "r.sqlite")
    out = ("-o", program.parent / "out.c")
    given = ("tune", program, *WORDS, *records, *out, *words)
    return main([str(w) for w in given])


def outcome(said: str) -> tuple[dict, dict]:
    """The scop, and its only measured schedule."""
    scop = json.loads(said)
    tried = [s for s in scop["schedules"] if "measured" in s or "failure" in s]
    assert len(tried) == 1, scop
    return scop, tried[0]


@pytest.mark.long
def test_seconds_of_kernels_decide(program, capsys):
    assert tune(program, "--time", "kernels", "--json") == 0
    scop, tried = outcome(capsys.readouterr().out)
    measured = tried["measured"]
    assert measured["matches"]
    assert set(measured["seconds"]) == {2e-9}
    assert "kernels 2e-09 s, copies 3e-06 s" in measured["note"]
    assert scop["best"] == tried["id"]
    assert "__global__" in (program.parent / "out.cu").read_text()
    assert "ps_scop_" in (program.parent / "out.c").read_text()


def test_seconds_of_the_region_have_copies_in_them(program, capsys):
    assert tune(program, "--json") == 0
    scop, tried = outcome(capsys.readouterr().out)
    assert tried["measured"]["matches"]
    assert min(tried["measured"]["seconds"]) > 1e-6  # the processor's, as it ran
    assert scop["best"] == "original"
    assert not (program.parent / "out.cu").exists()


@pytest.mark.long
def test_runs_side_by_side_take_turns_with_the_device(program, capsys, monkeypatch):
    turn = program.parent / "turn"
    monkeypatch.setenv("POLYSCHED_DEVICE_TURN", str(turn))
    with turn.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert tune(program, "--run-timeout", "2", "--json") == 0
        _, tried = outcome(capsys.readouterr().out)
        assert tried["failure"]["kind"] == "timeout"
    (program.parent / "r.sqlite").unlink()
    assert tune(program, "--json") == 0
    _, tried = outcome(capsys.readouterr().out)
    assert tried["measured"]["matches"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        ("refuse", "compile", 'nvcc refuses this: identifier "x" is undefined'),
        ("crash", "crash", "an illegal memory access was encountered"),
        ("full", "memory", "cudaMalloc(): out of memory"),
        ("hang", "timeout", "stopped after 2 s"),
        ("wrong", "mismatch", "values differ; without fused multiply-add"),
    ],
)
def test_failures_have_their_kind(program, capsys, monkeypatch, fault, kind, text):
    monkeypatch.setenv("FAKE_GPU", fault)
    assert tune(program, "--run-timeout", "2", "--json") == 0
    scop, tried = outcome(capsys.readouterr().out)
    assert tried["failure"]["kind"] == kind
    assert text in tried["failure"]["text"]
    assert scop["best"] == "original"


def test_code_is_for_the_gpu_that_runs_it(program):
    tools = DeviceTools.for_gpu(Gpu.named("a100-40gb"))
    assert tools.architecture == "sm_90"
    assert tools.gpu is not None
    assert tools.gpu.name == "h200"


def test_nvcc_without_the_gpus_architecture_is_named(program, capsys, fast):
    text = (fast / "nvcc").read_text()
    try:
        (fast / "nvcc").write_text(text.replace("sm_80\\nsm_90", "sm_75\\nsm_80"))
        assert tune(program) == 1
    finally:
        (fast / "nvcc").write_text(text)
    told = capsys.readouterr().err
    assert "nvcc 13.0 makes no code for sm_90; it knows sm_75, sm_80" in told
    assert "--device cpu" in told


@pytest.mark.long
@pytest.mark.nvcc
def test_nvidias_compiler_builds_what_is_timed(program, capsys, fast, monkeypatch):
    """Where there is no GPU after all, every variant says so and the original stays."""
    real = [p for p in os.environ["PATH"].split(os.pathsep) if p != str(fast)]
    only = fast.parent / "smi"
    only.mkdir()
    (only / "nvidia-smi").symlink_to(fast / "nvidia-smi")
    monkeypatch.setenv("PATH", os.pathsep.join([str(only), *real]))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert tune(program, "--json") == 0
    _, tried = outcome(capsys.readouterr().out)
    assert tried["failure"]["kind"] == "crash"
    assert "cudaMalloc" in tried["failure"]["text"]
    assert "CUDA" in tried["failure"]["text"]
