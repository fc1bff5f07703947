"""Updates that add products: what multipliers of matrices take."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.ir import Action, Assign, Binary, Expr


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
