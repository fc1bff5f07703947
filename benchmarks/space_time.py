"""How long a default space takes for each PolyBench kernel, beside other schedulers.

Run ``python benchmarks/space_time.py --help``; prints a table, writes a page and JSON
on request; with the same JSON file it goes on where it was stopped. Each space is built
in a process of its own, one after the other. isl's scheduler is called as the space
calls it, in a child process; Pluto (``polycc``, where it is on the PATH) tells its own
times.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from polysched.runtime.child import run_child

ROOT = Path(__file__).resolve().parent.parent
PLUTO_LIMIT_SECONDS = 15.0  # the worst that is allowed to a space; adi takes minutes
PLUTO_OPTIONS = ("--notile", "--noparallel")  # the schedule is the same
KERNELS = ROOT / "examples" / "polybench"
HEADINGS = (
    "kernel",
    "space",
    "command",
    "isl",
    "pluto",
    "kept",
    "distinct",
    "cut short",
)


@dataclass(frozen=True)
class Measurement:
    """Seconds of wall clock for one kernel; None where a tool is absent or fails.

    Attributes
    ----------
    kernel : str
    space_seconds : float
        `build_space` with default options; the front end is not in.
    command_seconds : float
        The whole process, with Python's start, imports, the front end and the space.
    isl_seconds : float or None
        isl's own scheduler for the dependences of the kernel, child process included.
    pluto_seconds : float or None
        Dependences and schedule, as Pluto reports them.
    distinct, kept : int
        Size of the space.
    cut_short : int
        Candidates that the time limit kept out, and objective lists of kept schedules
        that it ended before their last objective.
    """

    kernel: str
    space_seconds: float
    command_seconds: float
    isl_seconds: float | None
    pluto_seconds: float | None
    distinct: int
    kept: int
    cut_short: int

    @property
    def cells(self) -> list[str]:
        """The row of the table."""
        times = (
            self.space_seconds,
            self.command_seconds,
            self.isl_seconds,
            self.pluto_seconds,
        )
        shown = ["-" if t is None else f"{t:.2f}" for t in times]
        counts = (self.kept, self.distinct, self.cut_short)
        return [self.kernel, *shown, *(str(n) for n in counts)]


def build_once(path: Path, seconds: float | None) -> dict[str, float | int | None]:
    """Build one space in this process; what the parent cannot see."""
    from polysched.analysis import compute_dependences
    from polysched.base import Deadline, PolyschedError
    from polysched.schedule import isl_schedule
    from polysched.workflow import build_space, parse

    program = parse(path)
    started = time.perf_counter()
    space = build_space(program, seconds=seconds)
    built = time.perf_counter()
    n_late = space.size.late
    unfinished = {
        s.objectives for s in space if any(x.status != "optimal" for x in s.stages)
    }
    found: dict[str, float | int | None] = {
        "space_seconds": built - started,
        "distinct": space.size.distinct,
        "kept": space.size.kept,
        "cut_short": n_late + len(unfinished),
        "ended": time.time(),
    }
    dependences = compute_dependences(space.scop, with_input=False)
    before = time.perf_counter()
    try:
        isl_schedule(space.scop, dependences, deadline=Deadline.after(60.0))
        found["isl_seconds"] = time.perf_counter() - before
    except PolyschedError:
        found["isl_seconds"] = None
    return found


def measure(path: Path, seconds: float | None) -> Measurement:
    """One kernel, in a fresh process."""
    limit = [] if seconds is None else ["--seconds", str(seconds)]
    command = [sys.executable, __file__, "--child", str(path), *limit]
    started = time.time()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    whole = found.pop("ended") - started
    return Measurement(
        path.stem, command_seconds=whole, pluto_seconds=time_pluto(path), **found
    )


def time_pluto(path: Path) -> float | None:
    """Seconds that Pluto says it took, dependences and schedule; None if too long."""
    polycc = shutil.which("polycc")
    if polycc is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        # polycc is a script: only the death of its whole group ends Pluto itself.
        done = run_child(
            [
                polycc,
                "--pet",
                *PLUTO_OPTIONS,
                str(path),
                "-o",
                os.path.join(folder, "out.c"),
            ],
            scratch=Path(folder),
            timeout_seconds=PLUTO_LIMIT_SECONDS,
            environment=os.environ,
            cwd=folder,
        )
        text = done.stdout() + done.stderr()
    if done.status != 0:
        return None
    stages = r"(?:SCoP extraction|Auto-transformation)"
    found = re.findall(rf"\[pluto\] {stages}[^:]*: ([\d.]+)s", text)
    return sum(float(f) for f in found) if found else None


def mean(values: Sequence[float]) -> float:
    """Geometric mean."""
    return math.exp(sum(math.log(v) for v in values) / len(values))


def summary(results: Sequence[Measurement]) -> str:
    """Mean and worst, in a sentence."""
    spaces = [r.space_seconds for r in results]
    commands = [r.command_seconds for r in results]
    worst = max(results, key=lambda r: r.space_seconds)
    return (
        f"{len(results)} kernels: geometric mean {mean(spaces):.2f} s a space "
        f"({mean(commands):.2f} s with Python's start, imports and the front end), "
        f"worst {worst.space_seconds:.2f} s ({worst.kernel})"
    )


def line(cells: Sequence[str]) -> str:
    """A row of the table on a terminal."""
    first, *others = cells
    return first.ljust(16) + "".join(c.rjust(11) for c in others)


def page(results: Sequence[Measurement]) -> str:
    """The same as Markdown."""
    rows = [list(HEADINGS), ["---", *(["---:"] * (len(HEADINGS) - 1))]]
    rows += [r.cells for r in results]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{summary(results)}\n\n{table}\n"


def load(path: Path) -> dict[str, Measurement]:
    """What an earlier run has measured."""
    if not path.exists():
        return {}
    rows = json.loads(path.read_text())["kernels"]
    return {row["kernel"]: Measurement(**row) for row in rows}


def save(path: Path, known: Mapping[str, Measurement]) -> None:
    """Write all rows, and where they were measured."""
    data = {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        "kernels": [asdict(known[name]) for name in sorted(known)],
    }
    path.write_text(json.dumps(data, indent=1) + "\n")


def main() -> None:
    """Measure, print a line per kernel, write JSON and a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernels", nargs="*", help="names; all 30 by default")
    parser.add_argument("--seconds", type=float, help="limit of a space")
    parser.add_argument("--json", type=Path, help="file to go on with")
    parser.add_argument("--page", type=Path, help="Markdown file to write")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        sys.stdout.write(json.dumps(build_once(chosen.child, chosen.seconds)) + "\n")
        return
    names = chosen.kernels or sorted(p.stem for p in KERNELS.glob("*.c"))
    known = load(chosen.json) if chosen.json else {}
    sys.stdout.write(line(HEADINGS) + "\n")
    for name in names:
        if name not in known:
            known[name] = measure(KERNELS / f"{name}.c", chosen.seconds)
            if chosen.json:
                save(chosen.json, known)
        sys.stdout.write(line(known[name].cells) + "\n")
        sys.stdout.flush()
    results = [known[name] for name in sorted(known)]
    sys.stdout.write(summary(results) + "\n")
    if chosen.page:
        chosen.page.write_text(page(results))


if __name__ == "__main__":
    main()
