"""The text around a loop whose threads add to copies of their own.

::

    int n_parts = omp_get_max_threads();
    char *parts = __builtin_malloc(n_parts * 64 * ((8 * M + 127) / 64));
    #pragma omp parallel num_threads(n_parts)
    {
      double *restrict s_own = (double *)(parts + ...omp_get_thread_num());
      for (long k1 = 0; k1 < M; k1++)
        s_own[k1] = -0.0;                  /* adding to it changes no number at all */
      #pragma omp for schedule(static)
      for (...)
        ... s_own[j] += r[i] * A[i][j];
      for (int part = 0; part < omp_get_num_threads(); part++) {
        #pragma omp for schedule(static) nowait
        for (long k1 = 0; k1 < M; k1++)
          s[k1] += ((double *)(parts + ...part))[k1];
      }
    }
    __builtin_free(parts);

Elements that may not exist, as a pointer's at places which data decide, are left alone
unless something was added to them. Copies are on the heap, as large as what is touched,
whole cache lines apart. Every element takes the threads' parts in the order of the
threads' numbers; with a static schedule a number of threads gives one result. Where
memory is short, fewer run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.accumulate import beginning, put_extremum
from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.copied_sums import CopiedSum
from polysched.codegen.ctext import Names, Text
from polysched.codegen.expr import Bound, ExprPrinter, Spelling
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import (
    Block,
    Branch,
    Loop,
    Mark,
    Node,
    instances,
    walk_nodes,
)
from polysched.ir import Iter, Load, copied_sums
from polysched.sets import ast_options

_LINE_BYTES = 64
_T = TypeVar("_T")


@dataclass(frozen=True)
class SumCopies:
    """Makes and adds up the copies around the loops that need them.

    Attributes
    ----------
    sums : tuple of CopiedSum
        All that the tree's marks name.
    names : Names
        Source of identifiers.
    exprs : AstExprPrinter
        Prints sizes.
    context : isl.Set
        Possible parameter values.
    iterator_type : str
        C type of loop variables.
    indent : str
        White space per level.
    own : mapping of str to str
        Names of the copies, by array.
    iterators : tuple of str
        Names for loops over a copy.
    """

    sums: tuple[CopiedSum, ...]
    names: Names
    exprs: AstExprPrinter
    context: isl.Set
    iterator_type: str
    indent: str
    own: Mapping[str, str]
    iterators: tuple[str, ...]

    @classmethod
    def named(
        cls,
        sums: tuple[CopiedSum, ...],
        names: Names,
        exprs: AstExprPrinter,
        context: isl.Set,
        iterator_type: str,
        indent: str,
    ) -> SumCopies:
        """With fresh names for the copies and the loops over them."""
        own = {s.copy.name: names.take(_stem(s, "own")) for s in sums}
        n_loops = max((s.array.n_dim for s in sums), default=0)
        iterators = tuple(names.take_series("k", n_loops))
        return cls(sums, names, exprs, context, iterator_type, indent, own, iterators)

    def spellings(self) -> dict[str, Spelling]:
        """How statements write the copies."""
        found = {}
        for s in self.sums:
            name, n_dim = self.own[s.copy.name], s.array.n_dim
            text = name if n_dim else f"*{name}"
            found[s.copy.name] = Spelling(text, tuple(range(n_dim)))
        return found

    def convert(self, block: Block, printer: ExprPrinter) -> Block:
        """The block with copies around every marked loop, and the marks gone.

        Where isl has left out the loop, because it would run once, what it had in it
        gets copies as well.

        Raises
        ------
        CodegenError
            If a statement would add to a copy outside of a mark.
        """
        return self._block(block, printer, is_marked=False)

    def _block(self, block: Block, printer: ExprPrinter, *, is_marked: bool) -> Block:
        items: list[Node] = []
        for item in block.items:
            match item:
                case Mark(name, body) if copied_sums(name.partition("@")[0]):
                    items += self._block(body, printer, is_marked=True).items
                case _:
                    items.append(self._node(item, printer, is_marked))
        return replace(block, items=tuple(items))

    def _node(self, node: Node, printer: ExprPrinter, is_marked: bool) -> Node:
        sums = self._added_to(node)
        if not sums:
            return node
        if is_marked and not any(_has_copies(n) for n in walk_nodes(node)):
            return self._around(node, sums, printer)
        match node:
            case Loop() if node.sums:
                return self._around(node, node.sums, printer)
            case Loop():
                body = self._block(node.body, printer, is_marked=is_marked)
                return replace(node, body=body)
            case Mark(name, body):
                return Mark(name, self._block(body, printer, is_marked=is_marked))
            case Branch(condition, then, other):
                then = self._block(then, printer, is_marked=is_marked)
                if other is not None:
                    other = self._block(other, printer, is_marked=is_marked)
                return Branch(condition, then, other)
            case Block():
                return self._block(node, printer, is_marked=is_marked)
        raise CodegenError("a statement adds to a copy outside of its loop")

    def _added_to(self, node: Node) -> tuple[str, ...]:
        """Arrays to whose copies something in a node adds."""
        inside = {i.statement for i in instances(node)}
        found = (s.array.name for s in self.sums if s.reduction.statement in inside)
        return tuple(found)

    def _around(self, node: Node, sums: Sequence[str], printer: ExprPrinter) -> Block:
        """A node between filling copies and adding them up."""
        is_shared = isinstance(node, Loop) and node.is_shared
        adders = {i.statement for i in instances(node)}
        here = [
            s
            for s in self.sums
            if s.array.name in sums and s.reduction.statement in adders
        ]
        team = _Team(*map(self.names.take, ("n_parts", "part_bytes", "parts", "own")))
        sizes, begins = self._sizes(here)
        placed = _place(here, sizes)
        n_lines = " + ".join([*(p.n_lines for p in placed), "1"])
        begins.append(
            f"const unsigned long {team.part_bytes} = {_LINE_BYTES} * ({n_lines});"
        )
        begins += team.ask(is_shared, self.indent)
        opening = team.number(is_shared)
        for p in placed:
            opening += self._fill(p, team.begin_of(team.own, p))
        part = self.names.take("part")
        closing = [f"for (int {part} = 0; {part} < {team.n_parts}; {part}++) {{"]
        for p in placed:
            lines = self._add(p, team.begin_of(part, p), printer, is_shared, team)
            closing += [self.indent + line for line in lines]
        closing.append("}")
        inside = Block((node,), tuple(opening), tuple(closing), is_region=True)
        return Block((inside,), tuple(begins), (f"__builtin_free({team.parts});",))

    def _sizes(
        self, sums: Sequence[CopiedSum]
    ) -> tuple[dict[str, list[str]], list[str]]:
        """Sizes of each copy, and the lines that compute those that are no numbers."""
        sizes: dict[str, list[str]] = {}
        lines = []
        for s in sums:
            for value in s.sizes:
                text = self._expr(value, self.exprs.text).text
                if not text.isdigit():
                    name = self.names.take(_stem(s, "size"))
                    lines.append(f"const {self.iterator_type} {name} = {text};")
                    text = name
                sizes.setdefault(s.copy.name, []).append(text)
        return sizes, lines

    def _expr(self, value: isl.PwAff, read: Callable[[isl.AstExpr], _T]) -> _T:
        with ast_options(value.get_ctx()):
            build = isl.AstBuild.from_context(self.context.params())
            return read(build.expr_from_pw_aff(value))

    def _fill(self, placed: _Placed, begin: str) -> list[str]:
        """Lines that make a thread's copy and fill it with what changes nothing."""
        one = placed.sum
        name, n_dim = self.own[one.copy.name], one.array.n_dim
        element = f"{name}{_brackets(self.iterators[:n_dim])}" if n_dim else f"*{name}"
        return [
            placed.pointer(f"restrict {name}", begin),
            *self._loops(placed, "#pragma omp simd"),
            f"{self.indent * n_dim}{element} = {_identity(one)};",
        ]

    def _add(
        self, placed: _Placed, begin: str, printer: ExprPrinter, shared: bool,
        team: _Team,
    ) -> list[str]:  # fmt: skip
        """Lines that add a part to the user's array."""
        one, n_dim = placed.sum, placed.sum.array.n_dim
        name = self.names.take(_stem(one, "part"))
        iterators = self.iterators[:n_dim]
        bounds = {
            k: Bound(Linear.atom(Text(k)).plus(self._expr(low, self.exprs.linear)))
            for k, low in zip(iterators, one.lows, strict=True)
        }
        load = Load(one.array.name, tuple(map(Iter, iterators)), one.array.type)
        target = replace(printer, iterators=bounds, offsets={}).load(load).text
        part = f"{name}{_brackets(iterators)}" if n_dim else f"*{name}"
        op = "*=" if one.reduction.op == "*" else "+="
        lines = [placed.pointer(name, begin)]
        if n_dim:
            kind = "for simd" if n_dim == 1 else "for"
            pragma = f"#pragma omp {kind} schedule(static) nowait"
            lines += self._loops(placed, pragma if shared else "#pragma omp simd")
        elif shared:
            lines.append(f"if ({team.own} == 0)")
        indent = self.indent * (n_dim or int(shared))
        if not one.is_there:
            lines.append(f"{indent}if ({part} != {_identity(one)})")
            indent += self.indent
        if not one.reduction.has_identity:
            return [*lines, indent + put_extremum(one.reduction, target, part)]
        return [*lines, f"{indent}{target} {op} {part};"]

    def _loops(self, placed: _Placed, pragma: str) -> list[str]:
        """Heads of loops over a copy, behind a pragma."""
        heads = [
            f"{self.indent * depth}for ({self.iterator_type} {k} = 0; {k} < {size}; "
            f"{k}++)"
            for depth, (k, size) in enumerate(
                zip(self.iterators, placed.sizes, strict=False)
            )
        ]
        if pragma == "#pragma omp simd" and len(heads) > 1:
            return heads
        return [pragma, *heads] if heads else []


@dataclass(frozen=True)
class _Team:
    """Names of what belongs to the threads of a loop, and their declarations."""

    n_parts: str
    part_bytes: str
    parts: str
    own: str

    def ask(self, is_shared: bool, indent: str) -> list[str]:
        """Memory for a part of each thread, of fewer where there is not enough."""
        wanted = f"__builtin_malloc({self.n_parts} * {self.part_bytes})"
        lines = [f"int {self.n_parts} = 1;"]
        if is_shared:
            lines += [
                "#ifdef _OPENMP",
                "int omp_get_max_threads(void);",
                f"{self.n_parts} = omp_get_max_threads();",
                "#endif",
            ]
        lines.append(f"char *{self.parts} = {wanted};")
        if is_shared:
            lines += [
                f"while (!{self.parts} && {self.n_parts} > 1) {{",
                f"{indent}{self.n_parts} /= 2;",
                f"{indent}{self.parts} = {wanted};",
                "}",
            ]
        lines += [f"if (!{self.parts})", f"{indent}__builtin_abort();"]
        if is_shared:
            lines.append(f"#pragma omp parallel num_threads({self.n_parts})")
        return lines

    def number(self, is_shared: bool) -> list[str]:
        """A thread's number; a team may be smaller than was asked for."""
        if not is_shared:
            return [f"const int {self.own} = 0;"]
        return [
            f"int {self.own} = 0;",
            "#ifdef _OPENMP",
            "int omp_get_thread_num(void), omp_get_num_threads(void);",
            f"{self.own} = omp_get_thread_num();",
            "#pragma omp single",
            f"{self.n_parts} = omp_get_num_threads();",
            "#endif",
        ]

    def begin_of(self, number: str, placed: _Placed) -> str:
        """Address of a thread's copy."""
        before = f" + {_LINE_BYTES} * ({placed.before})" if placed.before else ""
        return f"{self.parts} + {number} * {self.part_bytes}{before}"


@dataclass(frozen=True)
class _Placed:
    """A copy with the names of its sizes and the cache lines before it."""

    sum: CopiedSum
    sizes: Sequence[str]
    before: str

    @property
    def n_lines(self) -> str:
        """Cache lines that it takes, as C text."""
        n_bytes = self.sum.array.type.n_bytes
        total = " * ".join([f"{n_bytes}ul", *self.sizes])
        return f"({total} + {_LINE_BYTES - 1}) / {_LINE_BYTES}"

    def pointer(self, name: str, begin: str) -> str:
        """The declaration of a pointer to it."""
        type_ = self.sum.array.type.name
        inner = "".join(f"[{s}]" for s in self.sizes[1:])
        declared = f"(*{name}){inner}" if inner else f"*{name}"
        return f"{type_} {declared} = (void *)({begin});"


def _place(
    sums: Sequence[CopiedSum], sizes: Mapping[str, Sequence[str]]
) -> list[_Placed]:
    found: list[_Placed] = []
    for s in sums:
        before = " + ".join(p.n_lines for p in found)
        found.append(_Placed(s, sizes.get(s.copy.name, ()), before))
    return found


def _has_copies(node: Node) -> bool:
    return isinstance(node, Loop) and bool(node.sums)


def _stem(one: CopiedSum, word: str) -> str:
    return f"{one.array.source_name}_{word}"


def _identity(one: CopiedSum) -> str:
    """What changes no element; a negative zero leaves even the sign of zero alone.

    Of minima and maxima, what no term is beyond.
    """
    if not one.reduction.has_identity:
        return beginning(one.reduction)
    if one.reduction.op == "*":
        return "1"
    return "-0.0" if one.array.type.is_float else "0"


def _brackets(iterators: Sequence[str]) -> str:
    return "".join(f"[{k}]" for k in iterators)
