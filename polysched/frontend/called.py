"""Calls of the file's functions that have loops, as what these do.

``axpy(n, 2.0, A[i], y);`` becomes a block that declares what the function takes and
holds its body, whose names are new ones; ``s = dot(n, x, y);`` sets a variable for what
it returns first. Works on syntax, before all else. Arguments are passed as C passes
them: numbers to variables, addresses to pointers, and whole arrays, and variables whose
address is passed, by their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pycparser import c_ast

from polysched.frontend.declarations import (
    ArrayC,
    CType,
    PointerC,
    ScalarC,
    Scope,
    StructC,
    Symbol,
    dimensions,
    element_type,
    read_type,
    table_dimensions,
)
from polysched.frontend.expressions import c_text
from polysched.frontend.function_bodies import (
    BodyCopier,
    UnfitBodyError,
    is_change,
    with_one_return,
    writes_memory,
    written_parameters,
)
from polysched.frontend.inlined import only_value
from polysched.frontend.iterators import changed_names
from polysched.frontend.refusal import Refuser
from polysched.frontend.trees import names, parts, with_init, with_parts

_DEPTH = 6  # of calls in functions
_MAX_PARTS = 3000  # of all bodies together
_HINT = (
    "functions that stand for their calls take numbers, arrays, A[i], &A[i][j], A + n "
    "and addresses of variables, and return at their end"
)


def with_bodies(
    items: Sequence[Any],
    scope: Scope,
    fresh: Callable[[str], str],
    refuser: Refuser,
    note: Callable[[str, str], None],
) -> tuple[Any, ...]:
    """Statements with functions' bodies in place of their calls.

    Parameters
    ----------
    items : sequence of nodes
        The statements of a SCoP; they are not changed.
    scope : Scope
        Names visible at their start.
    fresh : callable
        Gives a name that nothing else has.
    refuser : Refuser
        Says no to statements that call a function which does not fit.
    note : callable
        Takes the name of a function called in an expression, where its body does not
        fit, and why: other ways to take the call may be left.
    """
    writer = _Caller(items, scope, fresh, refuser, note)
    return tuple(writer.statements(items, _DEPTH))


class _Caller:
    def __init__(
        self, items: Sequence[Any], scope: Scope, fresh: Callable[[str], str],
        refuser: Refuser, note: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        self._scope = scope
        self._fresh = fresh
        self._refuser = refuser
        self._note = note
        self._n_parts = 0
        self._changed = {n for item in items for n in changed_names(item)}
        self._own: dict[str, Any] = {}
        for part in (p for item in items for p in parts(item)):
            if isinstance(part, c_ast.Decl):
                self._own[part.name] = None if part.name in self._own else part
        addresses = (
            p.expr for item in items for p in parts(item)
            if isinstance(p, c_ast.UnaryOp) and p.op == "&"
        )  # fmt: skip
        self._pointed = {a.name for a in addresses if isinstance(a, c_ast.ID)}
        self._root = scope
        while self._root.parent is not None:
            self._root = self._root.parent

    def statements(self, items: Sequence[Any], depth: int) -> list[Any]:
        """The statements of a block."""
        return [part for item in items for part in self._statement(item, depth)]

    def _statement(self, node: Any, depth: int) -> list[Any]:
        """A statement without such calls, as some in a row."""
        at = getattr(node, "coord", None)
        match node:
            case c_ast.Compound():
                inner = self.statements(node.block_items or (), depth)
                if _are_same(inner, node.block_items or ()):
                    return [node]
                return [c_ast.Compound(inner, at)]
            case c_ast.For():
                body = self._one(node.stmt, depth)
                if body is node.stmt:
                    return [node]
                return [c_ast.For(node.init, node.cond, node.next, body, at)]
            case c_ast.While() | c_ast.DoWhile():
                body = self._one(node.stmt, depth)
                return [node if body is node.stmt else type(node)(node.cond, body, at)]
            case c_ast.If():
                then = self._one(node.iftrue, depth)
                other = self._one(node.iffalse, depth)
                before, cond = self._hoisted(node.cond, depth, is_alone=False)
                if not before and then is node.iftrue and other is node.iffalse:
                    return [node]
                return [*before, c_ast.If(cond, then, other, at)]
            case c_ast.FuncCall():
                return self._called(node, depth)
        return self._with_value(node, depth)

    def _with_value(self, node: Any, depth: int) -> list[Any]:
        """An assignment or declaration without such calls, as some in a row."""
        match node:
            case c_ast.Assignment():
                is_alone = node.op == "="
                before, value = self._hoisted(
                    node.rvalue, depth, is_alone=is_alone, beside=node.lvalue
                )
                if before:
                    node = c_ast.Assignment(node.op, node.lvalue, value, node.coord)
                return [*before, node]
            case c_ast.Decl(type=c_ast.TypeDecl()) if node.init is not None:
                before, value = self._hoisted(node.init, depth, is_alone=True)
                return [*before, with_init(node, value) if before else node]
        return [node]

    def _one(self, node: Any, depth: int) -> Any:
        """A statement that stays one."""
        if node is None:
            return None
        found = self._statement(node, depth)
        return found[0] if len(found) == 1 else c_ast.Compound(found, node.coord)

    def _called(self, call: Any, depth: int) -> list[Any]:
        """A call whose value nobody wants."""
        function = self._function(call)
        if function is None:
            return [call]
        try:
            return [self._body(call, function, None, depth)]
        except UnfitBodyError as verdict:
            has_place = getattr(verdict.node, "coord", None) is not None
            line = f" in line {call.coord.line}" if has_place else ""
            self._refuser.unsupported(
                verdict.node if has_place else call,
                f"the call of {call.name.name!r}{line} cannot stand for what the "
                f"function does: {verdict}", hint=_HINT,
            )  # fmt: skip

    def _hoisted(
        self, value: Any, depth: int, *, is_alone: bool, beside: Any = None
    ) -> tuple[list[Any], Any]:
        """What stands in front of a statement for calls in a value, and the value.

        With `is_alone`, a value that is a call may write: nothing is read beside it.
        Others may set variables that nothing else in the statement mentions; `beside`
        is what is assigned to.
        """
        before: list[Any] = []

        def put(node: Any) -> Any | None:
            if isinstance(node, c_ast.TernaryOp) or (
                isinstance(node, c_ast.BinaryOp) and node.op in {"&&", "||"}
            ):
                for call in (p for p in parts(node) if isinstance(p, c_ast.FuncCall)):
                    function = self._function(call)
                    if function is not None and self._is_wanted(function):
                        self._note(call.name.name, "it is called on a condition")
                return node
            if not isinstance(node, c_ast.FuncCall):
                return None
            function = self._function(node)
            if function is None or not self._is_wanted(function):
                return None
            name = node.name.name
            is_all = is_alone and node is value
            around = (value, beside)
            if not self._is_harmless(node, function, around, is_all=is_all):
                self._note(name, "it writes, and more than its value is computed")
                return node
            try:
                *first, result = self._value(node, function, depth)
            except UnfitBodyError as verdict:
                self._note(name, str(verdict))
                return node
            before.extend(first)
            return result

        if any(is_change(p) for p in parts(value)):
            return [], value
        found = with_parts(value, put)
        return before, found

    def _value(self, call: Any, function: Any, depth: int) -> list[Any]:
        """Statements that compute what a call returns, and its name."""
        type_ = function.decl.type.type
        if not isinstance(read_type(type_, self._root), (ScalarC, StructC)):
            raise UnfitBodyError("it returns no number and no structure")
        self._copier().check_types(type_)
        name = self._fresh("result")
        bare = c_ast.TypeDecl(name, [], None, type_.type, call.coord)
        declared = c_ast.Decl(name, [], [], [], [], bare, None, None, call.coord)
        self._own[name] = declared
        body = self._body(call, function, name, depth)
        return [declared, body, c_ast.ID(name, call.coord)]

    def _is_harmless(
        self, call: Any, function: Any, around: tuple[Any, ...], *, is_all: bool
    ) -> bool:
        """Whether a call changes nothing, or what the rest of a statement does not see.

        That is a variable whose address is passed, as of a generator of numbers. Where
        the call is all that is assigned, elements may change as well.
        """
        if not writes_memory(function, self._root):
            return True
        written = written_parameters(function, self._root)
        arguments = list(call.args.exprs) if call.args else []
        parameters = parameters_of(function)
        if written is None:
            return is_all
        if len(parameters) != len(arguments):
            return False
        counted = Counter(n for node in around if node is not None for n in names(node))
        for parameter, argument in zip(parameters, arguments, strict=True):
            if parameter.name not in written:
                continue
            is_address = isinstance(argument, c_ast.UnaryOp) and argument.op == "&"
            name = getattr(argument.expr, "name", "") if is_address else ""
            if counted[name] != 1:
                return False
        return True

    def _is_wanted(self, function: Any) -> bool:
        """Whether a call in an expression is nothing that is taken as it is."""
        types = [p.type for p in parameters_of(function)]
        types.append(function.decl.type.type)
        taken = [read_type(type_, self._root) for type_ in types]
        if all(isinstance(type_, ScalarC) for type_ in taken):
            return False
        value = only_value(function)
        own = {p.name for p in parameters_of(function)}
        others = set() if value is None else set(names(value)) - own
        found = [self._root.names.get(name) for name in others]
        return not any(
            symbol is not None and symbol.kind == "object" for symbol in found
        )

    def _function(self, call: Any) -> Any | None:
        """The definition of a function of the file that a call means."""
        name = call.name.name if isinstance(call.name, c_ast.ID) else ""
        found = self._root.names.get(name)
        if found is None or name in self._own or self._scope.find(name) is not found:
            return None
        return found.function

    def _body(self, call: Any, function: Any, result: str | None, depth: int) -> Any:
        """A block that does what a call does, and sets what it returns."""
        if not depth:
            raise UnfitBodyError("functions call each other too deeply")
        self._n_parts += len([*islice(parts(function.body), _MAX_PARTS)])
        if self._n_parts >= _MAX_PARTS:
            raise UnfitBodyError("bodies of functions become too long")
        arguments = list(call.args.exprs) if call.args else []
        parameters = parameters_of(function)
        if len(parameters) != len(arguments):
            raise UnfitBodyError("it takes another number of arguments")
        copier = self._copier()
        if result is not None:
            copier.rename(result, result)
        changed = set(changed_names(function.body))
        given: list[Any] = []
        for parameter, argument in zip(parameters, arguments, strict=True):
            is_kept = parameter.name not in changed
            given += self._pass(copier, parameter, argument, is_kept)
        items = with_one_return(function.body.block_items or [], result)
        body = copier.block(items)
        before = self.statements(given, depth - 1)
        return c_ast.Compound([*before, *self.statements(body, depth - 1)], call.coord)

    def _pass(
        self, copier: BodyCopier, parameter: Any, argument: Any, is_kept: bool
    ) -> list[Any]:
        """Let a parameter stand for what is passed; declarations that it takes."""
        wanted = read_type(parameter.type, self._root)
        if any(is_change(p) for p in parts(argument)):
            raise UnfitBodyError("an argument changes a variable", argument)
        is_address = isinstance(argument, c_ast.UnaryOp) and argument.op == "&"
        passed = argument.expr if is_address else argument
        name = passed.name if isinstance(passed, c_ast.ID) else ""
        type_ = self._type(name)
        if isinstance(wanted, ScalarC):
            is_same = isinstance(type_, ScalarC) and type_.type == wanted.type
            if is_kept and is_same and not is_address and self._stays(name):
                return copier.rename(parameter.name, name)
            return copier.declare(parameter, parameter.type, argument)
        if isinstance(wanted, StructC):
            return copier.declare(parameter, parameter.type, argument)
        if not isinstance(wanted, (ArrayC, PointerC)):
            raise UnfitBodyError(
                f"it takes {parameter.name!r}, which is no number or array", parameter
            )
        if is_address and isinstance(type_, (ScalarC, PointerC)):
            if not is_kept or not _points_to(wanted, type_, copier):
                raise UnfitBodyError("a variable of another type is passed", argument)
            return copier.point(parameter.name, name)
        instead = self._renamed(copier, parameter, argument) if is_kept else None
        if instead is not None:
            return instead
        if len(dimensions(wanted)) != 1 or table_dimensions(wanted) is not None:
            raise UnfitBodyError(
                f"what is passed as {parameter.name!r} has rows of other lengths",
                argument,
            )
        pointer = parameter.type
        if isinstance(wanted, ArrayC) and not isinstance(pointer, c_ast.ArrayDecl):
            raise UnfitBodyError(f"the type of {parameter.name!r} is an array's name")
        if isinstance(pointer, c_ast.ArrayDecl):
            pointer = c_ast.PtrDecl([], pointer.type, parameter.coord)
        return copier.declare(parameter, pointer, argument)

    def _renamed(
        self, copier: BodyCopier, parameter: Any, argument: Any
    ) -> list[Any] | None:
        """Let a parameter be an array or its rows; None if they are others."""
        wanted = read_type(parameter.type, self._root)
        name = argument.name if isinstance(argument, c_ast.ID) else ""
        type_ = self._type(name)
        if type_ is not None and _is_same(wanted, type_, copier):
            return copier.rename(parameter.name, name)
        rows = self._rows(argument)
        if rows is not None and _is_same(wanted, rows.type, copier):
            return copier.replace(parameter.name, rows.node)
        return None

    def _copier(self) -> BodyCopier:
        return BodyCopier(self._fresh, self._means_the_same, self._own)

    def _type(self, name: str) -> CType | None:
        """The type of a variable or an array."""
        if name in self._own:
            decl = self._own[name]
            return None if decl is None else read_type(decl.type, self._scope)
        found = self._scope.find(name)
        return found.ctype if found is not None and found.kind == "object" else None

    def _rows(self, argument: Any) -> _Rows | None:
        """Rows that are passed, ``A[k]`` or ``&A[k][0]`` of ``A[..][..][..]``.

        None where a body may change what `k` is, and of rows of single numbers.
        """
        node, subscripts = argument, []
        if isinstance(node, c_ast.UnaryOp) and node.op == "&":
            node = node.expr
            if not isinstance(node, c_ast.ArrayRef) or c_text(node.subscript) != "0":
                return None
            node = node.name
        rows = node
        while isinstance(node, c_ast.ArrayRef):
            subscripts.append(node.subscript)
            node = node.name
        type_ = self._type(node.name) if isinstance(node, c_ast.ID) else None
        for subscript in subscripts:
            if not isinstance(type_, ArrayC) or not self._is_fixed(subscript):
                return None
            type_ = type_.element
        if not subscripts or not isinstance(type_, ArrayC):
            return None
        return _Rows(rows, type_) if isinstance(type_.element, ArrayC) else None

    def _is_fixed(self, subscript: Any) -> bool:
        """Whether nothing but assignments around it changes what a subscript is."""
        kinds = (c_ast.ID, c_ast.Constant, c_ast.BinaryOp, c_ast.UnaryOp, c_ast.Cast)
        types = (c_ast.Typename, c_ast.TypeDecl, c_ast.IdentifierType)
        every = list(parts(subscript))
        if not all(isinstance(p, (*kinds, *types)) for p in every):
            return False
        if any(isinstance(p, c_ast.UnaryOp) and p.op in {"*", "&"} for p in every):
            return False
        found = ((n, self._scope.find(n)) for n in names(subscript))
        return all(
            n not in self._pointed
            and (n in self._own or (s is not None and _is_near(s)))
            for n, s in found
        )

    def _stays(self, name: str) -> bool:
        """Whether a number is the function's own, and the SCoP does not change it."""
        found = self._scope.find(name)
        is_near = found is not None and _is_near(found)
        return is_near and name not in self._own and name not in self._changed

    def _means_the_same(self, name: str) -> bool:
        """Whether a name of the file means the same in the SCoP."""
        found = self._scope.find(name)
        return found is self._root.names.get(name) and name not in self._own


@dataclass(frozen=True)
class _Rows:
    """Some rows of an array, and their type."""

    node: Any
    type: CType


def _is_near(symbol: Symbol) -> bool:
    """Whether other functions do not know a variable, or it is a constant."""
    return symbol.storage in {"local", "parameter"} or symbol.value is not None


def parameters_of(function: Any) -> list[Any]:
    """Declarations of what a function takes."""
    declared = function.decl.type.args
    found = declared.params if declared else ()
    if any(isinstance(p, c_ast.EllipsisParam) for p in found):
        return []
    return [p for p in found if isinstance(p, c_ast.Decl)]


def _is_same(wanted: CType, given: CType, copier: BodyCopier) -> bool:
    """Whether a parameter has the elements and the rows of what is passed."""
    ours, theirs = element_type(wanted), element_type(given)
    if isinstance(ours, ScalarC) and isinstance(theirs, ScalarC):
        if ours.type != theirs.type:
            return False
    elif ours is not theirs:
        return False
    tables = table_dimensions(wanted), table_dimensions(given)
    one = tables[0] or dimensions(wanted)
    other = tables[1] or dimensions(given)
    if (tables[0] is None) != (tables[1] is None) or len(one) != len(other):
        return False
    return all(
        (a is None and b is None and tables[0] is not None)
        or (a is not None and b is not None and copier.text(a) == c_text(b))
        for a, b in zip(one[1:], other[1:], strict=True)
    )


def _points_to(wanted: CType, type_: CType, copier: BodyCopier) -> bool:
    """Whether a parameter takes the address of a number or pointer."""
    if isinstance(type_, ScalarC):
        return type_.type == getattr(element_type(wanted), "type", None)
    return isinstance(wanted, PointerC) and _is_same(wanted.target, type_, copier)


def _are_same(found: Sequence[Any], items: Sequence[Any]) -> bool:
    return len(found) == len(items) and all(
        a is b for a, b in zip(found, items, strict=True)
    )
