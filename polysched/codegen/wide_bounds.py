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
    narrow = {p.name for p in scop.parameters if p.type.n_bytes == INT.n_bytes}
    return any(
        int(factor) > MAX_FACTOR and name in narrow
        for text in _bounds(block)
        for factor, name in _PRODUCT.findall(text)
    )


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
