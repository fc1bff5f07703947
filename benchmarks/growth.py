"""How the time of each stage, and of a space, grows with the number of statements.

Run ``python benchmarks/growth.py --help``; prints a table, writes JSON on request, of
which ``growth_plot.py`` makes a picture.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from polysched.analysis import compute_dependences
from polysched.base import Deadline
from polysched.ir import Scop
from polysched.schedule import cut_dependences
from polysched.schedule.rowwise import (
    RowwiseRecipe,
    feautrier,
    isl_like,
    pluto,
    solve_rowwise,
)
from polysched.space import SpaceOptions, build_space
from polysched.testing import ScopBuilder

RECIPES = (pluto(), pluto("max"), pluto("none"), feautrier(), isl_like())
SIZES = (5, 10, 20, 40, 80, 160)


@dataclass(frozen=True)
class Measurement:
    """One program under one recipe; times in seconds of wall clock.

    Attributes
    ----------
    program, recipe : str
        The recipe ``space`` is a whole default space: pieces, dependences and cutting
        are not told apart there, `solve_seconds` is all of it, `bands` those of the
        schedule ranked first, `kept` the schedules.
    statements, pieces : int
        Size of the problem.
    dependence_seconds, cut_seconds : float
        Analysis, and cutting into convex pieces; both are shared by all recipes.
    solve_seconds : float
        The whole of `solve_rowwise`, with the proof of the result.
    solver_seconds : float
        The part of it that the integer programs take.
    bands : int
        Bands of the tree.
    kept : int
        Groups of statements that were left in their original order.
    """

    program: str
    recipe: str
    statements: int
    pieces: int
    dependence_seconds: float
    cut_seconds: float
    solve_seconds: float
    solver_seconds: float
    bands: int
    kept: int


def chain(n: int, seed: int) -> Scop:
    """Loop nests one after the other, each reads two earlier results."""
    rng = random.Random(seed)
    b = ScopBuilder("chain", ["n"], "n >= 8")
    for k in range(n + 1):
        b.array(f"T{k}", "double[n][n]")
    for k in range(n):
        a, c = (rng.choice([-1, 0, 0, 1]) for _ in range(2))
        subscripts = f"[j + 2][i + {a + 2}]" if rng.random() < 0.15 else ""
        subscripts = subscripts or f"[i + {a + 2}][j + {c + 2}]"
        far = rng.randrange(max(0, k - 3), k + 1)
        text = f"T{k}{subscripts} + T{far}[i + 2][j + 2]"
        depth = rng.choice([2, 2, 3])
        if depth == 3:
            target = f"T{k + 1}[i + 2][j + 2]"
            value = f"{target} = {target} + ({text}) * T{far}[k + 2][j + 2]"
            box = "0 <= i < n - 4 and 0 <= j < n - 4 and 0 <= k < n - 4"
            b.statement("i, j, k", box, value, position=(k, 0, 0, 0))
        else:
            box = "0 <= i < n - 4 and 0 <= j < n - 4"
            b.statement(
                "i, j", box, f"T{k + 1}[i + 2][j + 2] = {text}", position=(k, 0, 0)
            )
    return b.build()


def grid(n: int, seed: int) -> Scop:
    """Nests in rows of eight; each reads its left neighbour and the one above."""
    rng = random.Random(seed)
    width = 8
    b = ScopBuilder("grid", ["n"], "n >= 8")
    for k in range(n):
        b.array(f"T{k}", "double[n][n]")
    b.array("A", "double[n][n]")
    for k in range(n):
        left = f"T{k - 1}" if k % width else "A"
        above = f"T{k - width}" if k >= width else "A"
        a, c = (rng.choice([1, 2, 3]) for _ in range(2))
        text = f"{left}[i + {a}][j + 2] + {above}[i + 2][j + {c}]"
        box = "0 <= i < n - 4 and 0 <= j < n - 4"
        b.statement("i, j", box, f"T{k}[i + 2][j + 2] = {text}", position=(k, 0, 0))
    return b.build()


def sweep(n: int, seed: int) -> Scop:
    """A time loop around n sweeps that read each other: one component."""
    rng = random.Random(seed)
    b = ScopBuilder("sweep", ["n", "m"], "n >= 8 and m >= 2")
    for k in range(n):
        b.array(f"T{k}", "double[n]")
    for k in range(n):
        before = f"T{k - 1}" if k else f"T{n - 1}"
        other = f"T{rng.randrange(n)}"
        text = f"{before}[i + {rng.choice([1, 2, 3])}] + {other}[i + 2]"
        box = "0 <= t < m and 0 <= i < n - 4"
        b.statement("t, i", box, f"T{k}[i + 2] = {text}", position=(0, k, 0))
    return b.build()


def dense(n: int, seed: int) -> Scop:
    """Random nests over few arrays, so that most pairs depend on each other."""
    rng = random.Random(seed)
    b = ScopBuilder("dense", ["n"], "n >= 8")
    names = [f"A{k}" for k in range(max(2, n // 4))]
    for name in names:
        b.array(name, "double[n][n]")
    for k in range(n):
        i, j = rng.choice([("i", "j"), ("i", "j"), ("j", "i")])
        target = f"{rng.choice(names)}[i + 2][j + 2]"
        reads = [f"{rng.choice(names)}[{i} + {rng.choice([1, 2, 3])}][{j} + 2]"]
        reads += [f"{rng.choice(names)}[i + 2][{rng.choice([1, 2])}]"]
        box = "0 <= i < n - 4 and 0 <= j < n - 4"
        text = f"{target} = {' + '.join(reads)}"
        b.statement("i, j", box, text, position=(k, 0, 0))
    return b.build()


PROGRAMS: dict[str, Callable[[int, int], Scop]] = {
    "chain": chain,
    "grid": grid,
    "sweep": sweep,
    "dense": dense,
}


def measure(
    program: str, n: int, seed: int, recipes: Sequence[RowwiseRecipe], seconds: float
) -> list[Measurement]:
    """Time one program under some recipes, each with a limit in seconds."""
    scop = PROGRAMS[program](n, seed)
    started = time.perf_counter()
    dependences = compute_dependences(scop, with_input=False)
    analysed = time.perf_counter()
    pieces = cut_dependences(scop, dependences)
    cut = time.perf_counter()
    found = []
    for recipe in recipes:
        before = time.perf_counter()
        limit = Deadline.after(seconds)
        solved = solve_rowwise(scop, dependences, recipe.options, limit, pieces)
        found.append(
            Measurement(
                program,
                recipe.name,
                n,
                len(pieces),
                round(analysed - started, 3),
                round(cut - analysed, 3),
                round(time.perf_counter() - before, 3),
                round(sum(s.seconds for s in solved.stages), 3),
                len(solved.tree.bands()),
                len(solved.given_up),
            )
        )
    return found


def measure_space(program: str, n: int, seed: int, seconds: float) -> Measurement:
    """Time the default space of one program, with a limit in seconds."""
    scop = PROGRAMS[program](n, seed)
    before = time.perf_counter()
    space = build_space(scop, options=SpaceOptions(seconds=seconds))
    took = round(time.perf_counter() - before, 3)
    bands = len(space.best.tree.bands())
    return Measurement(program, "space", n, 0, 0.0, 0.0, took, 0.0, bands, len(space))


def main() -> None:
    """Measure, print a line per measurement, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--programs", nargs="+", default=list(PROGRAMS))
    parser.add_argument("--recipes", nargs="+", default=[r.name for r in RECIPES])
    parser.add_argument("--seconds", type=float, default=60.0, help="limit per solve")
    parser.add_argument("--space-seconds", type=float, help="also spaces, so long each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file to write")
    chosen = parser.parse_args()
    recipes = [r for r in RECIPES if r.name in chosen.recipes]
    names = [f.name for f in fields(Measurement)]
    widths = [max(10, len(name)) for name in names]

    def line(cells: Sequence[object]) -> None:
        padded = (str(c).rjust(w) for c, w in zip(cells, widths, strict=True))
        sys.stdout.write("  ".join(padded) + "\n")
        sys.stdout.flush()

    line(names)
    results: list[Measurement] = []
    for n in chosen.sizes:
        for program in chosen.programs:
            found = measure(program, n, chosen.seed, recipes, chosen.seconds)
            if chosen.space_seconds is not None:
                limit = chosen.space_seconds
                found.append(measure_space(program, n, chosen.seed, limit))
            for m in found:
                line(list(asdict(m).values()))
                results.append(m)
                if chosen.json:
                    chosen.json.write_text(json.dumps([asdict(r) for r in results]))


if __name__ == "__main__":
    main()
