"""Numbers and scripts as people read them."""

from __future__ import annotations

import pytest

from polysched.cli.tables import (
    field_lines,
    print_number,
    print_seconds,
    short_script,
)
from polysched.transform import parse_script


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (float("inf"), "-"),
        (0.0, "0 s"),
        (12.5, "12.5 s"),
        (0.0123, "12.3 ms"),
        (4.2e-6, "4.2 us"),
        (3e-10, "0.3 ns"),
    ],
)
def test_seconds(seconds, text):
    assert print_seconds(seconds) == text


def test_numbers_lose_a_pointless_point():
    assert print_number(3.0) == "3"
    assert print_number(0.33333) == "0.333"


def test_scripts_show_steps_and_sizes_once():
    script = parse_script(
        "tile(band=0, sizes=[32, 64]); parallel(band=0, member=0); "
        "parallel(band=0.1, member=0)"
    )
    assert short_script(script) == "tile 32x64, parallel"
    assert short_script(()) == "-"


def test_fields_are_aligned():
    assert field_lines({"a": "1", "long": "2"}) == ["a     1", "long  2"]
