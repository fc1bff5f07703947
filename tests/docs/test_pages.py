"""Pages that are written from the code say what the code says: `make golden`."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import command_line_page, tables_page

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_command_line_is_golden(golden):
    golden(REFERENCE / "command-line.md", command_line_page())


def test_tables_are_golden(golden):
    golden(REFERENCE / "tables.md", tables_page())
