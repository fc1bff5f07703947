"""`memset` to zero, `memcpy` and arrays that begin as ``{0}``, as loops.

Works on syntax, before names are looked up in the SCoP. How many elements are meant
must be plain: ``n * sizeof(double)``, ``sizeof(row)``, or ``sizeof *row * n``, and rows
of arrays as many as their declarations have. What is not is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

from pycparser import c_ast, c_generator

from polysched.frontend.declarations import (
    CType,
    ScalarC,
    Scope,
    dimensions,
    element_type,
    is_indirect,
    read_type,
    table_dimensions,
)
from polysched.ir import ScalarType, promote, types

LEAST_ZEROS = 8  # elements of an array that begins as zeros: fewer are assigned


@dataclass(frozen=True)
class _Target:
    """Where a call's elements begin.

    Attributes
    ----------
    subscripts : tuple of nodes
        Of the first element, as far as they are given.
    base : ID
        The array or pointer.
    extents : tuple of (node or None)
        Of the subscripts that loops run over; the first begins at `start`.
    start : node, optional
        Of the first of them.
    type : ScalarType
        Of the elements.
    """

    base: Any
    subscripts: tuple[Any, ...]
    extents: tuple[Any, ...]
    start: Any
    type: ScalarType

    def element(self, iterators: Sequence[str], coord: Any) -> Any:
        """The element at some values of the loops."""
        names: list[Any] = [c_ast.ID(name, coord) for name in iterators]
        if self.start is not None:
            names[0] = c_ast.BinaryOp("+", self.start, names[0], coord)
        return reduce(
            lambda array, k: c_ast.ArrayRef(array, k, coord),
            (*self.subscripts, *names), c_ast.ID(self.base.name, coord),
        )  # fmt: skip


class BlockCalls:
    """Writes loops in place of calls.

    Parameters
    ----------
    scope : Scope
        Names visible at the start of the SCoP.
    items : iterable of nodes
        Its statements.
    fresh : callable
        Gives a name that nothing else has.
    """

    def __init__(
        self, scope: Scope, items: Iterable[Any], fresh: Callable[[str], str]
    ) -> None:
        self._scope = scope
        self._fresh = fresh
        self._own = _declared(items)

    def expand(self, node: Any) -> list[Any]:
        """A statement, or the loops that do what it does."""
        match node:
            case c_ast.FuncCall(name=c_ast.ID(name=name), args=c_ast.ExprList()):
                return self._call(node, name, node.args.exprs) or [node]
            case c_ast.Decl(init=c_ast.InitList()):
                return self._zeros(node) or [node]
        return [node]

    def _call(self, node: Any, name: str, args: Sequence[Any]) -> list[Any]:
        if len(args) != 3 or name not in ("memset", "memcpy"):
            return []
        target = self._target(args[0])
        source = self._target(args[1]) if name == "memcpy" else None
        if target is None:
            return []
        if name == "memcpy":
            if source is None or not _fit(target, source):
                return []
        elif _constant(args[1]) != 0:
            return []
        count = self._count(args[2], target)
        if count is None:
            return []
        return [self._loops(target, source, count, node.coord)]

    def _zeros(self, decl: Any) -> list[Any]:
        """A declaration ``int count[256] = {0};`` and the loop that it stands for."""
        values = decl.init.exprs
        target = self._target(c_ast.ID(decl.name, decl.coord))
        if target is None or len(values) != 1 or _constant(values[0]) != 0:
            return []
        sizes = [_constant(e) for e in target.extents]
        known = [n for n in sizes if n is not None]
        if len(known) == len(sizes) and prod(known) < LEAST_ZEROS:
            return []
        plain = c_ast.Decl(
            decl.name, decl.quals, decl.align, decl.storage, decl.funcspec, decl.type,
            None, decl.bitsize, decl.coord,
        )  # fmt: skip
        return [plain, self._loops(target, None, target.extents[0], decl.coord)]

    def _loops(self, target: _Target, source: _Target | None, n: Any, at: Any) -> Any:
        sizes = [n, *target.extents[1:]]
        iterators = [self._fresh("k") for _ in sizes]
        value: Any = c_ast.Constant("int", "0", at)
        if source is not None:
            value = source.element(iterators, at)
        body: Any = c_ast.Assignment("=", target.element(iterators, at), value, at)
        for name, size in reversed(list(zip(iterators, sizes, strict=True))):
            body = _loop(name, self._iterator_type(size), size, body, at)
        return body

    def _iterator_type(self, size: Any) -> str:
        """`int` where no variable of a size has more values."""
        for name in {n.name for n in _parts(size) if isinstance(n, c_ast.ID)}:
            symbol = self._scope.find(name)
            if symbol is not None and symbol.value is not None:
                continue
            ctype = self._type(c_ast.ID(name))
            if not isinstance(ctype, ScalarC) or promote(ctype.type) != types.INT:
                return "long"
        return "int"

    def _target(self, node: Any) -> _Target | None:
        """What ``A``, ``A[i]``, ``&A[i]`` or ``A + i`` points to; None of others."""
        start = None
        if isinstance(node, c_ast.BinaryOp):
            node, start = _moved_from(node)
        elif isinstance(node, c_ast.UnaryOp) and node.op == "&":
            if not isinstance(node.expr, c_ast.ArrayRef):
                return None
            node, start = node.expr.name, node.expr.subscript
        subscripts: list[Any] = []
        while isinstance(node, c_ast.ArrayRef):
            subscripts.insert(0, node.subscript)
            node = node.name
        ctype = self._type(node)
        rows = None if ctype is None else table_dimensions(ctype)
        if ctype is None or (is_indirect(ctype) and rows is None):
            return None
        element = element_type(ctype)
        extents = (dimensions(ctype) if rows is None else rows)[len(subscripts) :]
        if not isinstance(element, ScalarC) or element.volatile or not extents:
            return None
        if any(extent is None for extent in extents[1:]):
            return None
        if any(_mentions(extent, self._own) for extent in extents):
            return None  # a name that means something else here
        place = tuple(subscripts), tuple(extents), start
        return _Target(node, *place, element.type)

    def _type(self, node: Any) -> CType | None:
        if not isinstance(node, c_ast.ID):
            return None
        if node.name in self._own:
            decl = self._own[node.name]
            return None if decl is None else read_type(decl.type, self._scope)
        symbol = self._scope.find(node.name)
        return symbol.ctype if symbol is not None and symbol.kind == "object" else None

    def _is_parameter(self, node: Any) -> bool:
        """Whether a name means an argument of the function around the SCoP."""
        symbol = None if node.name in self._own else self._scope.find(node.name)
        return symbol is not None and symbol.storage == "parameter"

    def _count(self, size: Any, target: _Target) -> Any | None:
        """How many rows a number of bytes is, as syntax; None where that is not plain.

        With the outermost extent itself where all of the array is meant.
        """
        factors: list[Any] = []
        n_bytes = 0
        for part in _factors(size):
            if not isinstance(part, c_ast.UnaryOp) or part.op != "sizeof":
                factors.append(part)
                continue
            if n_bytes:
                return None
            found = self._sized(part.expr, target)
            if found is None:
                return None
            n_bytes = target.type.n_bytes
            factors += found
        if not n_bytes and target.type.n_bytes > 1:
            return None
        return _without(factors, target.extents[1:])

    def _sized(self, node: Any, target: _Target) -> list[Any] | None:
        """How many elements of the target `sizeof` speaks of, as factors."""
        if isinstance(node, c_ast.Typename):
            ctype, n_given = read_type(node, self._scope), 0
        else:
            n_given = 0
            while True:
                if isinstance(node, c_ast.ArrayRef):
                    node, n_given = node.name, n_given + 1
                elif isinstance(node, c_ast.UnaryOp) and node.op == "*":
                    node, n_given = node.expr, n_given + 1
                else:
                    break
            found = self._type(node)
            if found is None or (not n_given and self._is_parameter(node)):
                return None  # of a parameter's own address, double A[100]
            ctype = found
        element = element_type(ctype)
        extents = dimensions(ctype)[n_given:]
        if not isinstance(element, ScalarC) or element.type != target.type:
            return None
        if any(extent is None for extent in extents):
            return None  # of a pointer
        if any(_mentions(extent, self._own) for extent in extents):
            return None
        return list(extents)


def _moved_from(node: Any) -> tuple[Any, Any]:
    """The array of ``A + i - 1``, and by how many elements it is moved."""
    if node.op == "+" and not isinstance(node.left, c_ast.BinaryOp):
        return node.left, node.right
    if node.op not in ("+", "-") or not isinstance(node.left, c_ast.BinaryOp):
        return node, None
    base, start = _moved_from(node.left)
    if start is None:
        return node, None
    return base, c_ast.BinaryOp(node.op, start, node.right, node.coord)


def _declared(items: Iterable[Any]) -> Mapping[str, Any]:
    """Declarations inside of the SCoP, None for names that are declared twice."""
    found: dict[str, Any] = {}
    for node in (part for item in items for part in _parts(item)):
        if isinstance(node, c_ast.Decl) and node.name:
            found[node.name] = None if node.name in found else node
    return found


def _mentions(node: Any, names: Mapping[str, Any]) -> bool:
    return node is not None and any(
        isinstance(part, c_ast.ID) and part.name in names for part in _parts(node)
    )


def _parts(node: Any) -> Iterator[Any]:
    yield node
    for _, child in node.children():
        yield from _parts(child)


def _factors(node: Any) -> Iterator[Any]:
    if isinstance(node, c_ast.BinaryOp) and node.op == "*":
        yield from _factors(node.left)
        yield from _factors(node.right)
    elif isinstance(node, c_ast.Cast):
        yield from _factors(node.expr)
    else:
        yield node


def _without(factors: Sequence[Any], extents: Sequence[Any]) -> Any | None:
    """The product of some factors over that of some extents, where it is plain."""
    left = list(factors)
    rows = 1
    for extent in extents:
        same = next((f for f in left if _text(f) == _text(extent)), None)
        if same is not None:
            left.remove(same)
            continue
        size = _constant(extent)
        if size is None:
            return None
        rows *= size
    numbers = [n for n in map(_constant, left) if n is not None]
    others = [f for f in left if _constant(f) is None]
    total = prod(numbers)
    if rows == 0 or total % rows:
        return None
    if total // rows != 1 or not others:
        others.append(c_ast.Constant("int", str(total // rows)))
    return reduce(lambda a, b: c_ast.BinaryOp("*", a, b, a.coord), others)


def _fit(target: _Target, source: _Target) -> bool:
    """Whether two places have rows of the same elements."""
    one, other = target.extents[1:], source.extents[1:]
    return target.type == source.type and [*map(_text, one)] == [*map(_text, other)]


def _constant(node: Any) -> int | None:
    """The value of a number, of a product of numbers; a floating zero is one."""
    if isinstance(node, c_ast.Constant):
        text = node.value.rstrip("uUlLfF")
        try:
            return int(text, 0)
        except ValueError:
            return 0 if text in ("0.0", "0.", ".0") else None
    if isinstance(node, c_ast.BinaryOp) and node.op == "*":
        both = _constant(node.left), _constant(node.right)
        if both[0] is not None and both[1] is not None:
            return both[0] * both[1]
    return None


def _text(node: Any) -> str:
    """C text, to tell whether two pieces of syntax are the same."""
    number = _constant(node)
    return str(c_generator.CGenerator().visit(node)) if number is None else str(number)


def _loop(name: str, type_name: str, size: Any, body: Any, at: Any) -> Any:
    """``for (int name = 0; name < size; name++) body``."""
    kind = c_ast.IdentifierType([type_name], at)
    type_ = c_ast.TypeDecl(name, [], None, kind, at)
    zero = c_ast.Constant("int", "0", at)
    decl = c_ast.Decl(name, [], [], [], [], type_, zero, None, at)
    cond = c_ast.BinaryOp("<", c_ast.ID(name, at), size, at)
    step = c_ast.UnaryOp("p++", c_ast.ID(name, at), at)
    return c_ast.For(c_ast.DeclList([decl], at), cond, step, body, at)
