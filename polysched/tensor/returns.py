"""Values returned in the middle of a function, ``else`` behind loops: without jumps.

``if c: return a`` and what follows becomes ``if c: r = a else: ...``. A ``return`` in a
loop becomes a value, a flag and a ``break``::

    for k in range(n):           r, done = 0, False
      if x[k] > s:               for k in range(n):
        return k            ==>    if x[k] > s:
    return n                         r, done = k, True
                                     break
                                 if not done:
                                   r = n

Works on the syntax tree. Loops are left through one another by asking the flag again.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

Leave = Callable[[ast.Break], list[ast.stmt]]


def free_name(tree: ast.AST, hint: str) -> str:
    """A name like `hint` that a function does not use."""
    taken = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    taken |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    while hint in taken:
        hint += "_"
    return hint


def without_else(function: ast.FunctionDef) -> None:
    """Rewrite ``else`` behind the loops of a function."""
    function.body = [s for n in function.body for s in _without_else(function, n)]


def _without_else(function: ast.FunctionDef, node: ast.stmt) -> list[ast.stmt]:
    for part in ("body", "orelse"):
        inner = getattr(node, part, None)
        if inner:
            made = [s for n in inner for s in _without_else(function, n)]
            setattr(node, part, made)
    if not isinstance(node, (ast.For, ast.While)) or not node.orelse:
        return [node]
    behind, node.orelse = node.orelse, []
    flag = free_name(function, "is_left")
    if not _mark_breaks(node.body, lambda n: [_set(flag, _truth(True), n), n]):
        return [node, *behind]
    test = ast.UnaryOp(ast.Not(), ast.Name(flag, ast.Load()))
    return [
        _set(flag, _truth(False), node), node,
        _placed(ast.If(test, [], []), node, behind),
    ]  # fmt: skip


def _mark_breaks(body: list[ast.stmt], marked: Leave) -> bool:
    """Replace each ``break`` that belongs to a loop; whether there is one."""
    found = False
    for k in range(len(body) - 1, -1, -1):
        node = body[k]
        if isinstance(node, ast.Break):
            body[k : k + 1] = marked(node)
            found = True
        elif isinstance(node, ast.If):
            ours = [_mark_breaks(b, marked) for b in (node.body, node.orelse)]
            found = found or any(ours)
    return found


def gather_returns(function: ast.FunctionDef) -> bool:
    """Rewrite a function that returns a value in its middle, so that only its end does.

    Returns
    -------
    bool
        Whether it was rewritten; not if a ``return`` has no value, if the function may
        end without one, or if tuples of different lengths are returned.
    """
    returns = [n for n in ast.walk(function) if isinstance(n, ast.Return)]
    values = [n.value for n in returns if n.value is not None]
    sizes = {len(v.elts) if isinstance(v, ast.Tuple) else 0 for v in values}
    if len(values) < len(returns) or len(sizes) != 1 or not _ends(function.body):
        return False
    last = function.body[-1]
    if [last] == returns:
        return False
    writer = _Gathering(function, sizes.pop(), all(map(_is_truth, values)))
    body = writer.block(function.body)
    if body is None:
        return False
    end = _placed(ast.Return(writer.result(ast.Load())), last)
    function.body = [*writer.starts(function.body[0]), *body, end]
    return True


class _Gathering:
    """Writes the statements of a function with one ``return``."""

    def __init__(self, function: ast.FunctionDef, size: int, is_truth: bool) -> None:
        name = free_name(function, "returned")
        self._names = [f"{name}_{k}" for k in range(size)] or [name]
        self._is_tuple = bool(size)
        self._done = free_name(function, "is_done")
        self._is_truth = is_truth
        self._in_loops = False

    def result(self, context: ast.expr_context) -> ast.expr:
        """The names that hold what is returned."""
        names: list[ast.expr] = [ast.Name(n, context) for n in self._names]
        return ast.Tuple(names, context) if self._is_tuple else names[0]

    def starts(self, at: ast.stmt) -> list[ast.stmt]:
        """What the names are before a loop may set them."""
        if not self._in_loops:
            return []
        start = ast.Constant(False if self._is_truth else 0)
        first = [_set(name, start, at) for name in self._names]
        return [*first, _set(self._done, _truth(False), at)]

    def block(self, body: Sequence[ast.stmt]) -> list[ast.stmt] | None:
        """A block behind which nothing is left to do; None if it is too tangled."""
        made: list[ast.stmt] = []
        for k, node in enumerate(body):
            if isinstance(node, ast.Return):
                return [*made, self._kept(node)]
            if not _returns(node):
                made.append(node)
                continue
            rest = list(body[k + 1 :])
            if isinstance(node, ast.If):
                branch = self._branch(node, rest)
                return None if branch is None else [*made, branch]
            if not isinstance(node, (ast.For, ast.While)):
                return None
            self._in_loops = True
            self._leave(node.body)
            behind = self.block(rest)
            if behind is None:
                return None
            test = ast.UnaryOp(ast.Not(), ast.Name(self._done, ast.Load()))
            return [*made, node, _placed(ast.If(test, [], []), node, behind)]
        return made

    def _branch(self, node: ast.If, rest: list[ast.stmt]) -> ast.If | None:
        """A branch of which one side at least always returns, with what follows."""
        ends = [_ends(node.body), _ends(node.orelse)]
        if not any(ends) and rest:
            return None
        parts = [
            self.block(b if is_end else [*b, *rest])
            for b, is_end in zip((node.body, node.orelse), ends, strict=True)
        ]
        if parts[0] is None or parts[1] is None:
            return None
        node.body, node.orelse = parts[0], parts[1]
        return node

    def _leave(self, body: list[ast.stmt]) -> None:
        """Values, flags and breaks instead of returns, in the body of a loop."""
        for k in range(len(body) - 1, -1, -1):
            node = body[k]
            if isinstance(node, ast.Return):
                flag = _set(self._done, _truth(True), node)
                body[k:] = [self._kept(node), flag, _placed(ast.Break(), node)]
            elif isinstance(node, ast.If):
                self._leave(node.body)
                self._leave(node.orelse)
            elif isinstance(node, (ast.For, ast.While)) and _returns(node):
                self._leave(node.body)
                leaves = _placed(ast.If(ast.Name(self._done, ast.Load()), [], []), node,
                                 [_placed(ast.Break(), node)])  # fmt: skip
                body.insert(k + 1, leaves)

    def _kept(self, node: ast.Return) -> ast.stmt:
        assert node.value is not None
        return _placed(ast.Assign([self.result(ast.Store())], node.value), node)


def _returns(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Return) for n in ast.walk(node))


def _ends(body: Sequence[ast.stmt]) -> bool:
    """Whether a block returns whenever it is executed to its end."""
    for node in body:
        if isinstance(node, ast.Return):
            return True
        if isinstance(node, ast.If) and _ends(node.body) and _ends(node.orelse):
            return True
    return False


def _is_truth(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bool)
    return isinstance(node, ast.Compare)


def _truth(value: bool) -> ast.expr:
    return ast.Constant(value)


def _set(name: str, value: ast.expr, at: ast.AST) -> ast.stmt:
    return _placed(ast.Assign([ast.Name(name, ast.Store())], value), at)


def _placed(new: ast.stmt, at: ast.AST, body: Iterable[ast.stmt] = ()) -> ast.stmt:
    """A new statement where another one stands; `body` keeps its places."""
    for part in ast.walk(new):
        if not hasattr(part, "lineno"):
            ast.copy_location(part, at)
    if isinstance(new, ast.If):
        new.body = list(body)
    return new
