"""``polysched bench``: what it prints and writes, and its exit status."""

from __future__ import annotations

import json
import os

import pytest

from polysched.cli import main
from tests.unit.bench.toys import write_peers, write_suite


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A command line over the toy suite and peers."""
    tools = write_peers(tmp_path / "tools")
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    suite = write_suite(tmp_path / "suite")
    common = (
        "--suite", str(suite), "--records", str(tmp_path / "r.sqlite"),
        "--cflags", "-O1", "--rounds", "1", "--threads", "2",
    )  # fmt: skip
    return lambda *words: main(["bench", *words, *common])


@pytest.mark.long
@pytest.mark.cc
def test_table_and_files(bench, tmp_path, capsys):
    out, page = tmp_path / "o.json", tmp_path / "o.html"
    text, picture = tmp_path / "o.md", tmp_path / "o.svg"
    files = ("--json", str(out), "--html", str(page))
    files = (*files, "--markdown", str(text), "--plot", str(picture))
    assert bench("--tools", "gcc,ppcg-tile,pluto-tile", *files) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert any("ppcg-tile" in s and "WRONG" in s for s in lines)
    assert any("gcc" in s and "(best peer)" in s for s in lines)
    assert "geometric means over the kernels" in lines
    assert "product: 1 rounds" in told.err
    data = json.loads(out.read_text())
    assert set(data) >= {
        "polysched", "python", "system", "started", "threads", "rounds", "machine",
        "tools", "kernels", "geometric_means",
    }  # fmt: skip
    assert data["kernels"][0]["name"] == "product"
    assert len(data["kernels"]) == 3
    assert data["tools"][0]["cflags"] == "-O3 -march=native"
    assert data["geometric_means"]["gcc"]["over_gcc"] == 1.0
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "| product |" in text.read_text()
    assert picture.read_text().startswith("<svg")


@pytest.mark.cc
def test_json_to_stdout_is_all_there_is(bench, capsys):
    assert bench("product", "--tools", "gcc", "--json", "-") == 0
    first = json.loads(capsys.readouterr().out)
    assert bench("product", "--tools", "gcc", "--json", "-") == 0
    second = json.loads(capsys.readouterr().out)
    assert not first["kernels"][0]["stored"]
    assert second["kernels"][0]["stored"]
    assert second["kernels"][0]["results"] == first["kernels"][0]["results"]


@pytest.mark.parametrize("words", [("--budget", "0"), ("--budget", "1,x")])
def test_bad_budgets_are_usage_errors(bench, words, capsys):
    assert bench(*words) == 2
    assert "expected budgets like 1,4,16" in capsys.readouterr().err


def test_kernels_of_a_gpu_are_measured_elsewhere(bench, capsys):
    assert bench("gemm", "--target", "cuda") == 1
    said = capsys.readouterr().err
    assert "not kernels of a GPU" in said
    assert "--device cpu" in said


def test_standard_output_takes_one_form(bench, capsys):
    assert bench("--json", "-", "--html", "-") == 2
    assert "several outputs want standard output" in capsys.readouterr().err


def test_unknown_tools_and_kernels_are_refused(bench, capsys):
    assert bench("--tools", "icc") == 1
    assert "no tool named 'icc'" in capsys.readouterr().err
    assert bench("no-such") == 1
    assert "no kernel 'no-such'" in capsys.readouterr().err


def test_an_output_that_is_an_input_is_refused(bench, tmp_path, capsys):
    path = str(tmp_path / "suite" / "product.c")
    assert bench("product", "--json", path) == 1
    assert "inputs are never changed" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.cc
def test_regret_is_told(bench, tmp_path, capsys):
    out = tmp_path / "o.json"
    words = ("product", "--tools", "ours,gcc", "--budget", "1", "--regret")
    assert bench(*words, "--json", str(out)) == 0
    told = capsys.readouterr().out
    assert "the model's ranking against the measured times" in told
    assert "Spearman" in told
    data = json.loads(out.read_text())
    own = data["kernels"][0]["ours"]["ranking"]
    assert own["n_tried"] == own["n_kept"]
    assert data["ranking"]["regret"]["1"]["n_kernels"] == 1


@pytest.mark.cc
def test_nothing_measured_is_a_failure(bench, tmp_path, capsys):
    empty = tmp_path / "empty.c"
    empty.write_text("int main(void) { return 0; }\n")
    assert bench(str(empty), "--tools", "gcc") == 1
    assert "no #pragma scop" in capsys.readouterr().err
