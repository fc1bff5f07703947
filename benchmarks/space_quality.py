"""How good is the kept space? Its best against the best of random legal schedules.

In three steps, each of which goes on where it was stopped::

    python benchmarks/space_quality.py build gemm atax    # spaces, samples, programs
    python benchmarks/space_quality.py time gemm atax     # alone on the machine
    python benchmarks/space_quality.py report

`build` makes the default space of each kernel and ten times as many schedules drawn at
random from the legal space (``--policy random``), prints them with the same code
generator and compiles them. `time` checks and times every one in the kernel's own
program as `polysched tune` does, then the best of both sides once more in turn.
`report` prints a table and writes JSON and a picture.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from polysched.base import CodegenError, ToolchainError
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.records import Database, Failure, Measurement, Outcome, RecordKey
from polysched.runtime import RunOptions, Toolchain, Workbench
from polysched.space import Schedule, ScheduleSpace, SpaceOptions, build_space
from polysched.tune import TuneOptions
from polysched.tune.candidate import Candidate, hash_text
from polysched.tune.stopwatch import Stopwatch
from polysched.workflow import Variant, parse, prepare_scop

sys.path.insert(0, str(Path(__file__).parent))
from quality_report import TIMES_AS_MANY, Entry, Kernel, write_report

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
KERNELS = {  # file, and macros such that most runs take 5 to 100 ms
    "gemm": ("polybench/gemm.c", "-DNI=600 -DNJ=640 -DNK=680"),
    "2mm": ("polybench/2mm.c", "-DNI=400 -DNJ=440 -DNK=480 -DNL=520"),
    "doitgen": ("polybench/doitgen.c", "-DNQ=100 -DNR=100 -DNP=128"),
    "syrk": ("polybench/syrk.c", "-DM=560 -DN=640"),
    "trmm": ("polybench/trmm.c", "-DM=560 -DN=640"),
    "cholesky": ("polybench/cholesky.c", "-DN=800"),
    "trisolv": ("polybench/trisolv.c", "-DN=4000"),
    "atax": ("polybench/atax.c", "-DM=2600 -DN=2800"),
    "mvt": ("polybench/mvt.c", "-DN=2800"),
    "covariance": ("polybench/covariance.c", "-DM=500 -DN=560"),
    "jacobi-1d": ("polybench/jacobi-1d.c", "-DTSTEPS=2000 -DN=20000"),
    "jacobi-2d": ("polybench/jacobi-2d.c", "-DTSTEPS=80 -DN=600"),
    "seidel-2d": ("polybench/seidel-2d.c", "-DTSTEPS=20 -DN=400"),
    "fdtd-2d": ("polybench/fdtd-2d.c", "-DTMAX=60 -DNX=400 -DNY=500"),
    "nussinov": ("polybench/nussinov.c", "-DN=500"),
    "floyd-warshall": ("polybench/floyd-warshall.c", "-DN=500"),
    "gesummv": ("polybench/gesummv.c", "-DN=2600"),
    "transpose": ("programs/transpose.c", ""),
    "layer_norm": ("programs/layer_norm.c", ""),
    "image_pipeline": ("programs/image_pipeline.c", ""),
}
SPACE_SECONDS = 60.0
SAMPLE_SECONDS = 20.0  # per seed: 32 recipes, a few scripts each
SHAPES_PER_RECIPE = 6
RUN_SECONDS = 1.0  # wall time of one run; slower ones are of no interest
FINALISTS = 3  # of each side, timed in turn at the end


@dataclass(frozen=True)
class Setting:
    """Where files are, and how programs are built and run."""

    directory: Path
    threads: int
    cflags: tuple[str, ...]

    def path(self, kernel: str, *parts: str) -> Path:
        """A file of one kernel."""
        return self.directory.joinpath(kernel, *parts)


class Bench:
    """One kernel: its program, and all schedules that were made for it."""

    def __init__(self, name: str, setting: Setting) -> None:
        file, macros = KERNELS[name]
        self.name = name
        self.setting = setting
        self.program: Program = parse(str(EXAMPLES / file), flags=tuple(macros.split()))
        self.scop: Scop = self.program.scops[0]
        self.machine = Machine.detect().limited(setting.threads)
        setting.path(name, "text").mkdir(parents=True, exist_ok=True)
        self.workbench = Workbench(
            self.program,
            prepare_scop(self.scop),
            toolchain=Toolchain(cflags=setting.cflags),
            directory=setting.path(name, "work"),
            options=RunOptions(threads=setting.threads),
        )
        self.kernel = Kernel.load(setting.path(name, "kernel.json"), name)

    def save(self) -> None:
        """Write what is known down."""
        self.kernel.save(self.setting.path(self.name, "kernel.json"))

    # -- spaces and programs -------------------------------------------------------

    def build(self, seconds: float, most: int, again: bool) -> None:
        """The default space, then random schedules until there are enough of them.

        With `again` the default space is made anew, after a change of the program.
        """
        ends = time.monotonic() + seconds
        drawn = self.kernel.side("random")
        if again:
            self.kernel.entries = []
        with ThreadPoolExecutor(2) as pool:
            if not self.kernel.side("kept"):
                started = time.monotonic()
                space = build_space(
                    self.scop, self.machine, SpaceOptions(seconds=SPACE_SECONDS)
                )
                self.kernel.space_seconds = time.monotonic() - started
                self.kernel.entries = []
                self._add(pool, space, list(space), "kept")
                self.kernel.entries += drawn
                self.save()
            wanted = min(most, TIMES_AS_MANY * self.kernel.n_of("kept"))
            while self.kernel.n_of("random") < wanted and time.monotonic() < ends:
                left = max(1.0, ends - time.monotonic())
                self._sample(pool, min(left, SAMPLE_SECONDS), wanted)
        n = self.kernel.n_of("random")
        sys.stdout.write(
            f"{self.name}: {self.kernel.n_of('kept')} kept, {n} of {wanted} random\n"
        )

    def _sample(self, pool: ThreadPoolExecutor, seconds: float, wanted: int) -> None:
        """The schedules of the next seed that are new."""
        self.kernel.n_seeds += 1
        options = SpaceOptions(
            policy=f"random:{self.kernel.n_seeds}",
            seconds=seconds,
            limit=10**6,
            shapes_per_schedule=SHAPES_PER_RECIPE,
            isl_variants=(),
            rowwise=(),
        )
        space = build_space(self.scop, self.machine, options)
        known = {e.id for e in self.kernel.entries if e.side == "random"}
        drawn = [
            s
            for s in sorted(space, key=lambda s: s.id)  # not by rank: a fair sample
            if s.objectives[0].startswith("RANDOM") and s.id not in known
        ]
        room = wanted - self.kernel.n_of("random")
        self._add(pool, space, drawn[:room], "random")

    def _add(
        self,
        pool: ThreadPoolExecutor,
        space: ScheduleSpace,
        schedules: list[Schedule],
        side: str,
    ) -> None:
        """Print schedules and compile them meanwhile."""
        self.workbench.prepare()
        jobs: list[tuple[Schedule, str, Future[str]]] = []
        for s in schedules:
            variant = Variant(space.scop, space.dependences, s, self.program)
            try:
                text = variant.region_text()
            except CodegenError as error:
                done: Future[str] = Future()
                done.set_result(error.message)
                jobs.append((s, "", done))
                continue
            code = hash_text(text)
            self.setting.path(self.name, "text", code).write_text(text)
            jobs.append((s, code, pool.submit(self._compile, code, text)))
        for s, code, job in jobs:
            self.kernel.entries.append(
                Entry(
                    id=s.id,
                    side=side,
                    predicted=s.predicted_seconds,
                    objectives=">".join(s.objectives),
                    form=f"{s.shape or '-'}, {s.partition}",
                    script="; ".join(map(str, s.script)),
                    code=code,
                    failure=job.result(),
                )
            )
        self.save()

    def _compile(self, code: str, text: str) -> str:
        """Compile a text under the name of its hash; what went wrong, if it did."""
        if (self.workbench.directory / code).exists():
            return ""
        try:
            self.workbench.compile(code, self.workbench.source(text))
        except ToolchainError as error:
            return error.message
        return ""

    # -- times ---------------------------------------------------------------------

    def time(self, database: Database, seconds: float) -> None:
        """Check and time what has no stored outcome, for so long; then the final."""
        ends = time.monotonic() + seconds
        watch = Stopwatch(self.workbench, TuneOptions(timeout_seconds=RUN_SECONDS))
        base = self._key("baseline", "")
        stored = database.find(base)
        if not isinstance(stored, Measurement):
            stored = watch.measure_original()
            database.store(base, stored)
        else:
            watch.prepare()
        self.kernel.original = stored.median_seconds
        watch.best_seconds = min(
            [stored.median_seconds, *(e.seconds for e in self.kernel.entries if e.ok)]
        )
        todo = [(k, e) for k, e in enumerate(self.kernel.entries) if not e.is_done]
        for k, entry in todo:
            if time.monotonic() > ends:
                break
            outcome = self._measure(database, watch, k, entry)
            entry.take(outcome)
            if entry.ok:
                watch.best_seconds = min(watch.best_seconds, entry.seconds)
        else:
            self._race(watch)
        self.save()
        left = sum(not e.is_done for e in self.kernel.entries)
        sys.stdout.write(f"{self.name}: {left} left\n")

    def _measure(
        self, database: Database, watch: Stopwatch, position: int, entry: Entry
    ) -> Outcome:
        key = self._key(entry.id, entry.code)
        stored = database.find(key)
        if stored is None:
            text = self.setting.path(self.name, "text", entry.code).read_text()
            candidate = Candidate(position, entry.id, entry.predicted, key, text)
            binary = self.workbench.directory / entry.code
            stored = watch.measure(candidate, binary)
            database.store(key, stored)
        return stored

    def _race(self, watch: Stopwatch) -> None:
        """The original and the best of both sides in turn: these times decide."""
        chosen = self.kernel.finalists(FINALISTS)
        programs = {"original": self.workbench.directory / "baseline"}
        programs |= {e.id: self.workbench.directory / e.code for e in chosen}
        watch.options = TuneOptions(repeats=15, timeout_seconds=RUN_SECONDS)
        self.kernel.race = {
            name: sorted(found)[len(found) // 2]
            for name, found in watch.time_in_turn(programs).items()
            if not isinstance(found, Failure)
        }

    def _key(self, schedule: str, code: str) -> RecordKey:
        bench = self.workbench
        return RecordKey(
            program=bench.program_key("strict"),
            scop=self.scop.name,
            schedule=schedule,
            code=code,
            compiler=bench.toolchain.identity(),
            machine=self.machine.key,
            n_threads=bench.options.threads,
        )


def _chosen(names: list[str], directory: Path) -> Iterator[str]:
    for name in names or KERNELS:
        if name in KERNELS and (names or (directory / name / "kernel.json").exists()):
            yield name


def main() -> None:
    """One step for some kernels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["build", "time", "report"])
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=", ".join(KERNELS))
    parser.add_argument("--directory", type=Path, default=Path("build/space-quality"))
    parser.add_argument("--seconds", type=float, default=120.0, help="per kernel")
    parser.add_argument("--most", type=int, default=400, help="random schedules")
    parser.add_argument("--again", action="store_true", help="default spaces anew")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cflags", default="-O3 -march=native")
    parser.add_argument("--output", type=Path, help="directory for JSON and picture")
    given = parser.parse_args()
    setting = Setting(given.directory, given.threads, tuple(given.cflags.split()))
    names = list(_chosen(given.kernels, given.directory))
    if given.step == "report":
        found = [Kernel.load(setting.path(n, "kernel.json"), n) for n in names]
        sys.stdout.write(write_report(found, given.output or given.directory))
        return
    given.directory.mkdir(parents=True, exist_ok=True)
    with Database.open(str(given.directory / "records.sqlite")) as database:
        for name in names:
            bench = Bench(name, setting)
            if given.step == "build":
                bench.build(given.seconds, given.most, given.again)
            else:
                bench.time(database, given.seconds)


if __name__ == "__main__":
    main()
