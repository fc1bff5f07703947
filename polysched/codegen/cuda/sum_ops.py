"""How partial sums begin and are put together: sums, products, minima and maxima."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.analysis import Reduction
from polysched.ir import (
    Action,
    Assign,
    Binary,
    Call,
    Const,
    Expr,
    Load,
    ScalarType,
    Select,
    Statement,
    action_expressions,
    walk,
)
from polysched.ir.types import INT


@dataclass(frozen=True)
class Operator:
    """What puts partial sums together.

    Attributes
    ----------
    op : {"+", "*", "min", "max"}
        The operation; what is subtracted is added up, too.
    call : Call or None
        The function that the program calls for it, with its own arguments.
    """

    op: str
    call: Call | None = None

    @classmethod
    def of(cls, reduction: Reduction, statement: Statement) -> Operator:
        """The operator that a statement's parts are put together with."""
        if reduction.has_identity:
            return cls("*" if reduction.op == "*" else "+")
        calls = (
            e
            for action in statement.body
            for top in action_expressions(action)
            for e in walk(top)
            if isinstance(e, Call) and reduction.target in e.args
        )
        return cls(reduction.op, next(calls, None))

    @property
    def begins_with_element(self) -> bool:
        """Whether every part begins with the element that it is put into.

        Minima and maxima may take it in as often as they like, and no type needs a
        number that is larger than all others.
        """
        return self.op in ("min", "max")

    def identity(self, type_: ScalarType) -> Const:
        """What changes no element; a negative zero leaves the sign of zero alone."""
        if self.op == "*":
            return Const(1, INT, "1")
        return Const(-0.0, type_, "-0.0") if type_.is_float else Const(0, INT, "0")

    def put(self, target: Load, value: Load) -> Action:
        """Put one partial sum into another, or into the element itself."""
        if not self.begins_with_element:
            return Assign(target, f"{self.op}=", value)
        return Assign(target, "=", self._extremum(target, value))

    def _extremum(self, first: Load, second: Load) -> Expr:
        if self.call is not None:
            return Call(self.call.name, (first, second), self.call.type)
        comparison = ">" if self.op == "max" else "<"
        return Select(Binary(comparison, second, first), second, first)
