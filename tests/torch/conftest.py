"""Needs PyTorch (`make test-torch`): without it this folder's files are skipped."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

# files without tests, which are looked through for examples
collect_ignore = [] if find_spec("torch") else ["checking.py", "modules.py"]


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(autouse=True)
def _cache(shared_cache, monkeypatch):
    monkeypatch.setenv("POLYSCHED_CACHE", str(shared_cache))


def pytest_collection_modifyitems(items):
    """PyTorch's tracer warns of its own parts."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for category in ("UserWarning", "FutureWarning", "DeprecationWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}"))
