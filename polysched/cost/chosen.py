"""What a device's threads touch at places that data decide."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from polysched.cost.loads import StatementLoad
from polysched.cost.lookups import choice_bytes, chosen_elements
from polysched.cost.nest import Nest
from polysched.cost.warps import LINE_BYTES, SECTOR_BYTES, WARP

CONFLICTS = 3.5  # accesses of 32 lanes to the fullest of 32 banks, places at random


def add_chosen(
    load: StatementLoad,
    nest: Nest,
    blocks: float,
    threads: int,
    copied: Collection[str],
) -> StatementLoad:
    """The load with elements at such places, of which each lane has one of its own.

    Lanes touch a sector and a line each; reads come from L2 once for each block as far
    as the elements among which data choose are few; updates go on to it each time. Of
    a copy in shared memory, the threads of the block set all elements to zero, and
    update all of the array itself at the end.

    Parameters
    ----------
    load : StatementLoad
        Without them.
    nest : Nest
        The statement in its loops.
    blocks : float
        Of a launch.
    threads : int
        Of a block.
    copied : collection of str
        Arrays that blocks have copies of.
    """
    n_stored = load.n_requests * load.written_share
    for element, turns, is_written in chosen_elements(nest):
        n = load.n_instances * turns
        size = nest.scop.array(element.array).type.n_bytes
        among = choice_bytes(nest.scop, element)
        if element.array in copied:
            n_elements = among / size
            load = replace(
                load,
                shared_wavefronts=load.shared_wavefronts + n / WARP * CONFLICTS,
                met_bytes=load.met_bytes + among,
                n_steps=load.n_steps + 2 * n_elements / threads,
            )
            n = n_elements * blocks
        moved = n * SECTOR_BYTES
        once = min(moved, among * blocks) if among and not is_written else moved
        n_stored += n / WARP * is_written
        load = replace(
            load,
            n_requests=load.n_requests + n / WARP,
            near_bytes=load.near_bytes + moved,
            far_bytes=load.far_bytes + once,
            memory_bytes=load.memory_bytes + min(moved, among or moved),
            line_bytes=load.line_bytes + n * LINE_BYTES,
            n_references=load.n_references + 1,
        )
    return replace(load, written_share=n_stored / max(load.n_requests, 1e-9))
