"""Build and time what ``generate.py`` made: needs nvcc and a GPU, Python alone.

``python run.py [-o results.json] [--arch sm_90] [--jobs N] [--seconds N]`` inside of
the folder. Every variant checks its own results; one that fails is reported and not
timed. The kinds of all programs take turns, those that most is asked of first and with
several variants at a time, so that what is left out when the seconds are over are
further shapes of what was measured. Variants are built and run side by side, and take
turns with the device (``timed.h``); ``--build`` builds them only, for a machine that
has the GPU and little time. What was found is written after each, as JSON and as a
page, and said at the end, with what was asked for (``summary.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import zip_longest
from pathlib import Path
from threading import Event, Lock

from summary import asked_lines, bulk_lines, is_peer, page

HERE = Path(__file__).resolve().parent
ARCH = "sm_90"  # to build for where there is no GPU
AGREEMENT = 1e-8  # of the sums that two programs print
LATE = "LATE"  # no time was left
RUN_SECONDS = 60.0  # of one variant, its turn included
# a kernel is loaded before it is timed, not at its first launch
LOADED = {**os.environ, "CUDA_MODULE_LOADING": "EAGER"}
SHOWN = ("name", "case", "kind", "ms", "verdict")


def find_nvcc() -> str:
    """The compiler on the PATH, or where toolkits put it."""
    homes = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH")]
    places = [f"{home}/bin" for home in (*homes, "/usr/local/cuda") if home]
    path = os.pathsep.join([os.environ.get("PATH", ""), *places])
    found = shutil.which("nvcc", path=path)
    if found is None:
        sys.exit("cannot find nvcc: put it on the PATH, or set CUDA_HOME")
    return found


def take_turns(jobs: list) -> list:
    """The first variants of each kind, then the next ones: so many as they weigh."""
    kinds = defaultdict(list)
    for job in jobs:
        kinds[job["case"], job["kind"]].append(job)
    by_weight = sorted(kinds.values(), key=lambda own: -own[0].get("weight", 1))
    parts = []
    for own in by_weight:
        n = own[0].get("weight", 1)
        parts.append([own[k : k + n] for k in range(0, len(own), n)])
    turns = zip_longest(*parts, fillvalue=[])
    return [job for turn in turns for part in turn for job in part]


def build(job: dict, compiler: str, arch: str, end: float) -> str:
    """Compile and link one variant; the compiler's words where it fails."""
    if time.monotonic() > end:
        return LATE
    name, defines = job["name"], list(job["defines"])
    said = HERE / f"{name}.said"
    if said.exists() and (HERE / f"{name}.exe").exists():
        return said.read_text()
    # the device file has its sizes in it; the program's macros are not for it
    repeats = [d for d in defines if d.startswith("-DREPS")]
    nvcc = [compiler, "-O3", f"-arch={arch}", *repeats]
    host = ["gcc", "-O2", "-w", *defines, "-c", f"{name}.c", "-o", f"{name}.host.o"]
    device = [*nvcc, "-std=c++17", "-Xptxas", "-v", "-include", "timed.h", "-c"]
    device += [f"{name}.cu", "-o", f"{name}.o"]
    link = [*nvcc, f"{name}.o", f"{name}.host.o", "-o", f"{name}.exe", "-lm"]
    if job.get("original"):
        expect(job["original"], tuple(defines))
    text = ""
    for command in (host, device, link):
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
        text += done.stdout + done.stderr
        if done.returncode:
            return f"FAILED {text or command[0]}"
    said.write_text(text)
    return text


@cache
def lock_of(_original: str) -> Lock:
    """One lock for each program."""
    return Lock()


def expect(original: str, defines: tuple) -> list:
    """The numbers that a program prints without a device; kept in a file."""
    said = HERE / f"{original}.expected"
    with lock_of(original):
        if not said.exists():
            made = f"./{original}.exe"
            command = ["gcc", "-O2", "-w", *defines, original, "-o", made, "-lm"]
            subprocess.run(command, cwd=HERE, check=True)
            done = subprocess.run([made], cwd=HERE, capture_output=True, text=True)
            said.write_text(done.stdout)
    return numbers(said.read_text())


def numbers(text: str) -> list:
    """The numbers in a program's output."""
    return [float(n) for n in re.findall(r"(?<![\w.-])-?[\d.]+(?:e[+-]\d+)?\b", text)]


def is_equal(job: dict, said: str) -> bool:
    """Whether a run found its results right, or prints what the original does."""
    if not job.get("original"):
        return "equal" in said
    wanted, found = expect(job["original"], tuple(job["defines"])), numbers(said)
    return len(found) == len(wanted) > 0 and all(
        abs(a - b) <= AGREEMENT * max(abs(a), abs(b), 1.0)
        for a, b in zip(wanted, found, strict=True)
    )


def resources(text: str) -> dict:
    """Registers and spills of the most demanding kernel, from ptxas."""
    registers = [int(n) for n in re.findall(r"Used (\d+) registers", text)]
    spills = [int(n) for n in re.findall(r"(\d+) bytes spill stores", text)]
    return {
        "registers": max(registers, default=0),
        "spill_bytes": max(spills, default=0),
    }


def execute(job: dict, seconds: float) -> dict:
    """Run one variant: milliseconds of each entry, launches, and its verdict."""
    try:
        done = subprocess.run(
            [f"./{job['name']}.exe"],
            cwd=HERE,
            capture_output=True,
            text=True,
            errors="replace",
            env=LOADED,
            timeout=max(1.0, min(RUN_SECONDS, seconds)),
        )
    except subprocess.TimeoutExpired:
        return {"verdict": "timeout"}
    except OSError as error:
        return {"verdict": str(error)}
    if done.returncode == -signal.SIGALRM:
        return {"verdict": "timeout"}
    times = [float(t) for t in re.findall(r"kernels ([\d.]+) ms", done.stderr)]
    launches = re.findall(r"(\d+) launches", done.stderr)
    if done.returncode or not times or not is_equal(job, done.stdout):
        return {"verdict": (done.stdout + done.stderr)[-500:] or "no output"}
    later = times[1:] or times
    return {
        "verdict": "equal",
        "ms": statistics.median(later),
        "best_ms": min(later),
        "launches": int(launches[0]),
    }


def query_gpu() -> list:
    """What the driver says of the GPU: name, driver, memory, clock, capability."""
    fields = "name,driver_version,memory.total,clocks.max.sm,compute_cap"
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        sys.exit("found no GPU: there is no nvidia-smi")
    if done.returncode or not done.stdout.strip():
        sys.exit(f"found no GPU: {(done.stdout + done.stderr).strip()}")
    return [part.strip() for part in done.stdout.splitlines()[0].split(",")]


def release_of(compiler: str) -> str:
    """What the compiler calls its release."""
    said = subprocess.run([compiler, "--version"], capture_output=True, text=True)
    return (re.findall(r"release [\d.]+", said.stdout) or [""])[-1]


def reference(compiler: str, arch: str) -> dict:
    """A copy, and the vendor's libraries: of the toolkit, and of PyTorch if there."""
    build = [compiler, "-O3", f"-arch={arch}", "reference.cu", "-o", "reference.exe"]
    for extra in (["-DWITH_CUBLAS", "-lcublas"], []):
        if not subprocess.run(
            [*build, *extra], cwd=HERE, capture_output=True
        ).returncode:
            break
    found = said_by(["./reference.exe"])
    for name, value in said_by([sys.executable, "reference.py"]).items():
        is_worse = name in found and (value > found[name]) != name.startswith("copy")
        found[name] = found[name] if is_worse else value
    return found


def said_by(command: list, timeout: float = 60) -> dict:
    """The line of JSON that a program prints; empty where it fails."""
    try:
        done = subprocess.run(
            command, cwd=HERE, capture_output=True, text=True, timeout=timeout
        )
        return json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return {}


def write(found: dict, output: Path) -> None:
    """Everything so far as JSON, and as a page beside it."""
    output.write_text(json.dumps(found, indent=1))
    output.with_suffix(".md").write_text(page(found))


def attempt(job: dict, make: Callable, may_run: Event, end: float) -> dict | None:
    """Build and run one variant; None where time was over."""
    text = make(job)
    may_run.wait()
    left = end - time.monotonic()
    if text == LATE or left <= 0:
        return None
    failed = text.startswith("FAILED")
    run = {"verdict": text[:800]} if failed else execute(job, left)
    return {**job, **resources(text), **run}


def build_all(jobs: list, make: Callable, n_jobs: int) -> int:
    """Compile and link all variants; 1 where one of them is refused."""
    with ThreadPoolExecutor(n_jobs) as pool:
        texts = list(pool.map(make, jobs))
    failed = [text for text in texts if text.startswith("FAILED")]
    sys.stdout.write("\n".join([*failed[:3], ""]))
    sys.stdout.write(f"{len(texts) - len(failed)} of {len(texts)} variants built\n")
    return 1 if failed else 0


def main() -> int:
    """Build side by side, run in turn, write JSON and a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("results.json"))
    parser.add_argument("--arch", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--build", action="store_true")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    compiler = find_nvcc()
    jobs = json.loads((HERE / "jobs.json").read_text())
    jobs = [j for j in jobs if options.only in f"{j['case']} {j['kind']}"]
    jobs = take_turns(jobs)
    if options.build:
        make = partial(build, compiler=compiler, arch=options.arch or ARCH, end=end)
        return build_all(jobs, make, options.jobs)
    *gpu, capability = query_gpu()
    arch = options.arch or "sm_" + capability.replace(".", "")
    make = partial(build, compiler=compiler, arch=arch, end=end)
    may_run = Event()
    found = {"gpu": ", ".join(gpu), "nvcc": release_of(compiler), "arch": arch}
    found |= {"reference": {}, "runs": []}
    with ThreadPoolExecutor(options.jobs) as pool:
        work = partial(attempt, make=make, may_run=may_run, end=end)
        runs = pool.map(work, jobs)
        try:
            found["reference"] = reference(compiler, arch)
        finally:
            may_run.set()
        write(found, options.output)
        for run in filter(None, runs):
            found["runs"].append(run)
            told = {k: run.get(k) for k in SHOWN}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
            write(found, options.output)
    peers = [run for run in found["runs"] if is_peer(run)]
    done = [run for run in found["runs"] if not is_peer(run)]
    n_wrong = sum(run["verdict"] != "equal" for run in done)
    n_left = len(jobs) - len(done) - len(peers)
    left = f", {n_left} left out" if n_left else ""
    sys.stdout.write(f"{len(done) - n_wrong} of {len(done)} variants right{left}\n")
    if peers:
        n_right = sum(run["verdict"] == "equal" for run in peers)
        sys.stdout.write(f"{n_right} of {len(peers)} of PPCG right\n")
    for line in asked_lines(done, found["reference"]):
        sys.stdout.write(line + "\n")
    for line in bulk_lines(done):
        sys.stdout.write(f"pieces, rows in bulk {line}\n")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
