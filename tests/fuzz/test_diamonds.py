"""Random stencils: compiled original = interpreter = diamonds of several sizes.

One to three statements per time step pass values on through as many arrays, each read
up to two cells away in either direction, on lines and on grids. Program number s comes
from seed s; it runs at sizes around the tiles', at one, and at none at all.
"""

import random
from dataclasses import replace
from itertools import product

import pytest

from polysched.base import Deadline
from polysched.schedule import cut_dependences
from polysched.schedule.rowwise import pluto, solve_rowwise
from polysched.testing import (
    Candidate,
    Candidates,
    CheckOptions,
    check_program,
    prepare,
)
from polysched.testing.spaces import TINY_MACHINE
from polysched.transform import Diamond, PlanShape, apply_script, plan_script

N_PROGRAMS = 6  # of each dimension
SIDES = (2, 3, 8)  # of the diamonds
TIMES = (0, 1, 2, 7, 8, 9)
WIDTHS = (0, 1, 2, 7, 8, 9, 17)  # of what is computed; the border stays
BORDER = 2
LENGTH = max(WIDTHS) + 2 * BORDER
SHAPE = PlanShape(straighten=True, diamond=True)

pytestmark = [pytest.mark.cc, pytest.mark.timeout(600)]


def stencil(seed: int, n_dims: int) -> tuple[str, str]:
    """A function with its arrays, and lines of `main` that run it."""
    rng = random.Random(seed)
    n, name = rng.randint(1, 3), f"f{seed}"
    iterators = "ij"[:n_dims]
    body = []
    for k in range(n):
        loops = "".join(
            f"for (int {v} = {BORDER}; {v} < n + {BORDER}; {v}++) " for v in iterators
        )
        body.append(f"        {loops}{update(rng, f'{name}_', k, n, iterators)}")
    extents = f"[{LENGTH}]" * n_dims
    depth = f"[{max(TIMES) + 1}]" if n == 1 else ""
    arrays = [f"static double {name}_{k}{depth}{extents};" for k in range(n)]
    lines = [*arrays, f"static void {name}(int steps, int n)", "{", "#pragma scop"]
    lines += ["    for (int t = 0; t < steps; t++) {", *body, "    }"]
    lines += ["#pragma endscop", "}"]
    calls = list(product(TIMES, WIDTHS))
    rng.shuffle(calls)
    cells = f"sizeof {name}_0 / sizeof(double)"
    driver = []
    for steps, width in [(0, 8), (8, 0), *calls[:6]]:
        driver += [
            f"    for (int k = 0; k < (int)({cells}); k++) "
            f"((double *){name}_{k})[k] = k % 13 / 4.0 + {k};"
            for k in range(n)
        ]
        driver.append(f"    {name}({steps}, {width});")
    return "\n".join(lines), "\n".join(driver)


def update(rng: random.Random, array: str, k: int, n: int, iterators: str) -> str:
    """One statement: cells of the array before, and sometimes the cell itself."""
    source, target = f"{array}{k}", f"{array}{(k + 1) % n}"
    before, after = ("[t]", "[t + 1]") if n == 1 else ("", "")
    low, high = rng.choice([(-1, 1), (-1, 1), (-2, 1), (0, 1), (-1, 0), (0, 2)])
    terms = []
    for _ in range(rng.randint(2, 4)):
        places = [f"[{v} + {rng.randint(low, high)}]" for v in iterators]
        terms.append(f"{source}{before}{''.join(places)}")
    here = "".join(f"[{v}]" for v in iterators)
    if n > 1 and rng.random() < 0.4:
        terms.append(f"{target}{here}")
    return f"{target}{after}{here} = 0.25 * ({' + '.join(terms)}) + 0.5;"


def diamonds(scop):
    """Pluto's schedule of a stencil with diamonds of several sizes on it."""
    scop, deps = prepare(scop)
    pieces = cut_dependences(scop, deps)
    solved = solve_rowwise(scop, deps, pluto().options, Deadline.after(60), pieces)
    planned = plan_script(solved.tree, scop, deps, TINY_MACHINE.cpu, SHAPE)
    found = []
    for size in SIDES:
        script = tuple(
            replace(s, sizes=tuple(size * (n > 0) for n in s.sizes))
            if isinstance(s, Diamond)
            else s
            for s in planned.steps
        )
        tree = apply_script(solved.tree, script, deps)
        found.append(Candidate(tree, "pluto", steps=tuple(map(str, script))))
    return Candidates(scop, deps, tuple(found))


@pytest.mark.long
@pytest.mark.parametrize("n_dims", [1, 2])
def test_random_stencils_agree_in_diamonds(n_dims):
    seeds = range(100 * n_dims, 100 * n_dims + N_PROGRAMS)
    functions, calls = zip(*(stencil(s, n_dims) for s in seeds), strict=True)
    text = "#include <stdio.h>\n{}\nint main(void)\n{{\n{}\n    return 0;\n}}\n"
    program = text.format("\n".join(functions), "\n".join(calls))
    report = check_program(
        program, diamonds, CheckOptions(max_calls=8, proof_operations=100_000)
    )
    assert not report.mismatches, "\n".join(str(m) for m in report.mismatches)
    assert report.n_refused == report.n_unanalysed == report.n_unprinted == 0
    assert report.n_trees == len(SIDES) * N_PROGRAMS
    assert report.kinds["diamond"] >= 0.7 * report.n_trees
