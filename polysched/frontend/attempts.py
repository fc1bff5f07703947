"""A SCoP as it stands, or else with calls, sizes or loops written in another way."""

from __future__ import annotations

from collections.abc import Mapping

import islpy as isl

from polysched.base import FrontendError, LimitError
from polysched.frontend.assemble import Assembler
from polysched.frontend.half_rules import HalfRules
from polysched.frontend.purity import Functions
from polysched.frontend.refusal import Refuser
from polysched.frontend.scoping import ScopSite
from polysched.frontend.structures import SizeChecker
from polysched.ir import Scop, SourceRegion


def build_scop(
    site: ScopSite, region: SourceRegion, name: str, functions: Functions,
    refuser: Refuser, n_words: Mapping[str, int], sizes: SizeChecker,
    halves: HalfRules | None = None,
) -> Scop:  # fmt: skip
    """Read one SCoP or raise the `FrontendError` that says why not.

    `n_words` tells how often the file, preprocessed, has a name; `sizes` knows the
    size of the file's structures; `halves` is there where it has floating types of two
    bytes. What is refused as it stands is read in other ways, one after the other.
    """
    ways: list[dict[str, bool]] = [{}]
    plain: Scop | None = None
    first: FrontendError | None = None
    for way in ways:
        assembler = Assembler(site, functions, refuser, n_words, sizes, halves, **way)
        try:
            found = assembler.assemble(region, name)
        except FrontendError as error:
            if way.get("reads_all"):
                raise
            if not way:
                ways += assembler.other_ways
            if not way or way.get("inlined"):
                first = error
            continue
        except (isl.Error, LimitError):
            if plain is None:
                raise
            continue
        if way or not assembler.sets_sizes or not _has_data_loops(found):
            return found
        plain = found
        ways.append({"sizes_known": True})
    if plain is not None:
        return plain
    assert first is not None
    raise first


def _has_data_loops(scop: Scop) -> bool:
    return any(s.has_data_loops for s in scop.statements)
