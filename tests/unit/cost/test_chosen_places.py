"""Places that choices find, read under a condition, keep loops out of lanes."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.cost.calls import stops_lanes
from polysched.frontend import parse_c

HEAD = "void f(int n, float p[n], const float t[20], int *restrict k) {\n"


@pytest.mark.parametrize(
    ("body", "stops"),
    [
        ("if (p[i] > 0) p[i] *= t[i < 19 ? i : 19];", True),
        ("if (p[i] > 0) p[i] *= t[3];", False),
        ("if (p[i] > 0) p[i] *= 2;", False),
        ("p[i] *= t[i < 19 ? i : 19];", False),  # read whatever data say
    ],
)
def test_what_stops_lanes(tmp_path: Path, body: str, stops: bool) -> None:
    path = tmp_path / "places.c"
    loop = f"for (int i = 0; i < n; i++) {{ {body} }}"
    path.write_text(f"{HEAD}#pragma scop\n{loop}\n#pragma endscop\n}}\n")
    scop = prepare_scop(parse_c(path).scops[0])
    assert any(map(stops_lanes, scop.statements)) == stops
