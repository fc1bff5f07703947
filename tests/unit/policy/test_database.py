"""The nano-kernel database: best rows, nearest keys, files."""

from __future__ import annotations

import gzip
import json

import pytest

from polysched.base import PolyschedError
from polysched.policy import (
    MACHINE_CLASSES,
    MEASURES,
    SETS,
    NanoDatabase,
    cost_of,
    iter_rows,
    machine_class,
    nano_kernels,
    objective_lists,
)
from polysched.schedule import LEXICON, MachineFacts
from tests.unit.policy.databases import database, entry, key, measures


def test_lists_are_ordered_pairs_and_triples():
    assert len(objective_lists(SETS[6])) == 30 + 120
    assert len(objective_lists(SETS[12])) == 132 + 1320
    assert len(set(objective_lists(SETS[6]))) == 150
    assert set(SETS[12]) <= set(LEXICON)


def test_the_best_list_is_found():
    db = database(entry("a", key(), ("SO", "DGF", "IP")))
    answer = db.query(key())
    assert answer.objectives == ("SO", "DGF", "IP")
    assert answer.measures["stride_score"] == 1
    assert answer.distance == 0


def test_of_equal_lists_the_shortest_is_taken():
    answer = database(entry("a", key(), ())).query(key())
    assert answer.objectives == ("IP", "SO")


def test_a_prefix_is_gone_on_from():
    db = database(entry("a", key(), ("SO", "DGF", "IP")))
    assert db.query(key(), ("SO",)).objectives == ("SO", "DGF", "IP")
    assert db.query(key(), ("IP", "SO")).objectives == ("SO", "DGF")
    assert db.query(key(), ("SO",), ["IP"]).objectives == ("SO", "IP")
    assert db.query(key(), ("OP",)) is None


def test_an_absent_key_is_answered_by_the_nearest():
    far = entry("far", key(dim_source=3, kinds=6), ("IP", "DGF"))
    near = entry("near", key(rect_sink=False), ("SO", "IP"))
    answer = database(far, near).query(key())
    assert answer.objectives == ("SO", "IP")
    assert answer.key == key(rect_sink=False)
    assert answer.distance == 1


def test_kernels_of_one_key_are_judged_together():
    better, failed = entry("a", key(), ("SO", "IP")), ("SO", "IP")
    assert database(better).query(key()).objectives == ("SO", "IP")
    both = database(better, entry("b", key(), (), failed=(failed,)))
    assert both.query(key()).objectives != ("SO", "IP")
    assert database(better, better).query(key()).measures["stride_score"] == 2


def test_machine_classes_differ_by_priority():
    assert [machine_class(m) for m in MACHINE_CLASSES.values()] == list(MACHINE_CLASSES)
    assert machine_class(MachineFacts(n_cores=2)) == "few"
    db = database(entry("a", key(), ("SO", "IP")))
    assert {k.par_priority for k in db.keys} == {0, 2}


def test_cost_follows_the_machine():
    strided = measures(stride_score=6.0, outer_parallel=1.0, n_vectorizable=1.0)
    serial = measures(stride_score=1.0, outer_parallel=0.0, n_vectorizable=1.0)
    assert cost_of(serial, 0) < cost_of(strided, 0)
    assert cost_of(strided, 2) < cost_of(serial, 2)


def test_files_are_read_back_and_the_same_each_time(tmp_path):
    db = database(entry("a", key(), ("SO", "IP"), failed=(("IP", "SO"),)))
    for name in ("one", "two"):
        db.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    again = NanoDatabase.load(tmp_path / "one")
    assert again.to_json() == db.to_json()
    assert again.n_rows == db.n_rows == 2 * (12 - 1)
    assert len(list(iter_rows(again))) == again.n_rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "format 99"),
        ({"kernels": []}, "no kernels"),
        ({"objectives": ["IP", "SO"]}, "has not 2 rows"),
        ({"machines": ["huge"]}, "huge"),
    ],
)
def test_foreign_files_are_refused(change, message, tmp_path):
    data = database(entry("a", key(), ("SO", "IP"))).to_json() | change
    path = tmp_path / "bad"
    path.write_bytes(gzip.compress(json.dumps(data).encode()))
    with pytest.raises(PolyschedError, match=message):
        NanoDatabase.load(path)


def test_text_is_no_database(tmp_path):
    path = tmp_path / "text"
    path.write_text("hello")
    with pytest.raises(PolyschedError, match="is no nano-kernel database"):
        NanoDatabase.load(path)
    with pytest.raises(PolyschedError, match="cannot read the database"):
        NanoDatabase.load(tmp_path / "absent")


@pytest.mark.parametrize("size", SETS)
def test_the_shipped_databases_are_whole(size):
    db = NanoDatabase.shipped(size)
    assert db.objectives == SETS[size]
    assert db.machines == tuple(MACHINE_CLASSES)
    assert [e.kernel for e in db.entries] == [k.name for k in nano_kernels()]
    n_lists = len(objective_lists(db.objectives))
    assert db.n_rows > 0.99 * 3 * n_lists * len(db.entries)
    assert all(set(o) == set(MEASURES) for e in db.entries for o in e.outcomes)
    assert db.seconds > 0


def test_a_set_that_is_not_shipped_is_named():
    with pytest.raises(PolyschedError, match=r"only nano-12\.json\.gz, nano-6"):
        NanoDatabase.shipped(7)


def test_the_shipped_keys_are_those_of_the_kernels_today():
    by_name = {e.kernel: e.key for e in NanoDatabase.shipped().entries}
    for kernel in nano_kernels()[::10]:
        assert by_name[kernel.name] == kernel.key(4)
