"""Code as a person would write it: no block in a block, no question asked twice.

The passes before work on one place at a time, and what they leave is right and wordy.
Here neighbouring conditions that ask the same become one, and blocks that stand alone
or first in another one, or declare scalars alone, are gone::

    if (n >= t1 + 32) {                            if (n >= t1 + 32) {
      A;                                             A;
    } else {                                         double held[32];
      B;                                             C;
    }                                         ==>  } else {
    if (n >= t1 + 32) {                              B;
      {                                            }
        double held[32];
        C;
      }
    }
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace

from polysched.codegen.ctext import identifiers
from polysched.codegen.layout import SCALAR
from polysched.codegen.nodes import Block, Branch, Node, change_blocks

_DECLARED = re.compile(r"\w[\w ]*[ *](?P<name>\w+) ?[;=\[]")
_ONE = re.compile(r"[^#={}(]+;")  # a line that declares, without first value
_TYPES = {"char", "double", "float", "int", "long", "short", "signed", "unsigned"}


@dataclass(frozen=True)
class Tidy:
    """Makes blocks fewer and conditions one.

    Attributes
    ----------
    fixed : set of str
        Names whose values stay while a block runs, loop variables, parameters and
        macros: what asks about these alone is answered alike for neighbours.
    """

    fixed: Set[str]

    def convert(self, block: Block) -> Block:
        """The block in fewer words; what runs, and in which order, stays."""
        items = (change_blocks(node, self.convert) for node in block.items)
        return _opened(replace(block, items=tuple(self._joined(items))))

    def _joined(self, nodes: Iterator[Node]) -> Iterator[Node]:
        """The nodes, neighbouring branches that ask the same made one."""
        last: Node | None = None
        for node in nodes:
            if (
                isinstance(node, Branch)
                and isinstance(last, Branch)
                and node.condition == last.condition
                and self._stays(node)
            ):
                last = self._both(last, node)
                continue
            if last is not None:
                yield last
            last = node
        if last is not None:
            yield last

    def _stays(self, branch: Branch) -> bool:
        return identifiers(branch.condition.text) <= self.fixed | _TYPES

    def _both(self, one: Branch, two: Branch) -> Branch:
        then = self.convert(_concatenated(one.then, two.then))
        sides = [b for b in (one.other, two.other) if b is not None]
        if len(sides) == 2:
            return Branch(one.condition, then, self.convert(_concatenated(*sides)))
        return Branch(one.condition, then, sides[0] if sides else None)


def _concatenated(one: Block, two: Block) -> Block:
    return Block(tuple(node for b in (one, two) for node in _as_items(b)))


def _as_items(block: Block) -> tuple[Node, ...]:
    """The items of a block that is nothing more, else the block as one."""
    return block.items if _is_plain(block) and not _declares(block) else (block,)


def _opened(block: Block) -> Block:
    """The block without blocks inside of it that need no braces of their own."""
    match block.items:
        case (Block() as only,) if _is_plain(only) and not (
            _declared(block.opening) & _declared(only.opening)
        ):
            return replace(
                block,
                items=only.items,
                opening=(*block.opening, *only.opening),
                closing=(*only.closing, *block.closing),
            )
    items: list[Node] = []
    opening = [*block.opening]
    for node in block.items:
        may_open = _may_begin if node is block.items[0] else _may_open
        if isinstance(node, Block) and _is_plain(node) and may_open(node, opening):
            opening += node.opening
            items += node.items
        else:
            items.append(node)
    return replace(block, items=tuple(items), opening=tuple(opening))


def _is_plain(block: Block) -> bool:
    """Whether no pragma means the block."""
    return not (block.is_region or block.pragma)


def _declares(block: Block) -> bool:
    return bool(block.opening or block.closing)


def _may_open(block: Block, around: list[str]) -> bool:
    """Whether all that a block declares are scalars whose names are free around it."""
    return (
        not block.closing
        and all(map(SCALAR.fullmatch, block.opening))
        and not _declared(block.opening) & _declared(around)
    )


def _may_begin(block: Block, around: list[str]) -> bool:
    """Whether the first block of another one may go on to the end of that.

    What it declares has one variable to a line, and a name that is free around it.
    """
    names = _declared(block.opening)
    return (
        not block.closing
        and len(names) == len(block.opening)
        and all(map(_ONE.fullmatch, block.opening))
        and not names & _declared(around)
    )


def _declared(lines: Iterable[str]) -> set[str]:
    """The names of variables that lines declare."""
    return {match["name"] for match in map(_DECLARED.match, lines) if match}
