"""The host's side: allocation, copies, the loops around kernels, and launches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.build import BuildLimits, Built, build_nodes
from polysched.codegen.ctext import parse_text
from polysched.codegen.cuda.arrays import DeviceArray, constant_value
from polysched.codegen.cuda.flat import flatten, without_marks
from polysched.codegen.cuda.kernel_names import KernelText
from polysched.codegen.cuda.launches import number_of, plan_launches
from polysched.codegen.cuda.mapping import AXES, KernelMap, fix, range_set, tile_range
from polysched.codegen.cuda.text import type_name
from polysched.codegen.cuda.verify_grid import check_grid
from polysched.codegen.expr import ExprPrinter
from polysched.codegen.layout import Layout
from polysched.codegen.nodes import Instance
from polysched.codegen.options import PrintOptions
from polysched.codegen.verify import check_ast
from polysched.ir import ScalarType, ScheduleTree, Scop
from polysched.sets import ast_options, only_value

MAX_BLOCKS_BUT_X = 65_535  # along y and z, on every device so far


@dataclass(frozen=True, eq=False)
class Grid:
    """How many blocks a launch has.

    Attributes
    ----------
    firsts, lasts : tuple of isl.PwAff
        First point of the first tile and a point of the last, per member, over the
        parameters and the launch.
    steps : tuple of int
        Distance of two tiles.
    """

    firsts: tuple[isl.PwAff, ...]
    lasts: tuple[isl.PwAff, ...]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, mapped: KernelMap, outer: Sequence[str]) -> Grid:
        """The smallest box of tiles around those that a launch has."""
        tiles = range_set(mapped.blocks.intersect_domain(fix(mapped.outer, outer)))
        firsts, lasts = [], []
        for k, step in enumerate(mapped.steps):
            values = tile_range(tiles, k)
            value = isl.Val(step)
            low, high = values.dim_min(0), values.dim_max(0)
            firsts.append(low.scale_down_val(value).ceil().scale_val(value))
            lasts.append(high)
        return cls(tuple(firsts), tuple(lasts), mapped.steps)

    def known_counts(self) -> list[int | None]:
        """Numbers of tiles that are known."""
        found: list[int | None] = []
        for first, last, step in zip(
            self.known_firsts(), self.lasts, self.steps, strict=True
        ):
            known = only_value(last)
            if first is None or known is None:
                found.append(None)
                continue
            found.append((int(known.to_python()) - first) // step + 1)
        return found

    def known_firsts(self) -> list[int | None]:
        """The first points that are numbers."""
        known = map(only_value, self.firsts)
        return [None if value is None else int(value.to_python()) for value in known]


@dataclass(frozen=True, eq=False)
class HostPrinter:
    """Prints the function that stands for a region.

    Attributes
    ----------
    scop : Scop
        What is computed.
    tree : ScheduleTree
        In which order.
    kernels : sequence of KernelMap
        What runs on the device.
    texts : sequence of KernelText
        The same, printed.
    grids : sequence of Grid
        Their launches.
    arrays : dict of str to DeviceArray
        What lives in device memory.
    exprs : AstExprPrinter
        Prints bounds.
    options : PrintOptions
        Limits.
    index_type : ScalarType
        Of loop variables.
    """

    scop: Scop
    tree: ScheduleTree
    kernels: Sequence[KernelMap]
    texts: Sequence[KernelText]
    grids: Sequence[Grid]
    arrays: Mapping[str, DeviceArray]
    exprs: AstExprPrinter
    options: PrintOptions
    index_type: ScalarType

    def body(self, iterators: list[str], deps: isl.UnionMap | None) -> list[str]:
        """The lines inside of the function."""
        lines = [*self._nothing(), *self._sizes(), *self._allocate()]
        lines += self._copy(to_device=True)
        lines += self._launches(iterators, deps)
        lines += self._copy(to_device=False)
        lines += [f"PS_CHECK(cudaFree(dev_{d.name}));" for d in self.arrays.values()]
        return lines

    def _nothing(self) -> Iterator[str]:
        """A way out where the region runs no instance."""
        some = self.scop.domain.params().coalesce().gist(self._context)
        if self._context.is_subset(some):
            return
        with ast_options(some.get_ctx()):
            build = isl.AstBuild.from_context(self._context)
            test = self.exprs.text(build.expr_from_set(some)).text
        yield f"if (!({test}))"
        yield "  return;"

    def _sizes(self) -> Iterator[str]:
        for device in self.arrays.values():
            for name, value in device.sizes.items():
                yield f"const long {name} = {self._value(value, self._context)};"

    def _allocate(self) -> Iterator[str]:
        for device in self.arrays.values():
            name, kind = device.name, type_name(device.type)
            yield f"{kind} *dev_{name};"
            stored, copied = self._stored_and_copied(device)
            yield f"const size_t bytes_{name} = {stored};"
            if copied != stored and (device.copied_in or device.copied_out):
                yield f"const size_t copied_{name} = {copied};"
            yield f"PS_CHECK(cudaMalloc((void **)&dev_{name}, bytes_{name}));"
            yield f'PS_NAME(dev_{name}, "{name}");'

    def _stored_and_copied(self, device: DeviceArray) -> tuple[str, str]:
        """Sizes of an array's memory on the device, and of what the host has of it."""
        ends = device.stored_ends, device.copied_ends
        stored, copied = (self._bytes(device, e) for e in ends)
        return stored, copied

    def _bytes(
        self, device: DeviceArray, ends: Iterable[tuple[isl.PwAff | None, isl.PwAff]]
    ) -> str:
        """Size of memory from a first element to a last one."""
        kind = type_name(device.type)
        terms: list[str] = []
        known: int | None = 1
        for k, (low, high) in enumerate(ends):
            length = self._value(high if low is None else high.sub(low), self._running)
            pitch = (*device.pitches, None)[k]
            weight = 1 if pitch is None else constant_value(pitch)
            if known is None or weight is None or not _is_number(length):
                known = None
            else:
                known += int(length) * weight
            if pitch is None:
                terms.append(f"({length})")
            else:
                scale = ExprPrinter().index(pitch).to_text()
                terms.append(f"({length}) * (long)({scale})")
        if known is not None:  # negative where nothing is touched
            return f"{max(0, known)} * sizeof({kind})" if terms else f"sizeof({kind})"
        return f"ps_bytes({' + '.join(terms)} + 1, sizeof({kind}))"

    def _base(self, device: DeviceArray) -> str:
        """Elements before the first that is stored, to add to a host's pointer."""
        found = ""
        for k, first in enumerate(device.stored_firsts):
            value = self._value(first, self._running)
            if value == "0":
                continue
            found += f" + ({value})"
            if k < len(device.pitches):
                pitch = ExprPrinter().index(device.pitches[k]).to_text()
                found += f" * (long)({pitch})"
        return found

    def _copy(self, to_device: bool) -> Iterator[str]:
        for device in self.arrays.values():
            name = device.name
            here = name + self._base(device)
            if to_device and device.copied_in:
                pair, way = f"dev_{name}, {here}", "cudaMemcpyHostToDevice"
            elif not to_device and device.copied_out:
                pair, way = f"{here}, dev_{name}", "cudaMemcpyDeviceToHost"
            else:
                continue
            stored, copied = self._stored_and_copied(device)
            size = "bytes" if stored == copied else "copied"
            yield f"PS_CHECK(cudaMemcpy({pair}, {size}_{name}, {way}));"
            if to_device and size == "copied":  # threads may read whole rows
                rest = f"(char *)dev_{name} + copied_{name}, 0"
                n_bytes = f"bytes_{name} - copied_{name}"
                yield f"PS_CHECK(cudaMemset({rest}, {n_bytes}));"

    @property
    def _context(self) -> isl.Set:
        return self.scop.context.intersect(self.scop.assumptions).params()

    @property
    def _running(self) -> isl.Set:
        """What is known of sizes for which the region runs anything."""
        some = self._context.intersect(self.scop.domain.params()).coalesce()
        return some if some.n_basic_set() == 1 else self._context

    def _value(self, value: isl.PwAff, context: isl.Set) -> str:
        """A function of parameters as C text."""
        context = context.align_params(value.get_space().params())
        value = value.align_params(context.get_space()).gist_params(context).coalesce()
        with ast_options(context.get_ctx()):
            build = isl.AstBuild.from_context(context)
            return str(self.exprs.text(build.expr_from_pw_aff(value)))

    def _launches(
        self, iterators: list[str], deps: isl.UnionMap | None
    ) -> Iterator[str]:
        built = self._build(iterators, deps)
        printed: dict[tuple[int, tuple[str, ...]], tuple[str, ...]] = {}

        def lines_of(instance: Instance) -> tuple[str, ...]:
            outer = [
                str(built.exprs.linear(value).to_text()) for value in instance.values
            ]
            key = number_of(instance.statement), tuple(outer)
            if key not in printed:  # the layout asks more than once
                printed[key] = tuple(self._launch_lines(*key))
                if deps is not None and self.options.check_operations:
                    self._check_grid(*key, printed[key])
            return printed[key]

        layout = Layout(self.options.indent, self.index_type.name, lines_of)
        block = flatten(without_marks(built.block), self.index_type.name)
        yield from layout.lines(block)

    def _build(self, iterators: list[str], deps: isl.UnionMap | None) -> Built:
        """The loops around the kernels."""
        launches = plan_launches(self.tree, self.kernels)
        limits = BuildLimits(self.options.max_nodes, self.options.max_operations)
        built = build_nodes(
            launches.tree.schedule, self._context, self.exprs, iterators, limits
        )
        if deps is not None and self.options.check_operations:
            scop = launches.restrict(self.scop)
            between, n_operations = launches.order(deps), self.options.check_operations
            check_ast(built.root, scop, self._context, between, n_operations)
        return built

    def _check_grid(
        self, number: int, outer: Sequence[str], lines: Sequence[str]
    ) -> None:
        """Prove the blocks of a launch."""
        used = self.exprs.macros.used.items()
        check_grid(
            self.kernels[number], self.texts[number], lines, outer, self._context,
            {name: kind for kind, name in used}, self.options.check_operations,
        )  # fmt: skip

    def _pointer(self, array: str) -> str:
        """What a kernel gets for an array: where its element 0 is, or would be."""
        device = self.arrays[array]
        base = self._base(device)
        return f"dev_{device.name} - ({base[3:]})" if base else f"dev_{device.name}"

    def _launch_lines(self, number: int, outer: Sequence[str]) -> Iterator[str]:
        """The lines that launch one kernel inside of its loops."""
        text, grid = self.texts[number], self.grids[number]
        kernel = self.kernels[number]
        given = dict(zip(text.names.outer, outer, strict=True))
        n = len(grid.steps)
        context = self._context.intersect(fix(kernel.outer, text.names.outer).params())
        known = grid.known_firsts()
        kind = self.index_type.name
        renamed = replace_names(self.exprs, given)
        printer = replace(self, exprs=renamed)
        counts = []
        yield "{"
        for k in range(n):
            first = text.names.firsts[k]
            if known[k] is None:
                value = printer._value(grid.firsts[k], context)
                yield f"  const {kind} {first} = {value};"
            n_blocks = text.names.counts[k]
            counts.append(n_blocks)
            if n_blocks.isdecimal():
                continue
            last = printer._value(grid.lasts[k], context)
            count = f"({last})" if first == "0" else f"(({last}) - {first})"
            step = grid.steps[k]
            over = count if step == 1 else f"{count} / {step}"
            yield f"  const {kind} {n_blocks} = {over} + 1;"
        _check_counts(text.names.kernel, counts)
        n_bytes = text.shared_bytes
        if n_bytes:
            yield f"  PS_CHECK(cudaFuncSetAttribute({text.names.kernel},"
            yield "    cudaFuncAttributeMaxDynamicSharedMemorySize,"
            yield f"    {n_bytes}));"
        size = _dim3(kernel.block_shape)
        blocks = _dim3(counts)
        values = [given.get(v, v) for v in text.values]
        arguments = ", ".join([*(self._pointer(a) for a in text.arrays), *values])
        call = (
            f"PS_LAUNCH({text.names.kernel}, {blocks}, {size}, {n_bytes}, {arguments});"
        )
        variable = [c for c in counts if not c.isdecimal()]
        inner = "  "
        if variable:
            test = " && ".join(f"{c} > 0" for c in variable)
            yield f"  if ({test}) {{"
            inner = "    "
        yield inner + call
        yield inner + "PS_CHECK(cudaGetLastError());"
        if variable:
            yield "  }"
        yield "}"


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _check_counts(kernel: str, counts: Sequence[str]) -> None:
    """Refuse more blocks than a device takes, where their number is known.

    Where it is not, the launch fails, and the program says so and ends.
    """
    for count in counts[:-1]:
        if count.isdecimal() and int(count) > MAX_BLOCKS_BUT_X:
            raise CodegenError(
                f"{kernel} has {count} blocks along one axis, a device takes "
                f"{MAX_BLOCKS_BUT_X} except along the last",
                hint="larger tiles along that loop, or another order of the band",
            )


def _dim3(counts: Sequence[object]) -> str:
    """Blocks or threads, the last member first; those outside share the axis z."""
    if not counts:
        return "dim3(1)"
    texts = [str(c) for c in reversed(counts)]
    n_axes = len(AXES)
    if len(texts) > n_axes:
        outside = [t for t in texts[n_axes - 1 :] if t != "1"] or ["1"]
        texts = [*texts[: n_axes - 1], " * ".join(outside)]
    return f"dim3({', '.join(texts)})"


def replace_names(exprs: AstExprPrinter, given: Mapping[str, str]) -> AstExprPrinter:
    """A printer that writes other texts for parameters."""
    spellings = exprs.spellings | {n: parse_text(v) for n, v in given.items()}
    return replace(exprs, spellings=spellings)
