"""One kernel: the code of a thread, for unknown launch, block and thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.build import BuildLimits, Built, build_nodes, count_loops
from polysched.codegen.ctext import Names
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.cuda.atomics import Atomics, BlockCopies
from polysched.codegen.cuda.block_storage import declare_shared, plan_block_storage
from polysched.codegen.cuda.flat import flatten, without_marks
from polysched.codegen.cuda.form import is_tiled, read_form
from polysched.codegen.cuda.function import FunctionPrinter
from polysched.codegen.cuda.kernel_names import KernelNames, KernelText
from polysched.codegen.cuda.mapping import (
    KernelMap,
    fix,
    range_set,
    tile_range,
)
from polysched.codegen.cuda.marks import mark_words
from polysched.codegen.cuda.meeting import BARRIER, ThreadTree, add_barriers
from polysched.codegen.cuda.overlap_form import read_overlap
from polysched.codegen.cuda.overlap_text import OverlapPrinter
from polysched.codegen.cuda.runs import Places, RunPrinter, read_instance
from polysched.codegen.cuda.shuffles import check_shuffles
from polysched.codegen.cuda.tensor import TensorPrinter
from polysched.codegen.cuda.tile_text import tile_parameters
from polysched.codegen.cuda.tiled import TiledPrinter
from polysched.codegen.declare import Declarer
from polysched.codegen.expr import Bound, ExprPrinter, Spelling
from polysched.codegen.layout import Layout
from polysched.codegen.linear import Linear
from polysched.codegen.macros import Macros
from polysched.codegen.nodes import Instance
from polysched.codegen.options import PrintOptions
from polysched.codegen.scopes import find_split_storage
from polysched.codegen.statement import print_instance
from polysched.codegen.storage import Buffer, buffer_offsets, plan_storage
from polysched.codegen.verify import check_ast
from polysched.ir import (
    MARK_GRID,
    MARK_KERNEL,
    MARK_RUN,
    MARK_THREADS,
    ScalarType,
    ScheduleTree,
    Scop,
    Statement,
)
from polysched.sets import list_sets, node_kind

MAX_THREAD_BYTES = 1024  # of one private array of a thread
ADDRESS_REGISTERS = 8  # for each loop of a statement beyond three
POINTER_REGISTERS = 64  # where pitches are known at run time only


class ThreadStorageError(CodegenError):
    """A private array that one thread cannot hold; `array` names it."""

    def __init__(self, array: str) -> None:
        super().__init__(f"array {array!r} is too large for a thread")
        self.array = array


@dataclass(frozen=True, eq=False)
class KernelPrinter:
    """Prints the kernels of one tree.

    Attributes
    ----------
    scop : Scop
        What is computed.
    tree : ScheduleTree
        In which order, with marks for kernels.
    arrays : dict of str to DeviceArray
        What lives in device memory.
    values : dict of str to str
        Scalars that kernels get as arguments, and their C++ types.
    sizes : dict of str to str
        Computed sizes, and their types.
    options : PrintOptions
        Limits.
    index_type : ScalarType
        Of loop variables.
    deps : isl.UnionMap or None
        To be proven once more on the printed loops.
    """

    scop: Scop
    tree: ScheduleTree
    arrays: Mapping[str, DeviceArray]
    values: Mapping[str, str]
    sizes: Mapping[str, str]
    options: PrintOptions
    index_type: ScalarType
    deps: isl.UnionMap | None

    def print(
        self, mapped: KernelMap, names: KernelNames, free: Names, atomics: Atomics
    ) -> KernelText:
        """The kernel as a function.

        Raises
        ------
        CodegenError
            If it would be too large, or needs what a thread cannot hold.
        """
        context = self._context(mapped, names)
        if mapped.overlap is not None:
            return self._print_overlapped(mapped, names, context, free)
        if is_tiled(self.tree.node(mapped.path)):
            return self._print_tiled(mapped, names, context, free)
        mine = mapped.of_thread(names.outer, names.blocks, names.threads)
        scop = self._scop_of(mine, context)
        code = self._thread_tree(mapped, names, mine, context)
        macros = Macros(free, "ps_")
        exprs = AstExprPrinter(macros, {})
        block = mapped.of_block(names.outer, names.blocks)
        shared = plan_block_storage(self.scop, block, context)
        built, buffers = self._build(scop, code, context, exprs, free, shared)
        check_shuffles(built.block, scop.statements, mapped.n_threads, names.threads)
        scop = replace(scop, statements=(*scop.statements, *code.barriers))
        if self.deps is not None and self.options.check_operations:
            deps = code.with_barriers(self.deps)
            n_operations = self.options.check_operations
            check_ast(built.root, scop, context, deps, n_operations)
        copies = BlockCopies.plan(
            self.scop, atomics, self.arrays, mapped, names.threads, free,
            self.index_type.name, self.options.indent,
        )  # fmt: skip
        updating = atomics.change(scop, self.arrays)
        body = self._body(updating, built, buffers, context, free, shared, copies)
        return self._functions.print(mapped, names, scop, body, macros)

    @property
    def _functions(self) -> FunctionPrinter:
        return FunctionPrinter(
            self.scop, self.arrays, self.values, self.sizes, self.options.indent,
            self.index_type,
        )  # fmt: skip

    def _print_tiled(
        self, mapped: KernelMap, names: KernelNames, context: isl.Set, free: Names
    ) -> KernelText:
        """The kernel of a tiled contraction."""
        form = read_form(self.scop, self.tree, mapped, names.outer)
        macros = Macros(free, "ps_")
        tiles = tile_parameters(mapped, names.outer, names.blocks, free, form.n_inner)
        tiled = (TensorPrinter if form.is_tensor else TiledPrinter)(
            self.scop, form, mapped, self.arrays, tuple(self.values), tiles,
            names.threads, context, AstExprPrinter(macros, {}), self.options,
            self.index_type, free,
        )  # fmt: skip
        body, shared_bytes = tiled.body()
        scop = replace(self.scop, statements=(form.statement,))
        n_registers = tiled.n_registers
        n_registers += ADDRESS_REGISTERS * max(0, form.statement.n_loops - 3)
        if any(d.n_elements is None for d in self.arrays.values()):
            n_registers += POINTER_REGISTERS
        text = self._functions.print(mapped, names, scop, body, macros, n_registers)
        return replace(text, shared_bytes=shared_bytes)

    def _print_overlapped(
        self, mapped: KernelMap, names: KernelNames, context: isl.Set, free: Names
    ) -> KernelText:
        """The kernel of several sweeps, whose blocks compute what they need."""
        form = read_overlap(self.scop, self.tree, mapped)
        macros = Macros(free, "ps_")
        printer = OverlapPrinter(
            form, self.arrays, tuple(self.values), names, context,
            AstExprPrinter(macros, {}), self.options.indent, self.index_type, free,
        )  # fmt: skip
        body = printer.body()
        text = self._functions.print(
            mapped, names, form.scop, body, macros, printer.n_registers
        )
        return replace(text, shared_bytes=printer.asked_bytes)

    def _context(self, mapped: KernelMap, names: KernelNames) -> isl.Set:
        """What is known of the parameters, of launch, block and thread."""
        context = self.scop.context.intersect(self.scop.assumptions).params()
        launched = fix(mapped.outer, names.outer).params()
        context = context.intersect(launched)
        blocks = fix(mapped.outer, names.outer)
        tiles = range_set(mapped.blocks.intersect_domain(blocks))
        for k, (block, step) in enumerate(zip(names.blocks, mapped.steps, strict=True)):
            here = isl.Set(f"[{block}] -> {{ [x] : x = {block} and x mod {step} = 0 }}")
            context = context.intersect(tile_range(tiles, k).intersect(here).params())
        for thread, count in zip(names.threads, mapped.n_threads, strict=True):
            within = isl.Set(f"[{thread}] -> {{ : 0 <= {thread} < {count} }}")
            context = context.intersect(within)
        return context

    def _scop_of(self, mine: isl.UnionSet, context: isl.Set) -> Scop:
        """The SCoP that one thread runs."""
        own = {s.get_tuple_name(): s for s in list_sets(mine)}
        statements = []
        for s in self.scop.statements:
            if s.name not in own:
                continue
            domain = own[s.name].intersect_params(context).coalesce()
            accesses = tuple(
                replace(a, relation=a.relation.intersect_domain(domain))
                for a in s.accesses
            )
            statements.append(replace(s, domain=domain, accesses=accesses))
        return replace(self.scop, statements=tuple(statements), context=context)

    def _thread_tree(
        self,
        mapped: KernelMap,
        names: KernelNames,
        mine: isl.UnionSet,
        context: isl.Set,
    ) -> ThreadTree:
        """The tree over a thread's instances, without bands of one value."""
        if mapped.epochs is not None:
            block = mapped.of_block(names.outer, names.blocks)
            node = _kernel_mark(self.tree.schedule.intersect_domain(block))
            grid = node.child(0).child(0).delete().parent().delete()
            root = self._drop_outside(_kernel_mark(grid.get_schedule()))
            return add_barriers(root, mine, context)
        node = _kernel_mark(self.tree.schedule.intersect_domain(mine))
        if mark_words(node.child(0))[0] == MARK_GRID:
            grid = self._drop_shared(mapped, node.child(0))
            node = _kernel_mark(grid.get_schedule())
        tree = ScheduleTree(self._drop_outside(node).get_schedule())
        return ThreadTree(tree, tree)

    def _drop_outside(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        """Take a kernel's mark out, and the bands and marks around it."""
        node = node.delete()
        while node.has_parent():
            node = node.parent()
            if node_kind(node) in ("band", "mark"):
                node = node.delete()
        return node

    def _drop_shared(
        self, mapped: KernelMap, grid: isl.ScheduleNode
    ) -> isl.ScheduleNode:
        """Take the band of tiles out, and the points where each thread has one."""
        threads = grid.child(0).child(0)
        points = threads.child(0)
        taken = zip(mapped.n_threads, mapped.runs, strict=True)
        if mapped.steps == tuple(count * run for count, run in taken):
            points = points.delete()
        node = points.parent()
        assert mark_words(node)[0] == MARK_THREADS
        return node.delete().parent().delete().parent().delete()

    def _build(
        self,
        scop: Scop,
        code: ThreadTree,
        context: isl.Set,
        exprs: AstExprPrinter,
        free: Names,
        shared: tuple[Buffer, ...],
    ) -> tuple[Built, tuple[Buffer, ...]]:
        elsewhere = {*self.arrays, *self.values, *(b.array.name for b in shared)}
        local = tuple(a for a in scop.arrays if a.name not in elsewhere)
        thread_scop = replace(scop, arrays=local)
        iterators = free.take_series("c", max(1, count_loops(code.plain)))
        limits = BuildLimits(self.options.max_nodes, self.options.max_operations)
        depths: dict[str, int] = {}
        while True:
            buffers = plan_storage(thread_scop, code.plain, depths)
            for buffer in buffers:
                if (buffer.n_bytes or MAX_THREAD_BYTES + 1) > MAX_THREAD_BYTES:
                    raise ThreadStorageError(buffer.array.name)
            built = build_nodes(
                code.tree.schedule,
                context,
                exprs,
                iterators,
                limits,
                buffer_offsets((*buffers, *shared)),
            )
            plain = without_marks(built.block, kept=MARK_RUN)
            split = find_split_storage(scop, plain, built.domains, buffers)
            if not split:
                return built, buffers
            depths |= {
                b.array.name: b.depth - 1 for b in buffers if b.array.name in split
            }

    def _body(
        self,
        scop: Scop,
        built: Built,
        buffers: tuple[Buffer, ...],
        context: isl.Set,
        free: Names,
        shared: tuple[Buffer, ...],
        copies: BlockCopies,
    ) -> list[str]:
        options = self.options
        fixed = frozenset({d.name for d in self.arrays.values()} | set(self.values))
        declarer = Declarer(
            scop, free, fixed, built.exprs, context, 1 << 30, options.indent
        )
        plain = without_marks(built.block, kept=MARK_RUN)
        block, private = declarer.declare(plain, buffers)
        spellings = {n: d.spelling for n, d in self.arrays.items()}
        spellings |= copies.spellings
        spellings |= {n: Spelling(n) for n in self.values} | private
        own = {b.array.name: free.take(b.array.name) for b in shared}
        spellings |= {b.array.name: Spelling(own[b.array.name], b.kept) for b in shared}
        printer = ExprPrinter(arrays=spellings)
        taken = fixed | set(built.iterators) | {s.name for s in spellings.values()}

        def lines_at(
            statement: Statement, values: tuple[Linear, ...], offsets: Places
        ) -> tuple[str, ...]:
            bounds = {
                name: Bound(value, self.index_type)
                for name, value in zip(statement.iterators, values, strict=True)
            }
            at = replace(printer, iterators=bounds, offsets=offsets)
            return print_instance(statement, at, taken, options.indent)

        def lines_of(instance: Instance) -> tuple[str, ...]:
            if instance.statement.startswith(BARRIER):
                return ("__syncthreads();",)
            values, offsets = read_instance(instance, built.exprs)
            return lines_at(scop.statement(instance.statement), values, offsets)

        runs = RunPrinter(scop, built, self.arrays, free, lines_at, options.indent)
        block = runs.widen(block)
        layout = Layout(options.indent, self.index_type.name, lines_of)
        lines = layout.lines(flatten(block, self.index_type.name))
        return [*declare_shared(shared, own), *copies.around(lines)]


def _kernel_mark(schedule: isl.Schedule) -> isl.ScheduleNode:
    """The mark of the kernel that has instances."""
    found = _find_mark(schedule.get_root(), MARK_KERNEL)
    if found is None:
        raise CodegenError("isl lost the mark of a kernel")
    return found


def _find_mark(node: isl.ScheduleNode, kind: str) -> isl.ScheduleNode | None:
    if mark_words(node)[0] == kind:
        if not node.get_domain().is_empty():
            return node
        return None
    for k in range(node.n_children()):
        found = _find_mark(node.child(k), kind)
        if found is not None:
            return found
    return None
