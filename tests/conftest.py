"""Tests that need a tool are skipped, with the reason, where it is not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from polysched.base import ToolchainError
from polysched.runtime import Nvcc


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the expected texts anew instead of comparing",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a file, or write it there with --update-golden."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.write_text(text, encoding="utf-8")
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        assert text == expected, f"{path.name} is not up to date: make golden"

    return compare


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("nvcc")]
    if not marked:
        return
    try:
        Nvcc.locate()
    except ToolchainError as error:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=error.message))
