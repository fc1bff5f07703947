"""The Python source of a function: its syntax tree, places in it, refusals at nodes."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from polysched.base import (
    FrontendError,
    NotAffineError,
    SourceLocation,
    UnsupportedSyntaxError,
)
from polysched.tensor.exits import without_exits
from polysched.tensor.returns import gather_returns, without_else


@dataclass(frozen=True)
class Place:
    """A place in Python source and the statement that stands there."""

    where: SourceLocation
    text: str = ""


class PythonSource:
    """The source of one function.

    Parameters
    ----------
    function : callable
        A Python function with a source file (a notebook's cell will do).

    Raises
    ------
    FrontendError
        If the source cannot be had, or is no plain function.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self._places: dict[ast.AST, Place] = {}
        self._caller: tuple[PythonSource, ast.AST, Place] | None = None
        name = getattr(function, "__name__", repr(function))
        try:
            lines, first = inspect.getsourcelines(function)
            self.file = inspect.getsourcefile(function) or "<unknown>"
        except (OSError, TypeError):
            raise FrontendError(
                f"the source of {name!r} cannot be read",
                hint="define the function with def in a file or a notebook's cell",
            ) from None
        text = "".join(lines)
        self.text = textwrap.dedent(text)
        self._indent = len(lines[0]) - len(lines[0].lstrip())
        self._first = max(first, 1)
        self._lines = [line.rstrip("\r\n") for line in lines]
        try:
            tree = ast.parse(self.text)
        except SyntaxError:  # a lambda inside a larger expression
            tree = ast.Module([], [])
        found = tree.body[0] if tree.body else None
        if not isinstance(found, ast.FunctionDef):
            raise UnsupportedSyntaxError(
                f"found {_kind(found)} where a function is expected",
                where=SourceLocation(self.file, self._first, 0, self._lines[0]),
                hint="define the kernel with def",
            )
        without_else(found)
        without_exits(found)
        self.tree: ast.FunctionDef = found

    def gather_returns(self) -> bool:
        """Let the function return at its end only; False if that cannot be done."""
        return gather_returns(self.tree)

    @contextmanager
    def standing_for(
        self, source: PythonSource, node: ast.AST, place: Place
    ) -> Iterator[None]:
        """Its places are those of a call in another source, until it is read."""
        before, self._caller = self._caller, (source, node, place)
        try:
            yield
        finally:
            self._caller = before

    def where(self, node: ast.AST) -> SourceLocation:
        """The place of a node."""
        if self._caller is not None:
            return self._caller[0].where(self._caller[1])
        line = getattr(node, "lineno", 1)
        column = getattr(node, "col_offset", -1)
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        stripped = text.encode()[: column + self._indent].decode(errors="ignore")
        return SourceLocation(
            self.file, self._first + line - 1, len(stripped) + 1, text
        )

    def place(self, node: ast.AST) -> Place:
        """The place of a statement with its text on one line."""
        if self._caller is not None:
            return self._caller[2]
        if node not in self._places:
            self._places[node] = self._place(node)
        return self._places[node]

    def _place(self, node: ast.AST) -> Place:
        text = ast.get_source_segment(self.text, node) or ""
        first = text.split(":\n")[0] + ":" if ":\n" in text else text
        return Place(self.where(node), " ".join(first.split()))

    def unsupported(self, node: ast.AST, message: str, hint: str = "") -> NoReturn:
        """Refuse a construct."""
        raise UnsupportedSyntaxError(message, where=self.where(node), hint=hint or None)

    def not_affine(self, node: ast.AST, message: str, hint: str = "") -> NoReturn:
        """Refuse an integer that had to be affine."""
        raise NotAffineError(message, where=self.where(node), hint=hint or None)

    def wrong(self, node: ast.AST, message: str, hint: str = "") -> NoReturn:
        """Refuse a program that is at fault itself: Python or NumPy would raise."""
        raise FrontendError(message, where=self.where(node), hint=hint or None)


def _kind(node: ast.AST | None) -> str:
    if isinstance(node, ast.AsyncFunctionDef):
        return "an async function"
    if isinstance(node, ast.ClassDef):
        return "a class"
    return "a lambda or an expression"
