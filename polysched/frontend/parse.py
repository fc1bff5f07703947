"""`parse_c`: a C file to a `Program`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike, fspath

import islpy as isl

from polysched.base import FrontendError, LimitError, SourceLocation
from polysched.frontend.attempts import build_scop
from polysched.frontend.declarations import Scope
from polysched.frontend.half_rules import HalfRules, find_half_rules
from polysched.frontend.preprocess import preprocess
from polysched.frontend.purity import Functions
from polysched.frontend.refusal import Refuser
from polysched.frontend.regions import (
    RegionPair,
    find_marks,
    pair_marks,
    source_region,
)
from polysched.frontend.scoping import FileNames, ScopSite, read_names
from polysched.frontend.signatures import read_signatures
from polysched.frontend.source import Places, SourceFile
from polysched.frontend.structures import SizeChecker
from polysched.frontend.syntax import parse_text
from polysched.ir import OVERLAP_RULE, OverlapRule, Program, Scop
from polysched.sets import operation_limit

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_MAX_OPERATIONS = 30_000_000  # of isl, for one SCoP; the examples need 120 000


def parse_c(
    path: str | PathLike[str],
    *,
    flags: Sequence[str] = (),
    cc: str = "gcc",
    pure: Sequence[str] = (),
    cflags: Sequence[str] = ("-O3", "-march=native"),
    overlap: OverlapRule = OVERLAP_RULE,
) -> Program:
    """Read the SCoPs of a C file.

    Parameters
    ----------
    path : path-like
        The C file. Regions between ``#pragma scop`` and ``#pragma endscop`` are read.
    flags : sequence of str
        Flags for the preprocessor: ``-I``, ``-D``, ``-include``, ``-std``, ...
    cc : str
        The C compiler, run as preprocessor; may hold arguments of its own.
    pure : sequence of str
        Functions that may be called inside a SCoP besides those of ``math.h`` and the
        pure ones that the file defines.
    cflags : sequence of str
        Options that the program will be compiled with, which decide how `_Float16`
        and `__bf16` round; nothing else depends on them.
    overlap : {"ask", "promise"}
        Whether generated code asks if arrays that may overlap do, or you promise that
        they do not.

    Returns
    -------
    Program
        SCoPs that were understood; a `FrontendError` for each region that was not.
        Integers are taken not to overflow.

    Raises
    ------
    FrontendError
        If the file cannot be read, is no C, or has no region at all.
    ToolchainError
        If the compiler cannot be started or refuses the flags.
    """
    source = SourceFile.read(fspath(path))
    text = preprocess(source, flags, cc)
    places = Places(source, text.merged_lines())
    pairs, refusals = pair_marks(find_marks(text.lines), places)
    if not pairs and not refusals:
        raise FrontendError(
            f"{source.path} has no #pragma scop",
            hint="put #pragma scop and #pragma endscop around the loops to optimise",
        )
    refuser = Refuser(places)
    syntax = parse_text(text, source, places, flags, cc)
    refusals.extend(syntax.refusals)
    try:
        names = read_names(syntax.ast, refuser)
    except RecursionError:
        names = FileNames(Scope())
        refusals += [_too_deep(places.location(source.path, p.start)) for p in pairs]
    functions = Functions(names.scope, pure, text.system_text, refuser)
    words = Counter(w for line in text.lines for w in _WORD.findall(line.text))
    sizes = SizeChecker(source, flags, cc)
    halves = find_half_rules(text, places, (*flags, *cflags), cc)
    reader = _RegionReader(
        source, places, functions, refuser, names, words, sizes, halves
    )
    is_promised = overlap == "promise"
    scops = [replace(s, promised=is_promised) for s in reader.read_all(pairs, refusals)]
    refusals.sort(key=lambda e: e.where.line if e.where else 0)
    return Program(
        source.path, source.content, tuple(scops), tuple(refusals), tuple(flags),
        names.has_main, read_signatures(names.sites), text.macros,
    )  # fmt: skip


class _RegionReader:
    """Reads the regions of one file one after the other."""

    def __init__(
        self, source: SourceFile, places: Places, functions: Functions,
        refuser: Refuser, names: FileNames, words: Counter[str], sizes: SizeChecker,
        halves: HalfRules | None,
    ) -> None:  # fmt: skip
        self._sizes = sizes
        self._halves = halves
        self._source = source
        self._places = places
        self._functions = functions
        self._refuser = refuser
        self._words = words
        self._sites = {(s.start, s.end): s for s in names.sites}
        self._unpaired = {node.coord.line for node in names.unpaired}

    def read_all(
        self, pairs: Sequence[RegionPair], refusals: list[FrontendError]
    ) -> list[Scop]:
        """The accepted SCoPs; the reasons of the others are added to `refusals`."""
        scops = []
        count: Counter[str] = Counter()
        for pair in pairs:
            site = self._sites.get((pair.start, pair.end))
            if site is None and pair.start not in self._unpaired:
                continue  # in a function that the parser did not take
            try:
                if site is None:
                    raise self._misplaced(pair)
                function = site.function.decl.name
                count[function] += 1
                number = count[function]
                name = function if number == 1 else f"{function}.{number}"
                scops.append(self._read(site, pair, name))
            except FrontendError as error:
                refusals.append(error)
            except (isl.Error, LimitError) as error:
                refusals.append(self._too_hard(pair, error))
            except RecursionError:
                where = self._places.location(self._source.path, pair.start)
                refusals.append(_too_deep(where))
        return scops

    def _read(self, site: ScopSite, pair: RegionPair, name: str) -> Scop:
        region = source_region(self._source, pair, self._places)
        with operation_limit(isl.DEFAULT_CONTEXT, _MAX_OPERATIONS):
            return build_scop(
                site, region, name, self._functions, self._refuser, self._words,
                self._sizes, self._halves,
            )  # fmt: skip

    def _too_hard(self, pair: RegionPair, error: Exception) -> FrontendError:
        return FrontendError(
            f"isl cannot model this scop: {error}",
            where=self._places.location(self._source.path, pair.start),
        )

    def _misplaced(self, pair: RegionPair) -> FrontendError:
        return FrontendError(
            "#pragma scop and #pragma endscop do not stand in the same block of a "
            "function",
            where=self._places.location(self._source.path, pair.start),
            hint="put both around whole statements of one block",
        )


def _too_deep(where: SourceLocation) -> FrontendError:
    return FrontendError(
        "the file is nested too deeply, or has an expression of too many terms",
        where=where,
        hint="add up long sums in several statements",
    )
