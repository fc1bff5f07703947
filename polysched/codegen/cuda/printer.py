"""CUDA from a schedule tree: kernels and a host function, and the call of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import islpy as isl

from polysched.base import CodegenError, LimitError
from polysched.codegen.ast_expr import AstExprPrinter, signed_parameters
from polysched.codegen.ctext import Names, identifiers
from polysched.codegen.cuda.arrays import (
    DeviceArray,
    is_value,
    place_array,
    stays_in_thread,
)
from polysched.codegen.cuda.atomics import Atomics
from polysched.codegen.cuda.block_storage import keep_in_blocks
from polysched.codegen.cuda.functions import C_NAMES, print_function, spell_for_device
from polysched.codegen.cuda.host import Grid, HostPrinter
from polysched.codegen.cuda.kernel import KernelPrinter, ThreadStorageError
from polysched.codegen.cuda.kernel_names import KernelNames, KernelText
from polysched.codegen.cuda.mapping import KernelMap, find_kernels
from polysched.codegen.cuda.partial_sums import expand_sums
from polysched.codegen.cuda.tensor_text import tensor_prelude
from polysched.codegen.cuda.text import (
    BULK_PRELUDE,
    HALF_PRELUDES,
    HOST_FUNCTION,
    PRELUDE,
    SIZES_PRELUDE,
    type_name,
)
from polysched.codegen.cuda.words import OWN_NAMES, check_names, rename_keywords
from polysched.codegen.frame import frame_code
from polysched.codegen.macros import Macros
from polysched.codegen.mentions import fixed_names, iterator_type, replaced_names
from polysched.codegen.options import PrintOptions
from polysched.codegen.wide_bounds import has_products, with_long_products
from polysched.ir import (
    Array,
    Expr,
    Load,
    Lookup,
    ScalarType,
    ScheduleTree,
    Scop,
    action_expressions,
    walk,
)
from polysched.ir.types import LONG
from polysched.sets import operation_limit

_TRUTH = re.compile(r"\b_Bool\b")


@dataclass(frozen=True)
class CudaText:
    """What takes a SCoP to the device.

    Attributes
    ----------
    region : str
        C text that replaces the region: a call.
    device : str
        A file for the CUDA compiler: kernels, and the function that is called.
    """

    region: str
    device: str


def print_cuda(
    scop: Scop,
    tree: ScheduleTree,
    options: PrintOptions | None = None,
    *,
    deps: isl.UnionMap | None = None,
) -> CudaText:
    """CUDA kernels for the marks of a tree, and the host code around them.

    Parameters
    ----------
    scop : Scop
        What is computed.
    tree : ScheduleTree
        In which order, with marks ``kernel``, ``grid`` and ``threads``.
    options : PrintOptions, optional
        How it should look, and limits.
    deps : isl.UnionMap, optional
        Dependences (sources to sinks): no two threads of a launch may share one, and
        the printed loops are proven to respect them.

    Raises
    ------
    CodegenError
        If the tree cannot be printed: an instance is in no kernel, threads would
        depend on each other or are not proven not to within the limit of operations,
        a function is unknown to the device.
    """
    return _Printer(scop, tree, options or PrintOptions()).print(deps)


class _Printer:
    """One run of `print_cuda`."""

    def __init__(self, scop: Scop, tree: ScheduleTree, options: PrintOptions) -> None:
        self.source = scop
        self.expanded = expand_sums(scop, tree)
        self.scop = spell_for_device(self.expanded.scop)
        self.tree = self.expanded.tree
        self.options = options
        outside = identifiers(options.original_text or "") | options.reserved
        used = fixed_names(scop) | replaced_names(scop)
        check_names(used)
        self.taken = outside | used | OWN_NAMES
        self.names = Names(self.taken)
        self.is_wide = False  # where bounds multiply sizes
        self.kernels = find_kernels(self.tree)
        self.scop = keep_in_blocks(self.scop, self.kernels)
        self.atomics = tuple(
            Atomics.of(self.scop, self.tree, kernel) for kernel in self.kernels
        )

    def print(self, deps: isl.UnionMap | None) -> CudaText:
        if deps is not None:
            deps = self._prove_independent(deps)
        shared: set[str] = set()
        while True:
            found = self._try(deps, shared)
            if isinstance(found, CudaText):
                return found
            shared.add(found)

    def _try(self, deps: isl.UnionMap | None, shared: set[str]) -> CudaText | str:
        """The text, or a private array that has to live in device memory for it."""
        try:
            return self._print(deps, shared)
        except ThreadStorageError as error:
            if error.array in shared:
                raise
            return error.array

    def _print(self, deps: isl.UnionMap | None, shared: Collection[str]) -> CudaText:
        """The text with private arrays of these names in device memory."""
        self.names = Names(self.taken)
        arrays, values = self._place(_reach(self.kernels), shared)
        index_type = self._index_type(arrays)
        sizes = {n: "long" for d in arrays.values() for n in d.sizes}
        printer = KernelPrinter(
            self.scop, self.tree, arrays, values, sizes, self.options, index_type, deps
        )
        stem = "".join(c if c.isalnum() else "_" for c in self.scop.name)
        texts, grids = [], []
        for number, mapped in enumerate(self.kernels):
            outer = tuple(self.names.take(f"h{k}") for k in range(mapped.n_outer))
            grid = Grid.of(mapped, outer)
            names = KernelNames.take(
                self.names,
                f"ps_{stem}_{number}",
                mapped,
                grid.known_firsts(),
                grid.known_counts(),
            )
            names = replace(names, outer=outer)
            atomics = self.atomics[number]
            texts.append(printer.print(mapped, names, self.names, atomics))
            grids.append(grid)
        macros = Macros(self.names)
        exprs = AstExprPrinter(macros, signed_parameters(self.scop))
        host = HostPrinter(
            self.scop, self.tree, self.kernels, texts, grids, arrays, exprs,
            self.options, index_type,
        )  # fmt: skip
        n_loops = max((n.get_schedule_depth() for _, n in self.tree.nodes()), default=0)
        body = host.body(self.names.take_series("c", n_loops + 1), deps)
        name = self.names.take(f"{HOST_FUNCTION}{stem}")
        device = self._device(name, texts, body, arrays, values, macros)
        region = self._region(name, arrays, values, exprs)
        if not self.is_wide and has_products(device, self.scop):
            self.is_wide = True
            return self._print(deps, shared)
        if self.is_wide:
            device = with_long_products(device, self.scop)
        return CudaText(region, rename_keywords(device, self.names))

    def _prove_independent(self, deps: isl.UnionMap) -> isl.UnionMap:
        """Dependences of what is printed, which no two threads of a launch share.

        A proof that is not completed is none: barriers and threads are part of the
        code, and nothing behind would find out that they are wrong.
        """
        limit = self.options.check_operations
        try:
            with operation_limit(self.scop.context.get_ctx(), limit):
                deps = self.expanded.order(deps)
            for number, kernel in enumerate(self.kernels):
                with operation_limit(self.scop.context.get_ctx(), limit):
                    left = self.atomics[number].leave(deps, kernel.instances)
                    _check_independent(number, kernel, left)
        except LimitError as error:
            shared = [one.reduction.array for one in self.expanded.sums]
            whose = f" of sums in {', '.join(shared)}" if shared else ""
            raise CodegenError(
                f"threads{whose} are not proven independent: {error.message}",
                hint="a schedule whose threads share less takes a shorter proof",
            ) from error
        return deps

    def _place(
        self, reach: isl.UnionMap, shared: Collection[str]
    ) -> tuple[dict[str, DeviceArray], dict[str, str]]:
        """Arrays in device memory, and scalars that are plain arguments."""
        arrays: dict[str, DeviceArray] = {}
        values: dict[str, str] = {}
        accessed = {a.array for _, a in self.scop.iter_accesses()}
        _check_mentioned(self.scop, accessed)
        for array in self.scop.arrays:
            if array.name not in accessed or array.storage == "block":
                continue
            is_plain = is_value(self.scop, array) and not array.type.is_half
            if is_plain and array.source_name == array.name:
                values[array.name] = type_name(array.type)
                continue
            # storage is planned for these alone, see `plan_storage`
            if (
                (array.n_expanded > 0 or array.storage == "scop")
                and array.name not in shared
                and stays_in_thread(self.scop, array, self.kernels, reach)
            ):
                continue
            if array.storage == "thread":  # its own subscripts are in no text
                raise CodegenError(
                    f"a thread cannot hold its sums: {array.name!r} is too large",
                    hint="blocks that share loops over results, too, have fewer each",
                )
            name = array.source_name
            if any(d.name == name for d in arrays.values()) or _is_own(array):
                name = self.names.take(f"{name}_dev")
            arrays[array.name] = place_array(self.scop, array, name)
        return arrays, values

    def _index_type(self, arrays: dict[str, DeviceArray]) -> ScalarType:
        """Int where no subscript can exceed it, else long."""
        context = self.scop.context.intersect(self.scop.assumptions)
        fits = all(device.fits_int(context) for device in arrays.values())
        if fits and not self.is_wide:
            return iterator_type(self.scop)
        return LONG

    def _arguments(
        self, arrays: dict[str, DeviceArray], values: dict[str, str]
    ) -> list[tuple[str, str, str]]:
        """Parameters of the host function: type, name, and what the call converts."""
        found = [(type_name(p.type), p.name, p.name) for p in self.scop.parameters]
        found += [(kind, name, name) for name, kind in values.items()]
        for device in arrays.values():
            if not (device.copied_in or device.copied_out):
                continue
            array = device.array
            const = "" if device.copied_out else "const "
            pointer = f"{const}{type_name(array.type)} *"
            given = array.base if array.extents else f"&{array.source_name}"
            found.append((pointer, device.name, given))
        return found

    def _device(
        self,
        name: str,
        texts: list[KernelText],
        body: list[str],
        arrays: dict[str, DeviceArray],
        values: dict[str, str],
        macros: Macros,
    ) -> str:
        indent = self.options.indent
        comment = [f" * {line}" for line in self.options.header]
        arguments = [
            f"{kind}{'' if kind.endswith('*') else ' '}{n}"
            for kind, n, _ in self._arguments(arrays, values)
        ]
        lines = (
            ["/* polysched: device code of a scop", *comment, " */"] if comment else []
        )
        lines += PRELUDE.splitlines()
        if any("ps_bytes(" in line for line in body):
            lines += ["", *SIZES_PRELUDE.splitlines()]
        written = (line for text in texts for line in text.lines)
        used = identifiers("\n".join([*arguments, *written]))
        lines += [t.rstrip() for name, t in HALF_PRELUDES.items() if name in used]
        if any("ps_phase_begin(" in line for text in texts for line in text.lines):
            lines += ["", *BULK_PRELUDE.splitlines()]
        needed = (p for text in texts for p in tensor_prelude("\n".join(text.lines)))
        for prelude in dict.fromkeys(needed):
            lines += ["", *prelude.splitlines()]
        for own in self.scop.functions:
            lines += ["", *print_function(own, indent)]
        for text in texts:
            lines += ["", *text.lines]
        function = [
            f'extern "C" void {name}({", ".join(arguments) or "void"})',
            "{",
            *(indent + line for line in body),
            "}",
        ]
        lines += ["", *macros.around(function)]
        whole = "".join(line.rstrip() + "\n" for line in lines)
        return _TRUTH.sub("bool", whole)  # as C++ calls the type

    def _region(
        self,
        name: str,
        arrays: dict[str, DeviceArray],
        values: dict[str, str],
        exprs: AstExprPrinter,
    ) -> str:
        arguments = [(in_c(k), g) for k, _, g in self._arguments(arrays, values)]
        kinds = ", ".join(kind for kind, _ in arguments)
        given = ", ".join(f"({k}){g}" if k.endswith("*") else g for k, g in arguments)
        code = [f"extern void {name}({kinds or 'void'});", f"{name}({given});"]
        return frame_code(self.source, code, exprs, self.options, copies_arrays=True)


def in_c(kind: str) -> str:
    """A type as the C program spells it."""
    for device, name in (*C_NAMES.items(), ("bool", "_Bool")):
        kind = re.sub(rf"\b{device}\b", name, kind)
    return kind


def _is_own(array: Array) -> bool:
    """Whether no value of it enters or leaves the region."""
    return array.is_private or array.storage == "scop" or array.n_expanded > 0


def _check_independent(number: int, kernel: KernelMap, deps: isl.UnionMap) -> None:
    """Two instances of a launch that depend on each other share their thread."""
    if kernel.overlap is not None:  # blocks give each other nothing, see `read_overlap`
        return
    here = deps.intersect_domain(kernel.instances)
    here = here.intersect_range(kernel.instances)
    outer, places = kernel.outer, kernel.places()
    same_launch = outer.apply_range(outer.reverse())
    same_thread = places.apply_range(places.reverse())
    wrong = here.intersect(same_launch).subtract(same_thread)
    if kernel.epochs is not None:
        wrong = wrong.subtract(kernel.ordered_by_barriers())
    if not wrong.is_empty():
        raise CodegenError(
            f"threads of kernel {number} depend on each other: {wrong.sample()}"
        )


def _reach(kernels: tuple[KernelMap, ...]) -> isl.UnionMap:
    """Instances to kernel, launch, block and thread."""
    total = isl.UnionMap("{ }")
    for number, kernel in enumerate(kernels):
        places = kernel.places()
        named = isl.UnionMap("{ }")
        pieces: list[isl.Map] = []
        places.foreach_map(pieces.append)
        for piece in pieces:
            renamed = piece.set_tuple_name(isl.dim_type.out, f"K{number}")
            named = named.union(isl.UnionMap.from_map(renamed))
        total = total.union(named)
    return total


def _expressions(scop: Scop) -> Iterator[Expr]:
    """All expressions of statements that have instances."""
    for statement in scop.statements:
        if statement.domain.is_empty():
            continue
        for action in statement.body:
            for top in action_expressions(action):
                yield from walk(top)


def _check_mentioned(scop: Scop, accessed: set[str]) -> None:
    """Refuse arrays that stand only where no instance reads them: none is copied."""
    for expr in _expressions(scop):
        if isinstance(expr, Load | Lookup) and expr.array not in accessed:
            raise CodegenError(f"array {expr.array!r} is named and never touched")
