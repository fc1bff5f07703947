"""Tune every example on this machine's GPU, many programs side by side.

``python benchmarks/gpu/sweep.py OUT.json [--only PART] [--jobs N] [--seconds N]
[--budget N] [--device cpu]`` measures the best-ranked schedules of PolyBench and of the
programs, at sizes that take a GPU some milliseconds and at small ones whose tiles are
not whole. Results are compared with the original's; the times are those of kernels.
Programs take turns with the device. Where they end is written after each, as JSON; the
status is 1 where a schedule gave a wrong result or none.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SMALL = {"polybench": "-DSMALL", "programs": "-DTINY"}
SHORT = {  # of what takes one core too long at LARGE
    "adi": "-DTSTEPS=100", "floyd-warshall": "-DN=1400", "nussinov": "-DN=1500",
    "seidel-2d": "-DTSTEPS=100",
}  # fmt: skip
KEPT = ("id", "script", "predicted_seconds", "measured", "failure")


def all_jobs() -> Iterator[tuple[str, list[str]]]:
    """Names, and the words that follow `tune`."""
    for suite in SMALL:
        for file in sorted((EXAMPLES / suite).glob("*.c")):
            short = [SHORT[file.stem]] if file.stem in SHORT else []
            yield f"{suite} {file.stem}", [str(file), *short]
    for suite, small in SMALL.items():
        for file in sorted((EXAMPLES / suite).glob("*.c")):
            yield f"small {suite} {file.stem}", [str(file), small]


def run(job: tuple[str, list[str]], options: argparse.Namespace, end: float) -> dict:
    """What `tune` says of a program."""
    name, words = job
    left = end - time.monotonic()
    if left < 1:
        return {"name": name, "status": "late"}
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            sys.executable, "-m", "polysched", "tune", *words, "--target", "cuda",
            "--device", options.device, "--time", "kernels", "--json", "--jobs", "2",
            "--budget", str(options.budget), "--repeats", "3", "--timeout", "60",
            "--records", f"{scratch}/r.sqlite", "-o", f"{scratch}/out.c",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=left if left != float("inf") else None,
                env={**os.environ, "POLYSCHED_DEVICE_TURN": options.turn},
            )
        except subprocess.TimeoutExpired:
            return {"name": name, "status": "late"}
    found = {"name": name, "status": done.returncode}
    try:
        said = json.loads(done.stdout)
    except ValueError:
        return {**found, "said": done.stderr[-1500:]}
    scops = said if isinstance(said, list) else [said]
    return {**found, "scops": [brief(scop) for scop in scops]}


def brief(scop: dict) -> dict:
    """What is kept of a scop: what was tried, and the original."""
    tried = [
        {k: s[k] for k in KEPT if s.get(k) is not None}
        for s in scop.get("schedules", ())
        if s.get("measured") or s.get("failure")
    ]
    names = ("scop", "baseline", "best", "size", "seconds")
    return {**{k: scop.get(k) for k in names}, "tried": tried}


def faults(found: dict) -> list[str]:
    """What went wrong with a program."""
    if "scops" not in found:
        return [] if found["status"] == "late" else [found.get("said", "")[-300:]]
    return [
        f"{one['id']}: {one['failure']['kind']}: {one['failure']['text'][:300]}"
        for scop in found["scops"]
        for one in scop["tried"]
        if one.get("failure")
    ]


def main() -> int:
    """Run everything, write JSON, say what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) - 2))
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--budget", type=int, default=4)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    jobs = [job for job in all_jobs() if options.only in job[0]]
    results: list[dict] = []
    with (
        tempfile.NamedTemporaryFile() as turn,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        options.turn = turn.name
        for found in pool.map(partial(run, options=options, end=end), jobs):
            results.append(found)
            options.output.write_text(json.dumps(results, indent=0) + "\n")
            for fault in faults(found):
                sys.stdout.write(f"{found['name']}: {fault}\n")
    n_late = sum(found["status"] == "late" for found in results)
    n_tried = sum(len(s["tried"]) for r in results for s in r.get("scops", ()))
    n_wrong = sum(len(faults(found)) for found in results)
    sys.stdout.write(
        f"{len(results) - n_late} of {len(results)} programs, {n_tried} schedules, "
        f"{n_wrong} faults\n"
    )
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
