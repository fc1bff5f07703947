"""What refusals of statements, pointers and calls say was found, and advise."""

from __future__ import annotations

from typing import Any

from pycparser import c_ast

from polysched.frontend.expressions import c_text
from polysched.frontend.trees import parts

LOOP_IN_FUNCTION = "a loop that its data end may stand in a function that only computes"
_SCALINGS = frozenset({"*", "/", "<<", ">>"})
POINTER_FORMS = (
    "inside a scop pointers start at A, A[i], &A[i][j], or so many elements from "
    "there, and stay fixed"
)
POINTER_MOVED = (
    "pointers stay fixed in a scop, but for an exchange, t = a; a = b; b = t;, at the "
    "end of a loop that counts, without branches around; declare another one for the "
    "other place, or begin the scop inside of the loop"
)
ROWS_STAY = (
    "rows behind pointers stay where they are in a scop, and are read as numbers, "
    "A[i][j]; copy their elements, or set and exchange rows outside of it"
)
_STATEMENTS = {
    "Goto": "a goto",
    "Label": "a label", "Break": "a break", "Continue": "a continue",
    "Return": "a return", "Switch": "a switch", "BinaryOp": "an expression statement",
    "ID": "an expression statement", "TernaryOp": "an expression statement",
    "ArrayRef": "an expression statement", "UnaryOp": "an expression statement",
    "Cast": "an expression statement", "Constant": "an expression statement",
    "StaticAssert": "a static assertion",
}  # fmt: skip
_PLAIN = "a scop holds for loops, if/else and assignments"
_BLOCK = (
    "elements of numbers are set to zero, and copied to such of the same type, "
    "where bytes are so many of them: n * sizeof(double)"
)
_LEAVE = (
    "note what was found in a variable, leave the loop with break, and return or jump "
    "behind the scop"
)
_HINTS = {
    "Break": "a scop may leave loops that are inside of it only",
    "Return": _LEAVE,
    "Goto": _LEAVE,
}
_MEMORY = "allocate and free memory outside of the scop"
_OUTPUT = "keep what is to be printed in an array, and print it behind the scop"
_CALLS = {
    **dict.fromkeys(("memset", "memcpy"), _BLOCK),
    **dict.fromkeys(("malloc", "calloc", "realloc", "free", "aligned_alloc"), _MEMORY),
    **dict.fromkeys(("printf", "fprintf", "puts", "putchar", "fputs"), _OUTPUT),
    **dict.fromkeys(("assert", "__assert_fail", "exit", "abort"), "check outside of "
    "the scop, or what the loops have noted behind it"),
}  # fmt: skip


def found_statement(node: Any) -> str:
    """What a statement of a kind that a SCoP does not hold is."""
    kind = type(node).__name__
    if kind != "FuncCall":
        return _STATEMENTS.get(kind, f"a statement of kind {kind}")
    name = getattr(node.name, "name", "a function")
    is_assembly = name == "__asm__statement"
    return "inline assembly" if is_assembly else f"a call of {name!r} as a statement"


def statement_hint(node: Any, is_defined: bool) -> str:
    """What to do about it; `is_defined` says whether the file has the function."""
    if not isinstance(node, c_ast.FuncCall):
        return _HINTS.get(type(node).__name__, _PLAIN)
    name = getattr(node.name, "name", "")
    if name in _CALLS or not is_defined:
        return _CALLS.get(name, _PLAIN)
    return (
        f"write what {name} does in its place; a function that returns a number and "
        "only computes may be called in an expression"
    )


COMPLEX = (
    "compute with real and imaginary parts, which lie side by side: "
    "double (*z)[2] = (double (*)[2])a; in front of the scop, then z[i][0] and z[i][1]"
)


def is_over_levels(loop: Any) -> bool:
    """Whether a loop multiplies or divides its variable, ``len /= 2``."""
    step = loop.next if isinstance(loop, c_ast.For) else None
    if not isinstance(step, c_ast.Assignment):
        return False
    value = step.rvalue
    is_scaled = isinstance(value, c_ast.BinaryOp) and value.op in _SCALINGS
    return step.op[:-1] in _SCALINGS or (step.op == "=" and is_scaled)


def levels_hint(loop: Any) -> str:
    """What to do about it."""
    name = c_text(loop.next.lvalue)
    return (
        f"put #pragma scop behind line {loop.coord.line}, around what is done for one "
        f"{name}, and what depends on {name} alone, as {name} / 2, into variables in "
        "front of it: they are its parameters"
    )


def type_hint(type_: str) -> str:
    """What to do about an object of a type that is not taken."""
    if "_Complex" in type_:
        return COMPLEX
    return "arrays and scalars of integer types, float and double are taken"


def member_hint(pointer: Any, stars: str = "*") -> str:
    """What to do about a pointer that a structure holds."""
    if any(isinstance(part, c_ast.ArrayRef) for part in parts(pointer)):
        return "copy what it points to into an array in front of the scop"
    return (
        "set a pointer in front of the scop, as in "
        f"double {stars}{pointer.field.name} = {c_text(pointer)};, and use that"
    )


def pointer_hint(init: Any | None) -> str:
    """What to do about a pointer with a start value of a form that is not taken."""
    match init:
        case None:
            return f"give it a place where it is declared: {POINTER_FORMS}"
        case c_ast.Cast():
            return f"convert it in front of the scop: {POINTER_FORMS}"
        case c_ast.FuncCall():
            return f"call {c_text(init.name)} in front of the scop, and set it there"
        case c_ast.TernaryOp():
            return (
                "choose it in front of the scop, as an array of its own, or write the "
                "loops in both branches of an if"
            )
        case c_ast.StructRef():
            return "set it in front of the scop, where it is an array of its own"
    return POINTER_FORMS
