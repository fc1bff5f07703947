"""Tutorial and how-to: every command on a page runs and prints what the page shows."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.docs.console import File, Shown, read_page, run

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for folder in ("tutorial", "howto")
    for page in sorted((ROOT / "docs" / folder).glob("*.md"))
    if any(isinstance(part, Shown) for part in read_page(page))
]

pytestmark = [pytest.mark.cc, pytest.mark.docs]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_commands_run(page, tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    for part in read_page(page):
        if isinstance(part, File):
            Path(part.name).write_text(part.text, encoding="utf-8")
        else:
            fault = run(part, tmp_path)
            assert not fault, fault
