"""Bounds that multiply sizes, which leave `int` long before the sizes do.

Wavefronts of tiles that are 8 rows of 64 count them up to ``(8 * m + n - 9) / 64``,
which is negative in `int` for m = 300 million: no iteration would run. Such code counts
in `long`, with sizes converted to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from polysched.codegen.nodes import Block, Branch, Loop, walk_nodes
from polysched.ir import Scop
from polysched.ir.types import INT

MAX_FACTOR = 4  # of a size in a bound: `int` holds bounds for sizes below 2^29
_PRODUCT = re.compile(r"\b(\d+) \* (\w+)")


def multiplies_sizes(block: Block, scop: Scop) -> bool:
    """Whether bounds or conditions of loops hold multiples of sizes that are `int`.

    Parameters
    ----------
    block : Block
        The code.
    scop : Scop
        Has the types of the parameters.
    """
    return any(has_products(text, scop) for text in _bounds(block))


def has_products(text: str, scop: Scop) -> bool:
    """Whether a text multiplies sizes that are `int` by more than a few."""
    narrow = _narrow(scop)
    found = _PRODUCT.findall(text)
    return any(int(factor) > MAX_FACTOR and name in narrow for factor, name in found)


def with_long_products(text: str, scop: Scop) -> str:
    """A text that multiplies such sizes by numbers of eight bytes."""
    narrow = _narrow(scop)

    def widened(match: re.Match[str]) -> str:
        factor, name = match.groups()
        return f"{factor}L * {name}" if name in narrow else match[0]

    return _PRODUCT.sub(widened, text)


def _narrow(scop: Scop) -> set[str]:
    return {p.name for p in scop.parameters if p.type.n_bytes == INT.n_bytes}


def _bounds(block: Block) -> Iterator[str]:
    for node in walk_nodes(block):
        match node:
            case Loop():
                yield from (
                    node.first.text,
                    node.condition.text if node.condition else "",
                )
            case Branch():
                yield node.condition.text
