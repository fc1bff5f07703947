"""Loops that read what they change later run in lanes, as compilers run them."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost.read import read_nests
from polysched.frontend import parse_c
from polysched.ir import original_tree

pytestmark = pytest.mark.cc

UP = "for (int i = 0; i < 990; i++)"
DOWN = "for (int i = 989; i >= FIRST; i--)"


@pytest.mark.parametrize(
    ("body", "runs"),
    [
        (f"{UP} a[i] = 0.5 * (a[i] + a[i + 1]);", True),
        (f"{UP} a[i] += b[i] * a[i + 3];", True),
        (f"{DOWN.replace('FIRST', '3')} a[i] += a[i - 3];", True),
        (f"for (int t = 0; t < m; t++) {UP} a[i] += a[i + 1];", True),
        (f"{UP} a[i + 1] = 0.5 * (a[i] + a[i + 1]);", False),  # waits
        (f"{UP} a[i + 1] += a[i] + a[i + 2];", False),
        (f"if (m > 0) {DOWN.replace('FIRST', 'm')} a[i] += a[i - m];", False),
        (f"{UP} {{ b[i] = a[i]; a[i] = b[i + 1]; }}", False),  # another one's array
        (f"{UP} a[i] += a[i + 1] * a[995];", False),  # may be changed, who knows
        (f"{UP} a[at[i]] += a[i + 1];", False),
        (f"{UP} if (b[i] > 0) a[at[i]] = a[i];", False),
    ],
    ids=[
        "next", "far", "down", "in a loop", "before", "both", "any distance", "two",
        "other ways", "anywhere", "anywhere, some",
    ],
)  # fmt: skip
def test_reads_of_what_changes_later_keep_no_loop_from_lanes(
    body: str, runs: bool, tmp_path: Path
) -> None:
    path = tmp_path / "ahead.c"
    path.write_text(
        "static double a[1000], b[1000];\nstatic int at[1000];\n"
        f"void f(int m)\n{{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(path).scops
    deps = compute_dependences(scop)
    nests = read_nests(set_band_flags(original_tree(scop), deps), scop, deps)
    assert {nest.is_vectorizable for nest in nests} == {runs}
    assert not any(nest.is_inner_parallel for nest in nests)
