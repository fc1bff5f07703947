"""The default space of every PolyBench kernel: neither empty nor large, references in.

What Pluto's algorithm, isl's scheduler and Feautrier's find is computed here once more;
each must be among the kept schedules, in whatever shape it ranks best.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

import polysched as ps
from polysched.base import Deadline
from polysched.ir import ScheduleTree
from polysched.machine import Machine
from polysched.schedule import IslVariant, Solved, find_core, isl_schedule
from polysched.schedule.rowwise import pluto, solve_rowwise
from polysched.space import ScheduleSpace, SpaceOptions, build_space
from polysched.transform import apply_script, plan_scripts

KERNELS = sorted(
    p.stem for p in (Path(__file__).parents[2] / "examples" / "polybench").glob("*.c")
)
QUICK = ("gemm", "jacobi-1d", "mvt", "trisolv")
REFERENCES = ("pluto", "isl", "feautrier")
LEAST, MOST = 4, 40
SECONDS = 120.0  # far more than a quiet machine needs


def marked(kernel: str) -> object:
    return kernel if kernel in QUICK else pytest.param(kernel, marks=pytest.mark.slow)


@lru_cache(maxsize=2)
def default_space(kernel: str) -> ScheduleSpace:
    path = Path(__file__).parents[2] / "examples" / "polybench" / f"{kernel}.c"
    program = ps.parse_c(str(path), flags=("-DLARGE",))
    machine = Machine.detect(calibrated=False)
    return build_space(program.scops[0], machine, SpaceOptions(seconds=SECONDS))


def solve_reference(space: ScheduleSpace, name: str) -> ScheduleTree:
    core = find_core(space.scop, space.dependences)
    limit = Deadline.after(SECONDS)
    solved: Solved
    if name == "pluto":
        options = pluto().options
        solved = solve_rowwise(core.scop, core.dependences, options, limit)
    else:
        solved = isl_schedule(core.scop, core.dependences, IslVariant(name), limit)
    return core.embed(solved.tree, space.dependences)


def is_kept(space: ScheduleSpace, tree: ScheduleTree) -> bool:
    """Whether a kept schedule has these rows, perhaps in bands that were joined.

    Compared by meaning, on the domain: isl writes one domain in several ways, and
    where it says ``j = i + 1``, a row of ``j`` as one of ``i + 1``.
    """
    if any(tree.map.is_equal(s.affine.map) for s in space):
        return True
    scripts = plan_scripts(tree, space.scop, space.dependences, space.machine.cpu)
    shaped = [apply_script(tree, script).map for script in scripts]
    return any(m.is_equal(s.tree.map) for m in shaped for s in space)


@pytest.mark.long
@pytest.mark.parametrize("kernel", [marked(k) for k in KERNELS])
def test_the_space_has_its_size_and_the_references(kernel: str) -> None:
    space = default_space(kernel)
    assert LEAST <= len(space) <= MOST
    assert len({s.tree.key for s in space}) == len(space)
    lost = [n for n in REFERENCES if not is_kept(space, solve_reference(space, n))]
    assert lost == []
