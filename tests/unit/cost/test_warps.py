"""What a warp moves follows from the array's layout and from all axes of its block."""

from __future__ import annotations

import pytest

from polysched.analysis import Reference
from polysched.cost.warps import WarpAccess
from polysched.ir import Array, Const
from polysched.ir.types import DOUBLE, INT

N = Const(1000, INT, "1000")
MATRIX = Array("A", DOUBLE, (N, N))
LINEAR = Array("A", DOUBLE, (None, N), pitches=(Const(4, INT, "4"),))  # rows of four
ROWS, COLS = (1, 0), (0, 1)
SCALAR = Array("s", DOUBLE)
ROW = Reference("A", False, (ROWS, COLS), (0, 0))  # A[i][j]
COLUMN = Reference("A", False, (COLS, ROWS), (0, 0))  # A[j][i]
HEAD = Reference("A", False, (ROWS, (0, 0)), (0, 0))  # A[i][0]
EVEN = Reference("A", False, (ROWS, (0, 2)), (0, 0))  # A[i][2j]


@pytest.mark.parametrize(
    ("array", "reference", "counts", "directions", "n_sectors", "is_coalesced"),
    [
        (MATRIX, ROW, (8, 32), (ROWS, COLS), 8, True),
        (MATRIX, COLUMN, (8, 32), (ROWS, COLS), 32, False),
        (MATRIX, COLUMN, (8, 32), (COLS, ROWS), 8, True),  # transposed: i runs along x
        (MATRIX, ROW, (4, 8), (ROWS, COLS), 8, True),  # whole sectors of four rows
        (MATRIX, ROW, (16, 2), (ROWS, COLS), 16, False),  # half sectors
        (MATRIX, HEAD, (8, 32), (ROWS, COLS), 1, True),  # one element for all
        (MATRIX, HEAD, (32, 1), (ROWS, COLS), 32, False),  # threads lie along y alone
        (MATRIX, HEAD, (4, 8), (ROWS, COLS), 4, False),
        (MATRIX, EVEN, (1, 32), (ROWS, COLS), 16, False),
        (LINEAR, ROW, (8, 4), (ROWS, COLS), 8, True),  # rows lie behind each other
        (LINEAR, COLUMN, (4, 8), (ROWS, COLS), 8, True),  # and hold all that is touched
        (MATRIX, ROW, (), (), 1, True),
        (
            Array("s", DOUBLE),
            Reference("s", False, (), ()),
            (8, 32),
            (ROWS, COLS),
            1,
            True,
        ),
        (MATRIX, ROW, (8, 32), (ROWS, None), 1, True),
    ],
)
def test_sectors(array, reference, counts, directions, n_sectors, is_coalesced):
    found = WarpAccess.of(array, reference, counts, directions)
    assert (found.n_sectors, found.is_coalesced) == (n_sectors, is_coalesced)


@pytest.mark.parametrize(
    ("reference", "directions", "n_elements", "is_aligned", "n_lines"),
    [
        (ROW, (ROWS, COLS), 1, True, 2),
        (ROW, (ROWS, COLS), 1, False, 3),
        (ROW, (ROWS, (0, 2)), 2, True, 4),  # vectors of two
        (COLUMN, (ROWS, COLS), 1, True, 32),
        (HEAD, (ROWS, COLS), 1, False, 1),
    ],
)
def test_lines(reference, directions, n_elements, is_aligned, n_lines):
    found = WarpAccess.of(
        MATRIX, reference, (8, 32), directions, n_elements, is_aligned=is_aligned
    )
    assert found.n_lines == n_lines


def test_small_blocks_have_fewer_lanes():
    assert WarpAccess.of(MATRIX, ROW, (2, 8), (ROWS, COLS)).n_lanes == 16
    assert WarpAccess.of(MATRIX, ROW, (), ()).n_lanes == 1
