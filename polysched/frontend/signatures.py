"""Parameters of the functions around SCoPs, for callers that are generated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import (
    ArrayC,
    CType,
    PointerC,
    ScalarC,
    Scope,
    read_type,
)
from polysched.frontend.scoping import ScopSite
from polysched.ir import FunctionParameter, Signature


def read_signatures(sites: Sequence[ScopSite]) -> tuple[Signature, ...]:
    """One signature per function that holds a SCoP, in source order."""
    found: dict[str, Signature] = {}
    for site in sites:
        name = site.function.decl.name
        if name not in found:
            found[name] = Signature(name, _parameters(site.function, site.scope))
    return tuple(found.values())


def _parameters(function: Any, scope: Scope) -> tuple[FunctionParameter, ...]:
    arguments = function.decl.type.args
    if arguments is None:
        return ()
    declared = [p for p in arguments.params if isinstance(p, c_ast.Decl)]
    return tuple(_parameter(p, read_type(p.type, scope)) for p in declared)


def _parameter(node: Any, ctype: CType) -> FunctionParameter:
    if isinstance(ctype, ScalarC):
        return FunctionParameter(node.name, ctype.type, is_pointer=False)
    is_pointer = isinstance(ctype, (ArrayC, PointerC))
    if isinstance(ctype, PointerC):
        ctype = ctype.target
    while isinstance(ctype, ArrayC):
        ctype = ctype.element
    element = ctype.type if isinstance(ctype, ScalarC) else None
    return FunctionParameter(node.name, element, is_pointer)
