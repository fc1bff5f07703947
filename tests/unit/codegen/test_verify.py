"""The AST is read back and proven: what isl built, not what it should have built."""

from __future__ import annotations

import islpy as isl
import pytest

from polysched.analysis import compute_dependences
from polysched.base import CodegenError
from polysched.codegen.verify import check_ast
from polysched.ir import ScheduleTree, original_tree
from polysched.sets import build_ast, read_ast_order
from tests.unit import scops

PROGRAMS = [scops.gemm, scops.jacobi_1d, scops.gauss_seidel]
OPERATIONS = 3_000_000


def ast_of(tree: ScheduleTree) -> isl.AstNode:
    return build_ast(tree.schedule, isl.Set("{ : }"))


@pytest.mark.parametrize("make", PROGRAMS)
def test_order_read_back_is_the_order_of_the_tree(make) -> None:
    program = make()
    tree = original_tree(program)
    found = read_ast_order(ast_of(tree), program.domain)
    assert found.domain().is_equal(program.domain)
    before = tree.map.lex_lt_union_map(tree.map)
    assert found.lex_lt_union_map(found).is_equal(before)


@pytest.mark.parametrize("size", [2, 3, 32])
def test_tiled_loops_run_every_instance_once(size: int) -> None:
    program = scops.gemm()
    tree = original_tree(program)
    path, node = tree.bands()[-1]
    sizes = isl.MultiVal.from_val_list(
        node.band_get_space(),
        isl.ValList.from_val(isl.Val(size)),
    )
    tiled = ScheduleTree(tree.node(path).band_tile(sizes).get_schedule())
    deps = compute_dependences(program).validity
    assert check_ast(ast_of(tiled), program, isl.Set("{ : }"), deps, OPERATIONS)


def test_code_of_another_order_is_refused() -> None:
    program = scops.jacobi_1d()
    deps = compute_dependences(program).validity
    backwards = deps.reverse()
    root = ast_of(original_tree(program))
    with pytest.raises(CodegenError, match="breaks a dependence"):
        check_ast(root, program, isl.Set("{ : }"), backwards, OPERATIONS)


def test_code_that_leaves_out_an_instance_is_refused() -> None:
    program = scops.jacobi_1d()
    cut = program.domain.subtract(isl.UnionSet("[n] -> { S0[t, 3] }"))
    schedule = original_tree(program).schedule.intersect_domain(cut)
    root = build_ast(schedule, isl.Set("{ : }"))
    deps = compute_dependences(program).validity
    with pytest.raises(CodegenError, match="leaves out or adds"):
        check_ast(root, program, isl.Set("{ : }"), deps, OPERATIONS)


def test_without_operations_the_proof_says_it_was_not_completed() -> None:
    program = scops.gemm()
    deps = compute_dependences(program).validity
    root = ast_of(original_tree(program))
    assert not check_ast(root, program, isl.Set("{ : }"), deps, 5)


def test_arguments_chosen_by_a_condition_are_read_back() -> None:
    tree = ScheduleTree.parse(
        '{ domain: "{ S[i] : 0 <= i < 10 }", '
        'child: { schedule: "[{ S[i] -> [(i)] : i < 5; S[i] -> [(14 - i)] : i > 4 }]" }'
        " }"
    )
    root = ast_of(tree)
    assert "?" in root.to_C_str()
    found = read_ast_order(root, tree.schedule.get_domain())
    assert found.is_equal(tree.map)
