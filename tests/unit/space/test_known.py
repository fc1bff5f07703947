"""Recipes that contain another one are solved faster, to the same schedules."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences
from polysched.frontend import parse_c
from polysched.policy import find_policy
from polysched.schedule import find_core
from polysched.space.ask import Asker

POLYBENCH = Path(__file__).parents[3] / "examples" / "polybench"
KERNELS = (
    "atax",
    "bicg",
    "cholesky",
    "gemm",
    "gesummv",
    "jacobi-1d",
    "mvt",
    "seidel-2d",
    "trisolv",
    "trmm",
)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_same_schedules_are_found(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scop = parse_c(str(POLYBENCH / f"{kernel}.c")).scops[0]
    core = find_core(scop, compute_dependences(scop))
    recipes = find_policy("balanced").recipes(core.scop, core.dependences)
    found = []
    for _ in range(2):
        asker = Asker(core, recipes, 600.0, (), rowwise=())
        solved = [c.solved for c in asker.candidates()]
        asker.close()
        found.append({s.tree.key for s in solved if s is not None})
        monkeypatch.setattr("polysched.space.ask._what_is_known", lambda _: None)
    assert found[0] == found[1]
