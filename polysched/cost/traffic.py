"""Bytes that a schedule moves between the levels of memory, by the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from polysched.analysis import Dependences
from polysched.cost.columns import crowded_bytes
from polysched.cost.lookups import looked_up_bytes
from polysched.cost.read import read_nests
from polysched.cost.reuse import Reuse
from polysched.cost.storage import lay_out_copies
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Cpu, Machine


@dataclass(frozen=True)
class Traffic:
    """Bytes of one run that enter each level from the one below it.

    Attributes
    ----------
    l2_bytes : float
        From the second cache into the first.
    l3_bytes : float
        From the third cache, or memory where there is none, into the second.
    memory_bytes : float
        From memory into the last cache.
    """

    l2_bytes: float
    l3_bytes: float
    memory_bytes: float


def predict_traffic(
    tree: ScheduleTree,
    scop: Scop,
    machine: Machine,
    parameters: Mapping[str, int] | None = None,
    deps: Dependences | None = None,
) -> Traffic | None:
    """What one run under a schedule moves; None where the tree holds no statement.

    The arguments are those of `predict`, whose prediction rests on these numbers.
    """
    nests = lay_out_copies(read_nests(tree, at_sizes(scop, parameters), deps))
    reuse = Reuse(nests, machine.cpu.line_bytes)
    parts = [nest_traffic(k, reuse, machine.cpu) for k in range(len(nests))]
    if not parts:
        return None
    return Traffic(
        sum(p.l2_bytes for p in parts),
        sum(p.l3_bytes for p in parts),
        sum(p.memory_bytes for p in parts),
    )


def nest_traffic(position: int, reuse: Reuse, cpu: Cpu) -> Traffic:
    """What one nest moves, without what an earlier one leaves in a cache."""
    met = reuse.rows_before(position)

    def moved(capacity_bytes: int, *, shared: bool) -> float:
        loaded = reuse.traffic(position, capacity_bytes)
        saved = reuse.saved_bytes(
            position,
            capacity_bytes,
            shared=shared,
            in_order=capacity_bytes == cpu.l1_bytes,
        )
        looked_up = looked_up_bytes(
            reuse.nest(position), capacity_bytes, cpu.line_bytes, met
        )
        return max(0.0, loaded - saved) + looked_up

    last_level = max(cpu.l3_bytes, cpu.l2_bytes)
    crowded = crowded_bytes(reuse.nest(position), cpu.l1_bytes, cpu.line_bytes)
    return Traffic(
        max(moved(cpu.l1_bytes, shared=False), crowded),
        moved(cpu.l2_bytes, shared=False),
        moved(last_level, shared=True),
    )


def at_sizes(scop: Scop, parameters: Mapping[str, int] | None) -> Scop:
    """The SCoP with those parameters fixed that it has."""
    known = {p.name for p in scop.parameters}
    values = {k: v for k, v in (parameters or {}).items() if k in known}
    return scop.with_parameters_fixed(values) if values else scop
