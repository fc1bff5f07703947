"""The schedules of a small schedule space, for programs with tiny loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from zlib import crc32

from polysched.analysis import Dependences
from polysched.base import PolyschedError
from polysched.codegen import Target
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Cpu, Machine
from polysched.policy import Policy, find_policy
from polysched.schedule import Recipe
from polysched.space import (
    ISL_VARIANTS,
    LARGE_ROWWISE,
    ROWWISE,
    Schedule,
    ScheduleSpace,
    SpaceOptions,
    build_space,
)
from polysched.testing.candidates import Candidate, Candidates
from polysched.transform import (
    FuseTiles,
    Jam,
    Launch,
    Registers,
    Script,
    Step,
    Tile,
    Version,
    apply_script,
)

# fixed, so that a seed gives the same schedules everywhere; caches of a few rows
TINY_MACHINE = Machine(
    Cpu(
        name="tiny",
        n_cores=2,
        n_threads=2,
        simd_bits=256,
        l1_bytes=1024,
        l2_bytes=4096,
        l3_bytes=16384,
        line_bytes=64,
        frequency_hz=None,
        flops_per_second=1e9,
        bandwidth_bytes_per_second=1e9,
        bandwidth_all_bytes_per_second=2e9,
        barrier_seconds=1e-6,
        isa=("avx2", "fma"),
    )
)
_Item = TypeVar("_Item")
RARELY = 4  # of so many SCoPs that are asked few recipes one is scheduled row by row
SMALL_SIZES = (4, 3, 2, 5)
SMALL_FACTOR = 2


@dataclass(frozen=True)
class SmallSpaces:
    """Gives the schedules of a small space of any SCoP; pass it to `check_program`.

    Attributes
    ----------
    limit : int
        Most schedules per SCoP. They are picked for variety: each next one has the most
        steps and objectives that none before it has.
    n_recipes : int or None
        How many recipes of the policy "thorough" each SCoP is asked, None for all of
        them; besides them a quarter as many of isl's schedules and of those found row
        by row, at least one, the latter for few SCoPs. The SCoP's name decides which,
        so that many programs ask all of them.
    shapes_per_schedule : int
        Most scripts per affine schedule.
    seconds : float
        Time limit of each space; where it is reached, the schedules depend on the load.
    small_steps : bool
        Whether tiles shrink to `SMALL_SIZES` and register tiles to `SMALL_FACTOR`, so
        that loops of a few iterations have several tiles and partial ones.
    target : {"openmp", "cuda"}
        What the schedules are for; the source order is none for a device.
    """

    limit: int = 8
    n_recipes: int | None = None
    shapes_per_schedule: int = 3
    seconds: float = 60.0
    small_steps: bool = True
    target: Target = "openmp"

    def __call__(self, scop: Scop) -> Candidates:
        """The space of a SCoP of the front end."""
        number, n = crc32(scop.name.encode()), self.n_recipes
        n_others = None if n is None else max(1, n // 4)
        rows = _some((*ROWWISE, *LARGE_ROWWISE), number // RARELY, n_others)
        options = SpaceOptions(
            policy=_part_of_thorough(number, n),
            seconds=self.seconds,
            limit=1000,
            shapes_per_schedule=self.shapes_per_schedule,
            isl_variants=_some(ISL_VARIANTS, number, n_others),
            target=self.target,
            rowwise=() if n is not None and n < RARELY and number % RARELY else rows,
        )
        space = build_space(scop, TINY_MACHINE, options)
        fit = [s for s in space if s.script or self.target == "openmp"]
        picked = pick_varied(fit, self.limit)
        listed = [
            self._candidate(schedule, space.dependences, number + k)
            for k, schedule in enumerate(picked)
        ]
        distinct = {c.tree.text: c for c in listed}
        return Candidates(
            space.scop, space.dependences, tuple(distinct.values()), illegal(space)
        )

    def _candidate(
        self, schedule: Schedule, dependences: Dependences, number: int
    ) -> Candidate:
        tree, script = schedule.tree, schedule.script
        if self.small_steps:
            tree, script = _with_small_steps(schedule, dependences, number)
        objectives = ">".join(schedule.objectives)
        steps = tuple(str(step) for step in script)
        return Candidate(tree, objectives, schedule.shape or "", steps)


def _part_of_thorough(number: int, n_recipes: int | None) -> Policy:
    whole = find_policy("thorough")

    def choose(scop: Scop, dependences: Dependences) -> tuple[Recipe, ...]:
        return _some(whole.choose(scop, dependences), number, n_recipes)

    return Policy(f"part {number} of thorough", whole.summary, choose)


def _some(items: Sequence[_Item], number: int, n: int | None) -> tuple[_Item, ...]:
    """So many of the items, far from each other; the number says from which one on."""
    total = len(items)
    if n is None or n >= total:
        return tuple(items)
    return tuple(items[(number + k * total // n) % total] for k in range(n))


def pick_varied(schedules: Sequence[Schedule], limit: int) -> list[Schedule]:
    """At most so many schedules: the original, then each as new as can be.

    Of equally new ones those of the lexicon come before isl's and the original order's.
    """
    left = sorted(schedules, key=lambda s: (len(s.objectives) == 1, s.id))
    picked = [s for s in left if s.objectives == ("original",) and not s.script]
    left = [s for s in left if s not in picked]
    seen = set().union(*map(_traits, picked))
    while left and len(picked) < limit:
        best = max(left, key=lambda s: len(_traits(s) - seen))  # the first of equals
        left.remove(best)
        picked.append(best)
        seen |= _traits(best)
    return picked


def _traits(schedule: Schedule) -> set[str]:
    """Objectives, steps, and which steps meet."""
    steps = [step.name for step in schedule.script]
    return {">".join(schedule.objectives), *steps, ";".join(steps)}


def _with_small_steps(
    schedule: Schedule, dependences: Dependences, number: int
) -> tuple[ScheduleTree, Script]:
    """The schedule with small tiles, or as it is where small ones are refused."""
    script = _with_small_versions(
        schedule.script, tuple(_small(step, number) for step in schedule.script)
    )
    if script != schedule.script:
        try:
            return apply_script(schedule.affine, script, dependences), script
        except PolyschedError:  # some band has no full register tile of this shape
            pass
    return schedule.tree, schedule.script


def _with_small_versions(old: Script, new: Script) -> Script:
    """The steps, with versions for full tiles of the sizes that tiles have got."""
    sizes = {
        size: small
        for a, b in zip(old, new, strict=True)
        if isinstance(a, Tile) and isinstance(b, Tile)
        for size, small in zip(a.sizes, b.sizes, strict=True)
    }
    return tuple(
        replace(s, size=sizes.get(s.size, s.size)) if isinstance(s, Version) else s
        for s in new
    )


def _small(step: Step, number: int) -> Step:
    if isinstance(step, Tile):
        cycle = len(SMALL_SIZES)
        sizes = (SMALL_SIZES[(number + k) % cycle] for k in range(len(step.sizes)))
        pairs = zip(step.sizes, sizes, strict=True)
        return replace(step, sizes=tuple(min(old, new) for old, new in pairs))
    if isinstance(step, Launch):
        threads = tuple(min(n, SMALL_FACTOR + number % 2) for n in step.threads)
        rounds = (t // n for t, n in zip(step.tile, step.threads, strict=True))
        tile = tuple(n * k for n, k in zip(threads, rounds, strict=True))
        return replace(step, threads=threads, tile=tile)
    if isinstance(step, Jam):
        return replace(step, factors=tuple(min(f, SMALL_FACTOR) for f in step.factors))
    if isinstance(step, Registers):
        factors = tuple(min(f, SMALL_FACTOR) for f in step.factors)
        return replace(step, factors=factors, lanes=min(step.lanes, SMALL_FACTOR))
    if isinstance(step, FuseTiles):
        return replace(
            step, size=min(step.size, SMALL_SIZES[number % len(SMALL_SIZES)])
        )
    return step


def illegal(space: ScheduleSpace) -> tuple[str, ...]:
    """What a space dropped as illegal: solver and planner must not offer such trees."""
    return tuple(
        f"{d.what}: {d.reason}"
        for d in space.dropped
        if "illegal" in d.reason or "not legal" in d.reason
    )
