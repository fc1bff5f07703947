"""Interiors: the points whose windows are whole, told from those at the borders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.analysis import (
    Dependences,
    compute_dependences,
    find_violation,
    prepare_scop,
    set_band_flags,
)
from polysched.codegen import PrintOptions, print_openmp
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.transform import (
    Interior,
    PlanShape,
    apply_script,
    parse_script,
    plan_script,
    print_script,
)
from tests.unit.transform.test_plan import CPU

CLAMPED = """for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {{
      y[i][j] = 0.0f;
      for (int a = {low}; a < {high}; a++)
        y[i][j] += {read};
    }}"""
COLUMNS = CLAMPED.format(
    low="(j < 1 ? 0 : j - 1)", high="(j + 2 > n ? n : j + 2)", read="x[i][a]"
)


def read(body: str, directory: Path) -> tuple[Scop, ScheduleTree, Dependences]:
    path = directory / "case.c"
    path.write_text(
        "void f(int n, float y[n][n], float x[n + 9][2 * n], float r[40][40]) {\n"
        f"#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    deps = compute_dependences(scop)
    return scop, set_band_flags(original_tree(scop), deps), deps


def planned(body: str, directory: Path) -> tuple[str, str]:
    """The script of the shape that unrolls windows, and the code that it gives."""
    scop, tree, deps = read(body, directory)
    draft = plan_script(tree, scop, deps, CPU, PlanShape(windows=True))
    assert find_violation(draft.tree, deps, scop) is None
    script = print_script(draft.steps)
    again = apply_script(tree, parse_script(script), deps)
    assert str(again) == str(draft.tree)
    return script, print_openmp(scop, draft.tree, PrintOptions(), deps=deps.validity)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (COLUMNS, "0 < c1 <= -2 + n"),
        (COLUMNS.replace("x[i][a]", "x[a][i]"), "0 < c1 <= -2 + n"),
        (
            CLAMPED.format(low="-1", high="2", read="x[i][j + a]").replace(
                "y[i][j] +=", "if (j + a >= 0 && j + a < n) y[i][j] +="
            ),
            "0 < c1 <= -2 + n",
        ),
        (
            CLAMPED.format(low="-1", high="2", read="r[i][(j + a + 40) % 40]").replace(
                "< n", "< 40"
            ),
            "0 < c1 <= 38",
        ),
    ],
    ids=["clamped", "down a column", "guarded", "wrapped"],
)
def test_points_with_whole_windows_are_apart(
    body: str, where: str, tmp_path: Path
) -> None:
    script, text = planned(body, tmp_path)
    assert script.endswith(f"where=[{where}])")
    in_lanes = re.findall(r"omp simd\n *for [^\n]*\{\n(.*?)\n *\}\n", text, re.DOTALL)
    assert any("if (" not in loop and "%" not in loop for loop in in_lanes)


def test_rows_at_the_border_are_loops_beside_the_others(tmp_path: Path) -> None:
    """What outer loops decide parts whole runs, of which the core is unrolled alone."""
    body = CLAMPED.format(
        low="(i < 1 ? 0 : i - 1)", high="(i + 2 > n ? n : i + 2)", read="x[a][j]"
    ).replace("a++)", "a++) for (int b = (j < 1 ? 0 : j - 1); b < j + 2; b++)")
    script, text = planned(body, tmp_path)
    assert script.endswith("where=[0 < c0 <= -2 + n, c1 > 0])")
    assert "} else if (t1 == 0) {" in text
    border = text.split("} else if (t1 == 0) {")[1]
    assert border.count("+= x[") == 2  # one in each row's loop over its window
    assert text.count("omp simd") == 1


@pytest.mark.parametrize(
    "body",
    [
        CLAMPED.format(low="0", high="3", read="x[i][j + a]"),  # never cut off
        CLAMPED.format(low="0", high="3", read="r[(i + a) % 40][j]").replace(
            "< n", "< 40"
        ),  # the rows alone decide
    ],
    ids=["whole", "rows"],
)
def test_points_that_are_all_alike_stay_together(body: str, tmp_path: Path) -> None:
    script, _ = planned(body, tmp_path)
    assert "unroll(" in script
    assert "interior" not in script


def test_constraints_that_do_not_fit_say_why(tmp_path: Path) -> None:
    _, tree, _ = read(COLUMNS, tmp_path)
    path = next(p for p, b in tree.bands() if b.get_schedule_depth() == 1)

    def misfit(*where: str) -> str:
        return str(Interior(path, where).find_misfit(tree))

    assert misfit("c1 > 0") == "None"
    assert "affine ones of parameters and of 2 loops" in misfit("c2 > 0")
    assert "affine ones" in misfit("c0 * c1 > 0")
    assert "affine ones" in misfit("m > c1")
    assert "leave the loop whole" in misfit("c1 >= 0")
    assert "leave the loop whole" in misfit("c1 > n")
    assert "are not inequalities" in misfit("c1 = 3")
    assert "leave the loop whole" in misfit()
    once = Interior(path, ("c1 > 0",)).apply(tree)
    assert "isolates a part already" in str(
        Interior(path, ("c1 > 0",)).find_misfit(once)
    )
