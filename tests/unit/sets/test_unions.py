"""Questions that the union helpers answer about isl's functions."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.sets import has_quotients


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("[n] -> { [i] -> [(floor(i/4))] }", True),
        ("{ [i] -> [(i mod 4)] }", True),
        ("{ [i] -> [(i)] : i < 8; [i] -> [(8 + floor(i/3))] : i >= 8 }", True),
        ("{ [i] -> [(i/2)] : i mod 2 = 0 }", True),
        ("{ [i] -> [(3i)] : i mod 2 = 0 }", False),
        ("[n] -> { [i] -> [(n - i)] }", False),
    ],
)
def test_a_function_has_quotients_where_a_piece_divides(text: str, has: bool) -> None:
    assert has_quotients(isl.PwAff(text)) is has
