"""Variables that nothing but statements that name them can read or change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.trees import parts
from polysched.frontend.unrolled_turns import Before


class OwnVariables:
    """Knows the variables of a SCoP that no pointer leads to, and no function sees.

    Parameters
    ----------
    items : sequence of nodes
        The statements of the SCoP.
    before : Before
        What is known about variables from outside.
    """

    def __init__(self, items: Sequence[Any], before: Before) -> None:
        self._before = before
        addresses = (
            p.expr for item in items for p in parts(item)
            if isinstance(p, c_ast.UnaryOp) and p.op == "&"
        )  # fmt: skip
        inside = (p for address in addresses for p in parts(address))
        self._pointed = {p.name for p in inside if isinstance(p, c_ast.ID)}

    def has(self, name: str) -> bool:
        """Whether a variable is one; a name that is not known outside is inside."""
        outer = self._before.scope.find(name)
        if name in self._pointed:
            return False
        return outer is None or (self._before.is_own(name) and not outer.held)
