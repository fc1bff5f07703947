"""What a page registers is gone when it ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from polysched.schedule import LEXICON


@pytest.fixture(autouse=True)
def _lexicon() -> Iterator[None]:
    before = dict(LEXICON)
    yield
    LEXICON.clear()
    LEXICON.update(before)
