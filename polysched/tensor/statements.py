"""Statements of a Python function, read one after the other into C statements."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.ast_source import PythonSource
from polysched.tensor.binding import Binder
from polysched.tensor.branches import BranchReader
from polysched.tensor.broadcast import ONE, broadcast, operand, text_of
from polysched.tensor.calls import Call
from polysched.tensor.dtypes import is_float, promote
from polysched.tensor.environment import Environment, Restart
from polysched.tensor.evaluate import Evaluator
from polysched.tensor.expr import Break, Expr
from polysched.tensor.flat import UNFOLDED
from polysched.tensor.liveness import Liveness
from polysched.tensor.loops import LoopReader
from polysched.tensor.masks import MaskReader
from polysched.tensor.scatters import ScatterReader
from polysched.tensor.session import Session
from polysched.tensor.size import ProductError
from polysched.tensor.values import Lazy, Object, Pending, Value, View, is_array
from polysched.tensor.whiles import WhileReader
from polysched.tensor.words import kind_of

_REFUSED: dict[type[ast.AST], tuple[str, str]] = {
    ast.Continue: (
        "continue",
        "end a branch in the loop's own block with it, or guard the rest with if",
    ),
    ast.Try: ("try", "kernels raise nothing: check arguments before the call"),
    ast.Raise: ("raise", "check arguments before the call"),
    ast.Assert: ("assert", "check arguments before the call"),
    ast.With: ("with", "kernels hold no resources"),
    ast.Delete: ("del", "arrays of a kernel are freed when it returns"),
    ast.Global: ("global", "pass values as arguments and return results"),
    ast.Nonlocal: ("nonlocal", "pass values as arguments and return results"),
    ast.Import: ("import inside a kernel", "import at the top of the module"),
    ast.ImportFrom: ("import inside a kernel", "import at the top of the module"),
    ast.FunctionDef: ("a function inside a kernel", "define it at the module's top"),
    ast.ClassDef: ("a class inside a kernel", "use arrays and numbers"),
    ast.AsyncFor: ("async for", "write a plain loop"),
    ast.AsyncWith: ("async with", "kernels hold no resources"),
    ast.AsyncFunctionDef: ("an async function", "kernels run to their end"),
}


class Reader:
    """Reads the body of one function, or of one call of it.

    Parameters
    ----------
    session : Session
        What all functions of a kernel share.
    source : PythonSource
        The function.
    path : tuple
        The calls that lead here, outermost first; empty for the kernel itself.
    """

    def __init__(
        self, session: Session, source: PythonSource, path: tuple[ast.AST, ...] = ()
    ) -> None:
        self.session = session
        self.source = source
        self.path = path
        self.emitter = session.emitter
        self.environment = Environment(
            source, session.memory, session.captured, session.frames
        )
        self.evaluator = Evaluator(self.emitter, self.environment, self)
        self.binder = Binder(self.emitter, self.environment)
        self.liveness = Liveness(source.tree.body)
        self._loops = LoopReader(self)
        self._whiles = WhileReader(self, self._loops)
        self._branches = BranchReader(self)
        self._masks = MaskReader(self)
        self._scatters = ScatterReader(self)
        self.depth = 0

    def run(self, arguments: dict[str, Value]) -> Value:
        """Read the body with its parameters bound; gives what it returns."""
        emitter = self.emitter
        before = (emitter.source, emitter.node, emitter.statement)
        emitter.source = self.source
        self.environment.values.update(arguments)
        returned = self.block(self.source.tree.body)
        emitter.source, emitter.node, emitter.statement = before
        return Object(None) if returned is None else returned

    def block(self, body: Sequence[ast.stmt]) -> Value | None:
        """Read statements; gives what a ``return`` among them returns."""
        with ExitStack() as known:
            for k, node in enumerate(body):
                self.emitter.statement = self.emitter.node = node
                rest = body[k + 1 :]
                if isinstance(node, ast.Return):
                    return self._return(node, rest)
                if isinstance(node, (ast.For, ast.While)):
                    loops = self._loops if isinstance(node, ast.For) else self._whiles
                    tails = loops.read(node)  # type: ignore[arg-type]
                    if tails is not None:
                        return self._loops.read_tails(node, tails, rest)
                elif isinstance(node, ast.If):
                    returned = self._branches.read(node, rest)
                    if returned is not None:
                        return returned
                    known.enter_context(self._branches.behind(node))
                else:
                    self._statement(node)
        return None

    def _return(self, node: ast.Return, rest: Sequence[ast.stmt]) -> Value:
        if self.depth:
            if self.source.gather_returns():
                raise Restart
            self.source.unsupported(
                node, "found a return inside a loop or branch that is not taken",
                "return a value whichever way the function ends, or end a branch "
                "outside of loops with a return without one",
            )  # fmt: skip
        if rest:
            self.source.unsupported(rest[0], "found statements behind a return")
        value = (
            Object(None) if node.value is None else self.evaluator.evaluate(node.value)
        )
        if self.path:
            return value
        try:
            return self.session.results.take(self, value)
        except BadOperation as verdict:
            self.source.wrong(node, verdict.message, verdict.hint)

    def _statement(self, node: ast.stmt) -> None:
        method: Callable[[Any], None] | None
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            kind = type(node).__name__
            what, hint = _REFUSED.get(type(node), (f"a statement of kind {kind}", ""))
            self.source.unsupported(node, f"found {what}", hint)
        try:
            method(node)
        except BadOperation as verdict:
            self.source.wrong(self.emitter.node, verdict.message, verdict.hint)
        except ProductError:
            self.source.not_affine(self.emitter.node, *UNFOLDED)

    def _break(self, node: ast.Break) -> None:
        self.emitter.block.append(Break(self.emitter.place))

    def _pass(self, node: ast.Pass) -> None:
        pass

    def _expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        value = self.evaluator.evaluate(node.value)
        if isinstance(value, Pending) or not isinstance(node.value, ast.Call):
            self.source.unsupported(node, "found an expression whose value is not used")

    def _annassign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            return
        self._store(node.target, self.evaluator.evaluate(node.value))

    def _assign(self, node: ast.Assign) -> None:
        if len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, (ast.Tuple, ast.List)):
                self._unpack(target, node.value)
                return
            if isinstance(target, ast.Subscript) and self._masks.read(
                target, node.value, None
            ):
                return
            if isinstance(target, ast.Subscript) and self._scatters.read(
                target, node.value
            ):
                return
            self._store(target, self.evaluator.evaluate(node.value))
            return
        value = self.evaluator.evaluate(node.value)
        if isinstance(value, (Lazy, Pending)) and value.shape:
            value = self.emitter.stored(value, "tmp")
        for target in node.targets:
            self._store(target, value)

    def _unpack(self, target: ast.Tuple | ast.List, node: ast.expr) -> None:
        value = self.evaluator.evaluate(node)
        if isinstance(value, (View, Pending)):
            value = self._rows(value)
        if not isinstance(value, tuple):
            self.source.wrong(node, f"cannot unpack {kind_of(value)}")
        if len(value) != len(target.elts):
            self.source.wrong(
                node, f"found {len(value)} values for {len(target.elts)} names"
            )
        values = (
            [value[0], *(self.binder.snapshot(v) for v in value[1:])] if value else []
        )
        for part, item in zip(target.elts, values, strict=True):
            if isinstance(part, (ast.Tuple, ast.List, ast.Starred)):
                self.source.unsupported(part, "found a nested or starred target")
            self._store(part, item)

    def _rows(self, value: View | Pending) -> Value:
        view = self.emitter.settle(value)
        if not view.shape or not view.shape[0].is_constant:
            self.source.wrong(
                self.emitter.node, "cannot unpack an array of symbolic size"
            )
        rows = range(view.shape[0].constant)
        return tuple(self.session.row(view, k) for k in rows)

    def _store(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.emitter.node = target
            self._check_target(target)
            self.binder.bind(target.id, value)
        elif isinstance(target, ast.Subscript):
            self._write(target, self.evaluator.view(target), value)
        elif isinstance(target, ast.Attribute):
            self.source.unsupported(
                target, "found an assignment to an attribute", "assign to elements"
            )
        else:
            self.source.unsupported(target, "found a nested or starred target")

    def _check_target(self, target: ast.Name) -> None:
        if target.id in self._loops.running:
            self.source.unsupported(
                target, f"{target.id!r} is the variable of the loop around it",
                "use another name",
            )  # fmt: skip

    def _write(self, node: ast.expr, place: View, value: Value) -> None:
        self.emitter.node = node
        if isinstance(value, Pending) and value.shape == place.shape:
            self.check_cast(node, value.dtype, place.dtype, in_place=False)
            self.emitter.write(place, value)
            return
        number = operand(self.emitter, self.evaluator.number(value))
        self.write_number(node, place, number)

    def write_number(
        self, node: ast.AST, place: View, value: Any, in_place: bool = False
    ) -> None:
        """Write a number or array to a place to which it broadcasts."""
        source = value.dtype
        if isinstance(value, Expr) and value.is_weak:
            source, _ = promote([(place.dtype, False), (source, True)])
        self.check_cast(node, source, place.dtype, in_place)
        if isinstance(value, Expr):
            self.emitter.write(place, value)
            return
        while not in_place and len(value.shape) > len(place.shape):
            if value.shape[0] != ONE:
                break
            value = self.session.row(value, 0)
            if isinstance(value, Expr):
                self.emitter.write(place, value)
                return
        message = (
            f"cannot write the shape {text_of(value.shape)} into {text_of(place.shape)}"
        )
        if len(value.shape) > len(place.shape):
            self.source.wrong(node, message)
        for one, two in zip(reversed(place.shape), reversed(value.shape), strict=False):
            if two not in (ONE, one):
                self.emitter.require(two, "==", one, message)
        self.emitter.write(place, broadcast(value, place.shape))

    def check_cast(
        self, node: ast.AST, source: str, target: str, in_place: bool
    ) -> None:
        """NumPy's "same kind" rule for writes in place."""
        if in_place and not np.can_cast(source, target, "same_kind"):
            self.source.wrong(
                node, f"cannot change {target} in place to {source}",
                f"NumPy raises here: use an array of {source}, or .astype(...)",
            )  # fmt: skip
        if is_float(source) and target == "bool":
            self.source.wrong(node, "cannot write floats to truth values")

    def _augassign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._augment_name(node, node.target)
            return
        if not isinstance(node.target, ast.Subscript):
            self.source.unsupported(node.target, "found an assignment to an attribute")
        if self._masks.read(node.target, node.value, node.op):
            return
        place = self.evaluator.view(node.target)
        self._augment(node, place, self.evaluator.evaluate(node.value))

    def _augment_name(self, node: ast.AugAssign, target: ast.Name) -> None:
        before = self.environment.read(
            ast.copy_location(ast.Name(target.id, ast.Load()), target)
        )
        right = self.evaluator.evaluate(node.value)
        self.emitter.node = node
        if is_array(before):
            assert isinstance(before, View)
            self.environment.check_write(target, before.storage)
            self._augment(node, before, right)
            return
        self._check_target(target)
        if not isinstance(before, (Expr, tuple)):
            self.source.wrong(target, f"cannot compute with {kind_of(before)}")
        value = self.evaluator.binary(node.op, before, right)
        self.binder.bind(target.id, value)

    def _augment(self, node: ast.AugAssign, place: View, right: Value) -> None:
        self.emitter.node = node
        left: Value = place if place.shape else place.at(())
        value = self.evaluator.binary(node.op, left, right)
        number = operand(self.emitter, self.evaluator.number(value))
        in_place = bool(place.shape)
        if (
            in_place
            and not isinstance(number, Expr)
            and len(number.shape) > len(place.shape)
        ):
            self.source.wrong(node, "the right side has more dimensions than the left")
        self.write_number(node, place, number, in_place)

    def literal_array(self, value: tuple[Any, ...]) -> View:
        """A list or tuple of numbers as an array."""
        return self.session.literal_array(value)

    def library_call(self, function: Any, *args: Any) -> Value:
        """A call of a NumPy function with positional arguments."""
        node = self.emitter.node
        assert isinstance(node, ast.expr)
        name = getattr(function, "__name__", "function")
        return self.call(
            Call(self.evaluator, node, name, Object(function), list(args), {})
        )

    def array_attribute(self, base: Any, name: str) -> Value:
        """An attribute of an array or number."""
        return self.session.library.attribute(self.evaluator, base, name)

    def call(self, call: Call) -> Value:
        """A call of a NumPy function, a builtin, or a Python function to inline."""
        return self.session.library.call(self, call)

    def kept(self, value: Expr) -> Expr:
        """A number that is not to change with what it was computed from."""
        found = self.binder.lasting("value", value)
        assert isinstance(found, Expr)
        return found
