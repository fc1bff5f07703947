"""Additions that have a product with one, for units that multiply and add.

Processors that add in units of their own have others for products, and these may be
idle: ``x * one + y`` is the same sum to the bit, as one instruction or as two. The
variable `one` is read from memory, as compilers drop a product with a constant one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from polysched.codegen.ctext import Text, binary
from polysched.codegen.lanes import LaneWriter
from polysched.ir import Binary, Expr


@dataclass
class Sums:
    """How many more additions have a product with one.

    Attributes
    ----------
    n_left : int
        So many; those that are written count down.
    one : str
        The variable that is one.
    """

    n_left: int
    one: str


@dataclass
class FusingWriter(LaneWriter):
    """Writes some additions as a product and an addition: ``x * one + y``.

    Attributes
    ----------
    sums : Sums
        How many.
    """

    sums: Sums = field(default_factory=lambda: Sums(0, ""))

    def value(self, expr: Expr) -> Text:
        """As for all lanes, with a product in an addition of what are none."""
        match expr:
            case Binary("+", left, right) if self.reader.varies(left) and not (
                _is_product(left) or _is_product(right)
            ):
                first, second = self.value(left), self.value(right)
                if self.sums.n_left:
                    self.sums.n_left -= 1
                    first = binary("*", first, Text(self.sums.one))
                return binary("+", first, second)
        return super().value(expr)


def _is_product(expr: Expr) -> bool:
    """Whether compilers make one instruction of it and an addition."""
    return isinstance(expr, Binary) and expr.op == "*"
