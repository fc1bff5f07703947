"""The kernels of examples/python beside NumPy and Numba: medians and ratios.

Run with the Python that has polysched. ``--numba PYTHON`` names one that has Numba and
NumPy, in which Numba runs as a process of its own; calls of all take turns. Results are
compared with NumPy's before anything is timed. ``--page FILE`` writes the table.
A table can be taken in parts: ``--json FILE`` adds the kernels of a call to those that
the file holds already, and ``--merge FILE`` prints what it holds and runs nothing.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 60.0  # for the search, which a loaded machine slows down
EXAMPLES = ROOT / "examples" / "python"
SIDES = ("polysched", "numba", "numpy")
SEED = 7
PAUSE_SECONDS = 0.1  # threads of the side before wait busily for more work meanwhile


def load(path: Path, fp: str | None = None) -> ModuleType:
    """An example, or Numba's kernels, as a module; kernels as `fp` says."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    if hasattr(module, "kernel"):
        options = replace(module.kernel.options, timeout=SECONDS)
        module.kernel.options = replace(options, fp=fp) if fp else options
    return module


def arguments(example: ModuleType) -> tuple[Any, ...]:
    """Fresh arguments, the same ones each time."""
    return example.inputs(np.random.default_rng(SEED), **example.SIZES)


def outcome(result: Any, given: Sequence[Any]) -> list[np.ndarray]:
    """All arrays that a call gave back or may have written."""
    returned = result if isinstance(result, tuple) else (result,)
    return [np.asarray(v) for v in (*returned, *given) if isinstance(v, np.ndarray)]


def time_call(function: Callable[..., Any], example: ModuleType) -> float:
    """Seconds of one call on fresh arguments."""
    given = arguments(example)
    time.sleep(PAUSE_SECONDS)
    started = time.perf_counter()
    function(*given)
    return time.perf_counter() - started


def find_difference(function: Callable[..., Any], example: ModuleType) -> str:
    """How a function's results differ from NumPy's; empty when they do not."""
    given, expected = arguments(example), arguments(example)
    found = outcome(function(*given), given)
    right = outcome(example.reference(*expected), expected)
    for a, b in zip(found, right, strict=True):
        tolerance = 1e-3 if a.dtype == np.float32 else 1e-9
        if not np.allclose(a, b, rtol=tolerance, atol=tolerance):
            return f"off by {np.max(np.abs(a - b)):.2g}"
    return ""


def serve_numba(fp: str | None) -> None:
    """Answer lines ``check NAME`` and ``time NAME`` until the input ends."""
    from numba import njit

    compiled = njit(parallel=True, cache=True, fastmath=fp == "reassociate")

    kernels = load(Path(__file__).with_name("numba_kernels.py"))
    functions: dict[str, Callable[..., Any]] = {}
    for line in sys.stdin:
        what, name = line.split()
        example = load(EXAMPLES / f"{name}.py")
        if what == "check":
            answer: Any = ""
            best = math.inf
            kinds = [compiled(example.kernel.function)]
            if written := getattr(kernels, name, None):
                kinds.append(compiled(written.py_func))
            for kind in kinds:  # the function as it is, and what was written for Numba
                try:
                    answer = find_difference(kind, example) or answer
                except Exception as error:  # noqa: BLE001 - Numba has many
                    sys.stderr.write(f"{name}: {str(error).splitlines()[0]}\n")
                    continue
                seconds = min(time_call(kind, example) for _ in range(2))
                if seconds < best:
                    best, functions[name] = seconds, kind
            answer = answer if name in functions else "refused"
        else:
            answer = time_call(functions[name], example)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


@dataclass
class NumbaProcess:
    """The process that runs Numba."""

    python: str
    fp: str | None
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [self.python, __file__, "--serve", *(["--fp", self.fp] if self.fp else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, what: str, name: str) -> Any:
        """Send a line, wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what} {name}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@dataclass(frozen=True)
class Row:
    """Times of one kernel, in seconds, by side."""

    name: str
    times: dict[str, list[float]]
    notes: tuple[str, ...] = ()

    def median(self, side: str) -> float | None:
        """The median of one side, None where it has none."""
        return statistics.median(self.times[side]) if self.times.get(side) else None

    def ratio(self, side: str) -> float | None:
        """How many times faster polysched is than another side."""
        ours, other = self.median("polysched"), self.median(side)
        return other / ours if ours and other else None


def measure(
    name: str, numba: NumbaProcess | None, repeats: int, fp: str | None = None
) -> Row:
    """Check all sides of a kernel, then time them in turn."""
    example = load(EXAMPLES / f"{name}.py", fp)
    calls: dict[str, Callable[[], float]] = {}
    notes = []
    difference = find_difference(example.kernel, example)
    if difference:
        notes.append(f"polysched {difference}")
    else:
        calls["polysched"] = lambda: time_call(example.kernel, example)
    calls["numpy"] = lambda: time_call(example.reference, example)
    if numba is not None:
        difference = numba.ask("check", name)
        if difference:
            notes.append(f"numba {difference}")
        else:
            calls["numba"] = lambda: numba.ask("time", name)
    times: dict[str, list[float]] = {side: [] for side in calls}
    for _ in range(repeats):
        for side, call in calls.items():
            if times[side] and sum(times[side]) > 3.0:
                continue  # long runs tell enough
            times[side].append(call())
    return Row(name, times, tuple(notes))


def geometric_mean(values: Sequence[float]) -> float:
    """The geometric mean."""
    return math.exp(sum(math.log(v) for v in values) / len(values))


def print_table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table, with the geometric means under it."""
    lines = [
        "| kernel | polysched | Numba | NumPy | Numba / ours | NumPy / ours |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = [_milliseconds(row.median(side)) for side in SIDES]
        cells += [_ratio(row.ratio(side)) for side in SIDES[1:]]
        note = f" ({'; '.join(row.notes)})" if row.notes else ""
        lines.append(f"| {row.name}{note} | {' | '.join(cells)} |")
    lines.append("")
    for side, title in (("numba", "Numba"), ("numpy", "NumPy")):
        ratios = [r for row in rows if (r := row.ratio(side)) is not None]
        if ratios:
            slower = sum(r < 1.0 for r in ratios)
            lines.append(
                f"{title} / polysched, geometric mean of {len(ratios)}: "
                f"{geometric_mean(ratios):.2f}; polysched is slower in {slower}."
            )
    return "\n".join(lines) + "\n"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.3g} ms"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def print_page(rows: Sequence[Row], fp: str | None) -> str:
    """The page with its table and how it came about."""
    threads = os.environ.get("OMP_NUM_THREADS", str(os.cpu_count()))
    how = {
        None: "NumPy's sums in any order, loops in theirs",
        "strict": "all sums in order, functions of libm one number at a time",
        "reassociate": "all sums in any order",
    }[fp]
    without = "with" if fp == "reassociate" else "without"
    return (
        "# Python kernels beside NumPy and Numba\n\n"
        "Written by `python benchmarks/python_kernels.py --numba PYTHON"
        f"{f' --fp {fp}' if fp else ''}`, with {threads} threads. Medians of whole"
        " calls, checks included, on arguments that are filled anew; sides take turns;"
        " results are compared with NumPy's first. polysched: the model's first choice,"
        f" or the best measured with `--tune`; {how}. Numba: the faster of the same"
        " function under `njit(parallel=True)` and of the function with `prange` in"
        f" `benchmarks/numba_kernels.py`, {without} `fastmath`. NumPy: `reference` of"
        " each example.\n\n" + print_table(rows)
    )


def read_rows(path: Path) -> list[Row]:
    """Rows that earlier calls have left in a file; none where there is no file."""
    if not path.exists():
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    return [Row(r["kernel"], r["times"], tuple(r["notes"])) for r in content]


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Leave rows in a file."""
    content = [{"kernel": r.name, "times": r.times, "notes": r.notes} for r in rows]
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_command_line() -> argparse.Namespace:
    """The options of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernels", nargs="*")
    parser.add_argument("--numba", metavar="PYTHON")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--fp", choices=("strict", "promised", "reassociate"))
    parser.add_argument("--tune", type=int, metavar="N", help="measure N schedules")
    parser.add_argument("--build", action="store_true", help="build only")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--json", type=Path, help="add the rows to those of a file")
    parser.add_argument("--merge", type=Path, metavar="FILE", help="print its rows")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Run the benchmark."""
    options = read_command_line()
    if options.serve:
        serve_numba(options.fp)
        return
    names = options.kernels or sorted(p.stem for p in EXAMPLES.glob("*.py"))
    if options.build or options.tune:
        build(names, options.tune, options.fp)
        return
    rows = read_rows(options.merge) if options.merge else run(names, options)
    sys.stdout.write(print_table(rows))
    if options.page:
        options.page.write_text(print_page(rows, options.fp), encoding="utf-8")


def run(names: Sequence[str], options: argparse.Namespace) -> list[Row]:
    """Measure kernels, and leave them with the others of a file where asked."""
    numba = NumbaProcess(options.numba, options.fp) if options.numba else None
    rows = []
    for name in names:
        rows.append(measure(name, numba, options.repeats, options.fp))
        sys.stderr.write(print_table(rows[-1:]).splitlines()[2] + "\n")
    if options.json:
        found = {row.name: row for row in (*read_rows(options.json), *rows)}
        rows = [found[name] for name in sorted(found)]
        write_rows(options.json, rows)
    return rows


def build(names: Sequence[str], budget: int | None, fp: str | None) -> None:
    """Fill the cache with the kernels, measured where a budget is given."""
    for name in names:
        example = load(EXAMPLES / f"{name}.py", fp)
        started = time.perf_counter()
        given = arguments(example)
        if budget:
            example.kernel.tune(*given)
        built = example.kernel.build(*given)
        seconds = time.perf_counter() - started
        sys.stdout.write(f"{name}: {built.schedule}, {built.note}, {seconds:.1f} s\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
