"""Good, slow, wrong, crashing and absent tools, each told as what it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.bench import (
    BenchOptions,
    KernelFile,
    bench_page,
    detect_peers,
    ours,
    run_bench,
    select_tools,
)
from polysched.machine import Machine
from polysched.records import Database, Failure, Measurement
from polysched.workflow import build_space
from tests.unit.bench.toys import PAUSE_SECONDS, write_peers, write_suite

pytestmark = pytest.mark.cc

QUICK = BenchOptions(budgets=(), rounds=2, cflags=("-O1",), threads=2)


@pytest.fixture
def suite(tmp_path, monkeypatch):
    """The toy suite, with the toy peers before everything else and no clang at all."""
    tools = write_peers(tmp_path / "tools")
    usual = tmp_path / "usual"
    usual.mkdir()
    for directory in map(Path, reversed(os.environ["PATH"].split(os.pathsep))):
        for program in directory.glob("*") if directory.is_dir() else ():
            if "clang" not in program.name:
                (usual / program.name).unlink(missing_ok=True)
                (usual / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tools), str(usual)]))
    return write_suite(tmp_path / "suite")


@pytest.fixture
def bench(suite, tmp_path):
    """Run kernels of the suite with some tools, against one database."""

    def run(name, *tools, options=QUICK, size=""):
        peers, _ = select_tools(tools)
        files = (KernelFile(str(suite / name), size),)
        with Database.open(tmp_path / "records.sqlite") as database:
            return run_bench(
                files,
                detect_peers(peers),
                options,
                machine=Machine.detect(calibrated=False),
                database=database,
            )

    return run


@pytest.mark.long
def test_every_kind_of_tool_is_told_as_what_it_is(bench):
    modes = ("pluto-tile-parallel", "pluto-tile", "pluto-nofuse", "pluto-maxfuse")
    report = bench("product.c", "gcc", *modes, "ppcg-tile", "numpy")
    (kernel,) = report.kernels
    found = kernel.results
    assert kernel.failure == ""
    assert kernel.rounds == 2
    for good in ("gcc", "numpy", "pluto-tile"):
        assert isinstance(found[good], Measurement), found[good]
        assert len(found[good].seconds) == 2
    assert found["pluto-tile-parallel"].median_seconds >= PAUSE_SECONDS
    crashed, died, wrong = (
        found[n] for n in ("pluto-nofuse", "pluto-maxfuse", "ppcg-tile")
    )
    assert isinstance(crashed, Failure)
    assert crashed.kind == "codegen"
    assert "signal 11" in crashed.text
    assert isinstance(died, Failure)
    assert (died.kind, "signal 6" in died.text) == ("crash", True)
    assert isinstance(wrong, Failure)
    assert wrong.kind == "mismatch"
    assert "y[" in wrong.text
    assert report.tools[1].version == "toy 1.2"


@pytest.mark.long
def test_wrong_and_slow_tools_are_not_the_best_peer(bench):
    report = bench("product.c", "gcc", "pluto-tile", "ppcg-tile", "numpy")
    (kernel,) = report.kernels
    assert kernel.best_peer == "gcc"
    assert kernel.seconds("ppcg-tile") is None
    assert kernel.over("gcc", "pluto-tile") < 1.0
    means = {s.tool: s for s in report.summaries()}
    assert means["gcc"].over_gcc == means["gcc"].over_best_peer == 1.0
    assert (means["ppcg-tile"].n_kernels, means["ppcg-tile"].n_failed) == (0, 1)
    assert means["ppcg-tile"].over_gcc is None
    assert means["ppcg-tile"].over_gcc_all == 1.0


def test_a_program_that_hangs_is_stopped(bench):
    options = BenchOptions(**{**vars(QUICK), "run_timeout": 2.0})
    (kernel,) = bench("product.c", "gcc", "pluto-parallel", options=options).kernels
    found = kernel.results["pluto-parallel"]
    assert isinstance(found, Failure)
    assert (found.kind, found.limit) == ("timeout", 2.0)
    assert kernel.best_peer == "gcc"


def test_strict_and_fast_peers_are_tools_of_their_own(bench):
    (kernel,) = bench("product.c", "gcc", "ppcg-notile", "ppcg-notile-fast").kernels
    assert isinstance(kernel.results["ppcg-notile"], Measurement)
    wrong = kernel.results["ppcg-notile-fast"]  # compiled with -ffast-math
    assert isinstance(wrong, Failure)
    assert wrong.kind == "mismatch"


def test_a_translation_serves_strict_and_fast(bench, tmp_path):
    tool = tmp_path / "tools" / "polycc"
    log = tmp_path / "log"
    tool.write_text(tool.read_text().replace("case", f'echo "$*" >> {log}\ncase', 1))
    (kernel,) = bench("product.c", "pluto-tile", "pluto-tile-fast").kernels
    assert all(isinstance(o, Measurement) for o in kernel.results.values())
    runs = [s for s in log.read_text().splitlines() if "--version" not in s]
    assert len(runs) == 1


def test_absent_tools_are_listed(bench):
    report = bench("product.c", "gcc", "clang", "polly")
    absent = {f.peer.name: f.absent for f in report.tools if f.absent}
    assert set(absent) == {"clang", "polly"}
    assert absent["polly"] == "no clang on the PATH"
    assert list(report.kernels[0].results) == ["gcc"]


def test_regions_of_one_file_are_kernels_of_their_own(bench):
    report = bench("twice.c", "gcc", "pluto-tile")
    names = [k.name for k in report.kernels]
    assert len(set(names)) == 2
    assert all(n.startswith("twice:") for n in names)
    assert all(k.seconds("gcc") for k in report.kernels)
    assert all(k.seconds("pluto-tile") >= PAUSE_SECONDS for k in report.kernels)
    assert all("numpy" not in k.results for k in report.kernels)


def test_finished_kernels_are_not_measured_again(bench, monkeypatch):
    first = bench("product.c", "gcc")

    def forbidden(*_, **__):
        raise AssertionError("something was run again")

    with monkeypatch.context() as patch:
        patch.setattr("polysched.runtime.workbench.Workbench.build", forbidden)
        patch.setattr("polysched.runtime.workbench.Workbench.execute", forbidden)
        second = bench("product.c", "gcc")
    assert second.kernels[0].is_stored
    assert not first.kernels[0].is_stored
    assert second.kernels[0].results == first.kernels[0].results
    assert second.kernels[0].bound == first.kernels[0].bound
    other = bench("product.c", "gcc", size="SMALL")
    assert not other.kernels[0].is_stored
    again = BenchOptions(**{**vars(QUICK), "again": True})
    assert not bench("product.c", "gcc", options=again).kernels[0].is_stored


def test_bound_counts_operations_and_bytes(bench):
    (kernel,) = bench("product.c", "gcc").kernels
    work = kernel.bound.work
    assert work.operations == 2 * 40 * 40
    assert work.traffic_bytes == 8 * (40 * 40 + 40 + 40)
    assert kernel.bound.fits_cache
    assert kernel.fraction_of_bound("gcc") == pytest.approx(
        kernel.bound.seconds / kernel.seconds("gcc")
    )


def test_budgets_share_one_search_and_their_programs(bench):
    options = BenchOptions(**{**vars(QUICK), "budgets": (1, 2)})
    (kernel,) = bench("product.c", "gcc", options=options).kernels
    assert list(kernel.results) == ["gcc", "ours-1", "ours-2"]
    chosen = kernel.own["schedules"]
    assert set(chosen) == {"ours-1", "ours-2"}
    if chosen["ours-1"] == chosen["ours-2"]:
        assert kernel.results["ours-1"] == kernel.results["ours-2"]
    assert kernel.own["space_size"] > 2


@pytest.mark.long
def test_ours_with_leave_to_reorder_is_a_tool_of_its_own(bench, tmp_path):
    options = replace(QUICK, budgets=(1,), freedoms=("strict", "reassociate"))
    report = bench("product.c", "gcc", "gcc-fast", options=options)
    (kernel,) = report.kernels
    assert list(kernel.results) == ["gcc", "gcc-fast", "ours-1", "ours-1-fast"]
    assert kernel.own_tools == ("ours-1", "ours-1-fast")
    assert kernel.own_fast["space_size"] > kernel.own["space_size"]
    assert kernel.best_peer in ("gcc", "gcc-fast")
    (again,) = bench("product.c", "gcc", "gcc-fast", options=options).kernels
    assert again.is_stored
    assert again.own_fast == kernel.own_fast
    assert report.to_json()["geometric_means"]["ours-1-fast"]["n_kernels"] == 1


@pytest.mark.long
def test_sizes_of_the_run_are_what_is_ranked_for(bench, suite, monkeypatch):
    text = """\
static double a[77];
void scale(int n, double *x)
{
#pragma scop
  for (int i = 0; i < n; i++)
    x[i] = 2.0 * x[i];
#pragma endscop
}
int main(void)
{
  scale(77, a);
  return 0;
}
"""
    (suite / "scale.c").write_text(text)
    asked = []

    def record(*args, **options):
        asked.append(dict(options["parameters"]))
        return build_space(*args, **options)

    monkeypatch.setattr(ours, "build_space", record)
    options = replace(QUICK, budgets=(1,))
    bench("scale.c", "gcc", options=options)
    bench("scale.c", "gcc", options=replace(options, parameters={"n": 50}))
    assert asked == [{"n": 77}, {"n": 50}]


@pytest.mark.long
def test_every_kept_variant_is_ranked(bench):
    options = BenchOptions(**{**vars(QUICK), "budgets": (1,), "everything": True})
    report = bench("product.c", "gcc", options=options)
    (kernel,) = report.kernels
    ranking = kernel.ranking
    assert ranking.n_kept == kernel.own["space_size"] - 1  # not the source order
    assert [place for place, _ in ranking.trials] == list(range(ranking.n_kept))
    assert ranking.regret(1) >= ranking.regret(4) >= ranking.regret(16) >= 1.0
    depth, mean, n_kernels = report.ranking_summary.regrets[0]
    assert (depth, n_kernels) == (1, 1)
    assert mean == pytest.approx(ranking.regret(1))  # through logarithms
    page = bench_page(report)
    assert "regret of 16" in page
    few = bench("product.c", "gcc", options=replace(options, everything=False))
    assert len(few.kernels[0].ranking.trials) < ranking.n_kept


def test_files_that_cannot_be_measured_are_told_and_end_nothing(bench, suite):
    (suite / "bad.c").write_text("int main(void) { return 0; }\n")
    (kernel,) = bench("bad.c", "gcc").kernels
    assert "no #pragma scop" in kernel.failure
    (suite / "dies.c").write_text(
        (suite / "product.c")
        .read_text()
        .replace("double sum = 0;", "double sum = *(volatile double *)0;")
    )
    (kernel,) = bench("dies.c", "gcc").kernels
    assert "original program fails" in kernel.failure
    assert kernel.results == {}


def test_page_is_one_file_with_bars(bench):
    report = bench("product.c", "gcc", "ppcg-tile", "clang")
    page = bench_page(report)
    assert page.count("<svg") == 1
    assert page.count("<rect") == 1
    assert "wrong results" in page
    assert "absent: no clang on the PATH" in page
    assert "<script" not in page
    assert "src=" not in page


CANCELLED = """\
#define N 64
double x[N], A[N], y[N];
int main(void)
{
  for (int i = 0; i < N; i++) {
    volatile double product;
    x[i] = 1.0 + 1.0 / (i + 3);
    product = x[i] * x[i];
    A[i] = product;
  }
#pragma scop
  for (int i = 0; i < N; i++)
    y[i] = x[i] * x[i] - A[i];
#pragma endscop
  return 0;
}
"""


@pytest.mark.skipif(
    "fma" not in Machine.detect(calibrated=False).cpu.isa,
    reason="nothing is fused without such an instruction",
)
@pytest.mark.parametrize(
    ("factor", "expected"), [("1.0", Measurement), ("1.25", Failure)]
)
def test_amplified_rounding_is_told_from_wrong_results(
    bench, suite, tmp_path, factor, expected
):
    (suite / "cancelled.c").write_text(CANCELLED)
    tool = tmp_path / "tools" / "ppcg"
    apart = f"{factor} * ({{ volatile double p = x[i] * x[i]; p; }})"
    options, _ = tool.read_text().split("case $mode")
    tool.write_text(f'{options}sed \'s/= x.* - A/= {apart} - A/\' "$in" > "$out"\n')
    settings = {**vars(QUICK), "cflags": ("-O2", "-march=native")}
    report = bench("cancelled.c", "ppcg-tile", options=BenchOptions(**settings))
    found = report.kernels[0].results["ppcg-tile"]
    assert isinstance(found, expected), found
    if isinstance(found, Measurement):
        assert "without fused multiply-add" in found.note


@pytest.mark.long
def test_a_tuned_peer_is_its_fastest_right_program(bench, suite):
    """Wrong with sides of 64, slow with all but 16."""
    polycc = suite.parent / "tools" / "polycc"
    polycc.write_text(f"""\
#!/bin/sh
case "$*" in --version) echo "toy 1.2"; exit 0;; *--notile*) exit 1;; esac
while [ $# -gt 0 ]; do
  case "$1" in -o) out="$2"; shift;; *.c) in="$1";; esac
  shift
done
side=$(head -1 tile.sizes 2> /dev/null)
case "$side" in
  64) into='y[0] = 1.0; if (0)';;
  16) into=';';;
  *) into='usleep({int(PAUSE_SECONDS * 1e6)});';;
esac
sed "s/#pragma scop/{{ extern int usleep(unsigned); $into }}/" "$in" > "$out"
case "$side" in 64) sed -i 's/+= A/-= A/' "$out";; esac
""")
    options = BenchOptions(**{**vars(QUICK), "peer_budget": 17})
    (kernel,) = bench("product.c", "gcc", "pluto-tuned", options=options).kernels
    tuned = kernel.results["pluto-tuned"]
    assert isinstance(tuned, Measurement)
    assert min(tuned.seconds) < PAUSE_SECONDS  # which all others sleep
    assert tuned.note.startswith("best of 17 programs: --tile")
    assert "tiles 16x" in tuned.note
    assert kernel.best_peer in kernel.results


def test_tuned_peers_are_asked_for_by_name():
    names = [p.name for p in select_tools(("pluto",))[0]]
    assert "pluto-nofuse" in names
    assert "pluto-tuned" not in names
    assert "pluto-tuned" not in [p.name for p in select_tools(())[0]]
    assert [p.name for p in select_tools(("pluto-tuned",))[0]] == ["pluto-tuned"]
