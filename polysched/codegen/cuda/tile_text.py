"""What all parts of a tiled kernel's text share: names, conditions, points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, prod

import islpy as isl

from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.ctext import Names, Text
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.cuda.form import TiledForm, TileNames
from polysched.codegen.cuda.local_names import LocalNames
from polysched.codegen.cuda.mapping import KernelMap, bounded_hull
from polysched.codegen.expr import Bound, ExprPrinter, Spelling
from polysched.codegen.linear import Linear
from polysched.codegen.options import PrintOptions
from polysched.ir import Load, ScalarType, Scop, action_expressions, walk
from polysched.sets import ast_options

WORD_BYTES = 4  # of a register
WORK_REGISTERS = 28  # of a thread, for addresses and counters


@dataclass(frozen=True, eq=False)
class TileText:
    """Prints expressions over a launch, a block, a tile inside of it, and offsets.

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

    @cached_property
    def _local(self) -> LocalNames:
        most = max((d.array.n_dim for d in self.arrays.values()), default=0)
        return LocalNames.take(self.free, self.form.n_shared, self.form.n_inner, most)

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
        # convex: a gist by a union makes conditions on names that they do not have
        return isl.Set(self.context.intersect(known).unshifted_simple_hull())

    @property
    def _shares(self) -> list[int]:
        """Points of each shared member that a thread holds."""
        return [
            step // n
            for step, n in zip(self.mapped.steps, self.mapped.n_threads, strict=True)
        ]

    @property
    def n_registers(self) -> int:
        """Registers that a thread needs: results, what they are made of, addresses."""
        words = max(1, self.form.target.type.n_bytes // WORD_BYTES)
        # one operand of a product moves with rows, the other one with columns
        n_products = max(1, len(self._operand_loads) / 2)
        operands = 2 * sum(n for n in self._shares if n > 1) * n_products
        return ceil((prod(self._shares) + operands) * words) + WORK_REGISTERS

    @property
    def _operand_loads(self) -> set[Load]:
        """What a term reads of arrays that are no arguments, but for the result."""
        (action,) = self.form.statement.body
        loads = (e for top in action_expressions(action) for e in walk(top))
        return {
            e
            for e in loads
            if isinstance(e, Load)
            and e != self.form.target
            and e.array in self.arrays
            and e.subscripts
        }

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

    def _bind(self, values: isl.Set, n_dims: int) -> isl.Set:
        """A set of members' values as a condition on tile and offsets."""
        at = self.form.values(self.names)
        if n_dims < at.dim(isl.dim_type.out):
            rest = at.dim(isl.dim_type.out) - n_dims
            at = at.drop_dims(isl.dim_type.out, n_dims, rest)
        return values.preimage_pw_multi_aff(at)

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
        return ExprPrinter(
            iterators={**iterators, **bounds}, arrays={**arrays, **spellings}
        )

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
        return bounded_hull(one)


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
