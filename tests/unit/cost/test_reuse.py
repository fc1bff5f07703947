"""A cache keeps what a loop touches only as long as all statements in it fit."""

from __future__ import annotations

import pytest

from polysched.cost import predict_traffic
from polysched.ir import Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import apply_script, parse_script
from tests.unit.cost.test_model import MACHINE
from tests.unit.transform.trees import one_band

STEPS = 10
CACHE = MACHINE.cpu.l3_bytes


def sweeps(share: float, *, together: bool) -> Scop:
    """Two arrays, each a part of the last cache, swept in every time step."""
    n = int(share * CACHE / 8)
    b = ScopBuilder("sweeps")
    for k, name in enumerate("xy"):
        b.array(name, f"double[{n}]")
        place = (0, k, 0) if together else (k, 0, 0)
        box = f"0 <= t < {STEPS} and 0 <= i < {n}"
        b.statement("t, i", box, f"{name}[i] += 1", position=place)
    return b.build()


def loads(share: float, *, together: bool) -> float:
    """How often each element comes from memory, on average."""
    scop = sweeps(share, together=together)
    found = predict_traffic(original_tree(scop), scop, MACHINE)
    assert found is not None
    return found.memory_bytes / (2 * share * CACHE)


@pytest.mark.parametrize(
    ("share", "apart", "together"),
    [
        (0.4, 1, 1),  # both fit
        (0.75, 1, 1 + 0.5 * (STEPS - 1)),  # one fits, both are half too much
        (0.95, 1, 1 + 0.9 * (STEPS - 1)),
        (1.5, STEPS, STEPS),  # not even one fits
    ],
)
def test_statements_in_a_loop_crowd_each_other_out(
    share: float, apart: float, together: float
) -> None:
    assert loads(share, together=False) == pytest.approx(apart, rel=0.01)
    assert loads(share, together=True) == pytest.approx(together, rel=0.01)


@pytest.mark.parametrize(("row", "share"), [("2i + 1", 1), ("2i + 2", 0.75)])
def test_odd_rows_are_not_left_by_what_touches_even_ones(
    row: str, share: float
) -> None:
    """What both touch comes from memory once, and goes back once for each."""
    b = ScopBuilder("rows")
    n = int((CACHE / 8) ** 0.5)
    b.array("A", f"double[{2 * n + 4}][{n}]")
    box = f"0 <= i < {n} and 0 <= j < {n}"
    b.statement("i, j", box, "A[2*i][j] += 1", position=(0, 0, 0))
    b.statement(
        "i, j", box, f"A[{row.replace('2i', '2*i')}][j] += 1", position=(0, 1, 0)
    )
    scop = b.build()
    found = predict_traffic(original_tree(scop), scop, MACHINE)
    assert found is not None
    assert found.memory_bytes == pytest.approx(share * 2 * 2 * n * n * 8, rel=0.02)


@pytest.mark.parametrize(("shift", "n_passes"), [(0, 2), (8, 2), (16, 4), (999, 4)])
def test_rows_that_a_shift_takes_to_another_tile_are_not_left(
    shift: int, n_passes: int
) -> None:
    """`B` is read where it was written as long as the tiles of 16 rows have both."""
    n = 1 << 10
    b = ScopBuilder("copies")
    for name in "AB":
        b.array(name, f"double[{n}][{n}]")
    box = f"0 <= i < {n} and 0 <= j < {n}"
    b.statement("i, j", box, "B[i][j] = A[i][j]", position=(0, 0, 0))
    b.statement("i, j", box, "A[i][j] = B[i][j] + 1", position=(1, 0, 0))
    scop = b.build()
    band = f"[{{ S0[i, j] -> [(i)]; S1[i, j] -> [(i + {shift})] }}, "
    band += f"{{ S0[i, j] -> [(j)]; S1[i, j] -> [(j + {shift})] }}]"
    tree, _ = one_band(scop, band, "S0", "S1")
    tiled = apply_script(tree, parse_script("tile(band=0, sizes=[16, 0])"))
    found = predict_traffic(tiled, scop, MACHINE)
    assert found is not None
    assert found.l3_bytes == pytest.approx(n_passes * 8 * n * n, rel=0.1)


@pytest.mark.parametrize(
    ("share", "n_passes"),
    [
        (0.74, 2),  # both rows stay
        (0.825, 3),  # a half of them does
        (0.91, 4),
    ],
)
def test_rows_that_two_statements_touch_crowd_the_first_cache_once(
    share: float, n_passes: int
) -> None:
    """A sweep over a row and the copy behind it go through the same two rows."""
    n = int(share * MACHINE.cpu.l1_bytes / 16)
    b = ScopBuilder("rows")
    for name in "AB":
        b.array(name, f"double[8][{n}]")
    box = f"0 <= i < 8 and 0 <= j < {n}"
    b.statement("i, j", box, "B[i][j] = A[i][j]", position=(0, 0, 0))
    b.statement("i, j", box, "A[i][j] = B[i][j] + 1", position=(0, 1, 0))
    scop = b.build()
    found = predict_traffic(original_tree(scop), scop, MACHINE)
    assert found is not None
    assert found.l2_bytes == pytest.approx(n_passes * 8 * 8 * n, rel=0.1)
