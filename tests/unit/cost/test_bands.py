"""Bands of matrices in few columns are as small as they are stored."""

from __future__ import annotations

from polysched.analysis import reached_elements
from polysched.cost.read import read_nests
from polysched.ir import Scop, original_tree
from polysched.testing import ScopBuilder


def band() -> Scop:
    """Elimination without pivots in a band, a row of it for each row of the matrix."""
    b = ScopBuilder("band")
    b.array("a", "double[5000][17]")
    box = "0 <= k < 4990 and k < i <= k + 8 and k < j <= k + 8"
    text = "a[i][j - i + 8] -= a[i][k - i + 8] * a[k][j - k + 8]"
    b.statement("k, i, j", box, text, position=(0, 0, 0, 0))
    return b.build()


def test_subscripts_of_all_instances_have_a_box() -> None:
    assert reached_elements(band(), "S0", "a") == 4998 * 17


def test_no_loop_touches_more_than_there_is() -> None:
    scop = band()
    (nest,) = read_nests(original_tree(scop), scop, None)
    assert nest.footprint(0, 64) == 8 * 4998 * 17
    assert nest.footprint(1, 64) < 30 * 17 * 8
    assert nest.traffic(32 << 20, 64) == nest.footprint(0, 64)
