"""A source file with its SCoPs."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.base import FrontendError
from polysched.ir.scop import Scop


@dataclass(frozen=True, eq=False)
class Program:
    """One C source file as the user wrote it, and what was found in it.

    Attributes
    ----------
    path : str
        Path of the file.
    source : bytes
        Its content; everything outside SCoP regions is kept byte for byte.
    scops : tuple of Scop
        Accepted SCoPs in source order.
    refusals : tuple of FrontendError
        One for each region that was refused, and why.
    flags : tuple of str
        Preprocessor flags it was read with (``-I``, ``-D``).
    has_main : bool
        Whether the file defines ``main``.
    """

    path: str
    source: bytes
    scops: tuple[Scop, ...]
    refusals: tuple[FrontendError, ...] = ()
    flags: tuple[str, ...] = ()
    has_main: bool = False
