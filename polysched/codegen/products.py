"""Declarations of parameters that are products of the user's variables."""

from __future__ import annotations

from polysched.codegen.expr import print_expr
from polysched.ir import Binary, Cast, Expr, Parameter, Scop
from polysched.ir.types import ULONG


def print_product(parameter: Parameter) -> str:
    """C text of the value of a parameter that C does not have.

    Where the program itself would not compute it, as a loop around it does not turn,
    it may be too large for any type: unsigned factors wrap around in a way that C
    defines.
    """
    assert parameter.value is not None
    return print_expr(Cast(parameter.type, _unsigned(parameter.value)))


def declare_products(scop: Scop) -> list[str]:
    """Lines that declare what C has under no name in front of generated code."""
    return [
        *declare_held(scop),
        *(
            f"const {p.type.name} {p.name} = {print_product(p)}; (void){p.name};"
            for p in scop.products
        ),
    ]


def declare_held(scop: Scop) -> list[str]:
    """Lines that give pointers and integers of structures to variables."""
    found = {
        a.source_name: f"__typeof__({a.held}) const {a.source_name} = {a.held};"
        for a in scop.arrays if a.held
    }  # fmt: skip
    for p in scop.parameters:
        if p.held:
            found[p.name] = f"const {p.type.name} {p.name} = {p.held};"
    return [f"{line} (void){name};" for name, line in found.items()]


def print_parameter(parameter: Parameter) -> str:
    """C text of a parameter's value in the user's program."""
    return parameter.name if parameter.value is None else print_product(parameter)


def _unsigned(expr: Expr) -> Expr:
    """A product whose factors are converted first."""
    if isinstance(expr, Binary) and expr.op == "*":
        return Binary("*", _unsigned(expr.left), _unsigned(expr.right))
    return Cast(ULONG, expr)
