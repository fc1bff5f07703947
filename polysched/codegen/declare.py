"""Declarations of temporary storage: names, text, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import islpy as isl

from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.ctext import Names
from polysched.codegen.expr import ExprPrinter, Spelling
from polysched.codegen.nodes import (
    Block,
    Loop,
    instances,
    walk_blocks,
    walk_nodes,
)
from polysched.codegen.pages import Untouched, ask_for_pages
from polysched.codegen.place import Declaration, place
from polysched.codegen.storage import Buffer
from polysched.codegen.window import Size
from polysched.ir import Action, Assign, Element, Expr, Guard, Scop, walk
from polysched.sets import ast_options

LINE = 64  # bytes
CLEARED_BYTES = 256

_Form = tuple[str, str, tuple[str, ...]]  # name, type of elements, sizes


@dataclass(frozen=True)
class Declarer:
    """Gives private arrays C objects.

    What is on the heap is made once, outside of all loops; threads that share a loop
    each have a part of it. Memory that is given back and asked for again in every
    iteration would have its pages mapped and cleared every time.

    Attributes
    ----------
    scop : Scop
        Says which statements access which array.
    names : Names
        Source of fresh identifiers.
    fixed : frozenset of str
        Names of the user's program that generated code mentions.
    exprs : AstExprPrinter
        Prints symbolic sizes.
    context : isl.Set
        Possible parameter values.
    heap_bytes : int
        Larger buffers are put on the heap.
    indent : str
        White space per level.
    """

    scop: Scop
    names: Names
    fixed: frozenset[str]
    exprs: AstExprPrinter
    context: isl.Set
    heap_bytes: int
    indent: str

    def hoisted(self, block: Block, buffers: Sequence[Buffer]) -> tuple[Buffer, ...]:
        """The buffers with those on the heap outside of sequential loops."""
        return tuple(self._hoist(block, buffer) for buffer in buffers)

    def declare(
        self, block: Block, buffers: Sequence[Buffer]
    ) -> tuple[Block, dict[str, Spelling]]:
        """The block with all buffers declared, and how their arrays are spelled."""
        if not buffers:
            return block, {}
        names = self._choose_names(block, buffers)
        spellings = {}
        shared: dict[_Form, tuple[str, list[Buffer]]] = {}
        for buffer in buffers:
            name = names[buffer.array.name]
            spellings[buffer.array.name] = Spelling(name, buffer.kept)
            parts = ""
            if buffer.depth and self._on_heap(buffer):
                # scopes of one name follow each other: a thread's part serves them all
                form = (name, *self._type_of(buffer))
                if form not in shared:
                    shared[form] = self.names.take(f"{name}_parts"), []
                parts, sharing = shared[form]
                sharing.append(buffer)
            block = place(block, self._declaration(buffer, name, parts))
        if shared:
            block = place(block, self._allocate_parts(dict(shared.values())))
        return block, spellings

    def _hoist(self, block: Block, buffer: Buffer) -> Buffer:
        """The buffer outside of sequential loops, where making it takes a call.

        Iterations of these loops use it one after the other, as each makes and uses
        copies of its own.
        """
        if not self._on_heap(buffer):
            return buffer
        touching, _ = self._users(buffer)
        shared = [
            n.depth + 1
            for n in walk_nodes(block)
            if isinstance(n, Loop)
            and n.depth < buffer.depth
            and n.is_shared
            and any(i.statement in touching for i in instances(n))
        ]
        return replace(buffer, depth=max(shared, default=0))

    def _choose_names(self, block: Block, buffers: Sequence[Buffer]) -> dict[str, str]:
        """The users' own names where they hide nothing that is used, else new ones."""
        meeting = self._find_meetings(block, buffers)
        chosen: dict[str, str] = {}
        for buffer in buffers:
            wanted = buffer.array.source_name
            rivals = {chosen[m] for m in meeting[buffer.array.name] if m in chosen}
            for candidate in (wanted, *chosen.values()):
                same_root = candidate == wanted or candidate.startswith(f"{wanted}_")
                if same_root and candidate not in self.fixed | rivals:
                    chosen[buffer.array.name] = candidate
                    break
            else:
                chosen[buffer.array.name] = self.names.take(wanted)
        return chosen

    def _find_meetings(
        self, block: Block, buffers: Sequence[Buffer]
    ) -> dict[str, set[str]]:
        """For each array those that are used where it is visible, and back."""
        for buffer in buffers:
            mark = Declaration(
                buffer.depth, (buffer.array.name,), (), *self._users(buffer)
            )
            block = place(block, mark)
        meeting: dict[str, set[str]] = {b.array.name: set() for b in buffers}
        planned = set(meeting)
        arrays = {
            s.name: {a.array for a in s.accesses} & planned
            for s in self.scop.statements
        }
        for scope in walk_blocks(block):
            used = {a for i in instances(scope) for a in arrays[i.statement]}
            for declared in scope.opening:
                meeting[declared] |= used
                for other in used:
                    meeting[other].add(declared)
        return meeting

    def _users(self, buffer: Buffer) -> tuple[frozenset[str], frozenset[str]]:
        """Statements that access a buffer's array, and those that read it."""
        found = [
            (s.name, a.is_write)
            for s, a in self.scop.iter_accesses()
            if a.array == buffer.array.name
        ]
        reading = frozenset(name for name, is_write in found if not is_write)
        return frozenset(name for name, _ in found), reading

    def _using(self, buffer: Buffer) -> frozenset[str]:
        """Statements that use what others have set."""
        array = buffer.array.name
        return frozenset(
            s.name for s in self.scop.statements if _uses_first(s.body, array)
        )

    def _declaration(self, buffer: Buffer, name: str, parts: str) -> Declaration:
        """What makes a buffer, or finds a thread's part of an array of them."""
        type_name, sizes = self._type_of(buffer)
        extents = "".join(f"[{s}]" for s in sizes)
        plain = f"{type_name} {name}{extents}{_attributes(buffer)}"
        zero = " = {0}" if sizes else " = 0"
        opening = [f"{plain}{zero if buffer.starts_as_zero else ''};"]
        is_small = 0 < _count_bytes(buffer, sizes) <= CLEARED_BYTES
        cleared = (f"{plain}{zero};",) if is_small and not parts else ()
        closing: tuple[str, ...] = ()
        if parts:
            declared = _pointer(type_name, name, sizes[1:])
            opening = [
                "#ifdef _OPENMP",
                f"{declared} = {parts}[omp_get_thread_num()];",
                "#else",
                f"{declared} = *{parts};",
                "#endif",
            ]
        elif self._on_heap(buffer):
            opening = self._allocate(type_name, name, sizes)
            whole = Untouched(name, _count_bytes(buffer, sizes))
            opening += ask_for_pages([whole], self.names, self.indent)
            closing = (f"__builtin_free({name});",)
        unused = (f"(void){name};",)
        touching, reading = self._users(buffer)
        return Declaration(
            buffer.depth,
            tuple(opening),
            closing,
            touching,
            reading,
            unused,
            touching - reading,
            self._using(buffer),
            cleared,
        )

    def _allocate_parts(self, parts: Mapping[str, Sequence[Buffer]]) -> Declaration:
        """What makes arrays with a part for each thread that may share a loop."""
        number = self.names.take("n_parts")
        opening = [
            f"int {number} = 1;",
            "#ifdef _OPENMP",
            "int omp_get_max_threads(void), omp_get_thread_num(void);",
            f"{number} = omp_get_max_threads();",
            "#endif",
        ]
        closing: list[str] = []
        for name, sharing in parts.items():
            type_name, sizes = self._type_of(sharing[0])
            whole = self.names.take(f"{name}_memory")
            opening += self._allocate_aligned(type_name, (name, whole), sizes, number)
            closing.append(f"__builtin_free({whole});")
        users = [self._users(buffer) for found in parts.values() for buffer in found]
        touching = frozenset[str]().union(*(touching for touching, _ in users))
        return Declaration(0, tuple(opening), tuple(closing), touching, touching)

    def _allocate(self, type_name: str, name: str, sizes: tuple[str, ...]) -> list[str]:
        """Lines that put an array on the heap."""
        whole = f"{type_name}{''.join(f'[{s}]' for s in sizes)}"
        declared = _pointer(type_name, name, sizes[1:])
        return [
            f"{declared} = __builtin_malloc(sizeof({whole}));",
            f"if (!{name})",
            f"{self.indent}__builtin_abort();",
        ]

    def _allocate_aligned(
        self, type_name: str, names: tuple[str, str], sizes: tuple[str, ...], n: str
    ) -> list[str]:
        """Lines that put so many arrays on the heap, the first at the begin of a line.

        So do all others that are as long as a number of lines: no vector then lies in
        two, and no two threads write to one.
        """
        name, memory = names
        whole = f"{type_name}{''.join(f'[{s}]' for s in sizes)}"
        begin = f"{memory} + {LINE} - (__SIZE_TYPE__){memory} % {LINE}"
        return [
            f"char *{memory} = __builtin_malloc({n} * sizeof({whole}) + {LINE});",
            f"if (!{memory})",
            f"{self.indent}__builtin_abort();",
            f"{_pointer(type_name, name, sizes)} = (void *)({begin});",
        ]

    def _type_of(self, buffer: Buffer) -> tuple[str, tuple[str, ...]]:
        """C type of the elements, and the sizes of the array."""
        return buffer.array.type.name, tuple(self._size(s) for s in buffer.sizes)

    def _on_heap(self, buffer: Buffer) -> bool:
        return is_on_heap(buffer, self.heap_bytes)

    def _size(self, size: Size) -> str:
        if isinstance(size, int):
            return str(size)
        if isinstance(size, isl.PwAff):
            with ast_options(size.get_ctx()):
                build = isl.AstBuild.from_context(self.context.params())
                return self.exprs.text(build.expr_from_pw_aff(size)).text
        indices = ExprPrinter(index_parameters=self.exprs.spellings)
        return indices.index(size).to_text().text


def is_on_heap(buffer: Buffer, heap_bytes: int) -> bool:
    """Whether a buffer is too large for the stack, or may be."""
    if buffer.alignment or not buffer.sizes:
        return False
    if buffer.n_bytes is not None:
        return buffer.n_bytes > heap_bytes
    if buffer.array.storage != "scop":  # a stack may be too small for any size
        return True
    return any(isinstance(s, isl.PwAff) for s in buffer.sizes)


def _pointer(type_name: str, name: str, sizes: tuple[str, ...]) -> str:
    """A pointer to arrays of these sizes, to single elements where there are none."""
    inner = "".join(f"[{s}]" for s in sizes)
    return f"{type_name} (*{name}){inner}" if inner else f"{type_name} *{name}"


def _count_bytes(buffer: Buffer, sizes: tuple[str, ...]) -> int:
    """Size of an array, 0 where its text names no number."""
    if not all(size.isdecimal() for size in sizes):
        return 0
    return prod(map(int, sizes)) * buffer.array.type.n_bytes


def _uses_first(actions: Sequence[Action], array: str) -> bool | None:
    """Whether actions use an array before they set it; None if they do neither."""
    for action in actions:
        match action:
            case Assign(target, op, value):
                if _mentions((*target.subscripts, value), array):
                    return True
                if target.array == array:
                    return op != "="
            case Guard(condition, then, other):
                if _mentions((condition,), array):
                    return True
                found = [_uses_first(part, array) for part in (then, other)]
                if found != [None, None]:
                    return any(found)
    return None


def _mentions(expressions: Sequence[Expr], array: str) -> bool:
    return any(
        isinstance(e, Element) and e.array == array
        for expr in expressions
        for e in walk(expr)
    )


def _attributes(buffer: Buffer) -> str:
    align = buffer.alignment
    return f" __attribute__((aligned({align})))" if align else ""
