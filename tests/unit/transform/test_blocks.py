"""Factorisations fall into blocks, panels and contractions; statements part ways."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polysched.analysis import Dependences, find_violation
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Machine
from polysched.transform import (
    Distribute,
    PlanShape,
    Tile,
    parse_script,
    plan_script,
    print_script,
)
from tests.unit.transform import trees

CPU = replace(
    Machine.detect(calibrated=False).cpu,
    simd_bits=256,
    isa=("avx2", "fma"),
    l1_bytes=32 * 1024,
    l2_bytes=512 * 1024,
    n_cores=2,
)
BAND = (
    "[{ S0[i, j, k] -> [(k)]; S1[i, j] -> [(j)]; S2[i, j, k] -> [(k)] }, "
    "{ S0[i, j, k] -> [(i)]; S1[i, j] -> [(i)]; S2[i, j, k] -> [(i)] }, "
    "{ S0[i, j, k] -> [(j)]; S1[i, j] -> [(j)]; S2[i, j, k] -> [(j)] }]"
)
HOLD = PlanShape(tile=True, jam=True, hold=True)


def factorisation(n: int, folder: Path) -> tuple[Scop, ScheduleTree, Dependences]:
    file = folder / "lu.c"
    file.write_text(
        f"double A[{n}][{n}];\nvoid f(void) {{\n#pragma scop\n"
        f"for (int i = 0; i < {n}; i++) {{\n  for (int j = 0; j < i; j++) {{\n"
        "    for (int k = 0; k < j; k++) A[i][j] -= A[i][k] * A[k][j];\n"
        f"    A[i][j] /= A[j][j]; }}\n  for (int j = i; j < {n}; j++)\n"
        "    for (int k = 0; k < i; k++) A[i][j] -= A[i][k] * A[k][j]; }\n"
        "#pragma endscop\n}\n"
    )
    (scop,) = parse_c(str(file)).scops
    tree, deps = trees.one_band(scop, BAND)
    node = tree.node((0,)).band_set_permutable(1)
    return scop, ScheduleTree(node.get_schedule()), deps


def test_behind_a_block_each_statement_is_a_contraction(tmp_path) -> None:
    scop, tree, deps = factorisation(1000, tmp_path)
    draft = plan_script(tree, scop, deps, CPU, HOLD)
    text = print_script(draft.steps)
    assert "tile(band=0, sizes=[120, 0, 0])" in text
    assert text.count("cuts=[c0 + 120]") == 3
    assert text.count("registers(") == 4  # behind the block twice, beside it twice
    assert {f"statement={k}" in text for k in (0, 2)} == {True}  # packed
    assert text.count("pack(") == 2  # no panel reads columns
    assert find_violation(draft.tree, deps, scop) is None


def test_a_panel_of_columns_falls_into_strips(tmp_path) -> None:
    scop, tree, deps = factorisation(1000, tmp_path)
    draft = plan_script(tree, scop, deps, CPU, HOLD)
    text = print_script(draft.steps)
    panel = "band=0.0.0.1.0.0.0"
    assert f"tile({panel}, sizes=[48, 8, 0])" in text
    assert f"split({panel}.0.0, member=0, cuts=[c2])" in text
    # what earlier strips contribute is held, without a copy for so few rows
    assert f"registers({panel}.0.0.0.0.0, factors=[1, 6, 8], lanes=4)" in text
    assert f"pack({panel}" not in text
    assert f"jam({panel}.0.0.0.1.0.0.1.0, factors=[4, 1])" in text
    assert find_violation(draft.tree, deps, scop) is None


def test_the_longer_the_loops_the_larger_the_blocks(tmp_path) -> None:
    sides = []
    for n in (400, 1000, 2000):
        scop, tree, deps = factorisation(n, tmp_path)
        steps = plan_script(tree, scop, deps, CPU, HOLD).steps
        sides.append(next(s.sizes[0] for s in steps if isinstance(s, Tile)))
    assert sides == [96, 120, 144]  # an eighth, as far as the cache allows


def test_a_panel_reads_columns_of_its_block_from_a_copy(tmp_path) -> None:
    file = tmp_path / "panel.c"
    file.write_text(
        "double A[1000][1000];\nvoid f(void) {\n#pragma scop\n"
        "for (int i = 0; i < 1000; i++)\n  for (int j = 0; j < i; j++) {\n"
        "    for (int k = 0; k < j; k++) A[i][j] -= A[i][k] * A[j][k];\n"
        "    A[i][j] /= A[j][j]; }\n#pragma endscop\n}\n"
    )
    (scop,) = parse_c(str(file)).scops
    tree, deps = trees.one_band(
        scop,
        "[{ S0[i, j, k] -> [(k)]; S1[i, j] -> [(j)] }, "
        "{ S0[i, j, k] -> [(i)]; S1[i, j] -> [(i)] }, "
        "{ S0[i, j, k] -> [(j)]; S1[i, j] -> [(j)] }]",
    )
    tree = ScheduleTree(tree.node((0,)).band_set_permutable(1).get_schedule())
    draft = plan_script(tree, scop, deps, CPU, HOLD)
    text = print_script(draft.steps)
    assert text.count("statement=0, iterators=[2, 1]") == 2
    assert find_violation(draft.tree, deps, scop) is None


def test_small_loops_are_not_cut_into_blocks(tmp_path) -> None:
    scop, tree, deps = factorisation(140, tmp_path)
    text = print_script(plan_script(tree, scop, deps, CPU, HOLD).steps)
    assert "split(" not in text


@pytest.mark.parametrize(
    ("member", "statements", "reason"),
    [
        (3, (0, 1, 2), "found member 3, expected 0 to 2"),
        (0, (0, 2), "found the statements [0, 2], expected an order of several"),
        (2, (0, 1, 2), "violated: "),  # columns are divided before they are used
        (0, (1, 0, 2), "violated: "),
    ],
)
def test_statements_part_only_where_that_is_legal(
    member, statements, reason, tmp_path
) -> None:
    _, tree, deps = factorisation(1000, tmp_path)
    found = Distribute((0,), member, statements).check(tree, deps)
    assert found is not None
    assert reason in found


def test_statements_part_in_an_order_that_keeps_the_dependences(tmp_path) -> None:
    scop, tree, deps = factorisation(1000, tmp_path)
    (step,) = parse_script("distribute(band=0, member=2, statements=[1, 0, 2])")
    assert step.check(tree, deps) is None
    sequence = step.apply(tree).node((0, 0))
    assert sequence.n_children() == 3
    assert find_violation(step.apply(tree), deps, scop) is None
