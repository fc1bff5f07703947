"""Without PyTorch an import says what to install."""

from __future__ import annotations

import sys

import pytest

import polysched as ps


def test_it_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ps.PolyschedError) as refusal:
        ps.from_torch(lambda x: x, ())
    assert "PyTorch is not installed" in str(refusal.value)
    assert "polysched[torch]" in str(refusal.value)
