"""Declarations that let compilers take several square roots at once.

`sqrt` may set `errno`: a loop of calls is vectorised only where flags say that nobody
asks for it. Nobody does in a SCoP, which calls pure functions in any order, and a
declaration in its block says so. It changes no value, as every processor rounds square
roots as IEEE 754 wants them.
"""

from __future__ import annotations

from polysched.ir import Call, Scop, action_expressions, types, walk

_ROOTS = {"sqrt": types.DOUBLE, "sqrtf": types.FLOAT}


def declare_roots(scop: Scop) -> list[str]:
    """A line for each square root function that the SCoP calls.

    The name stands in parentheses, as <tgmath.h> has a macro of it.
    """
    called = {
        expr.name
        for statement in scop.statements
        for action in statement.body
        for top in action_expressions(action)
        for expr in walk(top)
        if isinstance(expr, Call)
    }
    return [
        f"extern {type_.name} ({name})({type_.name}) __attribute__((const));"
        for name, type_ in _ROOTS.items()
        if name in called
    ]
