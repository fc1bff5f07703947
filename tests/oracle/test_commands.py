"""The commands as a user runs them, on small real programs with a real compiler."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.cli import main
from polysched.codegen import splice
from polysched.ir import ScheduleTree, build_tree, original_rows
from polysched.workflow import parse, prepare_scop
from polysched.workflow.header import header_lines
from polysched.workflow.variant import print_region

pytestmark = pytest.mark.cc

GEMM = Path(__file__).parents[2] / "examples" / "gemm.c"
QUICK = ("--policy", "minimal")
CC = ("--cflags", "-O1")

TWO_SCOPS = """\
#include <stdio.h>
#define N 37
static double A[N], B[N], C[N][N];
static void smooth(void)
{
#pragma scop
  for (int t = 0; t < 5; t++) {
    for (int i = 1; i < N - 1; i++)
      B[i] = (A[i - 1] + A[i] + A[i + 1]) / 3;
    for (int i = 1; i < N - 1; i++)
      A[i] = B[i];
  }
#pragma endscop
}
int main(void)
{
  for (int i = 0; i < N; i++)
    A[i] = i % 7;
  smooth();
#pragma scop
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      C[i][j] = A[i] * A[j];
#pragma endscop
  double sum = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      sum += C[i][j] * (i + 2 * j);
  printf("%.17g\\n", sum);
  return 0;
}
"""
BARE = """\
void scale(int n, double *restrict a, const double *restrict b)
{
#pragma scop
  for (int i = 0; i < n; i++)
    a[i] = 2.0 * b[i];
#pragma endscop
}
"""


@pytest.fixture
def gemm(tmp_path):
    return str(shutil.copy(GEMM, tmp_path / "gemm.c"))


@pytest.fixture
def two(tmp_path):
    path = tmp_path / "two.c"
    path.write_text(TWO_SCOPS)
    return str(path)


@pytest.fixture
def run(capsys):
    """Run a command line; the status must be `status`, output and errors come back."""

    def call(*arguments, status=0):
        found = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert found == status, captured.err
        return captured

    return call


@pytest.fixture
def run_json(run):
    def call(*arguments, status=0):
        return json.loads(run(*arguments, "--json", status=status).out)

    return call


def _printed(path, *flags):
    """What a program prints, compiled with OpenMP."""
    binary = Path(path).with_suffix(".exe")
    flags = ["-O2", "-fopenmp", "-Wno-unknown-pragmas", *flags]
    subprocess.run(["gcc", *flags, path, "-o", binary, "-lm"], check=True)
    done = subprocess.run([binary], capture_output=True, text=True, check=True)
    return done.stdout


def test_inspect_describes_statements_and_dependences(run, gemm):
    out = run("inspect", gemm).out
    assert "scop kernel_gemm" in out
    assert "C[i][j] += alpha * A[i][k] * B[k][j];" in out
    assert "distance (0, 1, 0)" in out
    assert "S1 accumulates C with +" in out


def test_inspect_as_json(run_json, two):
    data = run_json("inspect", two)
    assert [s["scop"] for s in data["scops"]] == ["smooth", "main"]
    assert data["refused"] == []
    (first, second) = data["scops"]
    assert {s["name"] for s in first["statements"]} == {"S0", "S1"}
    assert second["dependences"] == [
        d for d in second["dependences"] if d["kind"] == "input"
    ]
    assert all(set(d) >= {"kind", "array", "distance"} for d in first["dependences"])


def test_space_json_keeps_the_contract(run_json, gemm):
    data = run_json("space", gemm, "-D", "MINI", *QUICK)
    wanted = {"scop", "statements", "dependences", "machine", "policy", "size"}
    assert wanted | {"schedules"} <= set(data)
    assert set(data["size"]) >= {"asked", "solved", "distinct", "kept"}
    assert data["size"]["kept"] == len(data["schedules"]) >= 3
    for schedule in data["schedules"]:
        assert set(schedule) >= {
            "id", "objectives", "partition", "legal", "features",
            "predicted_seconds", "tree",
        }  # fmt: skip
        assert schedule["legal"] is True
        assert ScheduleTree.parse(schedule["tree"]).key == schedule["id"]


def test_ids_are_the_same_in_every_run(run_json, gemm):
    first, second = (run_json("space", gemm, *QUICK) for _ in range(2))
    ids = [[s["id"] for s in d["schedules"]] for d in (first, second)]
    assert ids[0] == ids[1]


def test_space_of_several_scops_is_a_list(run_json, two):
    data = run_json("space", two, "--policy", "minimal")
    assert [s["scop"] for s in data["scops"]] == ["smooth", "main"]
    one = run_json("space", two, "--policy", "minimal", "--scop", "main")
    assert one["scop"] == "main"


def test_space_table_and_reasons(run, gemm):
    plain = run("space", gemm, "-D", "MINI", *QUICK, "--limit", 3).out
    assert "3 kept" in plain
    assert "original" in plain
    told = run("space", gemm, "-D", "MINI", *QUICK, "--limit", 3, "-v").out
    assert "beyond the limit of 3" in told


def test_space_as_csv(run, gemm, tmp_path):
    out = run("space", gemm, *QUICK, "--csv", "-").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {"scop", "id", "objectives", "script", "stride_score"} <= set(rows[0])
    run("space", gemm, *QUICK, "--csv", tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text() == out


def test_stages_are_timed_and_printed_on_standard_error(run, gemm):
    stages = [f"--print-after={s}" for s in ("scop", "dependences", "tree", "ast")]
    captured = run("explain", gemm, *QUICK, "--time-stages", *stages, "--json")
    json.loads(captured.out)
    for stage in ("scop", "dependences", "tree", "ast"):
        assert f"--- {stage} of kernel_gemm" in captured.err
    assert " s  parse" in captured.err


def test_explain_says_why_loops_are_sequential_and_apart(run, two):
    out = run("explain", two, "--scop", "smooth", "--schedule", "original", *QUICK).out
    assert "loop t  (carries A)" in out  # nobody else knows of B
    assert "must run before" in out
    assert "legal after delaying the second loop by 1" in out


def test_explain_as_json_names_the_obstacle(run_json, gemm):
    data = run_json("explain", gemm, "--schedule", "original", *QUICK)
    (sequential,) = [r for r in data["loops"] if not r["parallel"]]
    assert sequential["schedule"] == {"S1": "k"}
    assert sequential["prevented_by"]["array"] == "C"
    assert data["splits"][0]["satisfies"]


def test_optimized_program_prints_the_same(run, two, tmp_path):
    out = tmp_path / "out.c"
    run("optimize", two, "-o", out, *QUICK)
    text = out.read_text()
    assert text.count("/* polysched: schedule ") == 2
    assert "#pragma scop" not in text
    assert _printed(out) == _printed(two)


def test_variables_that_are_needed_no_more_do_not_make_warnings(run, tmp_path):
    source, out = tmp_path / "norm.c", tmp_path / "out.c"
    source.write_text(
        "double A[40][30], R[30];\nvoid norms(void)\n{\n  double norm;\n#pragma scop\n"
        "  for (int k = 0; k < 30; k++) {\n    norm = 0;\n"
        "    for (int i = 0; i < 40; i++)\n      norm += A[i][k] * A[i][k];\n"
        "    R[k] = norm;\n  }\n#pragma endscop\n}\n"
    )
    run("optimize", source, "-o", out, *QUICK)
    assert "norm +=" not in out.read_text()
    command = ["gcc", "-O1", "-Wall", "-Werror", "-fopenmp", "-c", out]
    subprocess.run([*command, "-o", tmp_path / "out.o"], check=True)


def test_text_outside_the_scops_is_kept(run, two, tmp_path):
    out = tmp_path / "out.c"
    run("optimize", two, "-o", out, *QUICK, "--scop", "smooth")
    text = out.read_text()
    assert text.startswith(TWO_SCOPS[: TWO_SCOPS.index("#pragma scop")])
    assert text.endswith(TWO_SCOPS[TWO_SCOPS.index("int main") - 2 :])


def test_optimize_to_standard_output_and_by_id(run, run_json, gemm):
    data = run_json("space", gemm, *QUICK)
    chosen = data["schedules"][-1]["id"]
    captured = run("optimize", gemm, "-o", "-", "--schedule", chosen[:6], *QUICK)
    assert f"schedule {chosen} of scop kernel_gemm" in captured.out
    assert "named on the command line" in captured.out
    assert "written to standard output" in captured.err


def test_what_optimize_writes_passes_the_check(run, run_json, gemm, tmp_path):
    out = tmp_path / "out.c"
    run("optimize", gemm, "-o", out, "-D", "MINI", *QUICK)
    data = run_json("check", gemm, out, "-D", "MINI", *CC)
    assert data["passed"] is True
    (scop,) = data["scops"]
    assert scop["order"]["verdict"] == "proven"
    assert scop["results"]["verdict"] == "equal"


def test_sums_pass_the_check_in_the_order_that_they_may_have(run, tmp_path):
    """Each thread adds to a copy of y."""
    source, out = tmp_path / "columns.c", tmp_path / "out.c"
    source.write_text(
        "#include <stdio.h>\nstatic double A[300][7], y[7];\nint main(void)\n{\n"
        "#pragma scop\n  for (int i = 0; i < 300; i++)\n"
        "    for (int j = 0; j < 7; j++)\n      y[j] += A[i][j] + 0.1;\n"
        '#pragma endscop\n  printf("%g\\n", y[3]);\n  return 0;\n}\n'
    )
    described = json.loads(run("machine", "--json").out)
    described["cpu"] |= {"n_cores": 2, "n_threads": 2}
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(described))
    free = ("--fp", "reassociate", "--machine", machine)
    rows = json.loads(run("space", source, "--json", *free, *QUICK).out)["schedules"]
    shared = next(r["id"] for r in rows if "parallel:static:y" in r["tree"])
    run("optimize", source, "-o", out, "--schedule", shared, *free, *QUICK)
    told = run("explain", source, "--schedule", shared, *free, *QUICK).out
    assert "shared with a copy of y for each thread, S0[" in told
    assert "order    proven" in run("check", source, out, *free[:2], *CC).out
    told = run("check", source, out, *CC, status=1).out
    assert "illegal: flow dependence on y from S0 to S0 violated" in told


def test_unchanged_file_passes_the_check(run, two, tmp_path):
    copy = shutil.copy(two, tmp_path / "copy.c")
    out = run("check", two, copy, *CC).out
    assert out.count("order    unchanged") == 2


def test_edited_code_cannot_be_proven_and_wrong_code_is_found(run, gemm, tmp_path):
    out = tmp_path / "out.c"
    run("optimize", gemm, "-o", out, "-D", "MINI", "--schedule", "original", *QUICK)
    text = out.read_text()
    out.write_text(text.replace("*= beta", "*= (beta + 1e-6)"))
    assert out.read_text() != text
    told = run("check", gemm, out, "-D", "MINI", *CC, status=1).out
    assert "order    unproven: edited" in told
    assert "results  differ: mismatch: C[" in told
    assert told.endswith("not passed\n")


def test_check_names_macros_that_differ(run, gemm, tmp_path):
    out = tmp_path / "out.c"
    run("optimize", gemm, "-o", out, "-D", "MINI", *QUICK)
    told = run("check", gemm, out, "-D", "SMALL", "--no-run", status=1).out
    assert "read with the macros -DMINI, this file with -DSMALL" in told


def test_what_is_written_compiles_with_its_own_macros_only(run, gemm, tmp_path):
    out = tmp_path / "out.c"
    run("optimize", gemm, "-o", out, "-D", "MINI", *QUICK)
    assert _printed(out, "-DMINI") == _printed(gemm, "-DMINI")
    for other in ("-DSMALL", "-DREAL=float"):
        command = ["gcc", "-fopenmp", other, "-fsyntax-only", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode
        assert "written for other macros" in done.stderr


def test_change_outside_the_scops_is_refused(run, two, tmp_path):
    out = tmp_path / "out.c"
    out.write_text(TWO_SCOPS.replace("i % 7", "i % 5"))
    err = run("check", two, out, status=1).err
    assert "differ outside the scops" in err
    out.write_text(TWO_SCOPS.replace("#define N 37", "#define N 36"))
    assert "at line 2" in run("check", two, out, status=1).err


def test_illegal_schedule_is_refused_with_a_witness(run, two, tmp_path):
    program = parse(two)
    scop = prepare_scop(program.scops[0])
    rows = original_rows(scop)
    rows["S0"] = replace(rows["S0"], betas=(0, 1, 0))
    rows["S1"] = replace(rows["S1"], betas=(0, 0, 0))
    tree = build_tree(scop.domain, rows)

    class Planted:
        id, objectives, partition, script_text = tree.key, ("planted",), "MAX", ""
        pins = ()

    lines = header_lines(Planted, scop.name, tree.text)
    out = tmp_path / "out.c"
    region = print_region(program, scop, tree, lines, None).region
    out.write_bytes(splice(program, {scop.name: region}))
    told = run("check", two, out, *CC, status=1).out
    assert "order    illegal: " in told
    assert "must run before" in told
    assert "results  differ: mismatch" in told


@pytest.mark.long
def test_tune_measures_checks_and_writes_the_winner(run_json, run, gemm, tmp_path):
    out, records = tmp_path / "out.c", tmp_path / "records.sqlite"
    arguments = ("tune", gemm, "-o", out, "-D", "SMALL", "--budget", 3, *QUICK, *CC)
    arguments += ("--repeats", 1, "--records", records, "--threads", 2)
    data = run_json(*arguments)
    tried = [s for s in data["schedules"] if "measured" in s]
    assert len(tried) == 3
    for schedule in tried:
        measured = schedule["measured"]
        assert set(measured) >= {"seconds", "median_seconds", "matches"}
        assert measured["matches"] is True
    assert data["baseline"]["median_seconds"] > 0
    assert data["best"] == "original" or data["best"] in {s["id"] for s in tried}
    assert (data["speedup"] > 1.0) == (data["best"] != "original")
    assert run("check", gemm, out, "-D", "SMALL", *CC).out.endswith("passed\n")
    again = run_json(*arguments)
    assert all(s["stored"] for s in again["schedules"] if "measured" in s)


def test_tune_prints_a_table_and_keeps_a_hopeless_original(run, two, tmp_path):
    out = tmp_path / "out.c"
    captured = run(
        "tune", two, "-o", out, "--budget", 1, "--policy", "minimal", *CC,
        "--repeats", 1, "--records", tmp_path / "r.sqlite", "--threads", 2,
    )  # fmt: skip
    assert captured.out.count("source text as it is") == 2
    for name in ("smooth", "main"):
        assert f"{name}: " in captured.out
    assert out.exists()
    assert _printed(out) == _printed(two)


def test_tune_of_a_bare_function_makes_up_a_driver(run_json, tmp_path):
    path = tmp_path / "scale.c"
    path.write_text(BARE)
    data = run_json(
        "tune", path, "-o", tmp_path / "out.c", "--param", "n=1000", "--budget", 1,
        "--policy", "minimal", *CC, "--repeats", 1, "--records", tmp_path / "r.sqlite",
    )  # fmt: skip
    assert any("measured" in s for s in data["schedules"])


def test_tune_of_a_program_of_several_files(run_json, tmp_path):
    path, other = tmp_path / "scale.c", tmp_path / "main.c"
    path.write_text(BARE)
    other.write_text(
        "void scale(int, double *, const double *);\n"
        "double a[50], b[50];\n"
        "int main(void) { for (int i = 0; i < 50; i++) b[i] = i; scale(50, a, b);"
        " return a[7] != 14; }\n"
    )
    data = run_json(
        "tune", path, "-o", tmp_path / "out.c", "--budget", 1, "--policy", "minimal",
        *CC, "--repeats", 1, "--records", tmp_path / "r.sqlite", "--source", other,
    )  # fmt: skip
    assert any("measured" in s for s in data["schedules"])


def test_machine_is_shown_and_read_back(run, run_json, gemm, tmp_path):
    assert "GFLOP/s" in run("machine").out
    path = tmp_path / "machine.json"
    path.write_text(run("machine", "--json").out)
    shown = run_json("machine", "--machine", path)
    assert shown["cpu"] == json.loads(path.read_text())["cpu"]
    data = run_json("space", gemm, "--machine", path, "--policy", "minimal")
    assert data["machine"]["cpu"]["key"] == shown["cpu"]["key"]


def test_module_runs_as_the_command_does():
    done = subprocess.run(
        [sys.executable, "-m", "polysched", "--version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("polysched ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_tune_that_is_stopped_leaves_nothing_behind(gemm, tmp_path, number):
    scratch, started, compiler = (tmp_path / n for n in ("scratch", "started", "cc"))
    scratch.mkdir()
    compiler.write_text(
        f'#!/bin/sh\ncase "$*" in *\\ -c\\ *) touch {started}; sleep 2;; esac\n'
        'exec gcc "$@"\n'
    )
    compiler.chmod(0o755)
    words = ("--cc", str(compiler), "-D", "MINI", "-o", str(tmp_path / "out.c"))
    process = subprocess.Popen(
        [sys.executable, "-m", "polysched", "tune", str(gemm), *words],
        env={**os.environ, "TMPDIR": str(scratch), "XDG_DATA_HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not started.exists():
        time.sleep(0.01)
    assert any(scratch.iterdir())
    process.send_signal(number)
    told = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert "stopped" in told
    assert not list(scratch.iterdir())
