"""Rewritings of a SCoP's text for what the model cannot see through, in one order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from polysched.base import NotAffineError
from polysched.frontend.flat_loops import FlatLoop, with_nests
from polysched.frontend.inlined import with_returned
from polysched.frontend.known_sizes import with_known_sizes
from polysched.frontend.naming import FreshNames
from polysched.frontend.scoping import ScopSite
from polysched.frontend.tiles import with_untiled
from polysched.frontend.trees import names
from polysched.frontend.versions import with_versions

Way = Literal["inlined", "sizes_known", "untiled", "nests", "reads_all"]
WAYS: tuple[Way, ...] = get_args(Way)


class UnfitWayError(NotAffineError):
    """A rewriting does not fit; what it was to help with is what is refused."""


@dataclass(eq=False)
class Rewritten:
    """Statements of a SCoP, rewritten in some ways.

    Functions (``inlined``, `with_returned`) and variables (``sizes_known``,
    `with_versions` and `with_known_sizes`) are put where they are read, loops over
    tiles and in tiles are one (``untiled``, `with_untiled`), loops over products are
    nests (``nests``, `with_nests`); with ``reads_all``, variables that count along with
    loops are read as data, which is no matter of the text.

    Parameters
    ----------
    site : ScopSite
        The SCoP.
    items : sequence of nodes
        Its statements, without jumps; they are not changed.
    ways : frozenset of str
        How to rewrite them: always in the order of `WAYS`.
    n_words : mapping of str to int
        How often the file has each name.
    is_own : callable
        Whether nothing but assignments changes a variable from outside.
    is_dead : callable
        Whether nobody reads a variable from outside behind the SCoP.

    Attributes
    ----------
    flat_loops : dict
        What loops were that are nests now, as `Nested.loops`.
    tile_sizes : dict
        Of tiles that loops ran over, as `Untiled.sizes`.
    counters : sequence of str
        Variables from outside that counted loops and do so no more.
    """

    site: ScopSite
    items: Sequence[Any]
    ways: frozenset[Way]
    n_words: Mapping[str, int]
    is_own: Callable[[str], bool]
    is_dead: Callable[[str], bool]
    flat_loops: dict[str, FlatLoop] = field(init=False, default_factory=dict)
    tile_sizes: dict[int, Any] = field(init=False, default_factory=dict)
    counters: Sequence[str] = field(init=False, default=())
    _changing: set[Way] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        scope = self.site.scope
        self._put("inlined", with_returned(self.items, scope))
        taken = {name for item in self.items for name in names(item)}
        fresh = FreshNames({*self.n_words, *taken})
        split = with_versions(self.items, scope, self.is_dead, fresh)
        self._put("sizes_known", with_known_sizes(split, scope, self.is_own))
        untiled = with_untiled(self.items, scope, self.is_dead)
        self._put("untiled", untiled.items)
        nested = with_nests(self.items, fresh, scope, self.is_dead)
        self._put("nests", nested.items)
        if "nests" in self.ways:
            self.flat_loops, self.counters = nested.loops, nested.counters
        if "untiled" in self.ways:
            self.tile_sizes = untiled.sizes

    def _put(self, way: Way, others: Sequence[Any]) -> None:
        """Other statements in place of these, if that is asked for."""
        if any(a is not b for a, b in zip(self.items, others, strict=True)):
            self._changing.add(way)
        if way in self.ways:
            self.items = others

    def mark(self, way: Way) -> None:
        """Note that one more rewriting would change what is read."""
        self._changing.add(way)

    @property
    def other_ways(self) -> tuple[Way, ...]:
        """Rewritings that were not asked for, and would change something."""
        return tuple(w for w in WAYS if w in self._changing - self.ways)
