"""Build and time what ``generate.py`` made: needs nvcc and a GPU, Python alone.

``python run.py [-o results.json] [--arch sm_90] [--jobs N]`` inside of the folder.
Every variant checks its own results; one that fails is reported and not timed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHOWN = ("name", "case", "kind", "ms", "verdict")


def build(job: dict, arch: str) -> str:
    """Compile and link one variant; the compiler's words where it fails."""
    name, defines = job["name"], list(job["defines"])
    # the device file has its sizes in it; the program's macros are not for it
    repeats = [d for d in defines if d.startswith("-DREPS")]
    nvcc = ["nvcc", "-O3", f"-arch={arch}", *repeats]
    host = ["gcc", "-O2", "-w", *defines, "-c", f"{name}.c", "-o", f"{name}.host.o"]
    device = [*nvcc, "-std=c++17", "-Xptxas", "-v", "-include", "timed.h", "-c"]
    device += [f"{name}.cu", "-o", f"{name}.o"]
    link = [*nvcc, f"{name}.o", f"{name}.host.o", "-o", f"{name}.exe", "-lm"]
    text = ""
    for command in (host, device, link):
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
        text += done.stdout + done.stderr
        if done.returncode:
            return "FAILED " + text
    return text


def resources(text: str) -> dict:
    """Registers and spills of the most demanding kernel, from ptxas."""
    registers = [int(n) for n in re.findall(r"Used (\d+) registers", text)]
    spills = [int(n) for n in re.findall(r"(\d+) bytes spill stores", text)]
    return {
        "registers": max(registers, default=0),
        "spill_bytes": max(spills, default=0),
    }


def execute(job: dict) -> dict:
    """Run one variant: milliseconds of each entry, launches, and its verdict."""
    try:
        done = subprocess.run(
            [f"./{job['name']}.exe"],
            cwd=HERE,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except subprocess.TimeoutExpired:
        return {"verdict": "timeout"}
    times = [float(t) for t in re.findall(r"kernels ([\d.]+) ms", done.stderr)]
    launches = re.findall(r"(\d+) launches", done.stderr)
    if done.returncode or not times or "equal" not in done.stdout:
        return {"verdict": (done.stdout + done.stderr)[-500:] or "no output"}
    later = times[1:] or times
    return {
        "verdict": "equal",
        "ms": statistics.median(later),
        "best_ms": min(later),
        "launches": int(launches[0]),
    }


def query_gpu() -> dict:
    """What the driver says of the GPU."""
    fields = "name,driver_version,memory.total,clocks.max.sm"
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    line = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    version = subprocess.run(["nvcc", "--version"], capture_output=True, text=True)
    release = re.findall(r"release [\d.]+", version.stdout)
    return {"gpu": line[0] if line else "none", "nvcc": release[-1] if release else ""}


def reference(timeout: float = 120) -> dict:
    """Times of the vendor's libraries, where a Python with them is found."""
    command = [sys.executable, str(HERE / "reference.py")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        return json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        return {}


def main() -> int:
    """Build side by side, run in turn, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", default="results.json")
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    jobs = json.loads((HERE / "jobs.json").read_text())
    jobs = [j for j in jobs if options.only in f"{j['case']} {j['kind']}"]
    with ThreadPoolExecutor(options.jobs) as pool:
        texts = list(pool.map(lambda job: build(job, options.arch), jobs))
    found = {**query_gpu(), "arch": options.arch, "reference": reference(), "runs": []}
    n_wrong = 0
    for job, text in zip(jobs, texts, strict=True):
        failed = text.startswith("FAILED")
        run = {"verdict": text[:800]} if failed else execute(job)
        n_wrong += run["verdict"] != "equal"
        found["runs"].append({**job, **resources(text), **run})
        told = {k: found["runs"][-1].get(k) for k in SHOWN}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        Path(options.output).write_text(json.dumps(found, indent=1))
    sys.stdout.write(f"{len(jobs) - n_wrong} of {len(jobs)} variants right\n")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
