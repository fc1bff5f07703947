"""What an iteration waits for: operations from the last element to this one."""

from __future__ import annotations

from fractions import Fraction

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost import predict
from polysched.cost.chains import carried_chain
from polysched.ir import Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import Jam, Merge, apply_script
from tests.unit.cost.test_model import MACHINE

BOX = "0 <= i < 400 and 1 <= k < 3000"
FILTER = "b[i][k] * y[i][k - 2] + a * y[i][k - 1]"


def rows(value: str, element: str = "double") -> Scop:
    b = ScopBuilder("rows")
    b.array("y", f"{element}[400][3000]")
    b.array("b", f"{element}[400][3000]")
    b.array("a", element)
    b.statement("i, k", BOX, f"y[i][k] = {value}", position=(0, 0, 0))
    return b.build()


@pytest.mark.parametrize(
    ("value", "fused", "expected"),
    [
        ("b[i][k] + y[i][k - 1]", False, 1),
        ("b[i][k] + (y[i][k - 1] if k > 1 else 0)", False, 1),
        ("y[i][k - 1] if b[i][k] > a else 0", False, 1),
        (FILTER, False, 2),
        (FILTER, True, 1),
        ("a * y[i][k - 1] + b[i][k] + b[i][k - 1]", True, 2),
        ("(y[i][k - 1] + b[i][k]) / a", True, 4),
        ("b[i][k] + y[i][k - 2]", False, None),
    ],
)
def test_only_what_is_behind_the_last_element_counts(
    value: str, fused: bool, expected: float | None
) -> None:
    (statement,) = rows(value).statements
    along = (Fraction(0), Fraction(1))
    assert carried_chain(statement, along, fused=fused) == expected


def compute_seconds(scop: Scop, n_rows: int) -> float:
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    steps = (Merge((0,)), Jam((0,), (n_rows, 1))) if n_rows > 1 else ()
    found = predict(apply_script(tree, steps, deps), scop, MACHINE, {}, deps)
    assert found is not None
    return found.compute_seconds


def test_rows_at_once_are_for_long_chains() -> None:
    """One row keeps its last element in a register; of several each is loaded."""
    integers, filtered = rows("b[i][k] + y[i][k - 1]", "int"), rows(FILTER)
    assert compute_seconds(integers, 8) > 1.05 * compute_seconds(integers, 1)
    assert compute_seconds(filtered, 8) < 0.6 * compute_seconds(filtered, 1)
