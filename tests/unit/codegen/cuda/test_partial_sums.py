"""Sums that blocks and threads share: what they compute, and what is refused.

Integers must come out exactly. The expanded program is also run by the interpreter,
blocks and threads interleaved at random, so that a wrong expansion and a wrong printer
cannot hide each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from polysched.analysis import find_violation
from polysched.base import CodegenError, IllegalScheduleError
from polysched.codegen import PrintOptions
from polysched.codegen.cuda import print_cuda
from polysched.codegen.cuda.mapping import find_kernels
from polysched.codegen.cuda.partial_sums import expand_sums
from polysched.interp import interpret
from polysched.ir import (
    Access,
    Call,
    Expr,
    Iter,
    Load,
    Scop,
    Statement,
    map_action,
)
from polysched.ir.types import LONG
from polysched.sets import fix_parameters, map_points
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import Prepared, outputs

ROWS = """for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      C[i][0] += A[i][j] * B[j][0];"""
COLUMNS = """for (int j = 0; j < N; j++)
    for (int i = 0; i < n; i++)
      C[0][j] += A[i][j];"""
TRIANGLE = """for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++)
      C[i][0] -= A[i][j] * B[j][0];"""
WHOLE = """for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      C[0][0] += A[i][j];"""
PLANES = """for (int b = 0; b < 3; b++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < M; j++)
        C[b][0] -= D[b][i][j];"""
DOT = "for (int i = 0; i < n; i++) C[0][0] += A[i][0] * B[i][0];"
PRODUCT = "for (int i = 0; i < 9; i++) C[0][0] *= A[i][0] + 1;"
IN_A_LOOP = """for (int k = 0; k < n; k++) {
    C[k][k] = 0;
    for (int i = k; i < n; i++)
      C[k][k] += A[i][k] * A[i][k];
    for (int j = 0; j < n; j++)
      A[j][k + 1] = A[j][k] + C[k][k];
  }"""
Place = Callable[..., int]
JOIN = "merge(band=0); "
TURN = f"{JOIN}order(band=0, members=[1, 0]); "


def share(tile: str, threads: str, parts: str = "4, 1", band: str = "0") -> str:
    return (
        f"launch_sum(band={band}, tile=[{tile}], threads=[{threads}], arrays=[C], "
        f"parts=[{parts}])"
    )


LOOP_SCRIPT = (
    f"launch(band=0.0.2.0, tile=[4], threads=[4]); {share('8', '4', band='0.0.1.0')}; "
    "single(band=0.0.0.0)"
)
MAXIMUM = """for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      if (A[i][j] > C[i][0]) C[i][0] = A[i][j];"""
MINIMUM = """for (int i = 0; i < n; i++)
    C[0][0] = A[i][0] + 1 < C[0][0] ? A[i][0] + 1 : C[0][0];"""
SOME = """for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      if (A[i][j] > 3) C[i][0] += A[i][j];"""
MAXIMA_IN_A_LOOP = """for (int k = 0; k < n; k++) {
    C[k][k] = A[k][0];
    for (int i = k; i < n; i++)
      C[k][k] = A[i][k] > C[k][k] ? A[i][k] : C[k][k];
    for (int j = 0; j < n; j++)
      A[j][k + 1] = A[j][k] + C[k][k];
  }"""
# the element is one of all launches: each begins with what the one before has left
LAUNCHES = """for (int k = 0; k < 3; k++)
    for (int i = 0; i < n; i++)
      if (C[0][0] < A[i][k]) C[0][0] = A[i][k];"""
ROWS_OF_TWO = """for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      C[i][0] += A[i][j] * B[j][0];
      E[0][i][0] -= A[i][j] * B[j][1];
    }"""
# a value that both share, an extremum, and a result beside them
STATISTICS = """for (int i = 0; i < n; i++) {
    T x = A[i][0] * B[i][0] + 1;
    C[0][0] += x;
    W[1][1] -= x * x;
    if (x > E[0][0][0]) E[0][0][0] = x;
    D[0][0][i] = x;
  }
  for (int i = 0; i < n; i++)
    C[i][1] = W[1][1] + D[0][0][i];"""
# the terms of a sum before and behind a statement that changes what they read
CHANGED = """for (int i = 0; i < n; i++) {
    C[0][0] += A[i][0];
    A[i][0] = 2 * A[i][0] + 1;
    W[0][0] += A[i][0];
    A[i][1] = A[i][0] - 3;
  }"""
REST = "; launch(band=0.1.0, tile=[8], threads=[8])"
CASES = [
    (ROWS, JOIN + share("1, 0", "1, 8")),
    (ROWS, JOIN + share("4, 14", "2, 7", "3, 8")),
    (COLUMNS, TURN + share("8, 4", "4, 4", "4, 8")),
    (TRIANGLE, JOIN + share("1, 8", "1, 4", "3, 5")),
    # loops in bands of their own, as the order of terms leaves them
    (WHOLE, share("4, 0", "1, 8")),
    (WHOLE, share("1, 16", "1, 8", "4, 4")),
    (ROWS, share("2, 8", "2, 4", "2, 4")),
    (PLANES, share("1, 2, 0", "1, 2, 8")),
    (PLANES, share("1, 0, 0", "1, 4, 32")),
    (DOT, share("4", "2")),
    (DOT, share("0", "20")),
    (PRODUCT, share("4", "2")),
    (IN_A_LOOP, LOOP_SCRIPT),
    (MAXIMUM, JOIN + share("1, 0", "1, 8")),
    (MAXIMUM, JOIN + share("4, 14", "2, 7", "3, 8")),
    (MINIMUM, share("4", "2")),
    (SOME, JOIN + share("1, 16", "1, 8", "4, 8")),
    (MAXIMA_IN_A_LOOP, LOOP_SCRIPT),
    (LAUNCHES, share("4", "2", band="0.0")),
    (ROWS_OF_TWO, JOIN + share("4, 14", "2, 7", "3, 8").replace("[C]", "[C, E]")),
    (ROWS_OF_TWO, JOIN + share("1, 0", "1, 32").replace("[C]", "[E, C]")),
    (
        STATISTICS,
        share("4", "2", band="0.0.0").replace("[C]", "[C, W, E]") + REST,
    ),
    (
        STATISTICS,
        share("0", "32", band="0.0.0").replace("[C]", "[C, W, E]") + REST,
    ),
    (CHANGED, share("4", "2").replace("[C]", "[W, C]")),
]


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(("body", "script"), CASES)
def test_integers_come_out_exactly(tmp_path: Path, body: str, script: str) -> None:
    expected, found = outputs(tmp_path, body, script, "int")
    assert found == expected


@pytest.mark.cc
def test_numbers_come_out_nearly(tmp_path: Path) -> None:
    script = JOIN + share("4, 16", "2, 8", "4, 8")
    expected, found = outputs(tmp_path, ROWS, script, "float", fp="reassociate")
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def with_places(scop: Scop, sizes: dict[str, int]) -> tuple[Scop, dict[str, Place]]:
    """The program with subscripts for the threads' own sums, by functions.

    Generated code has none: each of these sums is a variable of a thread.
    """
    functions: dict[str, Place] = {}

    def subscript(statement: Statement, own: Access, k: int) -> Expr:
        relation = fix_parameters(own.relation, sizes)

        def at(*point: float) -> int:
            return int(map_points(relation, np.array([point], dtype=np.int64))[0, k])

        functions[f"{statement.name}_at{k}"] = at
        iterators = tuple(Iter(i, LONG) for i in statement.iterators)
        return Call(f"{statement.name}_at{k}", iterators, LONG)

    def change(statement: Statement) -> Statement:
        own = [a for a in statement.accesses if scop.array(a.array).storage == "thread"]
        if not own:
            return statement

        def load(e: Expr) -> Expr | None:
            if not isinstance(e, Load) or e.array != own[0].array:
                return None
            n = range(len(e.subscripts))
            return replace(
                e, subscripts=tuple(subscript(statement, own[0], k) for k in n)
            )

        body = tuple(map_action(a, load) for a in statement.body)
        return replace(statement, body=body)

    return replace(scop, statements=tuple(map(change, scop.statements))), functions


@pytest.mark.parametrize(
    ("body", "script", "seed"),
    [(*CASES[k], k) for k in (1, 2, 4, 5, 12, 14, 17, 18, 19)],
)
def test_the_expanded_program_computes_the_same(
    tmp_path: Path, body: str, script: str, seed: int
) -> None:
    given = Prepared.of(tmp_path, body, "long", 7)
    tree = apply_script(given.tree, parse_script(script), given.deps)
    expanded = expand_sums(given.scop, tree)
    sizes = {p.name: {"n": 7, "m": 12}[p.name] for p in given.scop.parameters}
    scop, functions = with_places(expanded.scop, sizes)
    rng = np.random.default_rng(seed)
    shapes = {"A": (7, 12), "B": (12, 7), "C": (7, 7), "E": (3, 7, 7)}
    arrays = {
        a.name: rng.integers(-9, 9, shapes[a.name], dtype=np.int64)
        for a in given.scop.arrays
    }
    plain = interpret(given.scop, None, sizes, arrays)
    found = interpret(
        scop, expanded.tree, sizes, arrays, shuffle_seed=seed, functions=functions
    )
    for name in arrays:
        assert (found[name] == plain[name]).all()


def test_text_has_a_register_a_tree_and_a_second_kernel(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, ROWS, "int")
    text = given.print(JOIN + share("1, 16", "1, 8", "4, 8")).device
    assert text.count("__global__") == 2
    assert "int C_sum_own = " in text
    assert "__shared__ int C_sum_met[8];" in text
    assert text.count("__syncthreads();") == 2 + 2  # behind meeting, and gathering


def test_a_block_with_all_terms_needs_no_second_kernel(tmp_path: Path) -> None:
    text = Prepared.of(tmp_path, ROWS, "int").print(JOIN + share("1, 0", "1, 8"))
    assert text.device.count("__global__") == 1


def test_threads_wait_for_what_others_have_found(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, DOT, "int")
    tree = apply_script(given.tree, parse_script(share("0", "8")), given.deps)
    expanded = expand_sums(given.scop, tree)
    (kernel,) = find_kernels(expanded.tree)
    places = kernel.places()
    deps = expanded.order(given.deps.validity)
    across = deps.subtract(places.apply_range(places.reverse()))
    assert not across.is_empty()
    assert across.is_subset(kernel.ordered_by_barriers())


def test_sums_that_no_thread_holds_are_refused(tmp_path: Path) -> None:
    """In device memory all threads would have one place for theirs."""
    body = """for (int k = 0; k < M; k++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        C[i][j] += A[i][k] * B[k][j];"""
    given = Prepared.of(tmp_path, body, "int")
    with pytest.raises(CodegenError, match="a thread cannot hold its sums"):
        given.print(JOIN + JOIN + share("8", "4"))


@pytest.mark.parametrize(
    ("body", "fp", "reason"),
    [
        (DOT, "strict", "adds to a copy of C"),
        (
            "for (int i = 1; i < n; i++) { C[0][0] += A[i][0]; C[0][i] = C[0][0]; }",
            "reassociate",
            "each thread adds to a copy of C",
        ),
        (
            "for (int i = 1; i < n; i++) C[i][0] += C[i - 1][0];",
            "reassociate",
            "adds to a copy of C",
        ),
        (
            "for (int i = 1; i < n; i++) if (A[i][0] > C[0][0]) C[0][0] = A[i][0];",
            "strict",
            "adds to a copy of C",
        ),
    ],
)
def test_what_is_no_free_sum_is_refused(
    tmp_path: Path, body: str, fp: str, reason: str
) -> None:
    given = Prepared.of(tmp_path, body, "double", fp=fp)  # type: ignore[arg-type]
    with pytest.raises(IllegalScheduleError, match=reason):
        apply_script(given.tree, parse_script(share("0", "8")), given.deps)


def test_threads_that_are_not_proven_independent_are_refused(tmp_path: Path) -> None:
    """The proof of a sum is long: within few operations there is none, and no code."""
    given = Prepared.of(tmp_path, DOT, "int")
    tree = apply_script(given.tree, parse_script(share("0", "8")), given.deps)
    few = PrintOptions(original_text="", check_operations=1000)
    with pytest.raises(CodegenError) as found:
        print_cuda(given.scop, tree, few, deps=given.deps.validity)
    assert str(found.value).startswith(
        "threads of sums in C are not proven independent: more than 1000 isl operations"
    )
    unlimited = PrintOptions(original_text="", check_operations=0)
    text = print_cuda(given.scop, tree, unlimited, deps=given.deps.validity)
    assert "C_sum_met" in text.device


@pytest.mark.cc
@pytest.mark.parametrize(
    ("call", "script"),
    [
        ("fmax(C[i][0], A[i][j])", share("1, 0", "1, 8")),
        ("fmin(A[i][j], C[i][0])", share("4, 14", "2, 7", "3, 8")),
    ],
)
def test_functions_take_extrema(tmp_path: Path, call: str, script: str) -> None:
    body = f"for (int i = 0; i < N; i++) for (int j = 0; j < M; j++) C[i][0] = {call};"
    expected, found = outputs(
        tmp_path, f"#include <math.h>\n{body}", JOIN + script, fp="reassociate"
    )
    assert found == expected


def test_marks_are_proven_like_those_of_a_loop(tmp_path: Path) -> None:
    """A tree that claims a sum for what is none has a witness."""
    given = Prepared.of(tmp_path, DOT, "double", fp="reassociate")
    tree = apply_script(given.tree, parse_script(share("4", "2")), given.deps)
    assert find_violation(tree, given.deps) is None
    strict = Prepared.of(tmp_path, DOT, "double")
    assert "each thread adds to a copy of C" in str(find_violation(tree, strict.deps))
