"""Bodies of functions as statements at the place of a call: copies with other names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pycparser import c_ast

from polysched.frontend.cfunctions import library_type
from polysched.frontend.declarations import Scope
from polysched.frontend.expressions import c_text
from polysched.frontend.trees import copied, parts, rebuilt

_DEPTH = 6  # of calls that are looked at
_STRANGE = {
    c_ast.Goto: "it has a goto", c_ast.Label: "it has a label",
    c_ast.Switch: "it has a switch", c_ast.Typedef: "it declares a type",
    c_ast.Union: "it has a union", c_ast.Enum: "it has an enumeration",
    c_ast.Return: "it returns inside of a loop, or goes on behind a branch that may "
    "return",
}  # fmt: skip


class UnfitBodyError(Exception):
    """A body that cannot stand for a call, and why.

    Attributes
    ----------
    node : node or None
        What is at fault; None where it is the call.
    """

    def __init__(self, reason: str, node: Any = None) -> None:
        super().__init__(reason)
        self.node = node


class BodyCopier:
    """Copies a function's statements, with names of their own.

    Parameters
    ----------
    fresh : callable
        Gives a name that nothing else has.
    means_the_same : callable
        Whether a name of the file means the same where the copy stands.
    own : dict of str to Decl
        Declarations there; those of the copy are added.
    """

    def __init__(
        self, fresh: Callable[[str], str], means_the_same: Callable[[str], bool],
        own: dict[str, Any],
    ) -> None:  # fmt: skip
        self._fresh = fresh
        self._means_the_same = means_the_same
        self._own = own
        self._names: dict[str, str] = {}
        self._pointed: dict[str, str] = {}
        self._rows: dict[str, Any] = {}

    def rename(self, name: str, other: str) -> list[Any]:
        """Let a parameter be what is passed, which has a name."""
        self._names[name] = other
        return []

    def point(self, name: str, variable: str) -> list[Any]:
        """Let a parameter be the address of a variable."""
        self._pointed[name] = variable
        return []

    def replace(self, name: str, rows: Any) -> list[Any]:
        """Let a parameter be rows of an array, ``A[k]``, whatever the body does."""
        self._rows[name] = rows
        return []

    def declare(self, parameter: Any, type_: Any, argument: Any) -> list[Any]:
        """A variable for a parameter that begins as what is passed."""
        name = self._fresh(parameter.name)
        declared = c_ast.Decl(
            name, [], [], [], [], self._type(type_, name, self._names),
            copied(argument), None, argument.coord,
        )  # fmt: skip
        self._names[parameter.name] = name
        self._own[name] = declared
        return [declared]

    def block(self, items: Sequence[Any]) -> list[Any]:
        """Statements of the function's outermost block."""
        inner = dict(self._names)
        return [self._node(item, inner) for item in items]

    def text(self, extent: Any) -> str:
        """A size of a parameter's rows as it is where the copy stands."""
        return c_text(self._node(extent, self._names))

    def check_types(self, node: Any) -> None:
        """Types of the file mean the same where the copy stands."""
        for part in parts(node):
            found: list[str] = []
            if isinstance(part, c_ast.IdentifierType):
                found = part.names
            elif isinstance(part, c_ast.Struct):
                found = [f"struct {part.name}"]
                if part.decls is not None:
                    raise UnfitBodyError("it declares a type", part)
            if not all(map(self._means_the_same, found)):
                raise UnfitBodyError(f"{found[0]!r} is another type here", node)

    def _node(self, node: Any, names: dict[str, str]) -> Any:
        """A copy; declarations enter what their names become."""
        for kind, reason in _STRANGE.items():
            if isinstance(node, kind):
                raise UnfitBodyError(reason, node)
        match node:
            case c_ast.ID():
                return self._name(node, names)
            case (
                c_ast.UnaryOp(op="*", expr=c_ast.ID(name=name))
                | c_ast.ArrayRef(
                    name=c_ast.ID(name=name), subscript=c_ast.Constant(value="0")
                )
            ) if name in self._pointed and name not in names:
                return c_ast.ID(self._pointed[name], node.coord)
            case c_ast.UnaryOp(op="sizeof" | "&", expr=c_ast.ID()):
                raise UnfitBodyError(f"it has {c_text(node)}", node)
            case c_ast.Decl():
                return self._declaration(node, names)
            case c_ast.Compound() | c_ast.For():
                names = dict(names)
            case c_ast.NamedInitializer() | c_ast.StructRef() | c_ast.FuncCall():
                return self._in_part(node, names)
            case c_ast.Struct() | c_ast.IdentifierType():
                self.check_types(node)
        return rebuilt(node, lambda part: self._node(part, names))

    def _in_part(self, node: Any, names: dict[str, str]) -> Any:
        """A copy of what has names of members, or arguments."""
        match node:
            case c_ast.NamedInitializer():
                if not all(isinstance(n, c_ast.ID) for n in node.name):
                    raise UnfitBodyError("it names elements in an initialiser", node)
                value = self._node(node.expr, names)
                return c_ast.NamedInitializer(node.name, value, node.coord)
            case c_ast.StructRef():
                inner = self._node(node.name, names)
                return c_ast.StructRef(inner, node.type, node.field, node.coord)
        arguments = node.args.exprs if node.args else ()
        passed = c_ast.ExprList([self._argument(a, names) for a in arguments])
        given = passed if node.args else None
        return c_ast.FuncCall(self._node(node.name, names), given, node.coord)

    def _argument(self, node: Any, names: dict[str, str]) -> Any:
        """An argument of a call; the address of a variable may be passed on."""
        name = node.name if isinstance(node, c_ast.ID) else ""
        if name in self._pointed and name not in names:
            variable = c_ast.ID(self._pointed[name], node.coord)
            return c_ast.UnaryOp("&", variable, node.coord)
        return self._node(node, names)

    def _name(self, node: Any, names: dict[str, str]) -> Any:
        if node.name in names:
            return c_ast.ID(names[node.name], node.coord)
        if node.name in self._rows:
            return copied(self._rows[node.name])
        if node.name in self._pointed:
            raise UnfitBodyError(
                f"it uses {node.name!r}, to which a variable's address is passed, "
                f"otherwise than as *{node.name}", node,
            )  # fmt: skip
        if not self._means_the_same(node.name):
            raise UnfitBodyError(
                f"{node.name!r} means something else where it is called", node
            )
        return c_ast.ID(node.name, node.coord)

    def _declaration(self, node: Any, names: dict[str, str]) -> Any:
        if node.storage or isinstance(node.type, c_ast.FuncDecl) or not node.name:
            raise UnfitBodyError("it declares what is no variable of its own", node)
        init = None if node.init is None else self._node(node.init, names)
        name = self._fresh(node.name)
        type_ = self._type(node.type, name, names)
        names[node.name] = name
        found = c_ast.Decl(
            name, node.quals, node.align, [], [], type_, init, None, node.coord
        )
        self._own[name] = found
        return found

    def _type(self, node: Any, name: str, names: dict[str, str]) -> Any:
        """A declarator of another name."""
        match node:
            case c_ast.TypeDecl():
                self.check_types(node.type)
                return c_ast.TypeDecl(
                    name, node.quals, node.align, node.type, node.coord
                )
            case c_ast.PtrDecl():
                inner = self._type(node.type, name, names)
                return c_ast.PtrDecl([], inner, node.coord)
            case c_ast.ArrayDecl():
                inner = self._type(node.type, name, names)
                dim = None if node.dim is None else self._node(node.dim, names)
                return c_ast.ArrayDecl(inner, dim, [], node.coord)
        raise UnfitBodyError("it declares what is no variable of its own", node)


def with_one_return(items: Sequence[Any], result: str | None) -> list[Any]:
    """A body that sets a variable where it returned; what is behind is for the rest.

    Parameters
    ----------
    items : sequence of nodes
        The function's statements.
    result : str or None
        The variable; None if nobody wants the value.
    """
    for k, item in enumerate(items):
        before, rest = items[:k], items[k + 1 :]
        if isinstance(item, c_ast.Return):
            if result is None or item.expr is None:
                _check_dropped(item.expr)
                return list(before)
            name = c_ast.ID(result, item.coord)
            return [*before, c_ast.Assignment("=", name, item.expr, item.coord)]
        if not _returns(item):
            continue
        if isinstance(item, c_ast.Compound) and (_ends(item) or not rest):
            inner = with_one_return(item.block_items or [], result)
            return [*before, c_ast.Compound(inner, item.coord)]
        if isinstance(item, c_ast.If):
            return [*before, _with_branches(item, rest, result)]
        break  # what returns is copied, and refused there
    if result is not None and not any(map(_returns, items)):
        raise UnfitBodyError("it does not return at its end")
    return list(items)


def _with_branches(item: Any, rest: Sequence[Any], result: str | None) -> Any:
    """A choice of branches that may return, with what follows in the other one."""
    then, other = _items(item.iftrue), _items(item.iffalse)
    if _ends_all(then):
        other = _joined(other, rest)
    elif _ends_all(other):
        then = _joined(then, rest)
    elif rest:
        raise UnfitBodyError(_STRANGE[c_ast.Return], item)
    branches = (
        c_ast.Compound(with_one_return(branch, result), item.coord)
        for branch in (then, other)
    )
    return c_ast.If(item.cond, *branches, item.coord)


def _joined(branch: Sequence[Any], rest: Sequence[Any]) -> list[Any]:
    """A branch and what follows; what it declares must not be seen there."""
    if rest and not _ends_all(branch):
        if any(isinstance(b, c_ast.Decl) for b in branch):
            raise UnfitBodyError(_STRANGE[c_ast.Return], branch[0])
        return [*branch, *rest]
    return list(branch)


def _items(node: Any) -> list[Any]:
    if node is None:
        return []
    is_block = isinstance(node, c_ast.Compound)
    return list(node.block_items or ()) if is_block else [node]


def _ends(node: Any) -> bool:
    """Whether nothing behind a statement is reached."""
    if isinstance(node, c_ast.If):
        return _ends_all(_items(node.iftrue)) and _ends_all(_items(node.iffalse))
    if isinstance(node, c_ast.Compound):
        return _ends_all(_items(node))
    return isinstance(node, c_ast.Return)


def _ends_all(items: Sequence[Any]) -> bool:
    return any(map(_ends, items))


def _returns(node: Any) -> bool:
    return any(isinstance(part, c_ast.Return) for part in parts(node))


def _check_dropped(value: Any) -> None:
    """A value that nobody wants does nothing else."""
    if value is not None and any(
        isinstance(p, c_ast.FuncCall) or is_change(p) for p in parts(value)
    ):
        raise UnfitBodyError("it returns what is computed on the way", value)


def is_change(node: Any) -> bool:
    """Whether a piece of an expression assigns or steps."""
    if isinstance(node, c_ast.UnaryOp):
        return node.op in {"p++", "++", "p--", "--"}
    return isinstance(node, c_ast.Assignment)


def writes_memory(function: Any, root: Scope) -> bool:
    """Whether a function may change anything but variables of its own."""
    return any(True for _ in _foreign_changes(function, root, _DEPTH))


def written_parameters(
    function: Any, root: Scope, depth: int = _DEPTH
) -> set[str] | None:  # fmt: skip
    """The pointers by which a function sets one variable each, ``*seed = ...``.

    None if it may change anything else that is not its own.
    """
    declared = function.decl.type.args
    known = {getattr(p, "name", None) for p in (declared.params if declared else ())}
    found: set[str] = set()
    for target in _foreign_changes(function, root, depth):
        match target:
            case c_ast.UnaryOp(op="*", expr=c_ast.ID(name=name)):
                found.add(str(name))
            case c_ast.FuncCall():
                passed = _passed_on(target, root, depth)
                if passed is None:
                    return None
                found |= passed
            case _:
                return None
    return found if found <= known else None


def _passed_on(call: Any, root: Scope, depth: int) -> set[str] | None:
    """The pointers that a call is given to set what they lead to."""
    symbol = root.names.get(getattr(call.name, "name", ""))
    inner = None if symbol is None else symbol.function
    if inner is None or not depth:
        return None
    written = written_parameters(inner, root, depth - 1)
    declared = inner.decl.type.args
    arguments = list(call.args.exprs) if call.args else []
    parameters = list(declared.params) if declared else []
    if written is None or len(parameters) != len(arguments):
        return None
    found = [
        getattr(argument, "name", None)
        for parameter, argument in zip(parameters, arguments, strict=True)
        if getattr(parameter, "name", None) in written
    ]
    return {str(name) for name in found} if None not in found else None


def _foreign_changes(function: Any, root: Scope, depth: int) -> Iterator[Any]:
    """What a function changes besides variables of its own; calls that may."""
    own = {
        part.name
        for part in parts(function.body)
        if isinstance(part, c_ast.Decl)
        and isinstance(part.type, (c_ast.TypeDecl, c_ast.ArrayDecl))
        and not part.storage
    }
    declared = function.decl.type.args
    own |= {
        p.name
        for p in (declared.params if declared else ())
        if isinstance(p, c_ast.Decl) and isinstance(p.type, c_ast.TypeDecl)
    }
    for part in parts(function.body):
        target = None
        if isinstance(part, c_ast.Assignment):
            target = part.lvalue
        elif is_change(part):
            target = part.expr
        elif isinstance(part, c_ast.FuncCall) and _may_change(part, root, depth):
            yield part
        while isinstance(target, c_ast.ArrayRef) or (
            isinstance(target, c_ast.StructRef) and target.type == "."
        ):
            target = target.name
        if target is not None and getattr(target, "name", None) not in own:
            yield target


def _may_change(call: Any, root: Scope, depth: int) -> bool:
    """Whether a call may change what is not the called function's own."""
    name = getattr(call.name, "name", "")
    known = root.names.get(name)
    if known is None:
        return library_type(name) is None
    if known.function is None or not depth:
        return True
    return any(True for _ in _foreign_changes(known.function, root, depth - 1))
