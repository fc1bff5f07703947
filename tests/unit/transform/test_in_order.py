"""Two products with one matrix: strips in turn where only the second has to wait."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import PlanShape, apply_script, plan_script
from tests.unit.transform.test_plan import CPU

PROGRAM = """
double A[N][N], t[N], x[N], y[N];
void run(void) {
#pragma scop
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            t[i] = t[i] + A[i][j] * x[j];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            SECOND
#pragma endscop
}
"""
ATAX = "y[j] = y[j] + A[i][j] * t[i];"


def planned(source: str, tmp_path) -> list[str]:
    """The steps but merges and orders, which are legal."""
    file = tmp_path / "program.c"
    file.write_text(source)
    (scop,) = parse_c(str(file)).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    shape = PlanShape(jam=True, ordered=True)
    script = plan_script(tree, scop, deps, CPU, shape).steps
    assert find_violation(apply_script(tree, script, deps), deps, scop) is None
    return [str(step) for step in script if step.name not in ("merge", "order")]


@pytest.mark.parametrize(
    ("second", "n", "expected"),
    [
        (
            ATAX,
            2000,
            [
                "fuse_tiles(band=0, children=[0, 1], members=[0, 0], size=16)",
                "ordered(band=0.0, part=1)",
                "squares(band=0.0.0.0.1.0.0, factors=[8, 1], lanes=8, ahead=32, "
                "asked=-4)",
                "registers(band=0.0.0.0.0.0, factors=[16, 1], lanes=8, ahead=32, "
                "asked=4)",
            ],
        ),
        (ATAX, 300, []),  # which the second caches hold
        ("y[i] = y[i] + A[i][j] * t[j];", 2000, []),  # needs all rows of the first
        ("x[j] = x[j] + A[i][j] * t[i];", 2000, []),  # the first needs it, too
    ],
)
def test_strips_are_taken_in_turn(second, n, expected, tmp_path) -> None:
    source = PROGRAM.replace("SECOND", second).replace("N", str(n))
    assert planned(source, tmp_path) == expected


def test_the_second_asks_for_whole_strips_where_the_first_updates(tmp_path) -> None:
    update = "A[i][j] = A[i][j] + t[i] * x[j];"
    source = PROGRAM.replace("t[i] = t[i] + A[i][j] * x[j];", update)
    source = source.replace("SECOND", ATAX).replace("N", "2000")
    assert "squares(band=0.0.0.0.1.0.0, factors=[8, 1], lanes=8, ahead=32)" in planned(
        source, tmp_path
    )
