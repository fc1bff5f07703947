"""Links between pages lead somewhere, also when they are read outside the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)")
_QUOTED = re.compile(r"`((?:docs|examples)/[\w./-]+)`")
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def _pages() -> Iterator[Path]:
    """Everything that is written by hand; the rooms' pages are made with the site."""
    yield ROOT / "README.md"
    for folder in ("docs", "examples"):
        yield from sorted(
            p for p in (ROOT / folder).rglob("*.md") if p.parent.name != "rooms"
        )


def _missing(page: Path) -> list[str]:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    found = [page.parent / target for target in _LINK.findall(text)]
    found += [ROOT / target for target in _QUOTED.findall(text)]
    return [
        f"{page.relative_to(ROOT)}: {target}"
        for target in found
        if not target.exists() and target.parent.name != "rooms"
    ]


def test_links_lead_to_files():
    pages = list(_pages())
    assert len(pages) > 30
    assert not [text for page in pages for text in _missing(page)]
