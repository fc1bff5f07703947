"""One bad variant never ends a search, and nothing is measured twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from polysched.base import (
    CodegenError,
    IllegalScheduleError,
    PolyschedError,
    RunError,
    ToolchainError,
    UnavailableError,
)
from polysched.machine import Gpu, Machine
from polysched.records import Database, Failure, Measurement, Outcome
from polysched.runtime import (
    DeviceTools,
    Execution,
    LoadMeter,
    RunOptions,
    Toolchain,
    Workbench,
)
from polysched.tune import TuneOptions, TuneResult, tune
from polysched.tune.stopwatch import Stopwatch
from tests.unit.handmade import FASTER, MATMUL, write_program

pytestmark = pytest.mark.cc

TOOLS = Toolchain(cflags=("-O1",))
QUICK = TuneOptions(repeats=2, timeout_seconds=3.0, budget=20)
RUN = RunOptions(threads=2, memory_bytes=256 << 20)
PLANTED = {
    "typo": ("this is not C;", "compile"),
    "null": ("*(volatile int *)0 = 1;", "crash"),
    "loop": ("for (volatile int x = 0; x < 1;) ;", "timeout"),
    "wrong": (FASTER + "C[3][2] += 1;", "mismatch"),
    "partial": (FASTER.replace("k < n", "k < n - 1"), "mismatch"),
    "exit": ("exit(3);", "crash"),
    "abort": ("abort();", "crash"),
    "leave": ("_Exit(0);", "crash"),
    "greedy": ("volatile char *p = malloc(1ul << 46); p[1ul << 45] = 1;", "crash"),
    "huge": (
        "for (;;) { char *p = malloc(1 << 20); if (!p) abort();"
        " for (int i = 0; i < 1 << 20; i += 64) p[i] = 1; }",
        "memory",
    ),
}


@dataclass
class Variant:
    """A text with an id; `error` is raised instead of giving the text."""

    id: str
    text: str
    predicted_seconds: float | None = None
    error: PolyschedError | None = None

    def region_text(self) -> str:
        if self.error is not None:
            raise self.error
        return self.text

    def device_text(self) -> str:
        return ""


@pytest.fixture
def search(tmp_path: Path) -> Callable[..., TuneResult]:
    """Tune the product with variants, against one database."""
    program = write_program(tmp_path)

    def run(*variants: Variant, **changes: object) -> TuneResult:
        settings: dict[str, object] = {
            "toolchain": TOOLS,
            "options": QUICK,
            "run_options": RUN,
            **changes,
        }
        with Database.open(tmp_path / "records.sqlite") as database:
            return tune(
                program,
                program.scops[0],
                variants,
                database=database,
                **settings,  # type: ignore[arg-type]
            )

    return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs take the seconds that their texts state, however busy the machine is."""
    stated: dict[str, float] = {}
    compile_text, execute = Workbench.compile, Workbench.execute

    def compile_stated(
        self: Workbench, name: str, source: bytes, *more: Any, **settings: Any
    ) -> Path:
        stated[name] = float(re.findall(rb"/\* takes (\S+) s \*/", source)[-1])
        return compile_text(self, name, source, *more, **settings)

    def execute_stated(self: Workbench, binary: Path, **settings: Any) -> Execution:
        run = execute(self, binary, **settings)
        return replace(run, seconds=stated[binary.name])

    monkeypatch.setattr(Workbench, "compile", compile_stated)
    monkeypatch.setattr(Workbench, "execute", execute_stated)


def takes(seconds: float, text: str = FASTER) -> str:
    """A text and its time, for the clock."""
    return f"/* takes {seconds} s */\n{text}"


@pytest.mark.usefixtures("clock")
def test_good_variants_are_ranked(tmp_path: Path) -> None:
    program = write_program(tmp_path, takes(0.5, MATMUL))
    variants = Variant("slow", takes(0.4), 2.0), Variant("good", takes(0.2), 1.0)
    options = TuneOptions(repeats=2)
    result = tune(program, program.scops[0], variants, options=options, toolchain=TOOLS)
    assert list(result.outcomes) == ["slow", "good"]
    assert (result.best, result.speedup) == ("good", 2.5)
    data = result.to_json()
    assert data["best"] == "good"
    assert data["schedules"][0]["measured"]["matches"] is True  # type: ignore[index]
    assert data["schedules"][0]["predicted_seconds"] == 2.0  # type: ignore[index]


@pytest.mark.long
def test_planted_failures_do_not_end_the_search(
    search: Callable[..., TuneResult],
) -> None:
    bad = [Variant(name, text) for name, (text, _) in PLANTED.items()]
    result = search(
        *bad,
        Variant("unprintable", "", error=CodegenError("too many pieces")),
        Variant("refused", "", error=IllegalScheduleError("S0[1] before S0[0]")),
        Variant("good", FASTER),
    )
    kinds = {
        name: outcome.kind
        for name, outcome in result.outcomes.items()
        if isinstance(outcome, Failure)
    }
    expected = {name: kind for name, (_, kind) in PLANTED.items()}
    assert kinds == {**expected, "unprintable": "codegen", "refused": "illegal"}
    assert result.best == "good"
    texts = {n: o.text for n, o in result.outcomes.items() if isinstance(o, Failure)}
    assert "<generated>:1" in texts["typo"]
    assert "signal 11" in texts["null"]
    assert "stopped after 3 s" in texts["loop"]
    assert "C[3][2]" in texts["wrong"]
    assert "1 of 300 values differ" in texts["wrong"]
    assert "expected exit status 0" in texts["exit"]


def test_resumed_search_measures_nothing_twice(
    search: Callable[..., TuneResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = search(Variant("good", FASTER), Variant("typo", "not C"))

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("something was run again")

    monkeypatch.setattr("polysched.runtime.workbench.Workbench.build", forbidden)
    monkeypatch.setattr("polysched.runtime.workbench.Workbench.execute", forbidden)
    second = search(Variant("good", FASTER), Variant("typo", "not C"))
    assert second.outcomes == first.outcomes
    assert second.baseline == first.baseline
    assert (first.n_measured, second.n_measured) == (2, 0)


@pytest.mark.long
@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("foreign", [0.0, 0.6])
def test_final_decides_between_equals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, foreign: float
) -> None:
    monkeypatch.setattr(LoadMeter, "foreign_cores", lambda self: foreign)
    program = write_program(tmp_path, takes(0.5, MATMUL))
    times = {"a": 0.41, "b": 0.4, "far": 0.6}
    variants = [Variant(name, takes(seconds)) for name, seconds in times.items()]

    def run(database: Database) -> TuneResult:
        return tune(
            program,
            program.scops[0],
            variants,
            toolchain=TOOLS,
            options=TuneOptions(repeats=3),
            database=database,
        )

    with Database.open(":memory:") as database:
        result = run(database)
        again = run(database)
    assert result.finalists == ("b", "a")
    assert result.best == "b"
    best = result.outcomes["b"]
    assert isinstance(best, Measurement)
    assert len(best.seconds) == len(result.baseline.seconds) == 3
    assert result.is_loaded == again.is_loaded == (foreign > 0)
    if not foreign:  # a final that others disturbed is not kept
        assert again.to_json() == replace(result, foreign_cores=None).to_json()


@pytest.mark.long
@pytest.mark.usefixtures("clock")
def test_who_was_faster_than_the_final_is_timed_with_its_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine runs at half its pace when the final is run, and after it."""
    program = write_program(tmp_path, takes(0.9, MATMUL))
    times = {"a": 0.41, "b": 0.4, "next": 0.6, "far": 0.85}
    variants = [Variant(name, takes(seconds)) for name, seconds in times.items()]
    raced: list[set[str]] = []

    def time_in_turn(
        _: object, programs: dict[str, Path]
    ) -> dict[str, tuple[float, ...]]:
        raced.append(set(programs))
        later = {"baseline": 1.8, "variant0": 0.82, "variant1": 0.8, "variant2": 0.62}
        return {name: (later[name],) * 3 for name in programs}

    monkeypatch.setattr(Stopwatch, "time_in_turn", time_in_turn)
    with Database.open(":memory:") as database:
        result = tune(
            program, program.scops[0], variants, toolchain=TOOLS,
            options=TuneOptions(repeats=3), database=database,
        )  # fmt: skip
    second = {"baseline", "variant1", "variant2"}
    assert raced == [{"baseline", "variant0", "variant1"}, second]
    assert result.finalists == ("b", "next")
    assert result.best == "next"


@pytest.mark.long
@pytest.mark.parametrize(
    "changes",
    [
        {"toolchain": Toolchain(cflags=("-O2",))},
        {"run_options": RunOptions(threads=1)},
        {"run_options": RunOptions(threads=2, args=("30",))},
        {"options": TuneOptions(fp="reassociate", repeats=1)},
    ],
)
def test_other_conditions_are_measured_anew(
    search: Callable[..., TuneResult], changes: dict[str, object]
) -> None:
    search(Variant("good", FASTER))
    assert search(Variant("good", FASTER), **changes).n_measured == 1


def test_new_text_under_an_old_id_is_measured_anew(
    search: Callable[..., TuneResult],
) -> None:
    search(Variant("good", FASTER))
    assert search(Variant("good", FASTER + "\n")).n_measured == 1


def test_timeouts_are_tried_again_with_more_time(
    search: Callable[..., TuneResult],
) -> None:
    declared = "extern unsigned sleep(unsigned);\n"
    slow = Variant("slow", declared + FASTER + "sleep(4);")

    def within(seconds: float) -> TuneResult:
        return search(slow, options=TuneOptions(repeats=1, timeout_seconds=seconds))

    assert isinstance(within(2.0).outcomes["slow"], Failure)
    assert within(2.5).n_measured == 0
    assert isinstance(within(60.0).outcomes["slow"], Measurement)


def test_budget_and_parallel_compilation(search: Callable[..., TuneResult]) -> None:
    variants = [Variant(f"v{k}", FASTER + f"/* {k} */") for k in range(5)]
    options = TuneOptions(budget=4, jobs=3, repeats=1)
    result = search(*variants, options=options)
    assert list(result.outcomes) == ["v0", "v1", "v2", "v3"]
    assert all(isinstance(o, Measurement) for o in result.outcomes.values())


CANCELLING = """\
for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++)
        for (int k = 0; k < n; k++) {{
            volatile double a = A[i][k], p = a * B[k][j];
            {}
        }}
for (int i = 0; i < n; i++) count[i] = i + 1;
"""
FUSED = CANCELLING.format("C[i][j] = A[i][k] * B[k][j] - p;")
APART = CANCELLING.format("volatile double q = A[i][k] * B[k][j]; C[i][j] = q - p;")


@pytest.mark.skipif(
    "fma" not in Machine.detect(calibrated=False).cpu.isa,
    reason="needs fused multiply-add",
)
def test_amplified_rounding_is_told_from_wrong_results(tmp_path: Path) -> None:
    start = MATMUL.index("    for (int i = 0; i < n; i++) {")
    end = MATMUL.index("#pragma endscop")
    program = write_program(tmp_path, MATMUL[:start] + FUSED + MATMUL[end:])

    def outcomes(fp: str) -> dict[str, Outcome]:
        wrong = APART + "C[2][1] += 1e-17;"
        return tune(
            program,
            program.scops[0],
            [Variant("apart", APART), Variant("wrong", wrong)],
            toolchain=Toolchain(cflags=("-O2", "-march=native")),
            options=TuneOptions(repeats=1, fp=fp),
        ).outcomes

    strict = outcomes("strict")
    good, wrong = strict["apart"], strict["wrong"]
    assert isinstance(good, Measurement)
    assert "bit for bit" in good.note
    assert "amplifies to 1.0e+00" in good.note
    assert good.max_relative_error == 0.0
    assert isinstance(wrong, Failure)
    assert wrong.kind == "mismatch"
    assert "without fused multiply-add C[2][1] is 1e-17, expected 0.0" in wrong.text
    assert isinstance(outcomes("reassociate")["apart"], Failure)


def test_race_in_a_second_run_is_found(search: Callable[..., TuneResult]) -> None:
    racy = FASTER + 'if (getenv("POLYSCHED_DUMP") && access("{0}", 0) == 0)'
    racy += ' C[1][1] += 1; else fclose(fopen("{0}", "w"));'
    racy = "extern int access(const char *, int);\n" + racy
    with tempfile.TemporaryDirectory() as directory:
        text = racy.replace("{0}", f"{directory}/mark")
        outcome = search(Variant("racy", text)).outcomes["racy"]
    assert isinstance(outcome, Failure)
    assert outcome.kind == "mismatch"
    assert "a second run computes something else: C[1][1]" in outcome.text


def test_progress_tells_best_and_failures(search: Callable[..., TuneResult]) -> None:
    notes: list[str] = []

    class Notes:
        def start(self, label: str, total: int) -> None:
            notes.append(f"{label} {total}")

        def advance(self, note: str = "") -> None:
            notes.append(note)

        def finish(self) -> None:
            notes.append("end")

    search(Variant("typo", "not C"), Variant("good", FASTER), progress=Notes())
    assert notes[0] == "measure 4"
    assert notes[1].startswith("original ")
    assert notes[2].endswith("(original), 1 failed")
    assert notes[-2:] == ["best good", "end"]


def test_original_that_fails_is_an_error(tmp_path: Path) -> None:
    program = write_program(tmp_path, MATMUL.replace("return 0;", "abort();"))
    with pytest.raises(RunError, match="the original program fails: signal 6"):
        tune(program, program.scops[0], [], toolchain=TOOLS, options=QUICK)


def test_original_that_skips_the_region_is_an_error(tmp_path: Path) -> None:
    text = MATMUL.replace(
        "#pragma scop", "if (argc > 5) exit(0); else return 0;\n#pragma scop"
    )
    program = write_program(tmp_path, text)
    with pytest.raises(RunError, match="never entered the scop 'main'"):
        tune(program, program.scops[0], [], toolchain=TOOLS, options=QUICK)


def test_original_with_unsteady_results_is_an_error(tmp_path: Path) -> None:
    text = MATMUL.replace("= argc > 1 ?", "= (unsigned long)time(0) && argc > 1 ?")
    text = text.replace("% 7 / 7.0", "% 7 / 7.0 + (double)getpid()")
    program = write_program(tmp_path, "#include <time.h>\n#include <unistd.h>\n" + text)
    with pytest.raises(RunError, match="two runs of the original differ in"):
        tune(program, program.scops[0], [], toolchain=TOOLS, options=QUICK)


def test_text_that_differs_from_run_to_run_is_not_compared(tmp_path: Path) -> None:
    text = MATMUL.replace("return 0;", 'printf("process %d\\n", getpid()); return 0;')
    program = write_program(tmp_path, "#include <unistd.h>\n" + text)
    variants = [Variant("fast", FASTER), Variant("wrong", FASTER + "C[3][2] += 1;")]
    found = tune(
        program, program.scops[0], variants, toolchain=TOOLS, options=QUICK
    ).outcomes
    fast, wrong = found["fast"], found["wrong"]
    assert isinstance(fast, Measurement)
    assert "two runs of the original print different texts" in fast.note
    assert isinstance(wrong, Failure)
    assert "C[3][2]" in wrong.text


def test_missing_compiler_is_an_error(tmp_path: Path) -> None:
    program = write_program(tmp_path)
    tools = Toolchain(cc="no-such-compiler")
    with pytest.raises(ToolchainError, match="cannot find the compiler 'no-such"):
        tune(program, program.scops[0], [], toolchain=tools)


def test_what_is_no_fault_of_a_schedule_is_not_remembered_of_it(
    search: Callable[..., TuneResult], tmp_path: Path
) -> None:
    full = tmp_path / "full"
    compiler = tmp_path / "cc"
    compiler.write_text(
        f"#!/bin/sh\nfor word; do\n"
        f'  if [ -e {full} ] && grep -qs for_the_full_disk "$word"; then\n'
        "    echo 'fatal error: x.s: No space left on device' >&2; exit 1\n"
        "  fi\ndone\n"
        'exec gcc "$@"\n'
    )
    compiler.chmod(0o755)
    tools = replace(TOOLS, cc=str(compiler))
    variant = Variant("good", f"/* for_the_full_disk */ {FASTER}")
    full.touch()
    with pytest.raises(UnavailableError, match="No space left"):
        search(variant, toolchain=tools)
    full.unlink()
    assert isinstance(search(variant, toolchain=tools).outcomes["good"], Measurement)


KILLED = """
import sys
from pathlib import Path
from polysched.records import Database
from polysched.runtime import (
    DeviceTools,
    Execution,
    LoadMeter,
    RunOptions,
    Toolchain,
    Workbench,
)
from polysched.tune import TuneOptions, tune
from tests.unit.handmade import FASTER, region_of, matmul_scop
from polysched.ir import Program
from tests.unit.tune.test_tuner import Variant

directory, log = Path(sys.argv[1]), open(sys.argv[2], "a")
path = directory / "matmul.c"
source = path.read_bytes()
program = Program(str(path), source, (matmul_scop(region_of(path, source)),),
                  has_main=True)
pause = "for (volatile int x = 0; x < 60000000; x++) ;"

class Progress:
    def start(self, label, total): pass
    def advance(self, note=""): print(note, file=log, flush=True)
    def finish(self): pass

with Database.open(directory / "records.sqlite") as database:
    result = tune(program, program.scops[0],
         [Variant(f"v{k}", FASTER + pause + f"/* {k} */") for k in range(6)],
         toolchain=Toolchain(cflags=("-O1",)), run_options=RunOptions(threads=2),
         options=TuneOptions(repeats=1), database=database, progress=Progress())
print("measured", result.n_measured, "of", len(result.variants))
"""


@pytest.mark.long
def test_killed_search_resumes(tmp_path: Path) -> None:
    write_program(tmp_path)
    log = tmp_path / "log"
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(log)]
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(tmp_path)}
    child = subprocess.Popen(command, cwd=root, env=environment)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if log.exists() and log.read_text().count("\n") >= 3:
            break
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    with Database.open(tmp_path / "records.sqlite") as database:
        before = {r.key.schedule: r for r in database.records()}
    assert 3 <= len(before) < 7
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"measured {7 - len(before)} of 6\n"
    with Database.open(tmp_path / "records.sqlite") as database:
        after = {r.key.schedule: r for r in database.records()}
    assert set(after) >= {"baseline", *(f"v{k}" for k in range(6))}
    assert {name: after[name] for name in before} == before


@pytest.mark.long
def test_kernels_are_filed_under_the_processor_that_runs_them(
    search: Callable[..., TuneResult], tmp_path: Path
) -> None:
    ranked_for, runs = Gpu.named("a100-40gb"), Gpu.named("h200")
    machine = replace(Machine.detect(), gpu=ranked_for)
    search(machine=machine)
    search(machine=machine, device=DeviceTools(gpu=runs))
    with Database.open(tmp_path / "records.sqlite") as database:
        found = {r.key.machine for r in database.records()}
    assert found == {machine.cpu.key, f"{machine.cpu.key}-{runs.key}"}
