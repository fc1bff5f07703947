"""One kernel of sums that threads share: who runs what, in which order.

All sums of a kernel run over the same loops. Between what its threads have in common, a
barrier; in each part all sums, one behind the other::

    zero of each; the terms, as the program has them; fold and meet of each
    gather of each                                    as often as the longest needs it
    hand over, of each
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest

import islpy as isl

from polysched.codegen.cuda.sum_level import SumLevel
from polysched.codegen.cuda.sum_schedule import add_band, add_mark, in_sequence
from polysched.codegen.cuda.sum_terms import (
    Shared,
    flat,
    place_in_block,
    place_in_grid,
)
from polysched.ir import MARK_GRID, MARK_KERNEL, MARK_THREADS
from polysched.sets import list_sets


@dataclass(frozen=True, eq=False)
class SumKernel:
    """Sums of one kernel, and what stands beside their terms.

    Attributes
    ----------
    levels : tuple of SumLevel
        At least one, all over the same loops.
    body : isl.Schedule
        The terms and what stands beside them, below the loops that are shared.
    others : mapping of str to tuple of Shared
        What stands beside them, with its values of these loops.
    """

    levels: tuple[SumLevel, ...]
    body: isl.Schedule
    others: Mapping[str, tuple[Shared, ...]]

    @property
    def parts(self) -> isl.Schedule:
        """What threads do between barriers, one after another, below their marks."""
        parts = [level.gathering for level in self.levels]
        epochs = [self._first_epoch()]
        epochs += [
            in_sequence(p for p in together if p is not None)
            for together in zip_longest(*parts)
        ]
        epochs.append(in_sequence(level.handing_over for level in self.levels))
        return in_sequence(self._shared_by_threads(e) for e in epochs)

    @property
    def schedule(self) -> isl.Schedule:
        """The kernel, from its mark on."""
        blocks = [lv.place_in_grid(s) for lv in self.levels for s in lv.statements]
        blocks += map(place_in_grid, self.others.values())
        whole = add_band(self.parts, blocks)
        return add_mark(add_mark(whole, MARK_GRID), MARK_KERNEL)

    def _first_epoch(self) -> isl.Schedule:
        """What a thread does until it waits for others."""
        own = {level.terms.statement.name: level.terms.shared for level in self.levels}
        own |= self.others
        loops = [
            flat(*(s.value for s in shared if s.is_sum)) for shared in own.values()
        ]
        before = [p for level in self.levels for p in level.before]
        behind = [p for level in self.levels for p in level.behind]
        return in_sequence([*before, add_band(self.body, loops), *behind])

    def _shared_by_threads(self, epoch: isl.Schedule) -> isl.Schedule:
        """A part of the kernel below its mark and the band that tells threads."""
        here = {s.get_tuple_name() for s in list_sets(epoch.get_domain())}
        places = [
            level.place_in_block(s)
            for level in self.levels
            for s in level.statements
            if s.name in here
        ]
        places += [place_in_block(v) for k, v in self.others.items() if k in here]
        counts = ",".join(str(s.threads) for s in self.levels[0].terms.shared)
        return add_mark(add_band(epoch, places), f"{MARK_THREADS}:{counts}")
