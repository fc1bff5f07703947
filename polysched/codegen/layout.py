"""The printer's AST as indented lines of C."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from polysched.codegen.ctext import identifiers
from polysched.codegen.nodes import Block, Branch, Instance, Loop, Mark, Node
from polysched.codegen.statement import needs_block

SCALAR = re.compile(r"(?P<type>\w[\w ]*) (?P<name>\w+);")


@dataclass(frozen=True)
class Layout:
    """How nodes become lines.

    Attributes
    ----------
    indent : str
        White space per level.
    iterator_type : str
        C type of loop variables.
    instance_lines : callable
        Lines of a statement instance.
    """

    indent: str
    iterator_type: str
    instance_lines: Callable[[Instance], tuple[str, ...]]

    def lines(self, block: Block) -> Iterator[str]:
        """The inside of a block; scalars are declared where they are first set."""
        alone = len(block.items) == 1
        parts = [[*self._node(item, alone=alone)] for item in block.items]
        names = Counter(n for line in block.opening for n in identifiers(line))
        opening = [
            line for line in block.opening if not _declare_where_set(line, parts, names)
        ]
        yield from opening
        for lines in parts:
            yield from lines
        yield from block.closing

    def _node(self, node: Node, alone: bool) -> Iterator[str]:
        match node:
            case Loop():
                yield from node.pragmas
                yield from self._loop(node)
            case Branch():
                yield from self._branch(node)
            case Instance():
                lines = self.instance_lines(node)
                if needs_block(lines) and not alone:
                    yield "{"
                    yield from self._deeper(iter(lines))
                    yield "}"
                else:
                    yield from lines
            case Mark():
                yield from self.lines(node.body)
            case Block():
                if node.pragma:
                    yield node.pragma
                yield "{"
                yield from self._deeper(self.lines(node))
                yield "}"

    def _loop(self, loop: Loop) -> Iterator[str]:
        if loop.condition is None:
            yield "{"
            start = f"const {self.iterator_type} {loop.iterator} = {loop.first};"
            yield self.indent + start
            yield from self._deeper(self.lines(loop.body))
            yield "}"
            return
        sign = "+" if loop.step > 0 else "-"
        step = f"{loop.iterator}{sign}{sign}"
        if abs(loop.step) != 1:
            step = f"{loop.iterator} {sign}= {abs(loop.step)}"
        head = (
            f"for ({self.iterator_type} {loop.iterator} = {loop.first}; "
            f"{loop.condition}; {step})"
        )
        yield from self._with_body(head, loop.body, self._may_be_bare(loop.body))

    def _branch(self, branch: Branch) -> Iterator[str]:
        head = f"if ({branch.condition})"
        if branch.other is None:
            yield from self._with_body(head, branch.then, self._is_line(branch.then))
            return
        yield f"{head} {{"
        yield from self._deeper(self.lines(branch.then))
        match branch.other:
            case Block((Branch() as chained,), (), ()):
                first, *rest = self._branch(chained)
                if first.endswith("{"):
                    yield f"}} else {first}"
                    yield from rest
                    return
        yield "} else {"
        yield from self._deeper(self.lines(branch.other))
        yield "}"

    def _with_body(self, head: str, body: Block, bare: bool) -> Iterator[str]:
        yield head if bare else f"{head} {{"
        yield from self._deeper(self.lines(body))
        if not bare:
            yield "}"

    def _may_be_bare(self, body: Block) -> bool:
        """Whether a loop body is one line or one loop, and needs no braces."""
        match body:
            case Block((Loop() as loop,), (), ()):
                return not loop.pragmas and loop.condition is not None
        return self._is_line(body)

    def _is_line(self, body: Block) -> bool:
        match body:
            case Block((Instance() as instance,), (), ()):
                return len(self.instance_lines(instance)) == 1
        return False

    def _deeper(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            yield self.indent + line if line else line


def _declare_where_set(
    declaration: str, parts: list[list[str]], names: Mapping[str, int]
) -> bool:
    """Make ``double x;`` a part of ``x = ...;``, if that is the first line with an x.

    Only where it stands by itself in the block, not in one of its loops or branches;
    `names` are those that the opening has, and how often: ``(void)x;`` is one more.
    """
    match = SCALAR.fullmatch(declaration)
    if match is None or names[match["name"]] > 1:
        return False
    name = match["name"]
    for lines in parts:
        if not any(name in identifiers(line) for line in lines):
            continue
        first = lines[0]
        head, equals, value = first.partition(" = ")
        if head != name or not equals or name in identifiers(value):
            return False
        lines[0] = f"{match['type']} {first}"
        return True
    return False
