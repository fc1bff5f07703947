"""Milliseconds of a first call in a process that finds its kernel on disk.

Run with the Python that has polysched. For each kernel of ``examples/python`` processes
are started that load it, call it, call it again, and call it with other sizes, all from
a cache that is filled first. ``--page`` prints a table in Markdown. ``--build`` only
fills the cache, so that the rest can be timed on a quiet machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "python"
HEAVY = ("islpy", "highspy", "pulp", "networkx", "sympy", "pycparser", "pandas")
STAGES = ("imports", "first", "again", "resized", "start")
SEED = 7
SECONDS = 60.0  # for the search, as in python_kernels.py, whose cache is the same


def run_child(path: str) -> dict[str, Any]:
    """Load a kernel and call it; seconds by stage, from the system's own clock."""
    started = time.perf_counter()
    import numpy as np

    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = example  # where the kernel's source is looked for
    spec.loader.exec_module(example)
    options = replace(example.kernel.options, timeout=SECONDS)
    example.kernel.options = options
    imported = time.perf_counter()
    found: dict[str, Any] = {"imports": imported - started}
    given = _arguments(np, example, example.SIZES)
    smaller = _arguments(np, example, {k: 3 * v // 4 for k, v in example.SIZES.items()})
    filled = time.perf_counter()
    example.kernel(*given)
    called = time.perf_counter()
    found["first"] = called - filled
    found["filling"] = filled - imported
    found["ended"] = called
    for stage, arguments in (("again", given), ("resized", smaller)):
        before = time.perf_counter()
        example.kernel(*arguments)
        found[stage] = time.perf_counter() - before
    found["built"] = sum(b.was_built for b in example.kernel.built)
    found["n_built"] = len(example.kernel.built)
    found["heavy"] = [name for name in HEAVY if name in sys.modules]
    return found


def _arguments(np: Any, example: Any, sizes: dict[str, int]) -> tuple[Any, ...]:
    return tuple(example.inputs(np.random.default_rng(SEED), **sizes))


def start_child(path: Path) -> dict[str, Any]:
    """Seconds by stage of a new process; `start` is all but the filling of arrays."""
    started = time.perf_counter()  # one clock for all processes of the machine
    command = [sys.executable, __file__, "--child", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    found["start"] = found["ended"] - started - found["filling"]
    return found


def measure(path: Path, repeats: int) -> dict[str, Any]:
    """Medians of a kernel's stages over processes that build nothing."""
    runs = [start_child(path) for _ in range(repeats)]
    assert not any(run["built"] for run in runs), f"{path.stem} was not in the cache"
    medians: dict[str, Any] = {
        stage: statistics.median(run[stage] for run in runs) for stage in STAGES
    }
    return {"kernel": path.stem, "heavy": runs[0]["heavy"], **medians}


def print_table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows in Markdown, with what is the most over all of them."""
    lines = [
        "| kernel | start to end of first call | imports | first call | second call "
        "| first call of other sizes |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        shown = [row[s] for s in ("start", "imports", "first", "again", "resized")]
        cells = " | ".join(f"{1e3 * seconds:.3g} ms" for seconds in shown)
        lines.append(f"| {row['kernel']} | {cells} |")
    most = max(rows, key=lambda row: row["start"])
    lines += ["", f"At most {1e3 * most['start']:.0f} ms ({most['kernel']})."]
    heavy = sorted({name for row in rows for name in row["heavy"]})
    lines.append(f"Imported besides NumPy: {', '.join(heavy) or 'none'} of {HEAVY}.")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fill the cache, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernels", nargs="*")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--build", action="store_true", help="fill the cache only")
    parser.add_argument("--child", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        sys.stdout.write(json.dumps(run_child(options.child)))
        return
    names = options.kernels or sorted(p.stem for p in EXAMPLES.glob("*.py"))
    rows = []
    for name in names:
        path = EXAMPLES / f"{name}.py"
        start_child(path)
        if not options.build:
            rows.append(measure(path, options.repeats))
    if rows:
        sys.stdout.write(print_table(rows))


if __name__ == "__main__":
    main()
