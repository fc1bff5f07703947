"""What data guard runs now and then: less often where two numbers have to be equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.cost.taken import EQUAL_SHARE, TAKEN_SHARE, taken_share
from polysched.frontend import parse_c

LOOP = """
void f(int n, int a[n], int b[n]) {{
#pragma scop
    for (int i = 1; i < n - 1; i++) {{ {body} }}
#pragma endscop
}}
"""


@pytest.mark.parametrize(
    ("body", "share"),
    [
        ("b[i] += a[i];", 1.0),
        ("if (a[i] == 3) b[i] += a[i - 1];", EQUAL_SHARE),
        ("if (a[i] != 3) b[i] += a[i - 1];", 1.0 - EQUAL_SHARE),
        ("if (a[i] > 3) b[i] += a[i - 1];", TAKEN_SHARE),
        ("if (a[i] > 3) b[i] += 1; else b[i] = 0;", 1.0),
        (
            "if (b[i] == 3) { int s = 0; for (int k = -1; k < 2; k++) s |= b[i + k]; "
            "b[i] = s; }",
            EQUAL_SHARE,  # the answer is kept, as what runs may change b
        ),
    ],
)
def test_share_of_instances_that_do_something(
    body: str, share: float, tmp_path: Path
) -> None:
    path = tmp_path / "case.c"
    path.write_text(LOOP.format(body=body))
    scop = parse_c(path).scops[0]
    assert taken_share(scop, scop.statements[-1].name) == share
