"""Building the nano-kernel database: whole, in pieces, in time, in parallel."""

from __future__ import annotations

import json
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from polysched.base import LimitError, PolyschedError
from polysched.policy import NanoDatabase, nano_kernels, objective_lists
from polysched.workflow import BuildOptions, build_database, measure_kernel

SMALL = ("map-1-1", "scan-1-1", "flow-1-1-1")
OPTIONS = BuildOptions(objectives=("IP", "SO", "DGF", "SIS"), kernels=SMALL)


def kernel(name):
    return next(k for k in nano_kernels() if k.name == name)


def outcome(entry, names, machine="few", objectives=("SO", "DGF", "SIS")):
    return entry.outcomes[entry.rows[machine][objective_lists(objectives).index(names)]]


def test_what_is_asked_first_decides():
    entry = measure_kernel(kernel("flow-2-2-2-t"), ("SO", "DGF", "SIS"), ("few",))
    assert outcome(entry, ("DGF", "SO"))["fusion_score"] == 1
    assert outcome(entry, ("SIS", "SO"))["fusion_score"] > 1
    assert outcome(entry, ("DGF", "SIS"))["fusion_score"] == 1


def test_strides_show_in_the_rows():
    entry = measure_kernel(kernel("accumulate-3-2"), ("SO", "DGF", "SIS"), ("few",))
    assert outcome(entry, ("SO", "DGF"))["stride_score"] == 1
    without = outcome(entry, ("DGF", "SIS"))  # nothing to fuse or to separate
    assert without["stride_score"] >= outcome(entry, ("SO", "SIS"))["stride_score"]


def test_the_machine_counts_where_an_objective_asks_it():
    entry = measure_kernel(kernel("accumulate-2-1"), ("OPIR", "SO"), ("few", "many"))
    assert set(entry.rows) == {"few", "many"}
    assert all(k >= 0 for row in entry.rows.values() for k in row)


def test_a_database_is_built_and_read_back(tmp_path):
    path = tmp_path / "db"
    built = build_database(path, OPTIONS)
    assert [e.kernel for e in built.entries] == list(SMALL)
    assert built.n_rows == 3 * len(SMALL) * (12 + 24)
    assert NanoDatabase.load(path).to_json() == built.to_json()
    assert not (tmp_path / "db.part").exists()


@pytest.mark.long
def test_two_processes_give_the_same(tmp_path):
    alone = build_database(tmp_path / "one", OPTIONS)
    shared = build_database(tmp_path / "two", OPTIONS, jobs=2)
    kernels = [db.to_json()["kernels"] for db in (alone, shared)]
    assert kernels[0] == kernels[1]


def test_time_is_bounded_and_work_is_kept(tmp_path):
    path = tmp_path / "db"
    with pytest.raises(LimitError, match="0 of 3 nano-kernels are done"):
        build_database(path, OPTIONS, seconds=0.0)
    assert not path.exists()
    first = BuildOptions(OPTIONS.objectives, OPTIONS.machines, SMALL[:1])
    one = build_database(tmp_path / "first", first).to_json()["kernels"][0]
    part = tmp_path / "db.part"
    marked = {**one, "outcomes": [[99.0] * len(o) for o in one["outcomes"]]}
    with part.open("a") as file:
        file.write(json.dumps({"entry": marked, "seconds": 5.0}) + "\n")
        file.write('{"entry": {"kernel": "cut off')
    built = build_database(path, OPTIONS)
    assert built.entries[0].outcomes[0]["n_lines"] == 99  # not measured again
    assert built.seconds >= 5
    assert not part.exists()


def test_a_draft_of_other_objectives_is_not_mixed_in(tmp_path):
    with pytest.raises(LimitError):
        build_database(tmp_path / "db", OPTIONS, seconds=0.0)
    other = BuildOptions(objectives=("IP", "SO"), kernels=SMALL)
    with pytest.raises(PolyschedError, match="over other objectives or machines"):
        build_database(tmp_path / "db", other)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"objectives": ("XX",)}, "no objective named 'XX'"),
        ({"machines": ("huge",)}, "no machine class named 'huge'; there are: few, so"),
        ({"kernels": ("gemm",)}, "no nano-kernel named 'gemm'; there are: map-1-1"),
    ],
)
def test_unknown_names_are_refused(values, message):
    with pytest.raises(PolyschedError, match=message):
        BuildOptions(**values)


def test_a_process_that_dies_is_an_error_with_a_way_on(tmp_path, monkeypatch):
    def broken(self, *given):
        future = Future()
        future.set_exception(BrokenProcessPool("gone"))
        return future

    monkeypatch.setattr(ProcessPoolExecutor, "submit", broken)
    with pytest.raises(PolyschedError, match="ended unexpectedly") as raised:
        build_database(tmp_path / "db", OPTIONS, jobs=2)
    assert "goes on from what is done" in raised.value.hint
    assert (tmp_path / "db.part").exists()
