"""Outcomes survive the process that stored them, and other processes beside it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.base import PolyschedError
from polysched.records import (
    Database,
    Failure,
    Measurement,
    RecordKey,
    default_path,
    outcome_from_json,
    outcome_to_json,
)

KEY = RecordKey("p", "gemm", "a1b2", "c", "gcc", "m", 2)
MEASURED = Measurement((0.5, 0.25, 0.3), max_relative_error=1e-16, note="fine")


def test_median() -> None:
    assert MEASURED.median_seconds == 0.3


def test_measurement_needs_a_run() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        Measurement(())


@pytest.mark.parametrize("outcome", [MEASURED, Failure("crash", "signal 11")])
def test_outcomes_survive_json_and_reopening(
    tmp_path: Path, outcome: Measurement | Failure
) -> None:
    assert outcome_from_json(outcome_to_json(outcome)) == outcome
    path = tmp_path / "deep" / "r.sqlite"
    with Database.open(path) as database:
        assert database.find(KEY) is None
        database.store(KEY, outcome)
    with Database.open(path) as database:
        assert database.find(KEY) == outcome
        assert len(database) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"program": "q"}, {"scop": "x"}, {"schedule": "x"}, {"code": "x"},
        {"compiler": "x"}, {"machine": "x"}, {"n_threads": 1},
    ],
)  # fmt: skip
def test_every_part_of_the_key_counts(change: dict[str, object]) -> None:
    with Database.open(":memory:") as database:
        database.store(KEY, MEASURED)
        assert database.find(replace(KEY, **change)) is None  # type: ignore[arg-type]


def test_store_replaces_and_forget_removes() -> None:
    with Database.open(":memory:") as database:
        database.store(KEY, Failure("timeout", "10 s"))
        database.store(KEY, MEASURED)
        assert [r.outcome for r in database.records()] == [MEASURED]
        database.forget(KEY)
        assert database.find(KEY) is None


def test_records_by_scop_in_order() -> None:
    with Database.open(":memory:") as database:
        for name in ("z", "a", "m"):
            database.store(replace(KEY, schedule=name), MEASURED)
        database.store(replace(KEY, scop="other"), MEASURED)
        found = database.records(program="p", scop="gemm")
        assert [r.key.schedule for r in found] == ["z", "a", "m"]


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    code = (
        "import sys\n"
        "from polysched.records import Database, Measurement, RecordKey\n"
        "with Database.open(sys.argv[1]) as d:\n"
        "    for k in range(40):\n"
        "        key = RecordKey(sys.argv[2], 's', str(k), 'c', 'g', 'm', 1)\n"
        "        d.store(key, Measurement((1.0,)))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(n)])
        for n in range(3)
    ]
    assert [w.wait(timeout=60) for w in writers] == [0, 0, 0]
    with Database.open(path) as database:
        assert len(database) == 120


def test_default_path_follows_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_path() == Path("/data/polysched/records.sqlite")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/someone")
    expected = Path("/home/someone/.local/share/polysched/records.sqlite")
    assert default_path() == expected


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("not a database, and long enough to be read as one " * 20)
    with pytest.raises(PolyschedError, match="cannot use the records database"):
        Database.open(text)
    other = tmp_path / "other.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()
    with pytest.raises(PolyschedError, match="not one of records"):
        Database.open(other)


def test_later_versions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(PolyschedError, match="has version 99"):
        Database.open(path)


def test_damaged_rows_are_named(tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    with Database.open(path) as database:
        database.store(KEY, MEASURED)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE outcomes SET outcome = '{\"measured\": {}}'")
    connection.commit()
    connection.close()
    with (
        Database.open(path) as database,
        pytest.raises(PolyschedError, match="damaged"),
    ):
        database.find(KEY)


def test_reports_survive_reopening_and_replace_each_other(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with Database.open(path) as database:
        assert database.find_report("bench-1") is None
        database.store_report("bench-1", {"rounds": 3})
        database.store_report("bench-1", {"rounds": 5, "results": {"gcc": None}})
    with Database.open(path) as database:
        assert database.find_report("bench-1") == {
            "rounds": 5,
            "results": {"gcc": None},
        }
        assert len(database) == 0


def test_files_of_before_there_were_reports_take_them(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with Database.open(path) as database:
        database.store(KEY, MEASURED)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE reports")
    connection.close()
    with Database.open(path) as database:
        database.store_report("bench-1", {"rounds": 3})
        assert database.find(KEY) == MEASURED
        assert database.find_report("bench-1") == {"rounds": 3}


def test_a_damaged_report_is_named(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with Database.open(path) as database:
        database.store_report("bench-1", {"rounds": 3})
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE reports SET report = '[1]'")
    connection.close()
    with (
        Database.open(path) as database,
        pytest.raises(PolyschedError, match="a record is damaged"),
    ):
        database.find_report("bench-1")
