"""Every notebook runs from top to bottom, and what it shows can be shown."""

from __future__ import annotations

import ast
import linecache
import re
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "docs" / "notebooks"
PAGES = sorted(p for p in NOTEBOOKS.glob("*.md") if p.stem != "index")
_CELL = re.compile(r"^```\{code-cell\}.*?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_OPTION = re.compile(r"^:\w+:.*\n", re.MULTILINE)

# the site runs the notebooks as well, in CI too
pytestmark = [pytest.mark.cc, pytest.mark.docs, pytest.mark.slow]


def show(value: object) -> str:
    """What a notebook shows of a value, the richest form that it has."""
    for form in ("_repr_html_", "_repr_svg_", "__repr__"):
        if hasattr(type(value), form):
            return str(getattr(value, form)())
    raise AssertionError


def run_cell(code: str, name: str, names: dict[str, object]) -> str:
    """Run a cell; what its last expression shows, or nothing."""
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    tree = ast.parse(code)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, name, "exec"), names)
        return ""
    tree.body.pop()
    exec(compile(tree, name, "exec"), names)
    value = eval(compile(ast.Expression(last.value), name, "eval"), names)
    return "" if value is None else show(value)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_notebooks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(NOTEBOOKS)
    monkeypatch.setenv("POLYSCHED_CACHE", str(tmp_path))
    cells = _CELL.findall(page.read_text(encoding="utf-8"))
    assert len(cells) > 4
    names: dict[str, object] = {"__name__": "__main__"}
    for k, cell in enumerate(cells):
        run_cell(_OPTION.sub("", cell), f"<cell {k} of {page.name}>", names)
