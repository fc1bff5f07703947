"""Short loops unrolled inside their points: when, the same results, and lanes."""

from __future__ import annotations

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
    PlanShape,
    Unroll,
    apply_script,
    parse_script,
    plan_script,
    print_script,
)
from polysched.transform.unroll import count_copies
from tests.unit.transform.test_plan import CPU

WINDOWS, PARTED = PlanShape(windows=True), PlanShape(parted=True)
POINTS = """for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {{
      y[i][j] = 0.0f;
      for (int a = 0; a < {taps}; a++)
        for (int b = 0; b < 3; b++)
          y[i][j] += w[a][b] * {read};
    }}"""


def read(body: str, directory: Path) -> tuple[Scop, ScheduleTree, Dependences]:
    path = directory / "case.c"
    path.write_text(
        "void f(int n, int m, float y[n][n], float x[n + 9][2 * n], float w[9][9]) {\n"
        f"#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    deps = compute_dependences(scop)
    return scop, set_band_flags(original_tree(scop), deps), deps


@pytest.mark.parametrize(
    ("target", "order"),
    [("y[i][j]", ""), ("y[j][i]", "order(band=0, members=[1, 0]); ")],
)
def test_taps_are_unrolled_in_the_lanes_of_their_points(
    target: str, order: str, tmp_path: Path
) -> None:
    body = POINTS.format(taps=2, read="x[i + a][i + b]").replace("y[i][j]", target)
    scop, tree, deps = read(body, tmp_path)
    draft = plan_script(tree, scop, deps, CPU, WINDOWS)
    assert print_script(draft.steps) == (
        f"merge(band=0); {order}unroll(band=0.0.1.0); vector(band=0, member=1); "
        "parallel(band=0, member=0, dynamic=false)"
    )
    assert find_violation(draft.tree, deps, scop) is None
    text = print_openmp(scop, draft.tree, PrintOptions(), deps=deps.validity)
    assert "* x[t2 + 1][t2 + 2]" in text or "* x[t1 + 1][t1 + 2]" in text
    assert text.count("for (") == 2


def test_points_that_wait_are_left_alone(tmp_path: Path) -> None:
    body = """for (int j = 1; j < n; j++)
      for (int a = 0; a < 5; a++)
        y[a][j] = 0.5f * y[a][j - 1] + x[j][a];"""
    scop, tree, deps = read(body, tmp_path)
    assert plan_script(tree, scop, deps, CPU, WINDOWS).steps == ()


@pytest.mark.parametrize(
    ("taps", "rows"),
    [
        (2, "unroll(band=0.0.1.0.0); vector(band=0.0.1.0, member=0); "),
        (10, "merge(band=0.0.1.0); order(band=0.0.1.0, members=[1, 0]); "
             "unroll(band=0.0.1.0.0); vector(band=0.0.1.0, member=1); "),
    ],
)  # fmt: skip
def test_rows_of_windows_are_summed_up_statement_by_statement(
    taps: int, rows: str, tmp_path: Path
) -> None:
    """Of many taps only the innermost loop is unrolled, the others go around rows."""
    body = POINTS.format(taps=taps, read="x[i + a][j + b]")
    scop, tree, deps = read(body, tmp_path)
    draft = plan_script(tree, scop, deps, CPU, PARTED)
    assert print_script(draft.steps) == (
        f"merge(band=0); distribute(band=0, member=1, statements=[0, 1]); {rows}"
        "vector(band=0.0.0.0, member=0); parallel(band=0, member=0, dynamic=false)"
    )
    assert find_violation(draft.tree, deps, scop) is None


def test_rows_behind_pointers_are_added_up_in_variables(tmp_path: Path) -> None:
    body = """for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      double s = 0;
      for (int a = 0; a < 2; a++)
        for (int b = 0; b < 3; b++)
          s += x[i + a][j + b];
      y[i][j] = s / 6;
    }"""
    scop, tree, deps = read(body, tmp_path)
    draft = plan_script(tree, scop, deps, CPU, PARTED)
    text = print_openmp(scop, draft.tree, PrintOptions(), deps=deps.validity)
    assert "double sum = s[t2];" in text
    assert text.count("sum += x[") == 6
    assert "s[t2] = sum;" in text


def test_several_statements_in_a_window_stay_together(tmp_path: Path) -> None:
    """Rows of what they hand on would have a value for every tap."""
    body = POINTS.format(taps=2, read="x[i + a][j + b]")
    both = "{ x[i][j + a] = b; y[i][j] += w[a][b]; }"
    body = body.replace("y[i][j] += w[a][b] * x[i + a][j + b];", both)
    scop, tree, deps = read(body, tmp_path)
    assert plan_script(tree, scop, deps, CPU, PARTED).steps == ()


@pytest.mark.parametrize("taps", ["m", "n", "50"])
def test_many_or_unknown_iterations_stay_loops(taps: str, tmp_path: Path) -> None:
    body = POINTS.format(taps=taps, read="x[i + a][j + b]")
    scop, tree, deps = read(body, tmp_path)
    assert plan_script(tree, scop, deps, CPU, WINDOWS).steps == ()
    reason = Unroll((0, 0, 0, 1, 0)).check(tree, deps)
    expected: dict[str, str | None] = {"50": None}
    assert reason == expected.get(taps, "the number of iterations is not known")


def test_elements_some_apart_are_read_in_lanes_and_not_written(tmp_path: Path) -> None:
    body = POINTS.format(taps=2, read="x[i + a][2 * j + b]")
    for target, in_lanes in ("y[i][j]", True), ("y[i][2 * j]", False):
        text = body.replace("y[i][j]", target)
        scop, tree, deps = read(text, tmp_path)
        steps = plan_script(tree, scop, deps, CPU, WINDOWS).steps
        assert "unroll" in [s.name for s in steps]
        assert ("vector" in [s.name for s in steps]) is in_lanes


def test_as_many_copies_as_a_file_can_hold(tmp_path: Path) -> None:
    body = POINTS.format(taps=99, read="x[i + a][j + b]")
    _, tree, deps = read(body, tmp_path)
    reason = Unroll((0, 0, 0, 1, 0)).check(tree, deps)
    assert reason == "found 297 copies, expected at most 256"


def test_copies_of_all_statements_below_are_counted(tmp_path: Path) -> None:
    body = POINTS.format(taps=2, read="x[i + a][j + b]")
    _, tree, deps = read(body, tmp_path)
    assert count_copies(tree.node((0, 0, 0))) == 7
    assert count_copies(tree.node((0, 0, 0, 1, 0))) == 6
    assert count_copies(tree.node((0, 0))) is None
    (step,) = parse_script("unroll(band=0.0.0.1.0)")
    done = apply_script(tree, (step,), deps)
    assert ScheduleTree.parse(done.text).text == done.text
    assert str(step) == "unroll(band=0.0.0.1.0)"
