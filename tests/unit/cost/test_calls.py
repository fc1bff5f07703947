"""Exponentials and their kin: long, and without lanes."""

from __future__ import annotations

import pytest

from polysched.cost import predict_seconds
from polysched.ir import original_tree
from polysched.testing import ScopBuilder
from tests.unit.cost.test_model import MACHINE


def seconds(value: str) -> float:
    b = ScopBuilder("activate")
    b.array("x", "float[4096]")
    b.statement("i", "0 <= i < 4096", f"x[i] = {value}", position=(0, 0))
    scop = b.build()
    found = predict_seconds(original_tree(scop), scop, None, MACHINE)
    assert found is not None
    return found


@pytest.mark.parametrize("value", ["expf(x[i])", "powf(x[i], 2.5)", "tanhf(x[i])"])
def test_calls_take_long(value: str) -> None:
    assert seconds(value) > 2 * seconds("x[i] * x[i]")


@pytest.mark.parametrize("value", ["fmaxf(x[i], 0)", "fabsf(x[i])", "sqrtf(x[i])"])
def test_what_processors_have_takes_no_longer(value: str) -> None:
    assert seconds(value) <= seconds("x[i] * x[i]")
