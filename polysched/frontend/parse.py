"""`parse_c`: a C file to a `Program`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike, fspath

from polysched.base import FrontendError
from polysched.frontend.half_rules import find_half_rules
from polysched.frontend.macro_uses import find_macro_uses
from polysched.frontend.preprocess import preprocess
from polysched.frontend.region_reader import RegionReader
from polysched.frontend.regions import find_marks, pair_marks
from polysched.frontend.source import Places, SourceFile
from polysched.frontend.structures import SizeChecker
from polysched.frontend.syntax import parse_text
from polysched.ir import OVERLAP_RULE, OverlapRule, Program

_PRAGMAS = "put #pragma scop and #pragma endscop around the loops to optimise"
_PYTHON = (
    "of Python, functions are read that are made kernels: polysched.kernel(f)"
    ".program().source is their C"
)


def parse_c(
    path: str | PathLike[str],
    *,
    flags: Sequence[str] = (),
    cc: str = "gcc",
    pure: Sequence[str] = (),
    cflags: Sequence[str] = ("-O3", "-march=native"),
    overlap: OverlapRule = OVERLAP_RULE,
) -> Program:
    """Read the SCoPs of a C file.

    Parameters
    ----------
    path : path-like
        The C file. Regions between ``#pragma scop`` and ``#pragma endscop`` are read.
    flags : sequence of str
        Flags for the preprocessor: ``-I``, ``-D``, ``-include``, ``-std``, ...
    cc : str
        The C compiler, run as preprocessor; may hold arguments of its own.
    pure : sequence of str
        Functions that may be called inside a SCoP besides those of ``math.h`` and the
        pure ones that the file defines.
    cflags : sequence of str
        Options that the program will be compiled with, which decide how `_Float16`
        and `__bf16` round; nothing else depends on them.
    overlap : {"ask", "promise"}
        Whether generated code asks if arrays that may overlap do, or you promise that
        they do not.

    Returns
    -------
    Program
        SCoPs that were understood; a `FrontendError` for each region that was not, of
        which those parts are SCoPs that are understood on their own.
        Integers are taken not to overflow.

    Raises
    ------
    FrontendError
        If the file cannot be read, is no C, or has no region at all.
    ToolchainError
        If the compiler cannot be started or refuses the flags.
    """
    source = SourceFile.read(fspath(path))
    text = preprocess(source, flags, cc)
    places = Places(source, text.merged_lines())
    pairs, refusals = pair_marks(find_marks(text.lines), places)
    if not pairs and not refusals:
        raise FrontendError(
            f"{source.path} has no #pragma scop",
            hint=_PYTHON if source.path.endswith(".py") else _PRAGMAS,
        )
    reader = RegionReader(
        source, text, places, lambda text: parse_text(text, source, places, flags, cc),
        pure, SizeChecker(source, flags, cc),
        find_half_rules(text, places, (*flags, *cflags), cc),
    )  # fmt: skip
    found = reader.read_all(pairs)
    is_promised = overlap == "promise"
    scops = [replace(s, promised=is_promised) for s in found.scops]
    refusals += found.refusals
    refusals.sort(key=lambda e: e.where.line if e.where else 0)
    return Program(
        source.path, source.content, tuple(scops), tuple(refusals), tuple(flags),
        found.names.has_main, found.signatures, text.macros,
        find_macro_uses(source, text, places, found.ast, scops, flags, cc),
    )  # fmt: skip
