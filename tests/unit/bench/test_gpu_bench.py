"""The GPU benchmark on a machine without one: commands that pose as nvcc and a GPU."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "gpu"
SGEMM = "float matmul 4096"
CONTRACT = "contract(band=0, tile=[{0}], threads=[8,32], runs=[1,4], stages={1}{2})"

NVCC = """#!/bin/sh
# builds a program that says what is noted for it
for out; do test "$last" = -o && break; last=$out; done
case "$*" in
*--version*) echo "Cuda compilation tools, release 13.0, V13.0.88" ;;
*cublas*) echo "cannot find -lcublas" >&2; exit 1 ;;
*reference.cu*) printf '#!/bin/sh\\necho "{\\\\"copy_bytes_per_second\\\\": 4e12}"\\n' \
  > $out; chmod +x $out ;;
*.exe*) printf '#!/bin/sh\\ncat %s\\ncat %s >&2\\n' ${out%.exe}.out ${out%.exe}.err \
  > $out; chmod +x $out ;;
*) echo "ptxas info : Used 96 registers" >&2; touch $out ;;
esac
"""
GPU = "#!/bin/sh\necho 'NVIDIA H200, 580.1, 143771 MiB, 1980 MHz, 9.0'\n"
CC = """#!/bin/sh
# an original program says 2.5; of other files nothing is made
for out; do test "$last" = -o && break; last=$out; done
case "$out" in
*.c.exe) printf '#!/bin/sh\\necho "sum 2.5000000000e+00"\\n' > $out; chmod +x $out ;;
esac
"""


def job(case: str, kind: str, script: str, ms: float, predicted: float | None) -> dict:
    """A variant, and the milliseconds that it will say."""
    return {
        "case": case, "kind": kind, "program": "p", "defines": ["-DREPS=2"],
        "script": script, "flops": 2.0 * 4096**3, "n_bytes": 1e10, "ms": ms,
        "predicted_seconds": predicted,
    }  # fmt: skip


JOBS = [
    job(SGEMM, "one-level tiles", CONTRACT.format("32,32,32", 1, ""), 10.0, None),
    job(SGEMM, "tiled", CONTRACT.format("128,256,16", 3, ""), 3.0, 2.5e-3),
    job(SGEMM, "tiled", CONTRACT.format("64,128,16", 3, ""), 3.3, 2.4e-3),
    job(SGEMM, "tiled (one stage)", CONTRACT.format("128,256,16", 1, ""), 3.6, 3e-3),
    job(SGEMM, "tiled (bulk)", CONTRACT.format("128,256,16", 3, ", bulk=true"), 2.5, 1),
    job("float heat3d 384, 16 steps", "sweeps", "launch()", 4.0, None),
    job("float wrong 1", "sweeps", "launch()", -1.0, None),
]


def suite_job(case: str, kind: str, ms: float, predicted: float | None = None) -> dict:
    """A variant of a program of PolyBench, right where it takes any time."""
    one = job(f"{case} LARGE", kind, "", ms, predicted)
    return {**one, "defines": [], "flops": 0.0, "n_bytes": 0.0, "original": "sum.c"}


SUITE = [
    suite_job("gemm", "our choice", 0.6, 0.5e-3),
    suite_job("gemm", "our choice", 0.4, 0.7e-3),
    suite_job("gemm", "PPCG", 3.0),
    suite_job("gemm", "PPCG (tuned)", 0.8),
    suite_job("atax", "our choice", 0.1, 0.1e-3),
    suite_job("atax", "PPCG", 0.8),
    suite_job("lu", "our choice", 0.25, 0.2e-3),
    suite_job("lu", "PPCG", -1.0),
    suite_job("adi", "our choice", 0.5, 0.2e-3),
    {**JOBS[0], "kind": "PPCG", "ms": 5.0},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What ``generate.py`` fills, with few variants, and the commands that pose."""
    fill(tmp_path, JOBS)
    return tmp_path


def fill(tmp_path: Path, jobs: list[dict]) -> None:
    """Fill a folder, in place of ``generate.py``."""
    for part in ("run.py", "summary.py", "reference.py", "reference.cu", "timed.h"):
        shutil.copy(BENCHMARK / part, tmp_path)
    listed = []
    for number, one in enumerate(jobs):
        name = f"v{number}"
        right = "equal" if one["ms"] > 0 else "WRONG"
        said = f"error 1e-9 {right}"
        if one["flops"] == 0:
            said = f"sum {2.5 if one['ms'] > 0 else 7.0}"
        (tmp_path / f"{name}.out").write_text(f"{said}\n")
        line = f"kernels {one['ms']:.6f} ms, 1 launches\n"
        (tmp_path / f"{name}.err").write_text(2 * line)
        listed.append({**one, "name": name, "ms": None})
    (tmp_path / "jobs.json").write_text(json.dumps(listed))
    (tmp_path / "bin").mkdir(exist_ok=True)
    for command, text in (("nvcc", NVCC), ("nvidia-smi", GPU), ("gcc", CC)):
        (tmp_path / "bin" / command).write_text(text)
        (tmp_path / "bin" / command).chmod(0o755)


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    return subprocess.run(
        [sys.executable, "run.py", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_was_asked_for_is_told_at_the_end(folder: Path) -> None:
    done = run(folder)
    assert done.returncode == 1, done.stderr
    said = done.stdout
    assert "6 of 7 variants right" in said
    assert "SGEMM 4096 over cuBLAS: not measured" in said
    assert "times one-level tiles: 4.00, at least 3.00 is asked for: met" in said
    assert "heat3d of floats, share of a copy: 0.62, at least 0.80" in said
    assert "gain of the best shape: 1.20, at least 1.15 is asked for: met" in said
    assert "best over the model's first 5: 1.00" in said
    assert "| 3.00 | 2.50 | 1.20 |" in said
    found = json.loads((folder / "results.json").read_text())
    assert found["arch"] == "sm_90"
    assert [r["verdict"] for r in found["runs"]].count("equal") == 6
    assert found["runs"][0]["registers"] == 96


def test_without_time_nothing_is_built(folder: Path) -> None:
    done = run(folder, "--seconds", "0")
    assert done.returncode == 0, done.stderr
    assert "0 of 0 variants right, 7 left out" in done.stdout


def test_without_a_gpu_it_says_so(folder: Path) -> None:
    (folder / "bin" / "nvidia-smi").write_text("#!/bin/sh\necho none >&2; exit 9\n")
    assert "found no GPU: none" in run(folder).stderr


@pytest.mark.parametrize(
    ("said", "is_right"), [("2.50000000001e+00", True), ("2.501e+00", False)]
)
def test_programs_must_say_what_their_original_says(
    folder: Path, said: str, is_right: bool
) -> None:
    (one, *_) = json.loads((folder / "jobs.json").read_text())
    (folder / "jobs.json").write_text(json.dumps([{**one, "original": "sum.c"}]))
    (folder / f"{one['name']}.out").write_text(f"sum {said}\n")
    done = run(folder)
    assert done.returncode == (0 if is_right else 1), done.stderr
    assert f"{int(is_right)} of 1 variants right" in done.stdout


def test_built_elsewhere_it_only_runs(folder: Path) -> None:
    built = run(folder, "--build", "--seconds", "60")
    assert built.returncode == 0, built.stderr
    assert "7 of 7 variants built" in built.stdout
    (folder / "bin" / "gcc").write_text("#!/bin/sh\nexit 1\n")
    assert "6 of 7 variants right" in run(folder).stdout


def test_programs_of_the_suite_have_a_table_with_ppcg_beside_ours(
    tmp_path: Path,
) -> None:
    fill(tmp_path, SUITE)
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr  # a peer that is wrong is no fault of ours
    assert "5 of 5 variants right" in done.stdout
    assert "4 of 5 of PPCG right" in done.stdout
    assert "times one-level tiles: not measured" in done.stdout
    page = (tmp_path / "results.md").read_text()
    assert "5 variants were built from the trees" in page
    assert "0 with spilled registers. 5 are made by PPCG" in page
    assert "| gemm | 0.600 | 0.400 | 2 | 0.500 | 0.800 | 2.00 | 1 | 96 |" in page
    assert "| atax | 0.100 | 0.100 | 1 | 0.100 | 0.800 | 8.00 | 1 | 96 |" in page
    assert "| lu | 0.250 | 0.250 | 1 | 0.200 | wrong |  | 1 | 96 |" in page
    assert "| adi | 0.500 | 0.500 | 1 | 0.200 |  |  | 1 | 96 |" in page
    assert "PPCG over ours: 4.00 in the mean" in page
    fastest = page.partition("## PolyBench")[0]
    assert f"| {SGEMM} | PPCG | 1 | 5.00 |" in fastest
    assert "LARGE" not in fastest


def test_without_programs_of_the_suite_nothing_is_said_of_them(folder: Path) -> None:
    run(folder)
    page = (folder / "results.md").read_text()
    assert "## The fastest of each kind" in page
    assert "## PolyBench" not in page
    assert "made by PPCG" not in page


def test_who_holds_the_device_too_long_is_told_apart(tmp_path: Path) -> None:
    fill(tmp_path, SUITE[4:6])
    assert run(tmp_path, "--build").returncode == 0
    (tmp_path / "v1.exe").write_text("#!/bin/sh\nkill -ALRM $$\n")
    done = run(tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "results.md").read_text()
    assert "| atax | 0.100 | 0.100 | 1 | 0.100 | timeout |  | 1 | 96 |" in page
