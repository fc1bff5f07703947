"""How the front end says no: at a node, with what was found and what it takes."""

from __future__ import annotations

from typing import Any, NoReturn

from polysched.base import (
    FrontendError,
    NotAffineError,
    SourceLocation,
    UnsupportedSyntaxError,
)
from polysched.frontend.source import Places


class Refuser:
    """Raises refusals at syntax nodes; knows the places of the file."""

    def __init__(self, places: Places) -> None:
        self.places = places

    def where(self, node: Any) -> SourceLocation | None:
        """The source location of a node."""
        coord = getattr(node, "coord", None)
        if coord is None:
            return None
        return self.places.location(coord.file, coord.line, coord.column or 0)

    def unsupported(self, node: Any, message: str, hint: str = "") -> NoReturn:
        """Refuse a construct."""
        raise UnsupportedSyntaxError(message, where=self.where(node), hint=hint or None)

    def not_affine(self, node: Any, message: str, hint: str = "") -> NoReturn:
        """Refuse an expression that had to be affine."""
        raise NotAffineError(message, where=self.where(node), hint=hint or None)

    def wrong(self, node: Any, message: str, hint: str = "") -> NoReturn:
        """Refuse a program that is at fault itself."""
        raise FrontendError(message, where=self.where(node), hint=hint or None)

    def empty(self, where: SourceLocation | None) -> NoReturn:
        """Refuse a region without statements."""
        raise FrontendError(
            "the scop is empty: it holds no assignment",
            where=where,
            hint="put #pragma scop and #pragma endscop around the loops to optimise",
        )
