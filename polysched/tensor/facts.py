"""What is known of sizes and iterators at a point of the program, asked of isl."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import islpy as isl

from polysched.sets import read_set
from polysched.tensor.cfunction import SizeExpr
from polysched.tensor.expr import COMPARISONS, Const, Expr, Op, as_index, is_affine
from polysched.tensor.size import (
    Atom,
    Chosen,
    Extreme,
    FloorDiv,
    Product,
    Size,
    Symbol,
    Wrapped,
    symbol,
)

Verdict = Literal["never", "always", "sometimes"]
NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Loop:
    """An enclosing loop as constraints see it."""

    iterator: str
    start: Size
    stop: Size
    step: int


class Facts:
    """Sizes, enclosing loops and affine conditions at the current point.

    Attributes
    ----------
    parameters : list of str
        Sizes and integer arguments.
    sizes : set of str
        Those that are extents of arrays.
    loops : list of Loop
        Enclosing loops, outermost first.
    fresh : list of str
        Variables that stand for subscripts that wrap around, and for elements of
        arrays, which may be anything.
    data_conditions : list of (Op, bool)
        Comparisons around this point that are not affine, and whether they hold.
    products : dict of str to str
        Products among the parameters, by what isl calls them: as C and Python have it.
        Who uses one demands that its factors are not negative.
    """

    def __init__(self) -> None:
        self.parameters: list[str] = []
        self.sizes: set[str] = set()
        self.loops: list[Loop] = []
        self._conditions: list[str] = []
        self.data_conditions: list[tuple[Op, bool]] = []
        self._global: list[str] = []
        self._n_fresh = 0
        self._answers: dict[tuple[Any, ...], Any] = {}
        self.fresh: list[str] = []
        self.products: dict[str, str] = {}

    @property
    def head(self) -> str:
        """How isl texts over the parameters begin."""
        return f"[{', '.join(self.parameters)}] -> " if self.parameters else ""

    def add_parameter(self, name: str, is_size: bool) -> None:
        """Declare a size (never negative) or an integer argument."""
        self.parameters.append(name)
        if is_size:
            self.sizes.add(name)
            self._global.append(f"{name} >= 0")

    @contextmanager
    def asking(self) -> Iterator[None]:
        """What is added to the facts inside is forgotten."""
        n_before, n_fresh = len(self._conditions), len(self.fresh)
        yield
        del self._conditions[n_before:]
        del self.fresh[n_fresh:]

    @contextmanager
    def inside_loop(self, loop: Loop) -> Iterator[None]:
        """Constraints of a loop hold inside."""
        self.loops.append(loop)
        n_before, n_fresh = len(self._conditions), len(self.fresh)
        name = loop.iterator
        low, high = self.text(loop.start), self.text(loop.stop)
        if loop.step > 0:
            self._conditions.append(f"{low} <= {name} and {name} < {high}")
        else:
            self._conditions.append(f"{high} < {name} and {name} <= {low}")
        if abs(loop.step) > 1:
            self._conditions.append(f"({name} - ({low})) mod {abs(loop.step)} = 0")
        yield
        self.loops.pop()
        del self._conditions[n_before:]
        del self.fresh[n_fresh:]

    @contextmanager
    def where(self, condition: Expr, holds: bool = True) -> Iterator[None]:
        """The parts of a condition hold (or do not) inside."""
        n_before, n_fresh = len(self._conditions), len(self.fresh)
        n_by_data = len(self.data_conditions)
        self._assume(condition, holds)
        yield
        del self._conditions[n_before:]
        del self.fresh[n_fresh:]
        del self.data_conditions[n_by_data:]

    def _assume(self, condition: Expr, holds: bool) -> None:
        if is_affine(condition):
            self._conditions.append(self._condition_text(condition, holds))
        elif isinstance(condition, Op) and condition.op == ("&&" if holds else "||"):
            for operand in condition.operands:
                self._assume(operand, holds)
        elif isinstance(condition, Op) and condition.op == "!":
            self._assume(condition.operands[0], not holds)
        elif isinstance(condition, Op) and condition.op in COMPARISONS:
            self.data_conditions.append((condition, holds))

    def _condition_text(self, condition: Expr, holds: bool) -> str:
        if isinstance(condition, Const):
            return "1 = 1" if bool(condition.value) == holds else "1 = 0"
        assert isinstance(condition, Op)
        if condition.op == "!":
            return self._condition_text(condition.operands[0], not holds)
        if condition.op in COMPARISONS:
            left, right = (as_index(a) for a in condition.operands)
            assert left is not None
            assert right is not None
            op = condition.op if holds else NEGATED[condition.op]
            op = "=" if op == "==" else op
            return f"{self.text(left)} {op} {self.text(right)}"
        word = " and " if (condition.op == "&&") == holds else " or "
        parts = [self._condition_text(a, holds) for a in condition.operands]
        return word.join(f"({p})" for p in parts)

    def text(self, size: Size) -> str:
        """A size in isl's language; what wraps becomes a constrained variable."""
        return self._plain(size).to_text("isl")

    def _plain(self, size: Size) -> Size:
        result = Size((), size.constant)
        for atom, factor in size.terms:
            result = result + self._plain_atom(atom) * factor
        return result

    def _plain_atom(self, atom: Atom) -> Size:
        if isinstance(atom, Symbol):
            return Size(((atom, 1),))
        if isinstance(atom, FloorDiv):
            return Size(((FloorDiv(self._plain(atom.value), atom.divisor), 1),))
        if isinstance(atom, Extreme):
            values = tuple(self._plain(v) for v in atom.values)
            return Size(((Extreme(atom.kind, values), 1),))
        if isinstance(atom, Product):
            return self._plain_product(atom)
        if isinstance(atom, Chosen):
            return self._new_fresh()
        return self._plain_wrapped(atom)

    def _plain_product(self, atom: Product) -> Size:
        """One more unknown; one that iterators are part of may be anything."""
        if not set(atom.factors) <= set(self.parameters):
            return self._new_fresh()
        if atom.name not in self.products:
            self.products[atom.name] = f"({' * '.join(atom.factors)})"
            self.parameters.append(atom.name)
            self._global.append(f"{atom.name} >= 0")
        return symbol(atom.name)

    def _new_fresh(self) -> Size:
        """A variable that nothing is known of yet."""
        self._n_fresh += 1
        name = f"ps_w{self._n_fresh}"
        self.fresh.append(name)
        return symbol(name)

    def _plain_wrapped(self, atom: Wrapped) -> Size:
        value, extent = self.text(atom.value), self.text(atom.extent)
        found = self._new_fresh()
        name = found.to_text("isl")
        self._conditions.append(
            f"(({value} < 0 and {name} = {value} + {extent}) or "
            f"({value} >= 0 and {name} = {value}))"
        )
        return found

    def domain(self, extra: list[str], variables: list[str] | None = None) -> isl.Set:
        """Values of iterators (and further variables) at this point."""
        names = [loop.iterator for loop in self.loops] + (variables or [])
        conditions = [*self._global, *self._conditions, *extra] or ["1 = 1"]
        body = " and ".join(f"({c})" for c in conditions)
        if self.fresh:
            body = f"exists ({', '.join(self.fresh)} : {body})"
        return read_set(f"{self.head}{{ [{', '.join(names)}] : {body} }}")

    def sizes_where(self, *conditions: str, variables: tuple[str, ...] = ()) -> isl.Set:
        """Sizes for which the conditions hold somewhere at this point."""
        return self.domain(list(conditions), list(variables)).params()

    def ask(self, left: Size, op: str, right: Size | int) -> Verdict:
        """Whether a comparison holds at this point."""
        gap = left - right
        if gap.is_constant:
            value = gap.constant
            holds = {
                "<": value < 0, "<=": value <= 0, ">": value > 0, ">=": value >= 0,
                "==": value == 0, "!=": value != 0,
            }[op]  # fmt: skip
            return "always" if holds else "never"
        key = self._key("ask", gap, op)
        if key not in self._answers:
            with self.asking():
                self._answers[key] = self._ask(self.text(gap), op)
        verdict: Verdict = self._answers[key]
        return verdict

    def _ask(self, text: str, op: str) -> Verdict:
        if self.domain([f"{text} {_isl(NEGATED[op])} 0"]).is_empty():
            return "always"
        can_hold = not self.domain([f"{text} {_isl(op)} 0"]).is_empty()
        return "sometimes" if can_hold else "never"

    def _key(self, question: str, gap: Size, op: str) -> tuple[Any, ...]:
        """The question and all that its answer depends on."""
        names = tuple(loop.iterator for loop in self.loops)
        known = (*self.parameters, "", *self._conditions, "", *self.fresh)
        return (question, gap, op, names, known)

    def is_always(self, left: Size, op: str, right: Size | int) -> bool:
        """Whether a comparison holds for all sizes and iterators at this point."""
        return self.ask(left, op, right) == "always"

    def is_certain(self, left: Size, op: str, right: Size | int) -> bool:
        """`is_always`, and False for what is not known here (axes of a view)."""
        names = {*self.parameters, *(p.iterator for p in self.loops)}
        gap = left - right
        return set(gap.symbols()) <= names and self.is_always(left, op, right)

    def condition_for(self, left: Size, op: str, right: Size | int) -> SizeExpr | bool:
        """For which sizes a comparison holds at this point in all iterations.

        True when it always does, False when it does for no sizes (that let the
        program come here at all), else the condition on sizes.
        """
        gap = left - right
        if gap.is_constant:
            return self.ask(left, op, right) == "always"
        key = self._key("for", gap, op)
        if key not in self._answers:
            with self.asking():
                self._answers[key] = self._condition_for(self.text(gap), op)
        found: SizeExpr | bool = self._answers[key]
        return found

    def _condition_for(self, text: str, op: str) -> SizeExpr | bool:
        bad = self.sizes_where(f"{text} {_isl(NEGATED[op])} 0")
        if bad.is_empty():
            return True
        valid = self._valid()
        if not self.parameters or valid.is_subset(bad):
            return False
        good = bad.complement().intersect(valid).coalesce()
        if good.is_empty():
            return False
        found = size_condition(good.gist(valid), valid)
        return SizeExpr(self._with_products(found.python), self._with_products(found.c))

    def _with_products(self, text: str) -> str:
        """A text with products in place of their names."""
        return re.sub(r"\bps_times_\w+", lambda m: self.products[m[0]], text)

    def _valid(self) -> isl.Set:
        body = " and ".join(self._global) or "1 = 1"
        return read_set(f"{self.head}{{ : {body} }}")

    def overlap(
        self, writes: tuple[Size, ...], reads: tuple[Size, ...], loops: list[Loop]
    ) -> bool:
        """Whether a later iteration of `loops` may read what an earlier one wrote.

        Both are subscripts of the same array in the current iteration of the
        enclosing loops; `loops` run inside them and are not entered.
        """
        ours = {p.iterator: symbol(f"ps_{p.iterator}_w") for p in loops}
        theirs = {p.iterator: symbol(f"ps_{p.iterator}_r") for p in loops}
        with self.asking():
            conditions = []
            for names in (ours, theirs):
                for loop in loops:
                    name = names[loop.iterator].to_text("isl")
                    start = self.text(loop.start.substitute(names))
                    stop = self.text(loop.stop.substitute(names))
                    conditions.append(f"{start} <= {name} and {name} < {stop}")
            for write, read in zip(writes, reads, strict=True):
                one, two = write.substitute(ours), read.substitute(theirs)
                conditions.append(f"{self.text(one)} = {self.text(two)}")
            orders = []
            for k, loop in enumerate(loops):
                same = [f"ps_{p.iterator}_w = ps_{p.iterator}_r" for p in loops[:k]]
                later = f"ps_{loop.iterator}_w < ps_{loop.iterator}_r"
                orders.append(" and ".join([*same, later]))
            conditions.append(" or ".join(f"({o})" for o in orders) or "1 = 0")
            ends = ("_w", "_r")
            variables = [f"ps_{p.iterator}{end}" for p in loops for end in ends]
            return not self.domain(conditions, variables).is_empty()


def _isl(op: str) -> str:
    return "=" if op == "==" else op


def size_condition(holds: isl.Set, context: isl.Set) -> SizeExpr:
    """A set of sizes as a condition in C and Python."""
    build = isl.AstBuild.from_context(context)
    text = build.expr_from_set(holds).to_C_str()
    c = _rewrite(text, "floord", "(({0}) - (({0}) % {1} + {1}) % {1}) / {1}")
    c = _rewrite(c, "min", "(({0}) < ({1}) ? ({0}) : ({1}))")
    c = _rewrite(c, "max", "(({0}) > ({1}) ? ({0}) : ({1}))")
    python = _rewrite(text, "floord", "(({0}) // {1})")
    return SizeExpr(python.replace("&&", "and").replace("||", "or"), c)


def _rewrite(text: str, name: str, pattern: str) -> str:
    """Calls of a function of two arguments replaced, inner ones too."""
    while True:
        match = re.search(rf"\b{name}\(", text)
        if match is None:
            return text
        arguments, end = _arguments(text, match.end())
        text = text[: match.start()] + pattern.format(*arguments) + text[end:]


def _arguments(text: str, start: int) -> tuple[list[str], int]:
    """The arguments of a call and where it ends."""
    depth, parts, begin = 0, [], start
    for k in range(start, len(text)):
        if text[k] == "(":
            depth += 1
        elif text[k] == ")" and depth:
            depth -= 1
        elif text[k] in ",)" and not depth:
            parts.append(text[begin:k].strip())
            begin = k + 1
            if text[k] == ")":
                return parts, k + 1
    raise AssertionError(text)
