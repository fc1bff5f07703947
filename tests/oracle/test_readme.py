"""README: every Python block runs, and every command that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.cli.app import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.cc


@pytest.mark.parametrize(
    "code", re.findall(r"```python\n(.*?)```", README, re.DOTALL), ids=lambda c: c[:20]
)
def test_python_blocks_run(code, monkeypatch):
    monkeypatch.chdir(ROOT)
    exec(compile(code, "README.md", "exec"), {})


def test_commands_are_there():
    named = set(re.findall(r"polysched (\w+) FILE|`polysched (\w+)`", README))
    commands = set(app.list_commands(None))
    assert {a or b for a, b in named} <= commands


def test_make_targets_are_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\$ make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
