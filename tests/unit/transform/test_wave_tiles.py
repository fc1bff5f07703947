"""Recurrences of two loops run in tiles that threads share along diagonals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.analysis import compute_dependences, find_violation, set_band_flags
from polysched.ir import Scop, original_tree
from polysched.testing import ScopBuilder
from polysched.transform import Draft, Jam, PlanShape, Tile, plan_script
from tests.unit.transform.test_plan import CPU

WAVES = PlanShape(jam=True, waves=True)


def paths(rows: int, columns: int, value: str = "D[i - 1][j]") -> Scop:
    """The shortest way to every point of a grid."""
    b = ScopBuilder("paths")
    b.array("D", f"int[{rows}][{columns}]")
    b.array("c", f"int[{rows}][{columns}]")
    box = f"1 <= i < {rows} and 1 <= j < {columns}"
    b.statement(
        "i, j",
        box,
        f"D[i][j] = c[i][j] + min(D[i][j - 1], {value})",
        position=(0, 0, 0),
    )
    return b.build()


def spread(n_temporaries: int, rows: int = 3000, columns: int = 3500) -> Scop:
    """An error that every point hands on, by way of temporaries, to later ones."""
    b = ScopBuilder("spread")
    b.array("e", f"double[{rows}][{columns}]")
    names = [f"t{k}" for k in range(n_temporaries)]
    for name in names:
        b.array(name, f"double[{rows}][{columns}]", storage="scop")
    box = f"1 <= i < {rows} and 1 <= j < {columns}"
    texts = [
        f"{name}[i][j] = 0.5 * {before}"
        for name, before in zip(
            names, ["e[i][j]", *(f"{n}[i][j]" for n in names)], strict=False
        )
    ]
    texts += [f"e[i][j] = e[i - 1][j] + e[i][j - 1] + {names[-1]}[i][j]"]
    for k, text in enumerate(texts):
        b.statement("i, j", box, text, position=(0, 0, k))
    return b.build()


def planned(scop: Scop, n_cores: int = 2) -> Draft:
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    cpu = replace(CPU, n_cores=n_cores)
    draft = plan_script(tree, scop, deps, cpu, WAVES)
    assert find_violation(draft.tree, deps, scop) is None
    return draft


def test_threads_share_the_tiles_of_a_diagonal() -> None:
    names = [s.name for s in planned(paths(3000, 3500)).steps]
    assert names == ["merge", "tile", "skew", "wavefront", "parallel", "jam"]


@pytest.mark.parametrize(
    ("n_cores", "sizes"), [(2, (64, 256)), (16, (40, 48)), (500, (8, 8))]
)
def test_every_thread_finds_tiles(n_cores: int, sizes: tuple[int, int]) -> None:
    steps = planned(paths(3000, 3500), n_cores).steps
    assert [s.sizes for s in steps if isinstance(s, Tile)] == [sizes]


@pytest.mark.parametrize(
    ("scop", "n_cores"),
    [(paths(3000, 3500), 1), (paths(3000, 3500, "c[i][j - 1]"), 2)],
)
def test_one_thread_or_rows_that_do_not_wait_need_no_waves(
    scop: Scop, n_cores: int
) -> None:
    assert not planned(scop, n_cores).steps


@pytest.mark.parametrize(("n_temporaries", "rows"), [(7, 4), (20, None)])
def test_statements_of_one_point_advance_a_few_rows_together(
    n_temporaries: int, rows: int | None
) -> None:
    steps = planned(spread(n_temporaries)).steps
    assert [s.name for s in steps][2:5] == ["skew", "wavefront", "parallel"]
    factors = [s.factors for s in steps if isinstance(s, Jam)]
    assert factors == ([] if rows is None else [(rows, 1)])
