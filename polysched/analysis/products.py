"""Updates that add products: what multipliers of matrices take."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.ir import Action, Assign, Binary, Cast, Expr, Load, ScalarType
from polysched.ir.types import FLOAT


@dataclass(frozen=True)
class AddedProduct:
    """``target += left * right``, or ``-=``.

    Attributes
    ----------
    left, right : Expr
        As the source has them.
    is_subtracted : bool
        Whether the product is taken off the target.
    """

    left: Expr
    right: Expr
    is_subtracted: bool

    @property
    def halves(self) -> ScalarType | None:
        """The type of both factors, where they are elements of two bytes.

        Such a product is exact in `float`.
        """
        match self.left, self.right:
            case Cast(type_, Load() as a), Cast(_, Load() as b) if type_ == FLOAT:
                same = a.type == b.type and self.right.dtype == FLOAT
                return a.type if same and a.type.is_half else None
        return None


def factors_of_two_bytes(body: tuple[Action, ...]) -> ScalarType | None:
    """The type of both factors of the one product that is added to a `float`."""
    match body:
        case (Assign(target) as action,) if target.type == FLOAT:
            product = match_product(action)
            return product.halves if product is not None else None
    return None


def match_product(action: Action) -> AddedProduct | None:
    """The product that an update adds to its target, None where it does another thing.

    ``C = C + A * B`` counts, and ``C = A * B + C``; a product behind a conversion
    does not.
    """
    match action:
        case Assign(_, "+=" | "-=" as op, Binary("*", left, right)):
            return AddedProduct(left, right, op == "-=")
        case Assign(target, "=", Binary("+", Binary("*", left, right), old)):
            if old == target:
                return AddedProduct(left, right, is_subtracted=False)
        case Assign(
            target, "=", Binary("+" | "-" as op, old, Binary("*", left, right))
        ):
            if old == target:
                return AddedProduct(left, right, op == "-")
    return None
