"""records: what was measured, where, under which conditions, and what failed.

Takes outcomes with their `RecordKey`, gives them back from one SQLite file.
May import `base`.
"""

from polysched.records.database import Database, Record, RecordKey, default_path
from polysched.records.outcome import (
    FAILURE_KINDS,
    Failure,
    FailureKind,
    Measurement,
    Outcome,
    outcome_from_json,
    outcome_to_json,
)

__all__ = [
    "FAILURE_KINDS",
    "Database",
    "Failure",
    "FailureKind",
    "Measurement",
    "Outcome",
    "Record",
    "RecordKey",
    "default_path",
    "outcome_from_json",
    "outcome_to_json",
]
