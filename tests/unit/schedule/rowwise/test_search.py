"""What happens without rows or without time: a legal schedule all the same."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from polysched.analysis import compute_dependences
from polysched.base import Deadline
from polysched.ir import LinearRow, Scop, original_rows, original_tree
from polysched.schedule.rowwise import (
    RowwiseRecipe,
    feautrier,
    isl_like,
    pluto,
    solve_rowwise,
)
from polysched.schedule.rowwise.algebra import rank
from polysched.schedule.rowwise.search import _is_implied, split_stride
from tests.unit import scops
from tests.unit.schedule.programs import fdtd_2d, nest, two_products
from tests.unit.schedule.rowwise.solving import assert_legal, loops, solve

RECIPES = [
    pluto(), pluto("max"), pluto("none"), pluto("components"), pluto(negative=True),
    feautrier(), isl_like(), isl_like("smart"),
]  # fmt: skip


@dataclass(frozen=True)
class Countdown(Deadline):
    """Expires when it has been asked a number of times."""

    left: list[int] = field(default_factory=lambda: [0])

    @property
    def expired(self) -> bool:
        self.left[0] -= 1
        return self.left[0] < 0


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_without_time_the_original_order_is_kept(recipe: RowwiseRecipe) -> None:
    program = two_products()
    dependences = compute_dependences(program)
    solved = solve_rowwise(program, dependences, recipe.options, Deadline.after(0))
    assert solved.stages == ()
    assert solved.given_up
    source = original_rows(program)
    assert all(solved.rows[m].linear == source[m].linear for m in source)
    assert_legal(solved, dependences, program)
    if recipe.fusion == "max":  # nothing was cut before
        assert loops(solved.tree) == loops(original_tree(program))


@pytest.mark.long
@pytest.mark.parametrize("make", [two_products, fdtd_2d, scops.jacobi_1d])
@pytest.mark.parametrize("recipe", [pluto("max"), feautrier(), isl_like()], ids=str)
def test_schedule_is_legal_whenever_time_runs_out(
    make: type[Scop], recipe: RowwiseRecipe
) -> None:
    program = make()
    dependences = compute_dependences(program)
    was_cut = []
    for n in range(1, 40, 3):
        deadline = Countdown(left=[n])
        solved = solve_rowwise(program, dependences, recipe.options, deadline)
        assert_legal(solved, dependences, program)
        was_cut.append(bool(solved.given_up))
    assert was_cut[0]
    assert not was_cut[-1]


def random_program(seed: int) -> Scop:
    """Three statements in nests that may be shared, with affine subscripts."""
    rng = random.Random(seed)
    statements = []
    for k in range(3):
        own = rng.random() < 0.5
        position = (k, 0, 0) if own else (0, rng.choice([0, k]), k)
        i, j = rng.sample(["i", "j"], 2)
        reads = [
            f"r {rng.choice('AB')}[{rng.choice([i, f'{i} - 1', f'{i} + 1'])}, "
            f"{rng.choice([j, f'{j} + 1', '0', f'2{j}'])}]"
            for _ in range(2)
        ]
        statements.append(
            nest(f"S{k}", "i j", *reads, f"w {rng.choice('AB')}[i, j]",
                 position=position)
        )  # fmt: skip
    return scops.scop("random", *sorted(statements, key=lambda s: s.position))


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_get_legal_schedules_of_full_rank(seed: int) -> None:
    program = random_program(seed)
    dependences = compute_dependences(program)
    for recipe in RECIPES:
        options = recipe.options
        solved = solve_rowwise(program, dependences, options, Deadline.after(60))
        assert_legal(solved, dependences, program)
        assert solved.given_up == ()
        for name, rows in solved.rows.items():
            n_loops = program.statement(name).n_loops
            assert rank([r.coefficients for r in rows.linear], n_loops) == n_loops


def test_bands_are_permutable_as_they_were_found() -> None:
    for make in (two_products, fdtd_2d, scops.jacobi_2d):
        for recipe in (pluto(), pluto("max"), isl_like()):
            tree = solve(make(), recipe).tree
            assert all(node.band_get_permutable() for _, node in tree.bands())


def test_what_only_the_value_of_a_size_tells_is_used_in_the_end() -> None:
    # 18 becomes a parameter: that it is more than 3 is known of the number alone
    program = scops.scop(
        "x",
        scops.statement(
            "S0",
            "{ S0[i] : 0 <= i < 30 }",
            (0, 0),
            "r [i] -> A[3] : i = 18",
            "w [i] -> A[i]",
        ),
    )
    solved = solve(program, pluto())
    assert solved.given_up == ()
    assert [r.coefficients for r in solved.rows["S0"].linear] == [(1,)]


def test_row_that_the_rows_before_it_determine_is_implied() -> None:
    earlier = {
        "S0": (LinearRow((1, 1)), LinearRow((1, 0), 2)),
        "S1": (LinearRow((1,), 0, (("n", 1),)), LinearRow((0,), 2)),
    }
    # first minus second row, two more: j for S0, i + n for S1
    implied = {"S0": LinearRow((0, 1)), "S1": LinearRow((1,), 0, (("n", 1),))}
    assert _is_implied(implied, earlier)
    other = {"S0": LinearRow((0, 1)), "S1": LinearRow((1,), 1, (("n", 1),))}
    assert not _is_implied(other, earlier)
    assert not _is_implied(implied, {"S0": earlier["S0"], "S1": earlier["S1"][:1]})


def test_stride_of_a_row_becomes_remainders() -> None:
    row = {"S0": LinearRow((2, 0), 1), "S1": LinearRow((4,), 4, (("n", 2),))}
    scaled, remainders = split_stride(row)
    assert scaled == {
        "S0": LinearRow((1, 0), 0),
        "S1": LinearRow((2,), 2, (("n", 1),)),
    }
    assert remainders == {"S0": 1, "S1": 0}
