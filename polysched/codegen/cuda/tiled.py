"""The kernel of a tiled contraction: copies to shared memory, results in registers.

The order of operations on each result is that of the source: a thread loads its
results, adds the terms of one tile after the other, and stores them. Where a tile is
whole, or all results of it have all its terms, there are no guards; elsewhere every
term is guarded by the statement's domain. Copies run ahead of the computation in a ring
of stages, as in ALCOP (Huang et al., MLSys 2023): the copy depends on outer loops only,
the loop of tiles is sequential, and all operands synchronise at one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import islpy as isl

from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.ctext import Names, Text
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.cuda.form import TiledForm, TileNames
from polysched.codegen.cuda.local_names import LocalNames
from polysched.codegen.cuda.mapping import KernelMap
from polysched.codegen.cuda.operands import Operand, find_shared, tile_box
from polysched.codegen.cuda.text import type_name
from polysched.codegen.expr import Bound, ExprPrinter, Spelling
from polysched.codegen.linear import Linear
from polysched.codegen.options import PrintOptions
from polysched.codegen.statement import print_instance
from polysched.ir import Expr, Iter, Load, ScalarType, Scop, map_action
from polysched.sets import ast_options

STATIC_BYTES = 48 * 1024  # more shared memory than this has to be asked for
MAX_COPIES = 8  # of a thread that are unrolled
MAX_UNROLLED = 64  # iterations of the loops inside a tile that are unrolled as a whole


@dataclass(frozen=True, eq=False)
class TiledPrinter:
    """Prints the body of one kernel.

    Attributes
    ----------
    scop : Scop
        What is computed.
    form : TiledForm
        The contraction.
    mapped : KernelMap
        Its blocks and threads.
    arrays : dict of str to DeviceArray
        What lives in device memory.
    values : collection of str
        Scalars that are arguments.
    names : TileNames
        Of launch, block, tile and offsets.
    threads : tuple of str
        Of a thread's numbers.
    context : isl.Set
        What is known of all parameters.
    exprs : AstExprPrinter
        Prints conditions.
    options : PrintOptions
        White space.
    index_type : ScalarType
        Of loop variables.
    free : Names
        Fresh identifiers.
    """

    scop: Scop
    form: TiledForm
    mapped: KernelMap
    arrays: Mapping[str, DeviceArray]
    values: Sequence[str]
    names: TileNames
    threads: tuple[str, ...]
    context: isl.Set
    exprs: AstExprPrinter
    options: PrintOptions
    index_type: ScalarType
    free: Names

    def body(self) -> tuple[list[str], int]:
        """The lines behind the definitions of block and thread, and shared bytes.

        Bytes are 0 where they need not be asked for.
        """
        operands = find_shared(
            self.scop, self.form, self.arrays, self.values, self.names,
            self._tile_context, self.free,
        )  # fmt: skip
        used = sum(o.n_bytes for o in operands) * self.form.n_stages
        dynamic = used > STATIC_BYTES
        lines = [
            *self._declare(operands, dynamic),
            *self._thread_number(),
            *self._load_results(),
            *self._copy(operands),
            *self._multiply(operands),
            *self._loop(),
            *self._store_results(),
        ]
        return lines, used if dynamic else 0

    @cached_property
    def _local(self) -> LocalNames:
        most = max((d.array.n_dim for d in self.arrays.values()), default=0)
        return LocalNames.take(self.free, self.form.n_shared, self.form.n_inner, most)

    # -- pieces of text ------------------------------------------------------------

    def _text(self, value: isl.PwAff) -> str:
        return str(self._expr(value).text)

    def _expr(self, value: isl.PwAff) -> Text:
        context = self._tile_context
        value = value.gist_params(context).coalesce()
        with ast_options(context.get_ctx()):
            build = isl.AstBuild.from_context(context)
            expr = build.expr_from_pw_aff(value)
        return self.exprs.linear(expr).to_text()

    def _linear(self, value: isl.PwAff) -> Linear:
        context = self._tile_context
        value = value.gist_params(context).coalesce()
        with ast_options(context.get_ctx()):
            build = isl.AstBuild.from_context(context)
            return self.exprs.linear(build.expr_from_pw_aff(value))

    def _condition(self, valid: isl.Set, context: isl.Set | None = None) -> str:
        """A condition on parameters; empty where it always holds."""
        context = self._tile_context if context is None else context
        valid = valid.params().intersect(context).gist(context).coalesce()
        if context.is_subset(valid):
            return ""
        with ast_options(context.get_ctx()):
            build = isl.AstBuild.from_context(context)
            return self.exprs.text(build.expr_from_set(valid)).text

    @cached_property
    def _tile_context(self) -> isl.Set:
        """The context with what is known of tiles and offsets."""
        form, names = self.form, self.names
        sizes = names.sizes_of(form)
        bounds = [
            f"0 <= {o} < {size}"
            for o, size in zip((*names.offsets, *names.inner), sizes, strict=True)
        ]
        bounds += [
            f"{q} mod {step} = 0"
            for q, step in zip(names.tiles, form.steps, strict=True)
        ]
        params = ", ".join((*names.offsets, *names.tiles, *names.inner))
        known = isl.Set(f"[{params}] -> {{ : {' and '.join(bounds)} }}")
        for k, q in enumerate(names.tiles):
            here = isl.Set(f"[{q}] -> {{ [x] : x = {q} }}")
            known = known.intersect(self._tile_hull(k).intersect(here).params())
        return self.context.intersect(known)

    def _declare(self, operands: Sequence[Operand], dynamic: bool) -> Iterator[str]:
        stages = self.form.n_stages
        if dynamic:
            yield "extern __shared__ __align__(128) unsigned char ps_shared[];"
        offset = 0
        for o in operands:
            kind = type_name(o.device.type)
            at = f" + {offset}" if offset else ""
            if dynamic:
                yield (
                    f"{kind} (*{o.name}){o.extents} = "
                    f"reinterpret_cast<{kind} (*){o.extents}>(ps_shared{at});"
                )
            else:
                yield f"__shared__ __align__(16) {kind} {o.name}[{stages}]{o.extents};"
            offset += o.n_bytes * stages

    def _thread_number(self) -> Iterator[str]:
        """One number for all threads of a block."""
        terms = []
        scale = 1
        for name, count in zip(
            reversed(self.threads), reversed(self.mapped.n_threads), strict=True
        ):
            if count > 1:
                terms.append(name if scale == 1 else f"{scale} * {name}")
                scale *= count
        total = " + ".join(terms) or "0"
        yield f"const int {self._local.thread} = {total};"

    # -- results ---------------------------------------------------------------------

    @property
    def _shares(self) -> list[int]:
        """Points of each shared member that a thread holds."""
        return [
            step // n
            for step, n in zip(self.mapped.steps, self.mapped.n_threads, strict=True)
        ]

    @property
    def n_results(self) -> int:
        """Results that a thread holds."""
        return prod(self._shares)

    @property
    def _result(self) -> str:
        subscripts = zip(self._local.shares, self._shares, strict=True)
        return self._local.held + "".join(f"[{r}]" for r, n in subscripts if n > 1)

    def _over_results(self, inside: Sequence[str], deep: int = 0) -> Iterator[str]:
        """Unrolled loops over a thread's results, with their offsets."""
        indent = self.options.indent * deep
        kind = self.index_type.name
        for k, share in enumerate(self._shares):
            offset = self._offset(k, share)
            if share > 1:
                yield f"{indent}#pragma unroll"
                r = self._local.shares[k]
                yield f"{indent}for (int {r} = 0; {r} < {share}; {r}++) {{"
                indent += self.options.indent
            yield f"{indent}const {kind} {self.names.offsets[k]} = {offset};"
        for line in inside:
            yield indent + line
        for share in reversed(self._shares):
            if share > 1:
                indent = indent[: -len(self.options.indent)]
                yield f"{indent}}}"

    def _offset(self, k: int, share: int) -> str:
        """Offset in the tile of a thread's r-th point: runs are dealt out in turn."""
        thread, n, run = self.threads[k], self.mapped.n_threads[k], self.mapped.runs[k]
        r = self._local.shares[k]
        if share == 1:
            return thread
        if run == 1:
            return f"{thread} + {n} * {r}"
        if run == share:
            return f"{share} * {thread} + {r}"
        return f"{n * run} * ({r} / {run}) + {run} * {thread} + {r} % {run}"

    def _element(self) -> str:
        """The result's element in device memory."""
        printer = self._printer({}, {})
        return printer.load(self.form.target).text

    def _has_result(self) -> str:
        """Whether the launch computes anything for a point of the tile."""
        values = self.form.results
        return self._condition(self._bind(values, self.form.n_shared))

    def _bind(self, values: isl.Set, n_dims: int) -> isl.Set:
        """A set of members' values as a condition on tile and offsets."""
        at = self.form.values(self.names)
        if n_dims < at.dim(isl.dim_type.out):
            rest = at.dim(isl.dim_type.out) - n_dims
            at = at.drop_dims(isl.dim_type.out, n_dims, rest)
        return values.preimage_pw_multi_aff(at)

    def _load_results(self) -> Iterator[str]:
        kind = type_name(self.form.target.type)
        extents = "".join(f"[{n}]" for n in self._shares if n > 1)
        yield f"{kind} {self._local.held}{extents};"
        test = self._has_result()
        line = f"{self._result} = {self._element()};"
        if test:
            line = f"{self._result} = {test} ? {self._element()} : ({kind})0;"
            if "||" in test or "?" in test:
                line = f"{self._result} = ({test}) ? {self._element()} : ({kind})0;"
        yield from self._scoped(self._over_results([line]))

    def _store_results(self) -> Iterator[str]:
        test = self._has_result()
        line = f"{self._element()} = {self._result};"
        inside = [f"if ({test})", self.options.indent + line] if test else [line]
        yield from self._scoped(self._over_results(inside))

    def _scoped(self, lines: Iterable[str]) -> Iterator[str]:
        """Lines in a block of their own where they begin with constants."""
        if self._shares[0] > 1:
            yield from lines
            return
        yield "{"
        yield from (self.options.indent + line for line in lines)
        yield "}"

    # -- copies ------------------------------------------------------------------------

    def _copy(self, operands: Sequence[Operand]) -> Iterator[str]:
        """A function that begins the copies of one tile."""
        indent, kind = self.options.indent, self.index_type.name
        arguments = ", ".join(f"const {kind} {q}" for q in self.names.tiles)
        local = self._local
        head = f"[&](const int {local.stage}, {arguments})"
        yield f"const auto {local.copy} = {head} {{"
        box = tile_box(self.form, self.names)
        partial = box.subtract(self.form.member_domain).params()
        is_whole = partial.complement().intersect(self._tile_context)
        fast = [line for o in operands for line in self._copy_one(o)]
        slow = [line for o in operands for line in self._copy_one(o, guarded=True)]
        whole = "" if is_whole.is_empty() else self._condition(is_whole)
        if is_whole.is_empty() or not whole:
            lines = slow if is_whole.is_empty() else fast
            yield from (indent + line for line in lines)
        else:
            yield f"{indent}if ({whole}) {{"
            yield from (indent * 2 + line for line in fast)
            yield f"{indent}}} else {{"
            yield from (indent * 2 + line for line in slow)
            yield f"{indent}}}"
        yield "};"

    def _rounds(self, total: int) -> tuple[list[str], bool]:
        """The head of a loop that deals numbers below `total` out to the threads."""
        size = self.mapped.block_size
        n_rounds = -(-total // size)
        n, e = self._local.round, self._local.element
        thread = self._local.thread
        few = n_rounds <= MAX_COPIES  # each keeps an address in registers
        head = [
            "#pragma unroll" if few else f"#pragma unroll {MAX_COPIES // 2}",
            f"for (int {n} = 0; {n} < {n_rounds}; {n}++) {{",
            f"{self.options.indent}const int {e} = {thread} + {size} * {n};",
        ]
        return head, total % size != 0

    def _copy_one(self, o: Operand, guarded: bool = False) -> Iterator[str]:
        """The copy of a window: whole, or with zeros where the launch reads nothing."""
        indent = self.options.indent
        chunk = o.chunk
        if guarded and not self._is_even(o):
            chunk = 1
        test = self._in_array(o) if guarded else ""
        length = o.sizes[-1] // chunk
        total = prod(o.sizes[:-1]) * length
        head, is_ragged = self._rounds(total)
        yield from head
        deep = indent
        if is_ragged:
            yield f"{indent}if ({self._local.element} < {total}) {{"
            deep += indent
        yield from (deep + line for line in self._spread(o, length, chunk))
        names = self._local.local[: len(o.sizes)]
        place = f"{o.name}[{self._local.stage}]" + "".join(f"[{n}]" for n in names)
        n_bytes = chunk * o.device.type.n_bytes
        source = self._source(o)
        if n_bytes < 4:  # shorter than any asynchronous copy
            zero = f"({type_name(o.device.type)})0"
            value = f"({test}) ? {source} : {zero}" if test else source
            yield f"{deep}{place} = {value};"
        elif test:
            inside = self._local.inside
            yield f"{deep}const bool {inside} = {test};"
            yield f"{deep}__pipeline_memcpy_async("
            yield f"{deep}  &{place}, {inside} ? &{source} : {o.device.name},"
            yield f"{deep}  {n_bytes}, {inside} ? 0 : {n_bytes});"
        else:
            yield f"{deep}__pipeline_memcpy_async(&{place}, &{source}, {n_bytes});"
        if is_ragged:
            yield f"{indent}}}"
        yield "}"

    def _is_even(self, o: Operand) -> bool:
        """Whether the launch reads all elements of a copy or none."""
        if o.chunk == 1:
            return True
        touched, context = self._touched(o)
        last = self._local.local[len(o.sizes) - 1]
        aligned = isl.Set(f"[{last}] -> {{ : {last} mod {o.chunk} = 0 }}")
        context = context.intersect(aligned)
        first = touched.intersect(context)
        for k in range(1, o.chunk):
            shifted = _shift(touched, last, k).intersect(context)
            if not first.is_equal(shifted):
                return False
        return True

    def _spread(self, o: Operand, length: int, chunk: int) -> list[str]:
        """A number as subscripts in the window."""
        lines = []
        e = self._local.element
        sizes = (*o.sizes[:-1], length)
        scale = prod(sizes)
        for k, size in enumerate(sizes):
            scale //= size
            value = e if scale == 1 else f"{e} / {scale}"
            if k:
                value = f"{value} % {size}"
            if k == len(sizes) - 1 and chunk > 1:
                value = f"{chunk} * ({value})"
            lines.append(f"const int {self._local.local[k]} = {value};")
        return lines

    def _source(self, o: Operand) -> str:
        """The element of the array for subscripts in the window."""
        bounds = {}
        subscripts: list[Expr] = []
        for k, first in enumerate(o.firsts):
            value = self._linear(first).plus(Linear.atom(Text(self._local.local[k])))
            bounds[f"@{k}"] = Bound(value)
            subscripts.append(Iter(f"@{k}", self.index_type))
        load = Load(o.load.array, tuple(subscripts), o.load.type)
        printer = self._printer({}, bounds)
        return printer.load(load).text

    def _touched(self, o: Operand) -> tuple[isl.Set, isl.Set]:
        """Subscripts in the window that the launch reads, and all there are."""
        names = self._local.local[: len(o.sizes)]
        params = ", ".join(names)
        at = None
        for k, first in enumerate(o.firsts):
            local = isl.PwAff(f"[{params}] -> {{ [({names[k]})] }}")
            value = isl.PwMultiAff.from_pw_aff(first.add(local))
            at = value if at is None else at.flat_range_product(value)
        assert at is not None
        bounds = " and ".join(
            f"0 <= {n} < {size}" for n, size in zip(names, o.sizes, strict=True)
        )
        window = isl.Set(f"[{params}] -> {{ : {bounds} }}")
        touched = o.touched.reset_tuple_id().preimage_pw_multi_aff(at).params()
        return touched, self._tile_context.intersect(window)

    def _in_array(self, o: Operand) -> str:
        """Whether the launch reads an element of the window."""
        touched, context = self._touched(o)
        return self._condition(touched, context)

    # -- terms -------------------------------------------------------------------------

    def _multiply(self, operands: Sequence[Operand]) -> Iterator[str]:
        """A function that adds the terms of one tile to a thread's results."""
        indent, kind = self.options.indent, self.index_type.name
        arguments = ", ".join(f"const {kind} {q}" for q in self.names.tiles)
        local = self._local
        head = f"[&](const int {local.stage}, {arguments})"
        yield f"const auto {local.multiply} = {head} {{"
        form = self.form
        box = tile_box(form, self.names)
        inside = form.member_domain
        n = form.n_shared
        known = form.results.add_dims(isl.dim_type.set, form.n_inner)
        missing = known.intersect(box).subtract(inside).params()
        dense = self._condition(missing.complement())
        guard = self._condition(self._bind(inside, n + form.n_inner))
        statement = self._term(operands)
        fast = list(self._over_terms(statement))
        slow_term = [f"if ({guard}) {{", *(indent + s for s in statement), "}"]
        if not dense or not guard:
            yield from (indent + line for line in fast)
        else:
            yield f"{indent}if ({dense}) {{"
            yield from (indent * 2 + line for line in fast)
            yield f"{indent}}} else {{"
            yield from (indent * 2 + line for line in self._over_terms(slow_term))
            yield f"{indent}}}"
        yield "};"

    def _over_terms(self, inside: Sequence[str]) -> Iterator[str]:
        """Loops over the members inside a tile, around those over results."""
        indent = ""
        small = prod(self.form.steps) <= MAX_UNROLLED
        last = len(self.form.steps) - 1
        for k, step in enumerate(self.form.steps):
            name = self.names.inner[k]
            if small or k == last:
                yield f"{indent}#pragma unroll"
            yield f"{indent}for (int {name} = 0; {name} < {step}; {name}++) {{"
            indent += self.options.indent
        for line in self._over_results(inside):
            yield indent + line
        for _ in self.form.steps:
            indent = indent[: -len(self.options.indent)]
            yield f"{indent}}}"

    def _term(self, operands: Sequence[Operand]) -> list[str]:
        """The statement with its result in a register and operands in shared memory."""
        form = self.form
        result = Load("@held", (), form.target.type)
        replaced: dict[Load, Load] = {form.target: result}
        bounds = {"@stage": Bound(Linear.atom(Text(self._local.stage)))}
        spellings = {"@held": Spelling(self._result)}
        for n, o in enumerate(operands):
            subscripts: list[Expr] = [Iter("@stage", self.index_type)]
            for k, index in enumerate(o.index):
                name = f"@{n}_{k}"
                bounds[name] = Bound(self._linear(index))
                subscripts.append(Iter(name, self.index_type))
            key = f"@{o.name}"
            spellings[key] = Spelling(o.name)
            replaced[o.load] = Load(key, tuple(subscripts), o.load.type)
        body = tuple(
            map_action(a, lambda e: replaced.get(e) if isinstance(e, Load) else None)
            for a in form.statement.body
        )
        statement = replace(form.statement, body=body)
        printer = self._printer(spellings, bounds)
        taken = frozenset(s.name for s in printer.arrays.values())
        return list(print_instance(statement, printer, taken, self.options.indent))

    def _printer(
        self, spellings: Mapping[str, Spelling], bounds: Mapping[str, Bound]
    ) -> ExprPrinter:
        """A printer that knows arrays, and the iterators of the statement."""
        arrays = {n: d.spelling for n, d in self.arrays.items()}
        arrays |= {n: Spelling(n) for n in self.values}
        here = self.form.instance.pullback_pw_multi_aff(self.form.values(self.names))
        iterators = {
            name: Bound(self._linear(here.get_pw_aff(k)), self.index_type)
            for k, name in enumerate(self.form.statement.iterators)
        }
        offsets = {
            (n, k): self._linear(low)
            for n, d in self.arrays.items()
            for k, low in enumerate(d.firsts)
            if low is not None
        }
        return ExprPrinter(
            iterators={**iterators, **bounds},
            arrays={**arrays, **spellings},
            offsets=offsets,
        )

    # -- the loop of tiles -------------------------------------------------------------

    def _loop(self) -> Iterator[str]:
        """The loop over tiles, with copies ahead of it."""
        kind, stages, local = self.index_type.name, self.form.n_stages, self._local
        counts = []
        for k in range(self.form.n_inner):
            first, count = self._tile_range(k)
            if first != "0":
                yield f"const {kind} {local.firsts[k]} = {first};"
            if count != "1":
                yield f"const {kind} {local.counts[k]} = {count};"
                counts.append(local.counts[k])
        total = " * ".join(counts) or "1"
        if len(counts) > 1:
            yield f"const {kind} {local.total} = {total};"
            total = local.total
        s, copy, ahead = local.step, local.copy, stages - 1
        this = f"{local.multiply}({s} % {stages}, {self._tile(s)});"
        if stages == 1:
            yield f"for ({kind} {s} = 0; {s} < {total}; {s}++) {{"
            yield f"  {copy}(0, {self._tile(s)});"
            yield "  __pipeline_commit();"
            yield "  __pipeline_wait_prior(0);"
            yield "  __syncthreads();"
            yield f"  {local.multiply}(0, {self._tile(s)});"
            yield "  __syncthreads();"
            yield "}"
            return
        yield "#pragma unroll"
        yield f"for ({kind} {s} = 0; {s} < {ahead}; {s}++) {{"
        yield f"  if ({s} < {total})"
        yield f"    {copy}({s}, {self._tile(s)});"
        yield "  __pipeline_commit();"
        yield "}"
        yield f"for ({kind} {s} = 0; {s} < {total}; {s}++) {{"
        yield f"  __pipeline_wait_prior({stages - 2});"
        yield "  __syncthreads();"
        later = f"({s} + {ahead})"
        yield f"  if ({s} + {ahead} < {total})"
        yield f"    {copy}({later} % {stages}, {self._tile(later)});"
        yield "  __pipeline_commit();"
        yield f"  {this}"
        yield "}"

    def _tile_range(self, member: int) -> tuple[str, str]:
        """First tile of a member in a block, and how many there are."""
        hull = self._tile_hull(member)
        step = self.form.steps[member]
        value = isl.Val(step)
        low, high = hull.dim_min(0), hull.dim_max(0)
        first = low.scale_down_val(value).ceil().scale_val(value)
        last = high.scale_down_val(value).floor().scale_val(value)
        count = last.sub(first).scale_down_val(value).floor()
        count = count.add_constant_val(isl.Val.one(count.get_ctx()))
        return self._text(first), self._text(count)

    def _tile_hull(self, member: int) -> isl.Set:
        """Values of a member's tiles in a block, between the lowest and the highest."""
        form, names = self.form, self.names
        tiles = form.domain.apply(form.blocks.flat_range_product(form.tiles))
        dims = [f"x{k}" for k in range(form.n_shared + form.n_inner)]
        equal = " and ".join(
            f"{d} = {b}" for d, b in zip(dims, names.blocks, strict=False)
        )
        here = isl.Set(
            f"[{', '.join(names.blocks)}] -> {{ [{', '.join(dims)}] : {equal} }}"
        )
        tiles = tiles.intersect(here).intersect_params(self.context)
        position = form.n_shared + member
        one = tiles.project_out(
            isl.dim_type.set, position + 1, form.n_inner - member - 1
        ).project_out(isl.dim_type.set, 0, position)
        return isl.Set.from_basic_set(one.remove_divs().simple_hull())

    def _tile(self, number: str) -> str:
        """First points of the tiles of a number, as arguments."""
        found = []
        inside, local = "", self._local
        for k in reversed(range(self.form.n_inner)):
            step = self.form.steps[k]
            first, count = self._tile_range(k)
            start = "" if first == "0" else local.firsts[k]
            if count == "1":
                found.append(start or "0")
                continue
            at = f"{number}{inside}"
            if k:
                at = f"{at} % {local.counts[k]}"
            at = f"({at})" if inside or k else at
            scaled = at if step == 1 else f"{step} * {at}"
            found.append(f"{start} + {scaled}" if start else scaled)
            inside += f" / {local.counts[k]}"
        return ", ".join(reversed(found))


def tile_parameters(
    mapped: KernelMap, outer: Sequence[str], blocks: Sequence[str], free: Names, n: int
) -> TileNames:
    """Names for the tiles inside and for offsets."""
    return TileNames(
        tuple(outer),
        tuple(blocks),
        tuple(free.take(f"q{k}") for k in range(n)),
        tuple(free.take(f"o{k}") for k in range(len(mapped.n_threads))),
        tuple(free.take(f"k{k}") for k in range(n)),
        mapped.steps,
    )


def _shift(values: isl.Set, name: str, distance: int) -> isl.Set:
    """The parameter values at which a parameter plus a distance is in a set."""
    position = values.find_dim_by_name(isl.dim_type.param, name)
    if position < 0:
        return values
    moved = values.move_dims(isl.dim_type.set, 0, isl.dim_type.param, position, 1)
    at = isl.PwMultiAff(f"[{name}] -> {{ [{name} + {distance}] }}")
    return moved.reset_tuple_id().preimage_pw_multi_aff(at).params()
