"""The database of outcomes: one SQLite file, each outcome committed at once."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from types import TracebackType

from polysched.base import PolyschedError, data_directory
from polysched.records.outcome import Outcome, outcome_from_json, outcome_to_json

SCHEMA_VERSION = 1
_BUSY_SECONDS = 30.0


def default_path() -> Path:
    """``records.sqlite`` in the user's data directory."""
    return data_directory() / "records.sqlite"


@dataclass(frozen=True)
class RecordKey:
    """What must be equal for a stored outcome to hold again.

    Attributes
    ----------
    program : str
        Hash of the sources of all files, parameters, arguments and the mode of
        floating point.
    scop : str
        Name of the SCoP.
    schedule : str
        Id of the schedule; "baseline" for the original text.
    code : str
        Hash of the generated text, so that a new printer does not inherit old times.
    compiler : str
        Hash of the compiler's version and all flags.
    machine : str
        The machine's key.
    n_threads : int
        Threads of the run.
    """

    program: str
    scop: str
    schedule: str
    code: str
    compiler: str
    machine: str
    n_threads: int


@dataclass(frozen=True)
class Record:
    """A stored outcome; `stored_at` in seconds since 1970."""

    key: RecordKey
    outcome: Outcome
    stored_at: float


_COLUMNS = tuple(f.name for f in fields(RecordKey))
_TYPES = {"n_threads": "INTEGER"}
_DECLARED = ", ".join(f"{c} {_TYPES.get(c, 'TEXT')} NOT NULL" for c in _COLUMNS)
_CREATE = f"""
CREATE TABLE outcomes (
    {_DECLARED},
    outcome TEXT NOT NULL,
    stored_at REAL NOT NULL,
    PRIMARY KEY ({", ".join(_COLUMNS)})
)
"""
_CREATE_REPORTS = """
CREATE TABLE IF NOT EXISTS reports (
    key TEXT PRIMARY KEY,
    report TEXT NOT NULL,
    stored_at REAL NOT NULL
)
"""
_WHERE = " AND ".join(f"{c} = ?" for c in _COLUMNS)


class Database:
    """Outcomes on disk; safe for several processes and threads at once.

    Open it with `Database.open`; it is a context manager.
    """

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self.path = path

    @classmethod
    def open(cls, path: str | os.PathLike[str] | None = None) -> Database:
        """Open the file, creating it when it is not there.

        Parameters
        ----------
        path : path, optional
            The file, ``":memory:"`` for none; by default the user's own.

        Raises
        ------
        PolyschedError
            If the file cannot be opened, is no database of records, or was written
            by a later version.
        """
        name = os.fspath(path if path is not None else default_path())
        with _translated(name):
            if name != ":memory:":
                Path(name).parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                name, timeout=_BUSY_SECONDS, check_same_thread=False
            )
            try:
                _prepare(connection, name)
            except BaseException:
                connection.close()
                raise
        return cls(connection, name)

    def find(self, key: RecordKey) -> Outcome | None:
        """The stored outcome, or None."""
        with self._lock, _translated(self.path):
            row = self._connection.execute(
                f"SELECT outcome FROM outcomes WHERE {_WHERE}", astuple(key)
            ).fetchone()
        return None if row is None else _read_outcome(row[0])

    def store(self, key: RecordKey, outcome: Outcome) -> None:
        """Commit an outcome; one that is there already is replaced."""
        marks = ", ".join("?" * (len(_COLUMNS) + 2))
        text = json.dumps(outcome_to_json(outcome))
        with self._lock, _translated(self.path), self._connection:
            self._connection.execute(
                f"INSERT OR REPLACE INTO outcomes VALUES ({marks})",
                (*astuple(key), text, time.time()),
            )

    def forget(self, key: RecordKey) -> None:
        """Remove an outcome, if it is there."""
        with self._lock, _translated(self.path), self._connection:
            self._connection.execute(
                f"DELETE FROM outcomes WHERE {_WHERE}", astuple(key)
            )

    def records(
        self, *, program: str | None = None, scop: str | None = None
    ) -> list[Record]:
        """Stored records, oldest first; all of them, or one program's or SCoP's."""
        wanted = {"program": program, "scop": scop}
        chosen = {c: v for c, v in wanted.items() if v is not None}
        where = " AND ".join(f"{c} = ?" for c in chosen) or "1"
        with self._lock, _translated(self.path):
            rows = self._connection.execute(
                f"SELECT * FROM outcomes WHERE {where} ORDER BY stored_at, rowid",
                tuple(chosen.values()),
            ).fetchall()
        n = len(_COLUMNS)
        return [Record(RecordKey(*r[:n]), _read_outcome(r[n]), r[n + 1]) for r in rows]

    def find_report(self, key: str) -> dict[str, object] | None:
        """A stored report, or None."""
        with self._lock, _translated(self.path):
            row = self._connection.execute(
                "SELECT report FROM reports WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else _read_object(row[0])

    def store_report(self, key: str, report: Mapping[str, object]) -> None:
        """Commit a report, any JSON object; one that is there already is replaced."""
        text = json.dumps(report)
        with self._lock, _translated(self.path), self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO reports VALUES (?, ?, ?)",
                (key, text, time.time()),
            )

    def close(self) -> None:
        """Close the file; everything stored is on disk already."""
        self._connection.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        with self._lock, _translated(self.path):
            row = self._connection.execute("SELECT count(*) FROM outcomes").fetchone()
        return int(row[0])


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """Turn SQLite's and the file system's errors into ours, naming the file."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise PolyschedError(
            f"cannot use the records database {path!r}: {error}",
            hint="name another file for the records, or move this one away",
        ) from error


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    """Check the schema's version, create the table, choose the journal."""
    if _version(connection, path) < SCHEMA_VERSION:
        with connection:
            connection.execute("BEGIN IMMEDIATE")  # one of several processes does it
            if _version(connection, path) < SCHEMA_VERSION:
                _create(connection, path)
    if not _has_reports(connection):  # a file of before there were reports
        with connection:
            connection.execute(_CREATE_REPORTS)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _create(connection: sqlite3.Connection, path: str) -> None:
    """Create the table in a new file, inside the caller's transaction."""
    n_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if n_tables:
        raise PolyschedError(f"{path!r} is a database, but not one of records")
    connection.execute(_CREATE)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _version(connection: sqlite3.Connection, path: str) -> int:
    """The schema's version in the file, 0 for a new one; later ones are refused."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise PolyschedError(
            f"the records database {path!r} has version {version}; this program"
            f" reads versions up to {SCHEMA_VERSION}"
        )
    return version


def _has_reports(connection: sqlite3.Connection) -> bool:
    found = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name = 'reports'"
    ).fetchone()
    return bool(found[0])


def _read_outcome(text: str) -> Outcome:
    """The outcome of a row."""
    return outcome_from_json(_read_object(text))


def _read_object(text: str) -> dict[str, object]:
    """The JSON object of a row."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise PolyschedError(f"a record is damaged: {text[:200]}") from error
    if not isinstance(data, dict):
        raise PolyschedError(f"a record is damaged: {text[:200]}")
    return data
