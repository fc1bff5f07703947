"""Headers of ``for`` loops: iterator, start, condition, constant step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from polysched.frontend.refusal import Refuser

_SEVERAL = (
    "several are taken where the loop header declares all of them with start values, "
    "and each keeps its value or advances by a constant"
)
_FORM = "loops are taken in the form: for (i = START; i < END; i += STEP)"


@dataclass(frozen=True)
class Header:
    """The parts of a loop header.

    Attributes
    ----------
    iterator : Decl or ID
        What declares or names the iterator.
    name : str
        Its C name.
    start, condition : nodes
        Start value and condition.
    step : int
        Constant added after each iteration, not zero.
    """

    iterator: Any
    name: str
    start: Any
    condition: Any
    step: int


def iterator_node(node: Any) -> Any | None:
    """The declaration or name of a loop's iterator, if the header has one."""
    init = node.init
    if isinstance(init, c_ast.DeclList) and len(init.decls) == 1:
        return init.decls[0]
    if isinstance(init, c_ast.Assignment) and isinstance(init.lvalue, c_ast.ID):
        return init.lvalue
    return None


def read_header(
    node: Any, refuser: Refuser, fold: Callable[[Any], int | None]
) -> Header:
    """Take a loop header apart or refuse it.

    Parameters
    ----------
    node : For
        The loop.
    refuser : Refuser
        Says no at a node.
    fold : callable
        Value of a constant expression node, or None.
    """
    iterator = iterator_node(node)
    if iterator is None:
        several = isinstance(node.init, (c_ast.ExprList, c_ast.DeclList))
        found = "several iterators" if several else "no start value"
        hint = _SEVERAL if several else _FORM
        refuser.unsupported(node, f"found a for loop with {found}", hint=hint)
    if isinstance(iterator, c_ast.Decl):
        start = iterator.init
        if start is None:
            refuser.unsupported(
                iterator, "found a loop iterator without a start value", hint=_FORM
            )
    else:
        start = node.init.rvalue
        if node.init.op != "=":
            refuser.unsupported(node.init, "found no plain start value", hint=_FORM)
    if node.cond is None:
        refuser.unsupported(node, "found a for loop without a condition", hint=_FORM)
    step = _read_step(node, iterator.name, refuser, fold)
    return Header(iterator, iterator.name, start, node.cond, step)


def _read_step(
    node: Any, name: str, refuser: Refuser, fold: Callable[[Any], int | None]
) -> int:
    following = node.next
    if following is None:
        refuser.unsupported(node, "found a for loop without a step", hint=_FORM)
    amount = step_node(following, name)
    if amount is None:
        refuser.unsupported(
            following, f"the step of the loop does not add a constant to {name!r}",
            hint=_FORM,
        )  # fmt: skip
    sign, constant = amount
    value = constant if isinstance(constant, int) else fold(constant)
    if value is None:
        refuser.unsupported(
            constant, f"the step of the loop over {name!r} is not a constant",
            hint="steps are integer constants of either sign, as of a macro that -D "
            "sets; a loop over tiles, kk += B, takes any step where the loop over one "
            "tile, from kk to below min(kk + B, n), is all that is in it; another may "
            "count: for (b = 0; b < n / s; b++), with i = b * s in it",
        )  # fmt: skip
    if value == 0:
        refuser.wrong(
            following, f"the loop over {name!r} never advances: its step is 0"
        )
    return sign * value


def step_node(node: Any, name: str) -> tuple[int, Any] | None:
    """Sign and amount of a step, if it has one of the known forms."""
    if isinstance(node, c_ast.UnaryOp) and _is_name(node.expr, name):
        return {"p++": (1, 1), "++": (1, 1), "p--": (-1, 1), "--": (-1, 1)}.get(node.op)
    if not isinstance(node, c_ast.Assignment) or not _is_name(node.lvalue, name):
        return None
    if node.op in {"+=", "-="}:
        return (1 if node.op == "+=" else -1), node.rvalue
    value = node.rvalue
    if node.op != "=" or not isinstance(value, c_ast.BinaryOp):
        return None
    if value.op in {"+", "-"} and _is_name(value.left, name):
        return (1 if value.op == "+" else -1), value.right
    if value.op == "+" and _is_name(value.right, name):
        return 1, value.left
    return None


def _is_name(node: Any, name: str) -> bool:
    return isinstance(node, c_ast.ID) and node.name == name
