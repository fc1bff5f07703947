"""A period of iterations in one: what is printed, and where it is planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import (
    Dependences,
    compute_dependences,
    find_violation,
    member_directions,
    prepare_scop,
    set_band_flags,
    statement_places,
)
from polysched.codegen import PrintOptions, print_openmp
from polysched.cost.read import read_nests
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.transform import (
    Interleave,
    PlanShape,
    apply_script,
    parse_script,
    plan_script,
    print_script,
)
from tests.unit.transform.test_plan import CPU

SHAPE = PlanShape(threads=False, periods=True)
ROWS = "for (int y = 0; y < {n}; y++)\n    for (int x = {first}; x < {m}; x++) {body}"


def read(body: str, directory: Path) -> tuple[Scop, ScheduleTree, Dependences]:
    path = directory / "case.c"
    path.write_text(
        "void f(float a[99][99], float b[99][99], float c[99][99], float s) {\n"
        f"#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    deps = compute_dependences(scop)
    return scop, set_band_flags(original_tree(scop), deps), deps


def rows(body: str, n: str = "99", first: str = "0", m: str = "98") -> str:
    return ROWS.format(n=n, first=first, m=m, body=body)


def text_of(scop: Scop, tree: ScheduleTree, deps: Dependences) -> str:
    assert find_violation(tree, deps, scop) is None
    return print_openmp(scop, tree, PrintOptions(), deps=deps.validity)


def test_text_and_value_are_the_same() -> None:
    script = parse_script("interleave(band=0.0, member=1, period=3)")
    assert script == (Interleave((0, 0), 1, 3),)
    assert str(script[0]) == "interleave(band=0.0, member=1, period=3)"


def test_iterations_of_one_remainder_are_printed_for_themselves(tmp_path: Path) -> None:
    scop, tree, deps = read(rows("a[y][x] = b[y][x / 2];"), tmp_path)
    done = apply_script(
        tree, parse_script("interleave(band=0.0, member=0, period=2)"), deps
    )
    text = text_of(scop, done, deps)
    assert "for (int t2 = 0; t2 <= 48; t2++)" in text
    assert "a[t1][2 * t2] = b[t1][t2];" in text
    assert "a[t1][2 * t2 + 1] = b[t1][t2];" in text


def test_what_is_no_whole_period_is_left_over(tmp_path: Path) -> None:
    body = rows("if (x % 2) a[y][x] = 0;", first="3", m="98")
    scop, tree, deps = read(body, tmp_path)
    done = apply_script(
        tree, parse_script("interleave(band=0.0, member=0, period=2)"), deps
    )
    text = text_of(scop, done, deps)
    assert "for (int t2 = 2; t2 <= 48; t2++)\n" in text
    assert "a[t1][3] = 0;" in text
    assert "if" not in text


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("interleave(band=0, member=2, period=2)", "found member 2"),
        ("interleave(band=0, member=0, period=9)", "found the period 9"),
        ("interleave(band=0, member=0, period=8)", "no 8 iterations"),
    ],
)
def test_loops_that_do_not_fit_are_refused(
    step: str, reason: str, tmp_path: Path
) -> None:
    _, tree, deps = read(rows("a[y][x] = b[y][x / 2];", n="7"), tmp_path)
    assert reason in str(parse_script(step)[0].check(tree, deps))


def test_lanes_of_rounds_are_counted_in_iterations(tmp_path: Path) -> None:
    _, tree, _ = read(rows("a[y][x] = b[y][x / 2];"), tmp_path)
    done = apply_script(tree, parse_script("interleave(band=0.0, member=0, period=2)"))
    (place,) = statement_places(done)
    assert member_directions(place.members) == [(1, 0), (0, 2), (0, 1)]
    assert [m.counts_runs for m in place.members] == [False, True, False]


@pytest.mark.parametrize(
    ("body", "steps"),
    [
        (rows("a[y][x] = b[y / 2][x / 2];"), "member=1, period=2)"),
        (rows("a[y][x] = b[y][(x + 1) / 3];"), "member=1, period=3)"),
        (
            rows("a[y][x] = (y & 1) ? b[y][x >> 1] : s;"),
            "member=0, period=2); interleave(band=0.0.0, member=0, period=2)",
        ),
        (
            rows("{ a[y][x] = 0; for (int i = 0; i < 4; i++)"
                 " if ((x - i) % 2 == 0 && x >= i) a[y][x] += b[i][(x - i) / 2]; }"),
            "member=1, period=2); unroll(band=0.0.0.0.1.0)",
        ),
    ],
)  # fmt: skip
def test_periods_are_found_in_subscripts_and_conditions(
    body: str, steps: str, tmp_path: Path
) -> None:
    scop, tree, deps = read(body, tmp_path)
    draft = plan_script(tree, scop, deps, CPU, SHAPE)
    assert steps in print_script(draft.steps)
    assert "vector" in print_script(draft.steps)
    assert "/ 2" not in text_of(scop, draft.tree, deps).replace("t1 / 2", "")


@pytest.mark.parametrize(
    "body",
    [
        rows("a[y][x] = b[y][x];"),
        rows("a[y][x] = b[y / 2][x];"),  # the same along a row
        rows("a[y][x] = b[y][x / 16];"),  # longer than lanes are shuffled
        rows("a[y][x + 1] += a[y][x] + b[y][x / 2];"),  # waits
    ],
)
def test_other_loops_are_left_alone(body: str, tmp_path: Path) -> None:
    scop, tree, deps = read(body, tmp_path)
    assert plan_script(tree, scop, deps, CPU, SHAPE).steps == ()


def test_the_model_sees_neighbours_in_rounds(tmp_path: Path) -> None:
    scop, tree, deps = read(rows("a[y][x] = b[y][x / 2] + b[y][x];"), tmp_path)
    draft = plan_script(tree, scop, deps, CPU, SHAPE)
    before, after = (read_nests(t, scop, deps)[0] for t in (tree, draft.tree))
    assert [c for _, c in before.inner_classes()] == ["N", "1", "1"]
    assert [c for _, c in after.inner_classes()] == ["1", "1", "1"]
    assert after.footprint(0, 1) == before.footprint(0, 1)
    assert after.n_instances == before.n_instances


def test_private_copies_of_rounds_wait_for_none(tmp_path: Path) -> None:
    body = rows("{ float t = b[y][x / 2] * s; a[y][x] = t; c[y][x] = t; }")
    scop, tree, deps = read(body, tmp_path)
    draft = plan_script(tree, scop, deps, CPU, SHAPE)
    assert [n.chains for n in read_nests(draft.tree, scop, deps)] == [2.0] * 3


def test_lanes_run_along_rows_alone(tmp_path: Path) -> None:
    """Down a column compilers would load a vector for each element, and shuffle."""
    for body, in_lanes in (
        ("a[y][x] = b[y][x / 2];", True),
        ("a[x][y] = b[y][x / 2];", False),
    ):
        scop, tree, deps = read(rows(body), tmp_path)
        text = print_script(plan_script(tree, scop, deps, CPU, SHAPE).steps)
        assert "interleave(" in text
        assert ("vector(" in text) is in_lanes
