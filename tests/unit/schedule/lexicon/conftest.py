"""A lexicon that tests may add to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from polysched.schedule import LEXICON


@pytest.fixture
def open_lexicon() -> Iterator[None]:
    """Objectives registered in a test are gone behind it."""
    before = dict(LEXICON)
    yield
    LEXICON.clear()
    LEXICON.update(before)
