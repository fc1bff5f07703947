"""C with OpenMP from a schedule tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import islpy as isl

from polysched.analysis import (
    Reduction,
    certain_arrays,
    compute_dependences,
    find_reductions,
)
from polysched.base import CodegenError
from polysched.codegen.accumulate import Accumulators
from polysched.codegen.ast_expr import AstExprPrinter, signed_parameters
from polysched.codegen.build import BuildLimits, Built, build_nodes, count_loops
from polysched.codegen.chosen_stores import choose_stores
from polysched.codegen.copied_sums import CopiedSum, copy_sums
from polysched.codegen.ctext import Names, Text, identifiers
from polysched.codegen.declare import Declarer, is_on_heap
from polysched.codegen.distances import keep_distances
from polysched.codegen.expr import Bound, ExprPrinter, Spelling
from polysched.codegen.frame import frame_code
from polysched.codegen.held import HeldElements
from polysched.codegen.held_blocks import HeldBlocks
from polysched.codegen.held_bodies import HeldBodies
from polysched.codegen.held_factors import HeldFactors
from polysched.codegen.held_loops import HeldLoops
from polysched.codegen.held_quotients import HeldQuotients
from polysched.codegen.held_rows import HeldRows
from polysched.codegen.hoisted_guards import HoistedGuards
from polysched.codegen.int_range import sizes_in_int
from polysched.codegen.joined import join_conditions
from polysched.codegen.layout import Layout
from polysched.codegen.least_work import LeastWork
from polysched.codegen.lifted import lift
from polysched.codegen.linear import Linear
from polysched.codegen.lost_lanes import leave_lost_lanes
from polysched.codegen.macros import Macros
from polysched.codegen.mentions import fixed_names, iterator_type, replaced_names
from polysched.codegen.narrow_lanes import relax_narrow_lanes
from polysched.codegen.nodes import Block, Branch, Instance, Loop, instances, walk_nodes
from polysched.codegen.options import PrintOptions
from polysched.codegen.pages import (
    ask_for_pages,
    find_changed,
    find_untouched,
)
from polysched.codegen.parts import Parts, name_parts
from polysched.codegen.pragmas import add_pragmas, check_pragmas, number_marks
from polysched.codegen.promote import promote
from polysched.codegen.registers import RegisterTiles
from polysched.codegen.roots import declare_roots
from polysched.codegen.scopes import find_shared_by_lanes, find_split_storage
from polysched.codegen.specialise import specialise
from polysched.codegen.statement import print_instance
from polysched.codegen.storage import (
    Buffer,
    buffer_offsets,
    lay_out_along_loops,
    plan_storage,
)
from polysched.codegen.sum_copies import SumCopies
from polysched.codegen.sum_parts import SumParts
from polysched.codegen.tidy import Tidy
from polysched.codegen.tile_numbers import number_tiles
from polysched.codegen.unswitched import unswitch
from polysched.codegen.verify import check_ast
from polysched.codegen.whole import make_vectors_whole
from polysched.codegen.wide_bounds import multiplies_sizes
from polysched.ir import (
    Assign,
    Expr,
    Guard,
    Load,
    ScheduleTree,
    Scop,
    Statement,
    map_action,
    map_expr,
)
from polysched.ir.types import INT, LONG
from polysched.sets import union_of_maps


def print_openmp(
    scop: Scop,
    tree: ScheduleTree,
    options: PrintOptions | None = None,
    *,
    deps: isl.UnionMap | None = None,
) -> str:
    r"""The C text that replaces a SCoP's region.

    Parameters
    ----------
    scop : Scop
        What is computed.
    tree : ScheduleTree
        In which order, with marks for parallel and vector loops.
    options : PrintOptions, optional
        How it should look.
    deps : isl.UnionMap, optional
        Dependences (sources to sinks) of which loops that get a pragma must carry
        none; checked once more on the loops as they are printed.

    Returns
    -------
    str
        A comment and a block, lines ended by ``\n``.

    Raises
    ------
    CodegenError
        If the code would be too large, needs the original text and has not got it, or
        a pragma would break a dependence.
    """
    return _Printer(scop, options or PrintOptions()).print(tree, deps)


@dataclass(frozen=True)
class CodeSize:
    """How large the code of a schedule is.

    Attributes
    ----------
    n_loops, n_branches, n_instances : int
        Loops, conditions, and places where a statement stands.
    """

    n_loops: int
    n_branches: int
    n_instances: int

    @property
    def n_nodes(self) -> int:
        """All of them."""
        return self.n_loops + self.n_branches + self.n_instances


def measure_code(
    scop: Scop, tree: ScheduleTree, options: PrintOptions | None = None
) -> CodeSize:
    """Build the code of a schedule without printing it.

    Raises
    ------
    CodegenError
        If it could not be printed: too large, or isl refuses the tree.
    """
    printer = _Printer(scop, options or PrintOptions())
    counts = Counter(type(n) for n in walk_nodes(printer.build(tree)[0].block))
    return CodeSize(counts[Loop], counts[Branch], counts[Instance])


class _Printer:
    """One run of `print_openmp`: names, types and the parts of the text."""

    def __init__(
        self, scop: Scop, options: PrintOptions, *, is_wide: bool = False
    ) -> None:
        self.scop = scop
        self.source = scop  # without copy statements
        self.options = options
        outside = identifiers(options.original_text or "") | options.reserved
        self.fixed = fixed_names(scop)
        self.names = Names(outside | self.fixed | replaced_names(scop))
        self.type = LONG if is_wide else iterator_type(scop)
        self.signed = signed_parameters(scop, is_wide=is_wide)
        self.exprs = AstExprPrinter(Macros(self.names), self.signed)
        self.context = scop.context.intersect(scop.assumptions)
        self.sums: tuple[CopiedSum, ...] = ()
        self._iterators: list[str] = []

    def print(self, tree: ScheduleTree, deps: isl.UnionMap | None) -> str:
        options = self.options
        built, buffers, parts = self.build(tree)
        if self.type == INT and multiplies_sizes(built.block, self.source):
            return _Printer(self.source, options, is_wide=True).print(tree, deps)
        least = LeastWork(options.least_shared, self.context, built.exprs)
        block = add_pragmas(
            built.block,
            parallel=options.parallel,
            simd=options.simd,
            clause=lambda loop: least.clause(built.schedules[loop.key], loop.step),
        )
        if deps is not None:
            deps = parts.rename(deps)
            if options.check_operations:
                operations = options.check_operations
                check_ast(built.root, parts.scop, self.context, deps, operations)
            check_pragmas(block, built.schedules, deps, self._terms())
        self.exprs = built.exprs
        code = self._code(block, buffers, built, deps)
        sizes = None
        if self.type == INT and options.original_text is not None:
            sizes = sizes_in_int(self.source, built.root)
        bounded = self.scop.bounded if any(b.terms for b in buffers) else ()
        return frame_code(
            self.scop, code, self.exprs, options, sizes=sizes, bounded=bounded
        )

    def _terms(self) -> dict[str, isl.UnionMap]:
        """For each array that threads have copies of, terms that come in any order."""
        found: dict[str, list[isl.Map]] = {}
        for s in self.sums:
            found.setdefault(s.array.name, []).append(s.reduction.relation)
        return {array: union_of_maps(maps) for array, maps in found.items()}

    def build(self, tree: ScheduleTree) -> tuple[Built, tuple[Buffer, ...], Parts]:
        """The AST with storage for private arrays that no scope of it tears apart."""
        parts = name_parts(self.source, tree)
        wanted = self.options.tile_loops
        refused: CodegenError | None = None
        if wanted != "numbers":
            try:
                return self._build(parts)
            except CodegenError as error:
                if wanted == "begins":
                    raise
                refused = error
        try:
            return self._build(replace(parts, tree=number_tiles(parts.tree)))
        except CodegenError as error:
            raise refused or error from None

    def _build(self, parts: Parts) -> tuple[Built, tuple[Buffer, ...], Parts]:
        options = self.options
        scop = parts.scop
        if options.parallel:
            scop, self.sums = copy_sums(scop, parts.tree)
        promoted = promote(scop, parts.tree, parts.origin)
        lifted = lift(promoted.scop, promoted.tree)
        tree, self.scop = lifted.tree, lifted.scop
        if not self._iterators:  # there are as many in each form of a tree
            prefix, n = options.iterator_prefix, count_loops(tree)
            self._iterators = self.names.take_series(prefix, n)
        # a space measures the parts by themselves
        n_operations = options.max_operations * len(tree.parts())
        limits = BuildLimits(options.max_nodes, n_operations)
        depths: dict[str, int] = {}
        while True:
            planned = plan_storage(parts.scop, parts.tree, depths)
            planned = lay_out_along_loops(planned, parts.scop, parts.tree)
            planned = promoted.sources(planned)
            buffers = (*planned, *promoted.buffers, *lifted.buffers)
            built = build_nodes(
                number_marks(tree),
                self.context,
                self.exprs,
                self._iterators,
                limits,
                buffer_offsets(
                    (*buffers, *(s.buffer for s in self.sums)), lifted.offsets
                ),
            )
            shown = add_pragmas(
                built.block, parallel=options.parallel, simd=options.simd
            )
            split = find_split_storage(self.scop, shown, built.domains, buffers)
            if not split:
                simd = add_pragmas(
                    built.block, parallel=False, simd=options.simd, clause=lambda _: ""
                )
                heap = [b for b in planned if is_on_heap(b, options.heap_bytes)]
                shared = find_shared_by_lanes(self.scop, simd, heap)
                if not shared:
                    return built, buffers, parts
                depths |= shared
                continue
            if not {b.array.name for b in planned}.issuperset(split):
                raise CodegenError(f"isl tears the tile that {split[0]} is packed for")
            depths |= {
                b.array.name: b.depth - 1 for b in buffers if b.array.name in split
            }

    def _code(
        self,
        block: Block,
        buffers: tuple[Buffer, ...],
        built: Built,
        deps: isl.UnionMap | None,
    ) -> list[str]:
        """The lines of the generated block."""
        declarer = Declarer(
            self.scop, self.names, self.fixed, self.exprs, self.context,
            self.options.heap_bytes, self.options.indent,
        )  # fmt: skip
        buffers = declarer.hoisted(block, buffers)
        if torn := find_split_storage(self.scop, block, built.domains, buffers):
            raise CodegenError(f"no scope holds every use of {torn[0]}")
        block, private = declarer.declare(block, buffers)
        copies = SumCopies.named(
            self.sums, self.names, built.exprs, self.context, self.type.name,
            self.options.indent,
        )  # fmt: skip
        arrays = {a.name: Spelling.of(a) for a in self.scop.arrays} | private
        arrays |= copies.spellings()
        printer = ExprPrinter(
            arrays=arrays,
            index_parameters=self.signed,
            macros=self.exprs.macros,
        )
        taken = self.fixed | {*built.iterators, *(s.name for s in arrays.values())}
        block = copies.convert(block, printer)
        panels = {b.array.name: b.panel for b in buffers if b.panel and not b.terms}
        groups = {b.array.name: b for b in buffers if b.terms}
        tiles = RegisterTiles(
            self.scop, built, printer, self.names, self.type, panels, groups
        )
        block = tiles.convert(block)
        if any(isinstance(n, Loop) and n.accumulates for n in walk_nodes(block)):
            block = self._accumulators(built, deps, printer).convert(block)

        def element_text(element: Load, at: Instance) -> str:
            return self._at(at, printer).load(element).text

        def element_place(element: Load, at: Instance) -> tuple[Linear, ...]:
            at_instance = self._at(at, printer)
            n_subscripts = len(element.subscripts)
            return tuple(at_instance.subscript(element, k) for k in range(n_subscripts))

        heap_bytes = self.options.heap_bytes
        heap = frozenset(b.array.name for b in buffers if is_on_heap(b, heap_bytes))
        rows = HeldRows(
            self.scop, self.names, element_text, element_place, heap,
            self.type.name, self.options.indent,
        )  # fmt: skip
        block = unswitch(rows.convert(block))
        for kind in HeldBlocks, HeldLoops, HeldBodies, HeldElements:
            holder = kind(self.scop, self.names, element_text, element_place, heap)
            block = holder.convert(block)
        factors = HeldFactors(
            self.scop, self.names, element_text, element_place, heap, built.schedules
        )
        block = factors.convert(block)
        block = make_vectors_whole(block, built.schedules, self.scop)
        block = SumParts(self.scop, self.names, self.type.name).convert(block)

        def asked(expr: Expr, instance: Instance) -> Text:
            held: dict[Expr, str] = dict(instance.held)
            expr = map_expr(expr, lambda e: _variable(e, held))
            return self._at(instance, printer).value(expr)

        block = HoistedGuards(self.scop, asked).convert(block)
        in_lanes = _in_lanes(block)
        block = HeldQuotients(
            lambda i: self._printed(i, built.domains, i in in_lanes),
            lambda expr, i: self._at(i, printer).value(expr).text,
            self.names,
        ).convert(block)
        in_lanes = _in_lanes(block)

        def instance_lines(instance: Instance) -> tuple[str, ...]:
            is_lane = instance in in_lanes
            return self._instance(instance, printer, taken, built.domains, is_lane)

        block = relax_narrow_lanes(block, self.scop, self.exprs.macros, self.type.name)
        block = leave_lost_lanes(keep_distances(block, self.scop), self.scop)
        names = {*built.iterators, *self.signed, *self.exprs.macros.used.values()}
        names |= {p.name for p in self.scop.parameters}
        block = Tidy(names).convert(block)
        layout = Layout(self.options.indent, self.type.name, instance_lines)
        untouched = [*find_untouched(self.source), *find_changed(self.source)]
        advice = ask_for_pages(untouched, self.names, self.options.indent)
        lines = list(layout.lines(block))
        used = identifiers("\n".join(lines))
        types = (t for name, t in tiles.vectors.typedefs.items() if name in used)
        return [*declare_roots(self.scop), *types, *advice, *lines]

    def _instance(
        self,
        instance: Instance,
        printer: ExprPrinter,
        taken: frozenset[str],
        domains: Mapping[str, isl.UnionSet],
        in_lanes: bool,
    ) -> tuple[str, ...]:
        statement = self._printed(instance, domains, in_lanes)
        if instance.quotients:
            statement = _with_variables(statement, dict(instance.quotients))
        printer = self._at(instance, printer)
        indent = self.options.indent
        return print_instance(statement, printer, taken, indent, in_lanes=in_lanes)

    def _printed(
        self, instance: Instance, domains: Mapping[str, isl.UnionSet], in_lanes: bool
    ) -> Statement:
        """The statement that is printed for an instance."""
        statement = self.scop.statement(instance.statement)
        if instance.is_answered:
            (guard,) = statement.body
            assert isinstance(guard, Guard)
            statement = replace(statement, body=guard.then)
        target = self._target(statement) if instance.accumulator else None
        if in_lanes:
            certain = certain_arrays(self.scop, statement.name)
            body = statement.body
            if target is None:
                body = choose_stores(self.scop, statement, certain)
            statement = replace(statement, body=join_conditions(body, certain))
        held: dict[Expr, str] = dict(instance.held)
        if target is not None:
            held[target] = instance.accumulator
        if held:
            statement = _with_variables(statement, held)
        if instance.key in domains:
            statement = specialise(statement, domains[instance.key])
        return statement

    def _at(self, instance: Instance, printer: ExprPrinter) -> ExprPrinter:
        """The printer that knows an instance's iterators and storage."""
        statement = self.scop.statement(instance.statement)
        bounds = {
            name: Bound(self.exprs.linear(value), self.type)
            for name, value in zip(statement.iterators, instance.values, strict=True)
        }
        offsets = {k: self.exprs.linear(v) for k, v in instance.offsets.items()}
        return replace(printer, iterators=bounds, offsets=offsets)

    def _target(self, statement: Statement) -> Load:
        """What a statement changes."""
        action = statement.body[0]
        if isinstance(action, Assign):
            return action.target
        return self._reductions[statement.name].target

    @cached_property
    def _reductions(self) -> dict[str, Reduction]:
        found = {r.statement: r for r in find_reductions(self.source)}
        for s in self.sums:
            found[s.reduction.statement] = s.copied_reduction
        return found

    def _accumulators(
        self, built: Built, deps: isl.UnionMap | None, printer: ExprPrinter
    ) -> Accumulators:
        def element(reduction: Reduction, instance: Instance) -> Text:
            return self._at(instance, printer).load(reduction.target)

        if deps is None:
            deps = compute_dependences(self.source, with_input=False).validity
        return Accumulators(
            tuple(self._reductions.values()),
            built.schedules,
            deps,
            self.names,
            element,
        )


def _in_lanes(block: Block) -> set[Instance]:
    """The instances in vector lanes."""
    return {
        instance
        for loop in walk_nodes(block)
        if isinstance(loop, Loop) and loop.has_lanes
        for instance in instances(loop.body)
    }


def _with_variables(statement: Statement, held: Mapping[Expr, str]) -> Statement:
    """A statement in which variables stand for elements or other expressions."""
    body = tuple(
        map_action(action, lambda e: _variable(e, held)) for action in statement.body
    )
    return replace(statement, body=body)


def _variable(e: Expr, held: Mapping[Expr, str]) -> Expr | None:
    name = held.get(e)
    return None if name is None else Load(name, (), e.dtype)
