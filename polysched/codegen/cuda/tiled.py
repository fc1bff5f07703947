"""The kernel of a tiled contraction: copies to shared memory, results in registers.

The order of operations on each result is that of the source: a thread loads its
results, adds the terms of one tile after the other, and stores them. Where a tile is
whole, or all results of it have all its terms, there are no guards; elsewhere every
term is guarded by the statement's domain. Copies run ahead of the computation in a ring
of stages, as in ALCOP (Huang et al., MLSys 2023): the copy depends on outer loops only,
the loop of tiles is sequential, and all operands synchronise at one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import prod

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.ctext import Text, identifiers
from polysched.codegen.cuda.copies import CopyText
from polysched.codegen.cuda.operands import Operand, find_shared, tile_box
from polysched.codegen.cuda.text import SHARED_BYTES, STATIC_BYTES, type_name
from polysched.codegen.expr import Bound, Spelling
from polysched.codegen.linear import Linear
from polysched.codegen.statement import print_instance
from polysched.ir import Expr, Iter, Load, map_action

BARRIER_BYTES = 8  # of a slot that bulk copies fill
MIN_COPY_BYTES = 4  # of an asynchronous copy
_WINDOW_ALIGN = 32  # bytes: the longest copies want 16, tensor cores 32
MAX_UNROLLED = 64  # iterations of the loops inside a tile that are unrolled as a whole


class TiledPrinter(CopyText):
    """Prints the body of one kernel."""

    def body(self) -> tuple[list[str], int]:
        """The lines behind the definitions of block and thread, and shared bytes.

        Bytes are 0 where they need not be asked for.
        """
        operands = find_shared(
            self.scop, self.form, self.arrays, self.values, self.names,
            self._tile_context, self.free,
        )  # fmt: skip
        if self.form.n_stages > 1:
            _check_asynchronous(operands)
        used = sum(self._window_bytes(o) for o in operands)
        if used > SHARED_BYTES:
            raise CodegenError(
                f"tiles of operands take {used} bytes, a block shares {SHARED_BYTES}",
                hint="smaller tiles, or fewer stages",
            )
        in_bulk = any(o.is_bulk for o in operands)
        dynamic = used + BARRIER_BYTES * in_bulk * self.form.n_stages > STATIC_BYTES
        lines = [
            *self._declare(operands, dynamic),
            *self._thread_number(),
            *(self._begin_phases() if in_bulk else ()),
            *self._load_results(),
            *self._copy(operands),
            *self._multiply(operands),
            *self._loop(in_bulk),
            *self._store_results(),
        ]
        return lines, used if dynamic else 0

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
                yield (
                    f"__shared__ __align__({_WINDOW_ALIGN}) {kind} "
                    f"{o.name}[{stages}]{o.extents};"
                )
            offset += self._window_bytes(o)

    def _window_bytes(self, operand: Operand) -> int:
        """Shared memory of all stages, up to where the next window may begin."""
        n_bytes = operand.n_bytes * self.form.n_stages
        return n_bytes + -n_bytes % _WINDOW_ALIGN

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

    def _begin_phases(self) -> Iterator[str]:
        """A barrier for every slot in shared memory, to wait for its bulk copies."""
        local, stages = self._local, self.form.n_stages
        yield f"__shared__ unsigned long long {local.filled}[{stages}];"
        yield f"if ({local.thread} == 0)"
        yield f"  for (int {local.step} = 0; {local.step} < {stages}; {local.step}++)"
        yield f"    ps_phase_begin(&{local.filled}[{local.step}]);"
        yield "__syncthreads();"

    def _element(self) -> str:
        """The result's element in device memory."""
        printer = self._printer({}, {})
        return printer.load(self.form.target).text

    def _has_result(self) -> str:
        """Whether the launch computes anything for a point of the tile."""
        values = self.form.results
        return self._condition(self._bind(values, self.form.n_shared))

    def _load_results(self) -> Iterator[str]:
        kind = type_name(self.form.target.type)
        extents = "".join(f"[{n}]" for n in self._shares if n > 1)
        yield f"{kind} {self._local.held}{extents};"
        if not self.form.reads_target:
            return
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
        # for points without a result, which is not stored, any terms will do
        guard = self._condition(self._bind(inside.gist(known), n + form.n_inner))
        statement = self._term(operands)
        fast = list(self._over_terms(statement))
        slow_term = [f"if ({guard}) {{", *(indent + s for s in statement), "}"]
        if not dense or not guard:
            yield from (indent + line for line in fast)
        else:
            yield f"{indent}if ({dense}) {{"
            yield from (indent * 2 + line for line in fast)
            yield f"{indent}}} else {{"
            rare = self._over_terms(slow_term, is_rare=True)
            yield from (indent * 2 + line for line in rare)
            yield f"{indent}}}"
        yield "};"

    def _over_terms(
        self, inside: Sequence[str], is_rare: bool = False
    ) -> Iterator[str]:
        """Loops over the members inside a tile, around those over results."""
        indent = ""
        small = prod(self.form.steps) <= MAX_UNROLLED
        inside = list(self._over_results(inside))
        steps = [
            (name, step)
            for name, step in zip(self.names.inner, self.form.steps, strict=True)
            if step > 1 or name in identifiers("\n".join(inside))
        ]
        for name, step in steps:
            if is_rare:  # registers for the other path
                yield f"{indent}#pragma unroll 1"
            elif small or (name, step) == steps[-1]:
                yield f"{indent}#pragma unroll"
            yield f"{indent}for (int {name} = 0; {name} < {step}; {name}++) {{"
            indent += self.options.indent
        yield from (indent + line for line in inside)
        for _ in steps:
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

    def _loop(self, in_bulk: bool) -> Iterator[str]:
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
        wait = ""
        if in_bulk:
            slot, turn = f"{s} % {stages}", f"{s} / {stages} % 2"
            if stages == 1:
                slot, turn = "0", f"{s} % 2"
            wait = f"ps_phase_wait(&{local.filled}[{slot}], {turn});"
        this = f"{local.multiply}({s} % {stages}, {self._tile(s)});"
        if stages == 1 and total == "1" and not in_bulk:
            first = self._tile("0")
            yield f"{copy}(0, {first});"
            yield "__pipeline_commit();"
            yield "__pipeline_wait_prior(0);"
            yield "__syncthreads();"
            yield f"{local.multiply}(0, {first});"
            return
        if stages == 1:
            yield f"for ({kind} {s} = 0; {s} < {total}; {s}++) {{"
            yield f"  {copy}(0, {self._tile(s)});"
            yield "  __pipeline_commit();"
            yield "  __pipeline_wait_prior(0);"
            yield from [f"  {wait}"] if wait else []
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
        yield from [f"  {wait}"] if wait else []
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
        count = high.sub(first).scale_down_val(value).floor()
        count = count.add_constant_val(isl.Val.one(count.get_ctx()))
        return self._text(first), self._text(count)

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


def _check_asynchronous(operands: Sequence[Operand]) -> None:
    """Refuse a pipeline of copies that threads would wait for, whatever the sizes."""
    for o in operands:
        n_bytes = max(o.chunk, o.wide) * o.device.type.n_bytes
        if n_bytes < MIN_COPY_BYTES:
            raise CodegenError(
                f"copies of {o.device.array.name!r} are of {n_bytes} bytes and not "
                f"asynchronous, which takes {MIN_COPY_BYTES}: no pipeline hides them",
                hint="one stage copies and computes in turn",
            )
