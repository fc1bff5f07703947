"""Sizes that a file's own calls pass to functions with SCoPs, as constants.

Nobody relies on them: they say for which sizes schedules are compared where the user
names none. Of several calls the one with the largest sizes counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any

from pycparser import c_ast

from polysched.base import FrontendError
from polysched.frontend.declarations import Scope, Symbol, declares_integer, read_type
from polysched.frontend.expressions import ConstantReader
from polysched.frontend.literals import fold
from polysched.frontend.refusal import Refuser
from polysched.frontend.trees import assigned_names, parts
from polysched.ir import Signature


def find_call_sizes(
    ast: Any, scope: Scope, signatures: Iterable[Signature], refuser: Refuser
) -> dict[str, dict[str, int]]:
    """For functions, the integers that calls pass them, by the parameters' names.

    Parameters
    ----------
    ast : FileAST
        The whole file.
    scope : Scope
        Names of the file.
    signatures : iterable of Signature
        Of the functions.
    refuser : Refuser
        What a constant is read with.
    """
    wanted = {s.function: s for s in signatures}
    found: dict[str, dict[str, int]] = {}
    for caller in ast.ext:
        if not isinstance(caller, c_ast.FuncDef):
            continue
        calls = [c for c in _calls(caller.body) if c.name.name in wanted]
        known = _with_constants(caller, scope, refuser) if calls else scope
        for call in calls:
            sizes = _sizes(call, wanted[call.name.name], known, refuser)
            before = found.get(call.name.name, {})
            if _extent(sizes) > _extent(before):
                found[call.name.name] = sizes
    return found


def _calls(body: Any) -> Iterator[Any]:
    for part in parts(body):
        if isinstance(part, c_ast.FuncCall) and isinstance(part.name, c_ast.ID):
            yield part


def _sizes(
    call: Any, signature: Signature, scope: Scope, refuser: Refuser
) -> dict[str, int]:
    given = () if call.args is None else call.args.exprs
    found = {}
    for parameter, node in zip(signature.parameters, given, strict=False):
        type_ = parameter.type
        if parameter.is_pointer or type_ is None or type_.is_float:
            continue
        value = _constant(node, scope, refuser)
        if value is not None and value > 0:
            found[parameter.name] = value
    return found


def _extent(sizes: Mapping[str, int]) -> tuple[int, int]:
    return len(sizes), prod(sizes.values())


def _with_constants(caller: Any, scope: Scope, refuser: Refuser) -> Scope:
    """The names of the file, and those locals of a function that keep their start."""
    inside = scope.inner()
    everything = list(parts(caller.body))
    declared = [p for p in everything if isinstance(p, c_ast.Decl) and p.name]
    n_declared = Counter(d.name for d in declared)
    changed = assigned_names(caller.body)
    for decl in declared:
        is_kept = n_declared[decl.name] == 1 and decl.name not in changed
        if not is_kept or decl.init is None or not declares_integer(decl.type, scope):
            continue
        value = _constant(decl.init, inside, refuser)
        if value is not None:
            ctype = read_type(decl.type, scope)
            inside.declare(Symbol(decl.name, "object", ctype, "local", decl, value))
    return inside


def _constant(node: Any, scope: Scope, refuser: Refuser) -> int | None:
    try:
        return fold(ConstantReader(refuser, scope).read(node))
    except FrontendError:
        return None
