"""Spaces made by hand from scripts, without a solver: small, quick, the same always."""

from __future__ import annotations

from polysched.analysis import schedule_features
from polysched.ilp import Stage
from polysched.ir import ScheduleTree, original_tree
from polysched.machine import Cpu, Machine
from polysched.space import Dropped, Schedule, ScheduleSpace, SpaceSize
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees

MACHINE = Machine(
    Cpu("x", 4, 4, 256, 2**15, 2**20, 2**24, 64, 3e9, 2e10, 1e10, 3e10, 5e-6)
)
SCRIPTS = {  # and the seconds that are predicted for each
    "": 0.4,
    "parallel(band=0, member=0)": 0.11,
    "order(band=0, members=[0, 2, 1])": 1.7,
    "tile(band=0, sizes=[32, 16, 64])": 0.17,
    "tile(band=0, sizes=[32, 16, 64]); parallel(band=0.0, member=0)": 0.05,
    "tile(band=0, sizes=[8, 8, 8]); parallel(band=0.0, member=0)": 0.14,
}


def gemm_space() -> ScheduleSpace:
    """Six shapes of one band (i, k, j), and the source order."""
    scop = scops.gemm()
    affine, deps = trees.gemm()

    def schedule(
        objectives: tuple[str, ...], affine: ScheduleTree, text: str, seconds: float
    ) -> Schedule:
        script = parse_script(text)
        tree = apply_script(affine, script, deps)
        stages = (Stage("OP", -2, -2.0, 0.25, "optimal"),)
        return Schedule(
            id=tree.key,
            objectives=objectives,
            partition="MAX",
            script=script,
            affine=affine,
            tree=tree,
            stages=stages if objectives == ("OP",) else (),
            features=schedule_features(tree, scop, deps, MACHINE),
            predicted_seconds=seconds,
        )

    schedules = [schedule(("OP",), affine, *pair) for pair in SCRIPTS.items()]
    schedules.append(schedule(("original",), original_tree(scop), "", 0.6))
    schedules.sort(key=lambda s: s.predicted_seconds)
    return ScheduleSpace(
        scop=scop,
        dependences=deps,
        machine=MACHINE,
        policy="by hand",
        size=SpaceSize(asked=3, solved=2, distinct=7, kept=7),
        schedules=tuple(schedules),
        dropped=(
            Dropped("IP", "illegal: flow dependence on C violated"),
            Dropped("SO", "same schedule as OP"),
            Dropped("MIC", "same schedule as IP"),
        ),
        seconds=0.5,
        pins=(),
        target="openmp",
    )
