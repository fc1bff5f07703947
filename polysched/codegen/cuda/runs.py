"""Runs: neighbours of a thread whose elements are loaded and stored as vectors.

Below a mark ``run:4`` stands a loop over up to four neighbouring values, the first of
which, where it has all four, is a multiple of four. There the loop is written out:
elements that lie side by side and aligned become components of vectors, loaded in front
and stored behind::

    const float4 A_run = *(const float4 *)&A[384 * i + b2 + 4 * t2];
    float4 B_run;
    B_run.x = A_run.x + A_run.y;
    ...
    if (b2 + 4 * t2 >= 1 && b2 + 4 * t2 + 3 <= 382)
      *(float4 *)&B[384 * i + b2 + 4 * t2] = B_run;
    else
      ...                                          each component that is wanted

Where the run is a part of four, what is missing is computed all the same and thrown
away, if it reads nothing that does not exist; else the loop stays as it is for parts.

An element of a whole run is loaded only if the statements read it, whatever their data,
and stored only if they write it. An array that is written has vectors where each of its
elements belongs to one of the four values: nothing then comes out of order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import islpy as isl

from polysched.codegen.ast_expr import AstExprPrinter, arguments
from polysched.codegen.build import Built
from polysched.codegen.ctext import Names, Text, identifiers
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.cuda.run_elements import (
    RunElements,
    Vector,
    find_elements,
)
from polysched.codegen.cuda.run_reach import may_run_beyond
from polysched.codegen.cuda.text import type_name
from polysched.codegen.linear import Linear, StoragePlace
from polysched.codegen.nodes import (
    Block,
    Branch,
    Instance,
    Loop,
    Mark,
    Node,
    change_blocks,
)
from polysched.codegen.statement import needs_block
from polysched.ir import Scop, Statement, assignments
from polysched.sets import ast_expr_kind, ast_node_kind, ast_operation

Places = Mapping[StoragePlace, Linear]  # where temporary storage begins
_Placed = tuple[Statement, tuple[Linear, ...], Places]
InstanceLines = Callable[[Statement, tuple[Linear, ...], Places], tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class RunPrinter:
    """Writes the runs of one kernel.

    Attributes
    ----------
    scop : Scop
        Whose statements stand in them.
    built : Built
        The kernel's loops.
    arrays : dict of str to DeviceArray
        What lives in device memory.
    free : Names
        Source of names for vectors.
    lines_of : callable
        Lines of a statement for values of its iterators.
    indent : str
        White space per level.
    """

    scop: Scop
    built: Built
    arrays: Mapping[str, DeviceArray]
    free: Names
    lines_of: InstanceLines
    indent: str

    def widen(self, block: Block) -> Block:
        """The block without its marks of runs, vectors in their place."""
        items: list[Node] = []
        for item in block.items:
            if not isinstance(item, Mark):
                items.append(change_blocks(item, self.widen))
                continue
            length = int(item.name.split(":")[1])
            inner = [n for node in item.body.items for n in self._of_run(node, length)]
            only = inner[0] if len(inner) == len(block.items) == 1 else None
            if isinstance(only, Block):  # needs no braces of its own
                opening = (*block.opening, *only.opening)
                return replace(block, items=only.items, opening=opening)
            items += inner
        return replace(block, items=tuple(items))

    def _of_run(self, node: Node, length: int) -> tuple[Node, ...]:
        """A loop over a run, and its vectors where it has any."""
        whole = self._find_whole(node, length)
        if whole is None:
            return (node,)
        assert isinstance(node, Loop)
        placed = [
            (self.scop.statement(i.statement), *read_instance(i, self.built.exprs))
            for i in node.body.items
            if isinstance(i, Instance)
        ]
        sums = [
            v for _, values, offsets in placed for v in (*values, *offsets.values())
        ]
        if not all(is_plain(value, node.iterator) for value in sums):
            return (node,)
        named = tuple((statement, values) for statement, values, _ in placed)
        written = {a.array for _, a in self.scop.iter_accesses() if a.is_write}
        found = find_elements(
            named, node.iterator, length, self.arrays, written, self.free
        )
        if not found.vectors:
            return (node,)
        run = _Run(node.iterator, whole.start, length)
        computing = (
            *(self._load(v, run) for v in found.vectors),
            *self._computing(placed, run, found),
        )
        stores = tuple(self._store(v, run) for v in found.vectors if v.is_written)
        conditions = (*whole.conditions(0, length - 1), *found.conditions)
        if not conditions:
            return (Block((), (*computing, *stores)),)
        rolled = replace(node, pragmas=(*node.pragmas, "#pragma unroll 1"))
        outside = whole.conditions(0, length - 1)
        if outside and self._may_run_beyond(node, placed, found):
            single = Block((), tuple(self._store_each(whole, run, found.vectors)))
            ends = Branch(_all(outside), Block((), stores), single)
            some = _all(whole.conditions(length - 1, 0))
            parts = Branch(some, Block((ends,), computing))
            if not found.conditions:
                return (parts,)
            aligned = _all(found.conditions)
            return (Branch(aligned, Block((parts,)), Block((rolled,))),)
        vectors = Block((), (*computing, *stores))
        return (Branch(_all(conditions), vectors, Block((rolled,))),)

    def _may_run_beyond(
        self, node: Loop, placed: Sequence[_Placed], found: RunElements
    ) -> bool:
        """Whether a part of a run is computed like a whole one, and stored in part."""
        if any(v.is_read and v.is_written for v in found.vectors):
            return False
        stored = {v.device.array.name for v in found.vectors if v.is_written}
        statements = [statement for statement, _, _ in placed]
        targets = {
            assigned.target.array
            for statement in statements
            for action in statement.body
            for assigned in assignments(action)
        }
        return targets <= stored and may_run_beyond(
            self.scop,
            statements,
            self.built.schedules[node.key],
            found.length,
            self.arrays,
            found.conditions,
        )

    def _store_each(
        self, whole: _Whole, run: _Run, vectors: Sequence[Vector]
    ) -> Iterator[str]:
        """The components that belong to values of the loop."""
        for vector in vectors:
            if not vector.is_written:
                continue
            for k, step in enumerate(vector.steps):
                condition = " && ".join(whole.conditions(step, step))
                place = run.at(vector.address.plus(Linear((), k)), 0).to_text()
                yield f"if ({condition})"
                store = f"{vector.device.name}[{place}] = {vector.component(k)};"
                yield self.indent + store

    def _find_whole(self, node: Node, length: int) -> _Whole | None:
        """Where a loop over a run begins if it is whole; None where nobody knows."""
        if not isinstance(node, Loop) or node.condition is None or node.step != 1:
            return None
        body = node.body
        if body.opening or body.closing or not body.items:
            return None
        if not all(isinstance(item, Instance) for item in body.items):
            return None
        bounds = self._bounds.get(node.key)
        return None if bounds is None else bounds.whole(length)

    @property
    def _bounds(self) -> dict[str, _Bounds]:
        found: dict[str, _Bounds] = {}

        def visit(node: isl.AstNode) -> bool:
            if ast_node_kind(node) == "for" and not node.for_is_degenerate():
                key = str(node.get_annotation().get_name())
                found[key] = _Bounds.of(node, self.built.exprs)
            return True

        self.built.root.foreach_descendant_top_down(visit)
        return found

    def _computing(
        self,
        placed: Sequence[_Placed],
        run: _Run,
        found: RunElements,
    ) -> Iterator[str]:
        """The statements, once for each value of the run."""
        for step in range(run.length):
            for number, (_, values, offsets) in enumerate(placed):
                lines = self.lines_of(
                    found.statements[step][number],
                    tuple(run.at(v, step) for v in values),
                    {k: run.at(v, step) for k, v in offsets.items()},
                )
                if not needs_block(lines):
                    yield from lines
                    continue
                yield "{"
                yield from (self.indent + line for line in lines)
                yield "}"

    def _load(self, vector: Vector, run: _Run) -> str:
        """A vector's declaration."""
        kind = self._type(vector)
        if not vector.is_read:
            return f"{kind} {vector.name};"
        const = "" if vector.is_written else "const "
        return f"{const}{kind} {vector.name} = {self._memory(vector, run, 'const ')};"

    def _store(self, vector: Vector, run: _Run) -> str:
        return f"{self._memory(vector, run)} = {vector.name};"

    def _type(self, vector: Vector) -> str:
        """The vector's type, where a program's own name may hide it."""
        if vector.length == 1:
            return type_name(vector.device.type)
        name = vector_type(vector)
        return f"::{name}" if self.free.is_taken(name) else name

    def _memory(self, vector: Vector, run: _Run, const: str = "") -> str:
        """The vector's elements in device memory."""
        index = run.at(vector.address, 0).to_text()
        if vector.length == 1:
            return f"{vector.device.name}[{index}]"
        return f"*({const}{self._type(vector)} *)&{vector.device.name}[{index}]"


def _all(conditions: Sequence[str]) -> Text:
    return Text(" && ".join(conditions))


def read_instance(
    instance: Instance, exprs: AstExprPrinter
) -> tuple[tuple[Linear, ...], Places]:
    """The values of an instance's iterators, and where its storage begins."""
    values = tuple(exprs.linear(value) for value in instance.values)
    return values, {k: exprs.linear(v) for k, v in instance.offsets.items()}


HALF_VECTORS = {"__half": "__half2", "__nv_bfloat16": "__nv_bfloat162"}


def vector_type(vector: Vector) -> str:
    """CUDA's name of the type: ``float4``, ``uint2``, ``__half2``."""
    if vector.device.type.is_half:
        return HALF_VECTORS[type_name(vector.device.type)]
    first, _, rest = type_name(vector.device.type).partition(" ")
    if first == "unsigned":
        return f"u{rest.replace(' ', '') or 'int'}{vector.length}"
    return f"{rest if first == 'signed' else first + rest}{vector.length}"


@dataclass(frozen=True)
class _Run:
    """A whole run: its loop's variable, the first value, how many."""

    iterator: str
    start: Linear
    length: int

    def at(self, value: Linear, step: int) -> Linear:
        """A sum over the loop's variable at one of the values."""
        total = Linear((), value.constant)
        for atom, weight in value.terms:
            if atom.text == self.iterator:
                total = total.plus(self.start, weight)
                total = total.plus(Linear((), step), weight)
            else:
                total = total.plus(Linear.atom(atom), weight)
        return total


@dataclass(frozen=True)
class _Whole:
    """First value of a whole run, and the loop's other bounds."""

    start: Linear
    lows: tuple[Linear, ...]
    highs: tuple[Linear, ...]

    def conditions(self, first: int, last: int) -> tuple[str, ...]:
        """When the first and the last of some values of the run are the loop's."""
        low, high = (self.start.plus(Linear((), k)).to_text() for k in (first, last))
        return (
            *(f"{low} >= {v.to_text()}" for v in self.lows),
            *(f"{high} <= {v.to_text()}" for v in self.highs),
        )


@dataclass(frozen=True)
class _Bounds:
    """A loop from the largest of some values to the smallest of others."""

    firsts: tuple[Linear, ...]
    lasts: tuple[Linear, ...]

    @classmethod
    def of(cls, node: isl.AstNode, exprs: AstExprPrinter) -> _Bounds:
        """The bounds of a loop of isl's AST."""
        condition = node.for_get_cond()
        last = condition.get_op_arg(1)
        is_open = ast_operation(condition) == "lt"
        lasts = tuple(
            v.plus(Linear((), -1)) if is_open else v for v in _parts(last, "min", exprs)
        )
        return cls(tuple(_parts(node.for_get_init(), "max", exprs)), lasts)

    def whole(self, length: int) -> _Whole | None:
        """Where a run of this length begins; None where no bounds are so far apart."""
        for first in sorted(self.firsts, key=lambda v: v.is_constant):
            reach = first.plus(Linear((), length - 1))
            if any(last.plus(reach, -1) == Linear() for last in self.lasts):
                break
        else:
            return None
        lows = tuple(v for v in self.firsts if v.plus(first, -1) != Linear())
        highs = tuple(v for v in self.lasts if v.plus(reach, -1) != Linear())
        return _Whole(first, lows, highs)


def _parts(expr: isl.AstExpr, kind: str, exprs: AstExprPrinter) -> Iterator[Linear]:
    """The arguments of nested minima or maxima."""
    if ast_expr_kind(expr) == "op" and ast_operation(expr) == kind:
        for argument in arguments(expr):
            yield from _parts(argument, kind, exprs)
    else:
        yield exprs.linear(expr)


def is_plain(value: Linear, iterator: str) -> bool:
    """Whether a loop's variable is in the sum as a term, and nowhere else."""
    return not any(
        iterator in identifiers(atom.text)
        for atom, _ in value.terms
        if atom.text != iterator
    )
