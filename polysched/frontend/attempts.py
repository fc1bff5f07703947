"""A SCoP as it stands, or else rewritten: calls, sizes and loops in other words.

Each of `WAYS` rewrites one kind of text that the model cannot see through. A region
that is refused is read with one more of them, the first with which reading gets
further, until it is accepted or none does: for n ways in n (n + 1) / 2 more readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import islpy as isl

from polysched.base import FrontendError, LimitError
from polysched.frontend.assemble import Assembler
from polysched.frontend.half_rules import HalfRules
from polysched.frontend.own_names import with_own_names
from polysched.frontend.purity import Functions
from polysched.frontend.refusal import Refuser
from polysched.frontend.scoping import ScopSite
from polysched.frontend.structures import SizeChecker
from polysched.frontend.ways import UnfitWayError, Way
from polysched.ir import Scop, SourceRegion


def build_scop(
    site: ScopSite, region: SourceRegion, name: str, functions: Functions,
    refuser: Refuser, n_words: Mapping[str, int], sizes: SizeChecker,
    halves: HalfRules | None = None,
) -> Scop:  # fmt: skip
    """Read one SCoP or raise the `FrontendError` that says why not.

    `n_words` tells how often the file, preprocessed, has a name; `sizes` knows the
    size of the file's structures; `halves` is there where it has floating types of two
    bytes. A region that is refused and declares a name twice is read with other names.
    """
    given = region, name, functions, refuser, n_words, sizes, halves
    try:
        return _build(site, *given)
    except FrontendError:
        items = with_own_names(site.items, site.scope, n_words)
        if items is None:
            raise
        try:
            return _build(replace(site, items=items), *given)
        except (FrontendError, isl.Error, LimitError):
            pass
        raise


def _build(
    site: ScopSite, region: SourceRegion, name: str, functions: Functions,
    refuser: Refuser, n_words: Mapping[str, int], sizes: SizeChecker,
    halves: HalfRules | None,
) -> Scop:  # fmt: skip
    def read(ways: frozenset[Way]) -> _Attempt:
        assembler = Assembler(site, functions, refuser, n_words, sizes, halves, ways)
        found: Scop | FrontendError
        try:
            found = assembler.assemble(region, name)
        except FrontendError as error:
            found = error
        others = assembler.rewritten.other_ways
        return _Attempt(found, ways, others, assembler.n_stages_done)

    best = read(frozenset())
    while isinstance(best.found, FrontendError):
        more = (read(best.ways | {way}) for way in best.others)
        further = next((a for a in more if a.gets_further_than(best)), None)
        if further is None:
            raise best.found
        best = further
    if "sizes_known" in best.others and _has_data_loops(best.found):
        try:
            other = read(best.ways | {"sizes_known"}).found
        except (isl.Error, LimitError):
            return best.found
        return best.found if isinstance(other, FrontendError) else other
    return best.found


@dataclass(frozen=True)
class _Attempt:
    """What came of reading a SCoP.

    Attributes
    ----------
    found : Scop or FrontendError
        It, or why it is refused.
    ways : frozenset of str
        How it was rewritten.
    others : tuple of str
        Rewritings that would change it further.
    n_stages : int
        Stages of reading that are done.
    """

    found: Scop | FrontendError
    ways: frozenset[Way]
    others: tuple[Way, ...]
    n_stages: int

    def gets_further_than(self, other: _Attempt) -> bool:
        """Whether this is accepted, or refused for something else that is no earlier.

        Places in the text do not tell: of one statement, loops are judged last.
        """
        if isinstance(self.found, Scop) or isinstance(other.found, Scop):
            return isinstance(self.found, Scop)
        if isinstance(self.found, UnfitWayError) or self.n_stages < other.n_stages:
            return False
        return self._refusal != other._refusal

    @property
    def _refusal(self) -> tuple[object, str]:
        assert isinstance(self.found, FrontendError)
        return self.found.where, self.found.message


def _has_data_loops(scop: Scop) -> bool:
    return any(s.has_data_loops for s in scop.statements)
