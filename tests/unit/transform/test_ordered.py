"""Threads share a loop of which one part keeps the order of the iterations."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.codegen import PrintOptions, print_openmp
from polysched.frontend import parse_c
from polysched.interp import order_instances
from polysched.ir import original_tree
from polysched.transform import Ordered, Step, apply_script, parse_script
from tests.unit.codegen.test_registers import check, program, text_of

LOOPS = """
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++)
            x[i] += A[i][j] * B[0][j];
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++)
            STATEMENT
"""
FUSE = "fuse_tiles(band=0, children=[0, 1], members=[0, 0], size=4); "
ORDERED = FUSE + "ordered(band=0.0, part=1)"
SUM = "C[0][j] += A[i][j] * x[i];"


def start(tmp_path, statement: str):
    file = tmp_path / "program.c"
    file.write_text(program(statement, loops=LOOPS))
    (scop,) = parse_c(str(file)).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    return scop, deps, apply_script(tree, parse_script(FUSE))


def test_the_step_reads_its_own_text() -> None:
    step = Ordered((0, 0), 1)
    assert str(step) == "ordered(band=0.0, part=1)"
    assert Step.parse(str(step)) == step


def test_only_the_part_waits_for_earlier_iterations(tmp_path) -> None:
    lines = text_of(program(SUM, loops=LOOPS), ORDERED, tmp_path).splitlines()
    lines = [line.strip() for line in lines]
    shared = lines.index("#pragma omp parallel for schedule(static, 1) ordered")
    part = lines.index("#pragma omp ordered")
    assert lines[part + 1] == "{"
    first = next(k for k, line in enumerate(lines) if line.startswith("x["))
    second = next(k for k, line in enumerate(lines) if line.startswith("C["))
    assert shared < first < part < second
    assert sum("#pragma" in line for line in lines) == 2


@pytest.mark.cc
@pytest.mark.parametrize(
    "inside",
    [
        "",
        "; merge(band=0.0.0.0.1.0.0); merge(band=0.0.0.0.0.0); "
        "squares(band=0.0.0.0.1.0.0, factors=[4, 1], lanes=4, ahead=8, asked=-2); "
        "registers(band=0.0.0.0.0.0, factors=[4, 1], lanes=4, ahead=8, asked=2)",
    ],
)
def test_sums_are_equal(inside) -> None:
    check(program(SUM, loops=LOOPS), ORDERED + inside)


@pytest.mark.parametrize(
    ("statement", "part", "reason"),
    [
        (SUM, 0, "dependence on C from S1 to S1"),  # what waits is not in the part
        ("x[i + 1] += A[i][j] * x[i];", 1, "on x"),  # the other part needs it, too
    ],
)
def test_what_is_outside_of_the_part_must_not_wait(
    statement, part, reason, tmp_path
) -> None:
    scop, deps, tree = start(tmp_path, statement)
    tree = Ordered((0, 0), part).apply(tree)
    found = find_violation(tree, deps, scop)
    assert found is not None
    assert reason in str(found)


def test_a_loop_over_no_sequence_is_refused(tmp_path) -> None:
    _, deps, tree = start(tmp_path, SUM)
    assert "above a sequence" in (Ordered((0, 0, 0, 0, 0), 0).check(tree, deps) or "")
    assert "part 2" in (Ordered((0, 0), 2).check(tree, deps) or "")
    shared = Ordered((0, 0), 1).apply(tree)
    assert "already" in (Ordered((0, 0, 0), 1).check(shared, deps) or "")


def test_random_orders_keep_that_of_the_part_alone(tmp_path) -> None:
    scop, _, tree = start(tmp_path, SUM)
    tree = Ordered((0, 0), 1).apply(tree)
    sizes = {"ni": 13, "nj": 2, "nk": 1}
    seen = set()
    for seed in range(5):
        run = order_instances(scop, tree, sizes, shuffle_seed=seed)
        rows = {
            name: [
                int(run.points[name][r][0]) // 4
                for s, r in zip(run.statements, run.rows, strict=True)
                if run.names[s] == name
            ]
            for name in run.names
        }
        assert rows["S1"] == sorted(rows["S1"])
        seen.add(tuple(rows["S0"]))
    assert len(seen) > 1
    assert any(list(s) != sorted(s) for s in seen)


def test_without_threads_nothing_is_ordered(tmp_path) -> None:
    scop, deps, tree = start(tmp_path, SUM)
    tree = Ordered((0, 0), 1).apply(tree)
    text = print_openmp(scop, tree, PrintOptions(parallel=False), deps=deps.validity)
    assert "pragma" not in text
