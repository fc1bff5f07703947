"""From a path to a program with at least one SCoP."""

from __future__ import annotations

from collections.abc import Sequence

from polysched.base import FrontendError, PolyschedError
from polysched.frontend import parse_c
from polysched.ir import OVERLAP_RULE, OverlapRule, Program, Scop


def parse(
    path: str,
    *,
    flags: Sequence[str] = (),
    cc: str = "gcc",
    pure: Sequence[str] = (),
    cflags: Sequence[str] = ("-O3", "-march=native"),
    lenient: bool = False,
    overlap: OverlapRule = OVERLAP_RULE,
) -> Program:
    """Read a C file; at least one of its SCoPs must be accepted.

    Parameters
    ----------
    path : str
        The file.
    flags : sequence of str
        Preprocessor flags (``-I``, ``-D``).
    cc : str
        Compiler whose preprocessor is used.
    pure : sequence of str
        Functions without side effects, besides those of ``math.h``.
    cflags : sequence of str
        Options that the program will be compiled with, as of `parse_c`.
    lenient : bool
        Whether a file with refused SCoPs only will do.
    overlap : {"ask", "promise"}
        As of `parse_c`.

    Raises
    ------
    FrontendError
        The first refusal, when no SCoP is left; or when there is none at all.
    ToolchainError
        If the preprocessor is missing or fails.
    """
    program = parse_c(
        path,
        flags=tuple(flags),
        cc=cc,
        pure=tuple(pure),
        cflags=tuple(cflags),
        overlap=overlap,
    )
    if program.scops or (lenient and program.refusals):
        return program
    if program.refusals:
        raise program.refusals[0]
    raise FrontendError(
        f"found no scop in {path!r}, expected '#pragma scop' ... '#pragma endscop'",
        hint="put the two pragmas around a loop nest",
    )


def select_scops(program: Program, names: Sequence[str] = ()) -> tuple[Scop, ...]:
    """The named SCoPs in source order; all of them without a name.

    Raises
    ------
    PolyschedError
        If a name is not there; the hint lists those that are.
    """
    known = [s.name for s in program.scops]
    for name in names:
        if name not in known:
            raise PolyschedError(
                f"no scop named {name!r} in {program.path!r}",
                hint=f"the scops are: {', '.join(known)}",
            )
    return tuple(s for s in program.scops if not names or s.name in names)


def check_parameters(program: Program, values: Sequence[str]) -> None:
    """Refuse sizes that no SCoP and no function of the program has.

    Raises
    ------
    PolyschedError
        Naming the first unknown one and those there are.
    """
    parameters = [p for s in program.scops for p in s.parameters]
    made = {p.name for p in parameters if p.value is not None}
    known = {p.name: None for p in parameters if p.value is None}
    for signature in program.signatures:
        numbers = [p for p in signature.parameters if not p.is_pointer]
        known.update({p.name: None for p in numbers})
    for name in values:
        if name not in known and name not in made:
            listed = ", ".join(known) or "none, all sizes are constants"
            raise PolyschedError(
                f"no parameter named {name!r} in {program.path!r}; "
                f"the parameters are: {listed}",
                hint="a size that is a macro is set with -D",
            )
