"""The library's face: `import polysched as ps` and what a user would guess."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import FunctionType

import pytest

import polysched as ps


def test_every_name_of_the_face_is_there():
    for name in ps.__all__:
        assert getattr(ps, name) is not None, name
    assert set(ps.__all__) <= set(dir(ps))


def test_tune_stays_a_function_when_its_room_is_loaded():
    importlib.import_module("polysched.tune")
    assert isinstance(ps.tune, FunctionType)
    assert ps.tune is importlib.import_module("polysched.workflow").tune


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = ps.nothing


def test_import_is_quick_and_starts_nothing():
    heavy = "('islpy', 'numpy', 'pulp')"
    code = f"import sys, polysched; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_version_is_that_of_the_distribution():
    metadata = importlib.import_module("importlib.metadata")
    assert metadata.version("polysched") == ps.__version__
