"""From drafts of statements to a `Scop`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import islpy as isl
from pycparser import c_ast

from polysched.base import check_time
from polysched.frontend.accesses import (
    AccessCollector,
    UnknownPlaces,
    without_unreached,
)
from polysched.frontend.actions import Surroundings
from polysched.frontend.assumptions import Assumptions, values_of
from polysched.frontend.builder import Builder, Draft
from polysched.frontend.called import with_bodies
from polysched.frontend.callees import find_callees
from polysched.frontend.control import structured
from polysched.frontend.declarations import PointerC
from polysched.frontend.delinearise import CannotDelinearise, delinearise
from polysched.frontend.exact_values import NotAffine
from polysched.frontend.expressions import c_lines
from polysched.frontend.half_rules import HalfRules
from polysched.frontend.halves import HalfWriter
from polysched.frontend.inductions import with_known_integers
from polysched.frontend.lookups import (
    bent_arrays,
    looked_up,
    unknown_places,
    with_bent_lookups,
    with_lookups,
    written_arrays,
)
from polysched.frontend.naming import FreshNames
from polysched.frontend.objects import Object, Objects
from polysched.frontend.outside import Outside
from polysched.frontend.overlaps import Named, find_overlaps
from polysched.frontend.products import Products
from polysched.frontend.purity import Functions
from polysched.frontend.reading import ScopReader
from polysched.frontend.refusal import Refuser
from polysched.frontend.row_tables import check_tables
from polysched.frontend.scoping import Declarer, ScopSite
from polysched.frontend.site_checks import SiteChecks
from polysched.frontend.structures import SizeChecker
from polysched.frontend.survey import survey
from polysched.frontend.trees import names
from polysched.frontend.ways import Rewritten, UnfitWayError, Way
from polysched.frontend.wholes import AFFINE_HINT
from polysched.frontend.wording import statement_text
from polysched.ir import (
    Access,
    Array,
    Expr,
    Load,
    Lookup,
    Param,
    Parameter,
    Scop,
    SourceRegion,
    Statement,
    action_expressions,
    map_action,
    walk,
)
from polysched.sets import merge_parts, param_names, read_set


class Assembler:
    """Reads one SCoP, in one way, or raises the `FrontendError` that says why not.

    Parameters
    ----------
    site : ScopSite
        Its statements.
    functions, refuser : Functions, Refuser
        Of the file.
    n_words : mapping of str to int
        How often the file, preprocessed, has each name.
    sizes : SizeChecker
        Knows the size of the file's structures.
    halves : HalfRules, optional
        Where the file has floating types of two bytes.
    ways : frozenset of str
        How it is rewritten, as `Rewritten` says.

    Attributes
    ----------
    n_stages_done : int
        How far `assemble` has come.
    """

    def __init__(
        self,
        site: ScopSite,
        functions: Functions,
        refuser: Refuser,
        n_words: Mapping[str, int],
        sizes: SizeChecker,
        halves: HalfRules | None,
        ways: frozenset[Way] = frozenset(),
    ) -> None:
        self.halves = halves
        self.n_stages_done = 0
        self.site = site
        self.n_words = n_words
        self.refuser = refuser
        fresh = FreshNames(n_words)
        called = with_bodies(
            site.items, site.scope, fresh, refuser, functions.note_unfit
        )
        declarer = Declarer(refuser)
        self.outside = Outside(site, functions, n_words, declarer)
        less_jumps = structured(called, self.outside, refuser)
        self.rewritten = Rewritten(
            site, less_jumps.items, ways, n_words, self.outside.is_own,
            self.outside.is_dead,
        )  # fmt: skip
        self.items = self.rewritten.items
        found = survey(site.scope, self.items, declarer)
        assumptions = Assumptions()
        self.products = Products(n_words, assumptions)
        objects = Objects(found, site.scope, refuser, assumptions, sizes)
        reader = ScopReader(refuser, site.scope, found, objects, functions)
        self.around = Surroundings(
            refuser, found, objects, functions, reader, assumptions,
            less_jumps.is_at_break, self.products, self.rewritten.flat_loops,
            self.rewritten.tile_sizes,
        )  # fmt: skip
        self.objects = objects
        self._behind = less_jumps.behind
        self._looked_up: set[str] = set()
        self._bent: set[str] = set()
        self._stepped: set[str] = set()

    def assemble(self, region: SourceRegion, name: str) -> Scop:
        """All steps in order."""
        drafts = self._with_halves(Builder(self.around).run(self.items))
        if not drafts:
            where = self.refuser.places.location(region.file, region.line)
            self.refuser.empty(where)
        checks = SiteChecks(self.site, self.around, self.objects)
        checks.check(drafts)
        self.n_stages_done += 1
        drafts = self._with_known_integers(drafts)
        drafts = with_lookups(drafts)
        self._looked_up = looked_up(drafts)
        drafts = self._delinearise(drafts)
        self._check_nests()
        self.n_stages_done += 1
        drafts = [replace(d, nest=self._named_domain(d)) for d in drafts]
        bent = self._bent | bent_arrays(drafts)
        unknown = unknown_places(drafts, self.objects.all(), self.around.survey, bent)
        drafts = [with_bent_lookups(d, unknown.only_read) for d in drafts]
        statements = [self._statement(k, d, unknown) for k, d in enumerate(drafts)]
        self.n_stages_done += 1
        tables = [o.name for o in self.objects.all() if o.in_rows]
        others = self._looked_up | self._bent
        check_tables(tables, others, drafts, statements, self.refuser, self._node)
        checks.keep_apart(statements)
        symbolic = self._parameters(statements)
        made = sorted(symbolic & self.products.names)
        symbolic.update(*(_params(self.products.value(n)) for n in made))
        statements = [self._with_scalars(s, symbolic) for s in statements]
        used = _arrays_in(statements)
        objects = [o for o in self.objects.all() if o.name in used]
        arrays = [self._array(o, symbolic) for o in objects]
        outside = [Named(o.symbol, a) for o, a in zip(objects, arrays, strict=True)
                   if a.storage != "scop"]  # fmt: skip
        types = self.objects.parameters
        plain = [
            Parameter(n, types[n], held=self.objects.held_of(n))
            for n in types if n in symbolic
        ]  # fmt: skip
        parameters = (*plain, *map(self.products.parameter, made))
        return Scop(
            name, parameters, self._context(parameters), tuple(statements),
            tuple(arrays), self.around.assumptions.holds, region,
            self.site.function.decl.name,
            counters=self._counters(checks),
            mentioned=self._mentioned(),
            called=self.outside.called,
            is_repeated=any(step.loop is not None for step in self.site.path),
            moved=self.outside.moved(self.items),
            behind="".join(c_lines(self.outside.with_members(n)) for n in self._behind),
            overlaps=find_overlaps(
                self.site, outside, plain, statements, checks.compared
            ),
            functions=find_callees(
                statements, self.site.scope, self.around.functions, self.refuser
            ),
        )  # fmt: skip

    def _counters(self, checks: SiteChecks) -> tuple[str, ...]:
        """Names of variables from outside that count loops in the text."""
        counters = (symbol.name for symbol, _ in checks.outer_iterators())
        return tuple(dict.fromkeys((*counters, *self.rewritten.counters)))

    def _mentioned(self) -> tuple[str, ...]:
        """Names of the function's own numbers that the text mentions."""
        mentioned = dict.fromkeys(n for item in self.site.items for n in names(item))
        found = ((n, self.site.scope.find(n)) for n in mentioned)
        return tuple(
            n for n, s in found
            if s is not None and s.kind == "object" and s.scalar_type is not None
            and s.storage in {"local", "static"} and not s.held
        )  # fmt: skip

    def _with_halves(self, drafts: list[Draft]) -> list[Draft]:
        """Drafts that compute in `float` where the text does in types of two bytes."""
        if self.halves is None:
            return drafts
        writer = HalfWriter(self.halves)
        return [replace(d, body=writer.actions(d.body)) for d in drafts]

    def _named_domain(self, draft: Draft) -> Any:
        return draft.nest.within(merge_parts(draft.nest.domain))

    def _check_nests(self) -> None:
        """Loops over products are no nests if that is right for single rows only."""
        for flat in self.around.flat_loops.values():
            names = {f.name for f in flat.factors if isinstance(f, c_ast.ID)}
            sizes = " and ".join(f"{name} >= 2" for name in sorted(names))
            wide = read_set(
                f"[{', '.join(sorted(names))}] -> {{ : {sizes or 'true'} }}"
            )
            if self.around.assumptions.holds.intersect(wide).is_empty():
                raise UnfitWayError(
                    "the loop over this product is no nest of loops",
                    where=self.refuser.where(flat.product),
                )

    def _with_known_integers(self, drafts: list[Draft]) -> list[Draft]:
        """Values of integers that count along with loops, where they are read."""
        if "reads_all" in self.rewritten.ways:
            return drafts
        exclude = self.around.assumptions.exclude
        found = with_known_integers(drafts, self.objects.all(), exclude)
        if [d.body for d in found] != [d.body for d in drafts]:
            self.rewritten.mark("reads_all")
        return found

    def _delinearise(self, drafts: list[Draft]) -> list[Draft]:
        """Drafts in which flat arrays have dimensions.

        Arrays that are only read may stay flat: what is not affine may be anywhere. So
        may those that loops inside of statements step through.
        """
        assumptions = self.around.assumptions
        others = looked_up(drafts, beyond_ranges=True) | self._bent | self._stepped
        holds = assumptions.holds
        try:
            flat = [
                o for o in self.objects.all()
                if o.name not in others and not o.in_rows
            ]  # fmt: skip
            return delinearise(drafts, flat, assumptions, self.products)
        except CannotDelinearise as verdict:
            if verdict.array in self._looked_up:
                assumptions.holds = holds
                self._stepped.add(verdict.array)
                return self._delinearise(drafts)
            if verdict.array not in written_arrays(drafts):
                assumptions.holds = holds
                self._bent.add(verdict.array)
                return self._delinearise(drafts)
            node = self._node(verdict.expr)
            self.refuser.not_affine(
                node, f"the subscripts of {verdict.array!r} are not affine: "
                f"{verdict.reason}",
                hint="subscripts are affine, or flat like A[i*n + j] with 0 <= j < n",
            )  # fmt: skip

    def _node(self, expr: Expr) -> Any:
        return self.around.node_of(expr, None)

    def _statement(
        self, number: int, draft: Draft, unknown: UnknownPlaces
    ) -> Statement:
        check_time()
        name = f"S{number}"
        nest = draft.nest
        collector = AccessCollector(nest.affine, name, unknown)
        try:
            accesses = collector.collect(draft.body, nest.domain)
        except NotAffine as verdict:
            self.refuser.not_affine(
                self._node(verdict.expr) or draft.node,
                f"this subscript is not affine: {verdict.reason}",
                hint=AFFINE_HINT,
            )
        for access in accesses:
            self._check_row(access, draft)
        domain = nest.domain.set_tuple_name(name)
        for position, iterator in enumerate(nest.iterators):
            domain = domain.set_dim_name(isl.dim_type.set, position, iterator)
        where = self.refuser.where(draft.node)
        return Statement(
            name, nest.iterators, domain, draft.position,
            tuple(1 if loop.step > 0 else -1 for loop in nest.loops),
            without_unreached(draft.body, accesses), accesses, where,
            statement_text(draft.node, where, self.refuser.places),
        )  # fmt: skip

    def _check_row(self, access: Access, draft: Draft) -> None:
        """Rows and structures must not be left: the model keeps them apart."""
        if access.array not in self._arrays_to_check:
            return
        found = next(o for o in self.objects.all() if o.name == access.array)
        nest, n_prefix = draft.nest, len(found.prefix)
        for k, (first, end) in found.row_ends().items():
            if end is None:
                outside = nest.domain
            else:
                last = nest.affine.value(end, nest.domain)
                outside = _outside(access.relation, n_prefix + k, first, last)
            if not self.around.assumptions.exclude(outside, nest.domain):
                self.refuser.not_affine(
                    draft.node, f"a subscript leaves its row of {found.symbol.name!r}, "
                    "which has structures or is reached through a pointer",
                    hint="set a pointer to each row, or use subscripts of the array",
                )  # fmt: skip

    @cached_property
    def _arrays_to_check(self) -> set[str]:
        """Arrays that pointers declared in the SCoP point into, and structures."""
        reader = self.around.reader
        bases = {reader.symbol(place.base) for place in reader.places.values()}
        return {o.name for o in self.objects.all() if o.layout or o.symbol in bases}

    def _parameters(self, statements: Sequence[Statement]) -> set[str]:
        """Names of integers that shape the model: they are parameters."""
        names = set(param_names(self.around.assumptions.holds))
        for s in statements:
            names.update(param_names(s.domain))
            for access in s.accesses:
                names.update(param_names(access.relation))
            for action in s.body:
                for top in action_expressions(action):
                    for expr in walk(top):
                        if isinstance(expr, Load):
                            for subscript in expr.subscripts:
                                names.update(_params(subscript))
        used = _arrays_in(statements)
        for found in self.objects.all():
            if found.name in used:
                for extent in (*found.extents, *found.pitches):
                    if extent is not None:
                        names.update(_params(extent))
        return names

    def _with_scalars(self, statement: Statement, symbolic: set[str]) -> Statement:
        """Integers that are only values become scalars that are read."""
        reads: dict[str, Access] = {}

        def change(expr: Expr) -> Expr | None:
            if not isinstance(expr, Param) or expr.name in symbolic:
                return None
            found = self.objects.find(self.objects.symbol_of(expr), None)
            relation = isl.Map.from_domain(statement.domain)
            relation = relation.set_tuple_name(isl.dim_type.out, found.name)
            reads[found.name] = Access(found.name, "read", relation)
            return Load(found.name, (), found.type)

        body = tuple(map_action(a, change) for a in statement.body)
        accesses = (*statement.reads, *reads.values(), *statement.writes)
        return replace(statement, body=body, accesses=accesses)

    def _array(self, found: Object, symbolic: set[str]) -> Array:
        symbol = found.symbol
        private = symbol in self.around.survey.declared
        is_live = not private and self.outside.is_live(found)
        extents = found.extents
        if not is_live and isinstance(symbol.ctype, PointerC) and extents == (None,):
            value_of = self.objects.outer_value
            extents = (self.outside.allocated(found, symbolic, value_of),)
        return Array(
            found.name, found.type, extents, symbol.storage,
            live_in=not private, live_out=is_live,
            pitches=found.pitches, n_expanded=len(found.loops),
            c_name="" if found.name == symbol.name else symbol.name,
            view=found.view, is_part=found.is_part,
            confined=not found.in_rows and self.outside.is_confined(symbol),
            held=symbol.held,
            in_rows=found.in_rows,
        )  # fmt: skip

    def _context(self, parameters: Sequence[Parameter]) -> isl.Set:
        """What the types of the parameters say."""
        context = read_set("{ : }")
        for p in parameters:
            context = context.intersect(values_of(p.name, p.type))
        return context


def _outside(relation: isl.Map, position: int, first: int, end: isl.PwAff) -> isl.Set:
    """Instances whose subscript at a position is not from `first` to below `end`."""
    kind = isl.dim_type.out
    relation = relation.reset_tuple_id(kind).reset_tuple_id(isl.dim_type.in_)
    inner = relation.dim(kind) - position - 1
    relation = relation.project_out(kind, position + 1, inner)
    relation = relation.project_out(kind, 0, position)
    both = relation.flat_range_product(isl.Map.from_pw_aff(end))
    wrong = isl.Set(f"{{ [k, n] : k < {first} or k >= n }}")
    return both.intersect_range(wrong).domain()


def _arrays_in(statements: Sequence[Statement]) -> set[str]:
    """Names of all arrays that bodies mention."""
    tops = [
        top for s in statements for a in s.body for top in action_expressions(a)
    ]  # fmt: skip
    nodes = (e for top in tops for e in walk(top))
    return {e.array for e in nodes if isinstance(e, Load | Lookup)}


def _params(expr: Expr) -> set[str]:
    return {e.name for e in walk(expr) if isinstance(e, Param)}
