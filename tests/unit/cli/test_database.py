"""``polysched database``: build, show, query."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polysched.cli import main

GEMM = str(Path(__file__).parents[3] / "examples" / "gemm.c")


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("database") / "small"
    words = ["database", "build", "-o", str(path), "--machine", "few", "--jobs", "1"]
    kernels = ("map-1-1", "accumulate-2-1", "flow-1-1-1")
    assert main([*words, *(w for k in kernels for w in ("--kernel", k))]) == 0
    return str(path)


def test_kernels_are_listed_with_their_best(built, capsys):
    assert main(["database", "show", "--file", built]) == 0
    out = capsys.readouterr().out
    assert "3 nano-kernels, 150 lists of IP, SO, DGF, SIS, OPIR, ADA" in out
    assert "accumulate-2-1" in out
    assert "best with few cores" in out


def test_rows_of_one_kernel(built, capsys):
    words = ["database", "show", "--file", built, "--kernel", "flow-1-1-1"]
    assert main(words) == 0
    assert "fusion_score" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kernel"] == "flow-1-1-1"
    assert len(found["rows"]) == 150
    assert set(found["rows"][0]) == {"objectives", "features"}


def test_the_whole_as_json(built, capsys):
    assert main(["database", "show", "--file", built, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"format", "objectives", "machines", "measures", "kernels"} <= set(found)


def test_wrong_names_are_usage_errors(built, capsys):
    show = ["database", "show", "--file", built]
    assert main([*show, "--kernel", "gemm"]) == 2
    assert "no nano-kernel named 'gemm'" in capsys.readouterr().err
    assert main([*show, "--machine", "many"]) == 2
    assert "rows for few, not for many" in capsys.readouterr().err


def test_a_limit_of_time_ends_a_build(tmp_path, capsys):
    out = str(tmp_path / "db")
    words = ["database", "build", "-o", out, "--timeout", "1e-6", "--jobs", "1"]
    assert main(words) == 1
    told = capsys.readouterr().err
    assert "nano-kernels are done" in told
    assert "goes on from there" in told


def test_a_file_is_asked_about(built, capsys):
    words = ["database", "query", GEMM, "--file", built]
    assert main([*words, "--partition", "SINGLE"]) == 0
    out = capsys.readouterr().out
    assert "SINGLE:" in out
    assert "nearest: " in out
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["partitions"]) == ["MAX", "SINGLE", "WRITE", "DIM", "SELFDEP"]
    part = found["partitions"]["SINGLE"][0]
    assert set(part) == {"statements", "objectives", "shape", "reasons"}
    assert part["objectives"][-1] == "MIC"


@pytest.mark.parametrize("policy", ["SO>IP>OP", "pldi19", "gpu/1+SO@SINGLE"])
def test_the_space_takes_policies_of_every_kind(policy, capsys):
    words = ["space", GEMM, "--policy", policy, "--limit", "3", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["policy"] == policy


def test_an_unknown_policy_is_one_clear_error(capsys):
    assert main(["space", GEMM, "--policy", "SO>XX"]) == 1
    assert "no objective named 'XX'" in capsys.readouterr().err
