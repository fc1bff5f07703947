"""Tests that need a tool are skipped, with the reason, where it is not there."""

from __future__ import annotations

import pytest

from polysched.base import ToolchainError
from polysched.runtime import Nvcc


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("nvcc")]
    if not marked:
        return
    try:
        Nvcc.locate()
    except ToolchainError as error:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=error.message))
