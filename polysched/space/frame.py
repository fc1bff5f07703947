"""Tables of schedules as CSV text and as pandas data frames."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from polysched.base import PolyschedError


def write_csv(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as CSV with a header; what a row does not have stays empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in r.items()} for r in rows)
    return out.getvalue()


def make_frame(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> Any:
    """Rows as a pandas data frame, indexed by the first column.

    Raises
    ------
    PolyschedError
        If pandas, an optional dependency, is not installed.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        raise PolyschedError(
            "data frames need pandas, which is not installed",
            hint="pip install 'polysched[notebook]', or use to_csv() or to_json()",
        ) from error
    table = {c: [row.get(c) for row in rows] for c in columns}
    return pandas.DataFrame(table).set_index(columns[0])
