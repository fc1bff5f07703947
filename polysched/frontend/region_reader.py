"""Reads the regions of one file; of one that is refused, the parts that are taken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import islpy as isl

from polysched.base import (
    FrontendError,
    LimitError,
    NotAffineError,
    SourceLocation,
    UnsupportedSyntaxError,
    check_time,
)
from polysched.frontend.attempts import build_scop
from polysched.frontend.call_sizes import find_call_sizes
from polysched.frontend.declarations import Scope
from polysched.frontend.half_rules import HalfRules
from polysched.frontend.preprocess import Preprocessed
from polysched.frontend.purity import Functions
from polysched.frontend.refusal import Refuser
from polysched.frontend.region_parts import find_parts, mark_parts
from polysched.frontend.regions import RegionPair, source_region
from polysched.frontend.scoping import FileNames, ScopSite, read_names
from polysched.frontend.signatures import read_signatures
from polysched.frontend.source import Places, SourceFile
from polysched.frontend.structures import SizeChecker
from polysched.frontend.syntax import Syntax
from polysched.frontend.thread_storage import check_threads, mark_private
from polysched.ir import Scop, Signature
from polysched.sets import operation_limit

_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_WORDS_OF_C = """
    break char continue double else float for if int long return short signed sizeof
    struct typedef unsigned void while
"""  # that generated text has
_MAX_OPERATIONS = 30_000_000  # of isl, for one SCoP; the examples need 120 000
_MAX_ROUNDS = 8  # of looking for parts, each within those of the one before
_MAX_PARTS = 24  # that are read in all


@dataclass(eq=False)
class _Region:
    """A region, or a part of one that was refused.

    Attributes
    ----------
    pair : RegionPair
        Where it is.
    site : ScopSite or None
        Where a parser sees it.
    found : Scop, FrontendError or None
        What came of reading it; None where the parser left its function out.
    whole : _Region, optional
        What it is a part of.
    """

    pair: RegionPair
    site: ScopSite | None = None
    found: Scop | FrontendError | None = None
    whole: _Region | None = None


@dataclass(frozen=True)
class ReadRegions:
    """What a file's regions are.

    Attributes
    ----------
    scops : tuple of Scop
        Those that were understood, in the order of the text; the second one of a
        function is ``function.2``.
    refusals : tuple of FrontendError
        One for each region that is refused, with the lines of its accepted parts.
    names : FileNames
        What the file declares.
    signatures : tuple of Signature
        Of the functions around them.
    ast : FileAST
        The file; None where it is nested too deeply.
    """

    scops: tuple[Scop, ...]
    refusals: tuple[FrontendError, ...]
    names: FileNames
    signatures: tuple[Signature, ...] = ()
    ast: Any = None


class RegionReader:
    """Reads the regions of one file.

    Parameters
    ----------
    source, text, places : SourceFile, Preprocessed, Places
        The file, what the preprocessor made of it, and places in both.
    parse : function of Preprocessed to Syntax
        Runs the parser.
    pure : sequence of str
        Functions of other files that may be called.
    sizes : SizeChecker
        Knows the size of the file's structures.
    halves : HalfRules, optional
        Where the file has floating types of two bytes.
    """

    def __init__(
        self, source: SourceFile, text: Preprocessed, places: Places,
        parse: Callable[[Preprocessed], Syntax], pure: Sequence[str],
        sizes: SizeChecker, halves: HalfRules | None,
    ) -> None:  # fmt: skip
        self._source = source
        self._text = text
        self._places = places
        self._parse = parse
        self._pure = pure
        self._sizes = sizes
        self._halves = halves
        self._refuser = Refuser(places)
        self._words = Counter(
            w for line in text.lines for w in _WORD.findall(line.text)
        )

    def read_all(self, pairs: Sequence[RegionPair]) -> ReadRegions:
        """Read these regions."""
        regions = [_Region(pair) for pair in pairs]
        syntax = self._parse(self._text)
        try:
            names = self._names(syntax)
        except RecursionError:
            errors = [_too_deep(self._place(pair)) for pair in pairs]
            return ReadRegions((), (*syntax.refusals, *errors), FileNames(Scope()))
        self._read(regions, names)
        self._find_misplaced(regions, names)
        parts = self._read_parts([r for r in regions if r.site is not None])
        wholes = {r.whole for r in parts}
        errors = [r.found for r in regions if isinstance(r.found, FrontendError)]
        taken = [r for r in regions if r not in wholes and r.site is not None]
        scops = _named([*taken, *parts])
        signatures = read_signatures(names.sites)
        called = find_call_sizes(syntax.ast, names.scope, signatures, self._refuser)
        signatures = tuple(
            replace(s, called_with=tuple(called.get(s.function, {}).items()))
            for s in signatures
        )
        return ReadRegions(
            scops, (*syntax.refusals, *errors), names, signatures, syntax.ast
        )

    def _read(self, regions: Sequence[_Region], names: FileNames) -> None:
        """Read those that the parser sees."""
        sites = {(s.start, s.end): s for s in names.sites}
        functions = Functions(
            names.scope, self._pure, self._text.system_text, self._refuser
        )
        for region in regions:
            region.site = sites.get((region.pair.start, region.pair.end))
            if region.site is None:
                continue
            try:
                region.found = self._scop(region.site, region.pair, functions)
            except FrontendError as error:
                region.found = error
            except (isl.Error, LimitError) as error:
                region.found = UnsupportedSyntaxError(
                    f"isl cannot model this scop: {error}",
                    where=self._place(region.pair),
                )
            except RecursionError:
                region.found = _too_deep(self._place(region.pair))

    def _names(self, syntax: Syntax) -> FileNames:
        names = read_names(syntax.ast, self._refuser)
        mark_private(names.scope, self._text.lines)
        return names

    def _scop(self, site: ScopSite, pair: RegionPair, functions: Functions) -> Scop:
        region = source_region(self._source, pair, self._places)
        inside = range(pair.start, pair.end + 1)
        lines = [
            line
            for line in self._text.lines
            if line.file == self._source.path and line.number in inside
        ]
        self._check_keywords(self._place(pair))
        check_threads(site.items, site.scope, lines, self._refuser)
        with operation_limit(isl.DEFAULT_CONTEXT, _MAX_OPERATIONS):
            return build_scop(
                site, region, site.function.decl.name, functions, self._refuser,
                self._words, self._sizes, self._halves,
            )  # fmt: skip

    def _check_keywords(self, where: SourceLocation) -> None:
        """Generated text means by `int` what C does."""
        for word in self._text.own_macros.keys() & set(_WORDS_OF_C.split()):
            raise UnsupportedSyntaxError(
                f"{word!r} is a macro: generated text would mean something else by it",
                where=where,
                hint=f"give what stands for {word!r} another name, with a typedef",
            )

    def _find_misplaced(self, regions: Sequence[_Region], names: FileNames) -> None:
        unpaired = {node.coord.line for node in names.unpaired}
        for region in regions:
            if region.site is None and region.pair.start in unpaired:
                region.found = FrontendError(
                    "#pragma scop and #pragma endscop do not stand in the same block "
                    "of a function",
                    where=self._place(region.pair),
                    hint="put both around whole statements of one block",
                )

    def _read_parts(self, regions: Sequence[_Region]) -> list[_Region]:
        """The accepted parts of refused regions; each region is told of its own."""
        accepted: list[_Region] = []
        refused, n_read = regions, 0
        for _ in range(_MAX_ROUNDS):
            chosen = [
                (part, region)
                for region in refused
                if region.site is not None and _may_have_parts(region.found)
                for part in find_parts(region.site, region.found, self._source)
            ][: _MAX_PARTS - n_read]
            if not chosen:
                break
            check_time()
            n_read += len(chosen)
            marked = mark_parts(self._text.lines, [part for part, _ in chosen])
            try:
                syntax = self._parse(replace(self._text, lines=marked))
                names = self._names(syntax)
            except (FrontendError, RecursionError):  # lines are no whole statements
                break
            seen = {(s.start, s.end): s for s in names.sites}
            tried = [
                _Region(part.pair, whole=region.whole or region)
                for part, region in chosen
                if part.is_at(seen.get((part.pair.start, part.pair.end)))
            ]
            self._read(tried, names)
            accepted += [r for r in tried if isinstance(r.found, Scop)]
            refused = [r for r in tried if isinstance(r.found, FrontendError)]
        for whole in {r.whole for r in accepted}:
            if whole is not None and isinstance(whole.found, FrontendError):
                pairs = [r.pair for r in accepted if r.whole is whole]
                _note_parts(whole.found, sorted((p.start, p.end - 1) for p in pairs))
        return accepted

    def _place(self, pair: RegionPair) -> SourceLocation:
        return self._places.location(self._source.path, pair.start)


def _may_have_parts(found: Scop | FrontendError | None) -> TypeGuard[FrontendError]:
    """Whether something was refused that may be right C."""
    return isinstance(found, (UnsupportedSyntaxError, NotAffineError))


def _note_parts(refusal: FrontendError, lines: Sequence[tuple[int, int]]) -> None:
    """Say in a refusal what is taken all the same."""
    refusal.parts = tuple(lines)
    *others, last = (
        str(first) if first == end else f"{first} to {end}" for first, end in lines
    )
    if others:
        refusal.hint = f"lines {', '.join(others)} and {last} are scops of their own"
    else:
        refusal.hint = f"lines {last} are a scop of their own"


def _named(regions: Sequence[_Region]) -> tuple[Scop, ...]:
    """The SCoPs by place; refused regions that have no parts take a number as well."""
    count: Counter[str] = Counter()
    scops = []
    for region in sorted(regions, key=lambda r: r.pair.start):
        assert region.site is not None
        function = region.site.function.decl.name
        count[function] += 1
        number = count[function]
        if isinstance(region.found, Scop):
            name = function if number == 1 else f"{function}.{number}"
            scops.append(replace(region.found, name=name))
    return tuple(scops)


def _too_deep(where: SourceLocation) -> FrontendError:
    return FrontendError(
        "the file is nested too deeply, or has an expression of too many terms",
        where=where,
        hint="add up long sums in several statements",
    )
