"""What policies ask for reaches the space: partitions, parts, machine, functions."""

from __future__ import annotations

from dataclasses import replace

from polysched.machine import Machine
from polysched.schedule import Part, PinFused, Recipe
from polysched.space import SpaceOptions, build_space
from polysched.space.builder import SpaceBuilder
from tests.unit.schedule import programs

HERE = Machine.detect(calibrated=False)


def build(policy, machine=HERE, **options):
    given = SpaceOptions(policy=policy, seconds=60.0, isl_variants=(), **options)
    return build_space(programs.mvt(), machine, given)


def solved_by(monkeypatch):
    """Partition and objectives of all affine schedules, shared with others or not."""
    found = []
    take = SpaceBuilder.take

    def note(self, candidate, core):
        if candidate.solved is not None:
            found.append((candidate.solved.partition, candidate.solved.objectives))
        take(self, candidate, core)

    monkeypatch.setattr(SpaceBuilder, "take", note)
    return found


def test_parts_and_partitions_are_in_the_space(monkeypatch):
    solved = solved_by(monkeypatch)
    parts = (Part(("S1",), ("OP", "MIC")), Part(("S0",), ("SO", "MIC")))

    def mine(scop, dependences):
        return [
            Recipe(("SO", "MIC"), partition="SINGLE"),
            Recipe((), partition="by hand", parts=parts),
        ]

    space = build(mine)
    assert space.policy == "mine"
    found = {(s.partition, s.objectives) for s in space}
    assert ("SINGLE", ("SO", "MIC")) in solved
    assert ("by hand", ("S1:OP,MIC", "S0:SO,MIC")) in found


def test_a_policy_sees_the_machine_of_the_space():
    seen = []

    def mine(scop, dependences, machine):
        seen.append(machine)
        return [Recipe(("OP", "MIC"))]

    build(mine, Machine(replace(HERE.cpu, n_cores=64, simd_bits=512)))
    assert [(m.n_cores, m.vector_lanes) for m in seen] == [(64, 8)]


def test_a_partition_that_breaks_a_pin_is_dropped_with_the_reason():
    space = build("SO>MIC@SINGLE+DGF>MIC", pins=(PinFused("S0", "S1"),))
    assert any("SINGLE keeps S0 and S1 apart" in d.reason for d in space.dropped)
    assert any(not s.broken_pins for s in space)


def test_the_database_is_a_policy_of_the_space(monkeypatch):
    solved = solved_by(monkeypatch)
    space = build("database")
    assert {"MAX", "DIM"} <= {partition for partition, _ in solved}
    assert all(s.objectives for s in space)
