"""What times device files on a GPU machine, behind commands that pose as one.

On such a machine there is no second try: that it finds compiler and GPU, what it makes
of variants that fail, and that it ends in time is tested where there is neither.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "benchmarks" / "gpu" / "run.py"
NVCC = """\
#!/bin/sh
[ "$1" = --version ] && { echo "release 13.0, V13"; exit; }
case $* in *-arch=sm_90*) ;; *) echo "wrong architecture"; exit 1;; esac
for word; do [ "$last" = -o ] && output=$word; last=$word; done
echo "ptxas info : 0 bytes stack frame, 8 bytes spill stores" >&2
echo "ptxas info : Used 77 registers, 400 bytes cmem[0]" >&2
case $output in
refused.o) echo "refused.cu(3): error: no" >&2; exit 2;;
*.exe) printf '#!/bin/sh\\n. ./said-%s\\n' "$output" > "$output"; chmod +x "$output";;
*) : > "$output";;
esac
"""
SMI = "#!/bin/sh\necho 'NVIDIA H200, 580.1, 143771 MiB, 1980 MHz, 9.0'\n"
RIGHT = """\
echo 'kernels 9.0 ms, 2 launches' >&2
echo 'kernels 3.0 ms, 2 launches' >&2
echo 'kernels 2.0 ms, 2 launches' >&2
echo equal
"""


@pytest.fixture
def folder(tmp_path):
    """Device files of four variants, and commands of NVIDIA's names."""
    commands, place = tmp_path / "bin", tmp_path / "gpu"
    commands.mkdir()
    place.mkdir()
    for name, text in {"nvcc": NVCC, "nvidia-smi": SMI}.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    jobs = []
    for name, kind, said in (
        ("right", "tiled", RIGHT),
        ("second", "tiled", RIGHT),
        ("refused", "plain", ""),
        ("wrong", "sweeps", "echo differs; exit 1\n"),
    ):
        (place / f"{name}.c").write_text("int main(void) { return 0; }\n")
        (place / f"said-{name}.exe").write_text(said)
        job = {"name": name, "case": "c", "kind": kind, "defines": ["-DREPS=3"]}
        jobs.append({**job, "script": "", "flops": 1e9, "n_bytes": 1e9})
    (place / "jobs.json").write_text(json.dumps(jobs))
    for script in (RUN, RUN.with_name("summary.py")):
        shutil.copy(script, place)
    return place


def run(folder: Path, *words: str):
    commands = folder.parent / "bin"
    return subprocess.run(
        [sys.executable, "run.py", "--jobs", "1", *words],
        cwd=folder,
        env={**os.environ, "PATH": f"{commands}{os.pathsep}/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.cc
def test_variants_are_built_for_the_gpu_and_judged(folder):
    done = run(folder)
    assert done.returncode == 1, done.stderr
    assert "2 of 4 variants right\n" in done.stdout
    found = json.loads((folder / "results.json").read_text())
    assert found["gpu"] == "NVIDIA H200, 580.1, 143771 MiB, 1980 MHz"
    assert (found["nvcc"], found["arch"]) == ("release 13.0", "sm_90")
    runs = {r["name"]: r for r in found["runs"]}
    assert list(runs) == ["right", "refused", "wrong", "second"]  # kinds take turns
    assert (runs["right"]["ms"], runs["right"]["best_ms"]) == (2.5, 2.0)
    assert (runs["right"]["registers"], runs["right"]["spill_bytes"]) == (77, 8)
    assert "refused.cu(3): error: no" in runs["refused"]["verdict"]
    assert runs["wrong"]["verdict"] == "differs\n"
    assert "ms" not in runs["wrong"]
    page = (folder / "results.md").read_text()
    assert "4 variants were built" in page
    assert "2 wrong" in page
    assert "| c | tiled | 2 | 2.50 |" in page


def test_kinds_of_which_most_is_asked_come_first_and_with_several(folder):
    path = folder / "jobs.json"
    jobs = json.loads(path.read_text())
    jobs = [{**job, "name": f"{job['name']}{k}"} for k in range(3) for job in jobs]
    for job in jobs:
        job["weight"] = {"sweeps": 2}.get(job["kind"], 1)
    path.write_text(json.dumps(jobs))
    run(folder)  # there is no file of these names: nothing is built, all are told of
    found = json.loads((folder / "results.json").read_text())["runs"]
    turns = "sst p st p t p t t t".replace(" ", "")
    assert "".join(r["kind"][0] for r in found) == turns


def test_what_no_time_is_left_for_is_left_out(folder):
    done = run(folder, "--seconds", "0")
    counts, *asked = done.stdout.splitlines()
    assert counts == "0 of 0 variants right, 4 left out"
    assert asked
    assert all(": not measured, at least" in line for line in asked)


def test_a_machine_without_a_gpu_says_so(folder):
    (folder.parent / "bin" / "nvidia-smi").unlink()
    done = run(folder)
    assert done.returncode == 1
    assert "found no GPU: there is no nvidia-smi" in done.stderr


@pytest.mark.long
def test_examples_are_tuned_and_compared(tmp_path):
    output = tmp_path / "sweep.json"
    words = ["--only", "small polybench trisolv", "--device", "cpu", "--budget", "1"]
    command = [sys.executable, str(RUN.with_name("sweep.py")), str(output), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 programs, 1 schedules, 0 faults" in done.stdout
    (found,) = json.loads(output.read_text())
    (scop,) = found["scops"]
    assert scop["tried"][0]["measured"]["matches"]
