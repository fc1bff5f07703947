"""Feautrier's and isl's schedules, and lists of objectives of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from polysched.analysis import compute_dependences
from polysched.base import Deadline, PolyschedError
from polysched.ilp import Linear
from polysched.ir import Scop
from polysched.schedule import IslBatch, IslVariant
from polysched.schedule.rowwise import (
    ROW_OBJECTIVES,
    RowModel,
    RowwiseOptions,
    RowwiseRecipe,
    Strategy,
    feautrier,
    isl_like,
    pluto,
    row_objective,
)
from polysched.testing import ScopBuilder
from tests.unit import scops
from tests.unit.schedule.programs import (
    fdtd_2d,
    matmul,
    mvt,
    nest,
    single,
    syrk,
    two_products,
)
from tests.unit.schedule.rowwise.solving import bands, loops, solve
from tests.unit.schedule.solving import text, values


def atax() -> Scop:
    """y = A' (A x): two initialisations, two products that share the outer loop."""
    return scops.scop(
        "atax",
        nest("S0", "i", "w y[i]"),
        nest("S1", "i", "w t[i]", position=(1, 0)),
        nest("S2", "i j", "r A[i, j]", "r x[j]", "r t[i]", "w t[i]",
             position=(1, 1, 0)),
        nest("S3", "i j", "r A[i, j]", "r t[i]", "r y[j]", "w y[j]",
             position=(1, 2, 0)),
    )  # fmt: skip


def trisolv() -> Scop:
    """A triangular system: the division is a shallow part of a deep cycle."""
    triangle = "[n] -> { S1[i, j] : 0 <= j < i < n }"
    return scops.scop(
        "trisolv",
        nest("S0", "i", "r b[i]", "w x[i]"),
        scops.statement(
            "S1", triangle, (0, 1, 0),
            "r [i, j] -> L[i, j]", "r [i, j] -> x[j]", "r [i, j] -> x[i]",
            "w [i, j] -> x[i]",
        ),
        nest("S2", "i", "r x[i]", "r L[i, i]", "w x[i]", position=(0, 2)),
    )  # fmt: skip


def wide_and_deep() -> Scop:
    """The second nest has one row for a band, and two loops inside of it."""
    return scops.scop(
        "wide_and_deep",
        nest("S0", "i j", "r X[i, j]", "w C[i, j]"),
        nest(
            "S1", "t i j", "r B[t - 1, k, l] : true", "r C[t, i]", "w B[t, i, j]",
            position=(1, 0, 0, 0),
        ),
    )  # fmt: skip


PROGRAMS: dict[str, Callable[[], Scop]] = {
    "gemm": scops.gemm,
    "jacobi_1d": scops.jacobi_1d,
    "jacobi_2d": scops.jacobi_2d,
    "gauss_seidel": scops.gauss_seidel,
    "2mm": two_products,
    "mvt": mvt,
    "fdtd_2d": fdtd_2d,
    "syrk": syrk,
    "atax": atax,
    "trisolv": trisolv,
    "wide_and_deep": wide_and_deep,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_isl_and_feautrier_are_reproduced(name: str) -> None:
    program = PROGRAMS[name]()
    dependences = compute_dependences(program)
    batch = IslBatch(program, dependences, [IslVariant(), IslVariant("feautrier")])
    ours = [solve(program, recipe) for recipe in (isl_like(), feautrier())]
    batch.wait(Deadline.after(120))
    for position, solved in enumerate(ours):
        theirs = batch.collect(position)
        assert loops(solved.tree) == loops(theirs.tree), position


def test_feautrier_gives_gemm_one_sequential_row() -> None:
    solved = solve(scops.gemm(), feautrier())
    assert text(solved) == "S0: 0 0 0 i 0 j 0; S1: 0 k+1 1 i 0 j 0"
    assert bands(solved) == [
        (1, True, (False,)), (2, True, (True, True)), (2, True, (True, True)),
    ]  # fmt: skip


def test_feautrier_turns_a_stride_into_a_sequence() -> None:
    # as times 2t and 2t+1; code for them needs no modulo as t, then one after the other
    solved = solve(scops.jacobi_1d(), feautrier())
    assert text(solved) == "S0: 0 t 0 i 0; S1: 0 t 1 i 0"
    assert [coincident for *_, coincident in bands(solved)[1:]] == [(True,), (True,)]


def test_feautrier_finds_the_wavefront() -> None:
    solved = solve(scops.gauss_seidel(), feautrier())
    assert solved.rows["S0"].linear[0].coefficients == (2, 1, 1)
    assert bands(solved)[1:] == [(2, True, (True, True))]


def test_isl_puts_a_parallel_loop_outside_where_flow_alone_would_not() -> None:
    # anti dependences move along i alone: COINCIDENT sees them, REUSE does not
    program = single("i j", "r A[i + 1, j]", "r B[j]", "w A[i, j]")
    assert text(solve(program, isl_like())) == "S0: 0 j 0 i 0"
    plain = Strategy("plain", ("REUSE", "COEFF", "SHIFT"))
    assert text(solve(program, RowwiseOptions(plain))) == "S0: 0 i 0 j 0"


def test_contiguous_iterators_are_kept_inside() -> None:
    strategy = Strategy("mine", ("CONTIG", "COEFF", "SHIFT"))
    solved = solve(matmul("j i k"), RowwiseOptions(strategy))
    assert text(solved) == "S0: 0 i 0 k 0 j 0"


def test_order_of_objectives_decides() -> None:
    first = RowwiseOptions(Strategy("a", ("CONTIG", "PROX", "COEFF")))
    second = RowwiseOptions(Strategy("b", ("PROX", "CONTIG", "COEFF")))
    # i carries nothing but is what last subscripts contain
    program = single("i j", "r A[j, i]", "r y[j]", "r x[i]", "w x[i]")
    assert text(solve(program, first)) == "S0: 0 j 0 i 0"
    assert text(solve(program, second)) == "S0: 0 i 0 j 0"


def test_values_of_objectives_are_told() -> None:
    told = values(solve(single("i", "r A[i - 1]", "w A[i]"), pluto()))
    assert list(told) == ["PROX u [S0]", "PROX w [S0]", "COEFF [S0]", "SHIFT [S0]"]
    assert (told["PROX u [S0]"], told["PROX w [S0]"], told["SHIFT [S0]"]) == (0, 1, 0)


@pytest.fixture
def own_objective() -> Iterator[str]:
    @row_objective("INNER", "later loops first")
    def inner(model: RowModel) -> list[tuple[str, Linear]]:
        total = Linear()
        for unit in model.units:
            for k, magnitude in model.magnitudes(unit):
                total.add_form(magnitude, len(unit.axes) - k)
        return [("INNER", total)]

    yield "INNER"
    del ROW_OBJECTIVES["INNER"]


def test_objective_of_ones_own(own_objective: str) -> None:
    strategy = Strategy("mine", (own_objective,))
    program = single("i j", "w A[i, j]")
    assert text(solve(program, RowwiseOptions(strategy))) == "S0: 0 j 0 i 0"
    with pytest.raises(PolyschedError, match="there is a row objective named INNER"):
        row_objective("INNER", "again")(lambda model: [])


def test_clusters_join_along_flow_only() -> None:
    program = scops.scop(
        "x",
        nest("S0", "i j", "r X[i, j]", "w A[i, j]"),
        nest("S1", "i j", "r Y[i, j]", "w B[i, j]", position=(1, 0, 0)),
        nest("S2", "i j", "r A[i, j]", "w C[i, j]", position=(2, 0, 0)),
    )
    found = text(solve(program, isl_like()))
    assert found == "S0: 0 i 0 j 0; S1: 1 i 0 j 0; S2: 0 i 0 j 1"


def test_clusters_do_not_join_where_values_would_stay_far() -> None:
    # whatever the row, one of the two elements is read long after it was written
    b = ScopBuilder("x", ["n"])
    for name in "XAB":
        b.array(name, "double[n]")
    b.statement("i", "0 <= i < n", "A[i] = X[i]", position=(0, 0))
    b.statement("i", "0 <= i < n", "B[i] = A[i] + A[n - 1 - i]", position=(1, 0))
    found = solve(b.build(), isl_like())
    assert text(found) == "S0: 0 i 0; S1: 1 i 0"
    together = solve(b.build(), pluto("max", negative=True))
    assert [r.betas[0] for r in together.rows.values()] == [0, 0]


def test_names_that_are_unknown_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(PolyschedError, match=r"no row objective named 'NEAR'.*PROX"):
        Strategy("x", ("NEAR",))
    with pytest.raises(PolyschedError, match="steps that carry need CARRY"):
        Strategy("x", ("PROX",), "carry")
    with pytest.raises(PolyschedError, match=r"no fusion policy named 'some'.*smart"):
        RowwiseOptions(fusion="some")  # type: ignore[arg-type]
    with pytest.raises(PolyschedError, match=r"no strategy named 'x'.*feautrier"):
        _ = RowwiseRecipe("x", "x").options


def test_recipes_have_names() -> None:
    names = [pluto(), pluto("max"), pluto(negative=True), feautrier(), isl_like("none")]
    assert [str(r) for r in names] == [
        "pluto-rows", "pluto-rows+max", "pluto-rows+negative", "feautrier-rows",
        "isl-rows+none",
    ]  # fmt: skip
    assert solve(scops.gemm(), pluto("none")).objectives == ("pluto-rows+none",)
