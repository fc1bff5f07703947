"""Why a call of a kernel is refused."""

from __future__ import annotations

from polysched.base import PolyschedError


class ArgumentTypeError(PolyschedError, TypeError):
    """An argument that is no array or number of the type that the kernel takes."""


class ArgumentValueError(PolyschedError, ValueError):
    """An argument with a shape, layout or place in memory that cannot be worked on."""


class OutOfBoundsError(PolyschedError, IndexError):
    """Sizes for which the kernel would reach an element that an array does not have."""
