"""Loop headers that declare more than one variable, or step in their condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pycparser import c_ast

from polysched.frontend.literals import fold, read_literal
from polysched.frontend.loops import step_node
from polysched.frontend.refusal import Refuser
from polysched.frontend.trees import STEP_OPS, assigned_names, parts

_COMPARISONS = frozenset({"<", "<=", ">", ">=", "!="})


def with_one_iterator(loop: Any, refuser: Refuser) -> Any:
    """The same loop with one variable in its header.

    A variable that keeps its value is declared around the loop, one that advances by
    a constant is declared in the body, as a function of the iterator.

    Parameters
    ----------
    loop : For
        Any loop; those with one variable are returned as they are.
    refuser : Refuser
        Says no to variables that are no function of the iterator.
    """
    init = loop.init
    if not isinstance(init, c_ast.DeclList) or len(init.decls) < 2 or loop.cond is None:
        return loop
    steps = loop.next.exprs if isinstance(loop.next, c_ast.ExprList) else [loop.next]
    stepped = {name: s for s in steps if (name := _stepped(s)) is not None}
    names = [d.name for d in init.decls]
    if len(stepped) < len(steps) or not stepped.keys() <= set(names):
        return loop
    main = next((n for n in names if n in stepped and _mentions(loop.cond, n)), None)
    if main is None or any(d.init is None for d in init.decls):
        return loop
    if any(map(_reads_memory, (d.init for d in init.decls))):
        return loop  # data end it, or it is refused later
    changed = changed_names(loop.stmt)
    for d in init.decls:
        _check(d, changed, set(names), refuser)
    return _rewritten(loop, main, stepped)


def with_step_behind(loop: Any, fresh_name: Callable[[str], str]) -> Any:
    """A loop that steps in its condition, as one that steps behind its body.

    ``for (T i = n; i-- > 0;)`` counts another variable from n down to 1; in the body,
    i is that variable minus one. So i of an unsigned type never wraps.

    Parameters
    ----------
    loop : For
        Any loop; others than those that declare one variable, compare it while they
        step it by one, and have no third part, are returned as they are.
    fresh_name : callable
        Makes a name that nothing else has, from the variable's.
    """
    init, cond = loop.init, loop.cond
    if loop.next is not None or not isinstance(init, c_ast.DeclList):
        return loop
    if isinstance(cond, c_ast.UnaryOp):  # i-- alone
        cond = c_ast.BinaryOp("!=", cond, _constant(0, cond.coord), cond.coord)
    if not isinstance(cond, c_ast.BinaryOp) or cond.op not in _COMPARISONS:
        return loop
    (declared, *others), step = init.decls, cond.left
    name, changed = declared.name, changed_names(loop.stmt)
    is_step = isinstance(step, c_ast.UnaryOp) and step.op in STEP_OPS
    if others or not is_step or step_node(step, name) is None or name in changed:
        return loop
    if not is_invariant(cond.right, {*changed, name}):
        return loop
    count, coord = c_ast.ID(fresh_name(name), declared.coord), declared.coord
    sign = "-" if "--" in step.op else "+"
    here = c_ast.BinaryOp(sign, count, _constant(1, coord), coord)
    compared = count if step.op.startswith("p") else here
    body = c_ast.Compound([_declared(declared, here), loop.stmt], loop.stmt.coord)
    counted = _named(_declared(declared, declared.init), count.name)
    header = c_ast.DeclList([counted], init.coord)
    condition = c_ast.BinaryOp(cond.op, compared, cond.right, cond.coord)
    following = c_ast.UnaryOp("p" + sign * 2, count, step.coord)
    return c_ast.For(header, condition, following, body, loop.coord)


def _named(declared: Any, name: str) -> Any:
    """The declaration of a number under another name."""
    t = declared.type
    declared.type = c_ast.TypeDecl(name, t.quals, t.align, t.type, t.coord)
    declared.name = name
    return declared


def _rewritten(loop: Any, main: str, steps: Mapping[str, Any]) -> Any:
    """The loop over one variable; unchanged if others do not advance by numbers."""
    decls = {d.name: d for d in loop.init.decls}
    advances = {n: a for n, s in steps.items() if (a := advance(s, n)) is not None}
    others = [name for name in decls if name in steps and name != main]
    if others and len(advances) < len(steps):
        return loop
    values = {
        name: _value(decls[name], advances[name], decls[main], advances[main])
        for name in others
    }
    inner = [_declared(decls[name], value) for name, value in values.items()]
    body = c_ast.Compound([*inner, loop.stmt], loop.stmt.coord)
    header = c_ast.DeclList([decls[main]], loop.init.coord)
    cond = _replaced(loop.cond, values)
    plain = c_ast.For(header, cond, steps[main], body, loop.coord)
    fixed = [d for name, d in decls.items() if name not in steps]
    return c_ast.Compound([*fixed, plain], loop.coord) if fixed else plain


def _stepped(step: Any) -> str | None:
    """The variable that a part of the step advances."""
    target = getattr(step, "lvalue", None) or getattr(step, "expr", None)
    if not isinstance(target, c_ast.ID) or step_node(step, target.name) is None:
        return None
    return str(target.name)


def _check(declared: Any, changed: set[str], names: set[str], refuser: Refuser) -> None:
    """The start of an iterator must mean the same in every iteration."""
    if declared.name in changed:
        refuser.unsupported(
            declared, f"{declared.name!r} is changed inside the loop that declares it"
        )
    if not is_invariant(declared.init, changed | names):
        refuser.unsupported(
            declared, f"the start value of {declared.name!r} is no plain expression",
            hint="of several variables in a loop header, all start at expressions of "
            "constants, parameters and iterators around the loop",
        )  # fmt: skip


def is_invariant(node: Any, changed: set[str]) -> bool:
    """Whether an expression is of constants and of variables that are not changed."""
    if isinstance(node, c_ast.ID):
        return node.name not in changed
    if isinstance(node, c_ast.Constant):
        return True
    if isinstance(node, c_ast.UnaryOp):
        return node.op in {"-", "+", "!"} and is_invariant(node.expr, changed)
    if isinstance(node, c_ast.BinaryOp):
        return all(is_invariant(side, changed) for side in (node.left, node.right))
    return False


def _value(declared: Any, advance: int, main: Any, main_advance: int) -> Any:
    """A variable as a function of the iterator.

    ``start + step * ((i - start_i) / step_i)``, signs taken apart.
    """
    coord = declared.coord
    here, start = c_ast.ID(main.name, coord), main.init
    ends = (here, start) if main_advance > 0 else (start, here)
    count: Any = c_ast.BinaryOp("-", *ends, coord)
    if abs(main_advance) != 1:
        count = c_ast.BinaryOp("/", count, _constant(abs(main_advance), coord), coord)
    if abs(advance) != 1:
        count = c_ast.BinaryOp("*", _constant(abs(advance), coord), count, coord)
    return c_ast.BinaryOp("+" if advance > 0 else "-", declared.init, count, coord)


def advance(step: Any, name: str) -> int | None:
    """What one step adds; None unless it is a number, not zero."""
    found = step_node(step, name)
    if found is None:
        return None
    sign, constant = found
    if isinstance(constant, int):
        return sign * constant
    if not isinstance(constant, c_ast.Constant) or constant.type == "string":
        return None
    value = fold(read_literal("number", constant.value))
    return sign * value if value else None


def _constant(value: int, coord: Any) -> Any:
    return c_ast.Constant("int", str(value), coord)


def _declared(node: Any, value: Any) -> Any:
    """The declaration with another start value."""
    return c_ast.Decl(
        node.name, node.quals, node.align, node.storage, node.funcspec, node.type,
        value, node.bitsize, node.coord,
    )  # fmt: skip


def _replaced(node: Any, values: dict[str, Any]) -> Any:
    """An expression with values in place of variables."""
    if isinstance(node, c_ast.ID):
        return values.get(node.name, node)
    if isinstance(node, c_ast.BinaryOp):
        left, right = (_replaced(side, values) for side in (node.left, node.right))
        return c_ast.BinaryOp(node.op, left, right, node.coord)
    if isinstance(node, c_ast.UnaryOp):
        return c_ast.UnaryOp(node.op, _replaced(node.expr, values), node.coord)
    return node


def _mentions(node: Any, name: str) -> bool:
    if isinstance(node, c_ast.ID):
        return bool(node.name == name)
    return any(_mentions(child, name) for _, child in node.children())


def _reads_memory(node: Any) -> bool:
    return isinstance(node, (c_ast.ArrayRef, c_ast.StructRef)) or any(
        _reads_memory(child) for _, child in node.children()
    )


def changed_names(node: Any) -> set[str]:
    """Names that a statement declares, changes, or takes the address of."""
    declared = (p.name for p in parts(node) if isinstance(p, c_ast.Decl))
    return assigned_names(node).union(declared)
