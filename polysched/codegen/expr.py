"""Our expressions as C text, with iterators replaced and arrays spelled as stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from polysched.base import CodegenError
from polysched.codegen.calls import CALL_MACROS
from polysched.codegen.ctext import (
    POSTFIX,
    PRIMARY,
    UNARY,
    Text,
    binary,
    call,
    cast,
    parse_text,
    select,
    unary,
)
from polysched.codegen.linear import Linear, StoragePlace
from polysched.codegen.macros import Macros
from polysched.ir import (
    Array,
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    Iter,
    Load,
    Local,
    Lookup,
    Param,
    ScalarType,
    Select,
    Unary,
    promote,
    walk,
)
from polysched.ir.expr import COMPARISONS

_LITERAL = re.compile(r"[\w.']+|\d[\w.]*[eEpP][+-]\d+\w*")


@dataclass(frozen=True)
class Bound:
    """What an iterator of a statement stands for in generated code.

    Attributes
    ----------
    value : Linear
        Its value over the generated iterators and the parameters.
    type : ScalarType or None
        C type of that text; None when it is the iterator's own.
    """

    value: Linear
    type: ScalarType | None = None

    def has_type_of(self, iterator: ScalarType) -> bool:
        """Whether C computes with it as with the iterator itself."""
        return self.type is None or self.type == promote(iterator)


@dataclass(frozen=True)
class Spelling:
    """How an array is written in C.

    Attributes
    ----------
    name : str
        The C object.
    kept : tuple of int or None
        Positions of the subscripts that are written; None for all.
    pitches : tuple of Expr
        As in `Array.pitches`.
    """

    name: str
    kept: tuple[int, ...] | None = None
    pitches: tuple[Expr, ...] = ()

    @classmethod
    def of(cls, array: Array) -> Spelling:
        """An array as the user's program has it."""
        kept = tuple(range(array.n_expanded, array.n_dim)) if array.n_expanded else None
        return cls(array.base, kept, array.pitches)


@dataclass(frozen=True)
class ExprPrinter:
    """Prints expressions of one statement instance.

    Attributes
    ----------
    iterators : mapping of str to Bound
        What to write for iterators; a missing one keeps its name.
    arrays : mapping of str to Spelling
        How to write arrays; a missing one keeps its name and subscripts.
    offsets : mapping of (array or load, subscript position) to Linear
        Subtracted from subscripts: lower bounds of temporary storage. An array of
        which one load has offsets of its own has them for each.
    parameters : mapping of str to Text
        What to write for parameters; a missing one keeps its name.
    index_parameters : mapping of str to Text
        The same inside subscripts, where the value has to be signed.
    macros : Macros, optional
        Spells functions that compilers would call; without it they are called.
    """

    iterators: Mapping[str, Bound] = field(default_factory=dict)
    arrays: Mapping[str, Spelling] = field(default_factory=dict)
    offsets: Mapping[StoragePlace, Linear] = field(default_factory=dict)
    parameters: Mapping[str, Text] = field(default_factory=dict)
    index_parameters: Mapping[str, Text] = field(default_factory=dict)
    macros: Macros | None = None

    def value(self, expr: Expr) -> Text:
        """The expression where its C type matters."""
        match expr:
            case Const(_, _, text):
                return _literal(text)
            case Iter(name, type_):
                return self._iterator(name, type_)
            case Param(name, _):
                return self.parameters.get(name, Text(name))
            case Load():
                return self.load(expr)
            case Local(name, _):
                return Text(name)
        folded = self._fold(expr)
        return self._operation(expr) if folded is None else folded.to_text()

    def _operation(self, expr: Expr) -> Text:
        match expr:
            case Unary(op, operand):
                return unary(op, self.value(operand))
            case Binary(op, left, right):
                known = self._decide(expr)
                if known is not None:
                    return Text(str(int(known)))
                return binary(op, self.value(left), self.value(right))
            case Call(name, args, _, is_own=is_own):
                texts = [self.value(a) for a in args]
                if self.macros is None or is_own or name not in CALL_MACROS:
                    return call(name, texts)
                return self.macros.call(name, *texts)
            case Lookup(array, subscripts, type_):
                return self.load(Load(array, subscripts, type_))
            case Cast(type_, Iter(name, _)) if name in self.iterators:
                return cast(type_.name, self.iterators[name].value.to_text())
            case Cast(type_, operand):
                return cast(type_.name, self.value(operand))
            case Select(cond, then, other):
                known = self._decide(cond)
                if known is not None and then.dtype == other.dtype:
                    return self.value(then if known else other)
                return select(self.value(cond), self.value(then), self.value(other))
        raise AssertionError(f"no such expression: {expr!r}")

    def _decide(self, expr: Expr) -> bool | None:
        """What a comparison of integers says whose sides are one text here."""
        if not isinstance(expr, Binary) or expr.op not in COMPARISONS:
            return None
        left, right = expr.left, expr.right
        if left.dtype != right.dtype or left.dtype.is_float:
            return None
        if any(isinstance(e, Call) for e in walk(left)):
            return None
        is_same = self.value(left).text == self.value(right).text
        return expr.op in ("==", "<=", ">=") if is_same else None

    def load(self, expr: Load) -> Text:
        """One array element or scalar, readable or assignable."""
        spelling = self.arrays.get(expr.array, Spelling(expr.array))
        n_subscripts = len(expr.subscripts)
        kept = range(n_subscripts) if spelling.kept is None else spelling.kept
        subscripts = [self.subscript(expr, k) for k in kept]
        if spelling.pitches and subscripts:
            subscripts = [self._flattened(subscripts, spelling.pitches)]
        if not subscripts:
            name = spelling.name
            return Text(name, UNARY if name.startswith("*") else PRIMARY)
        brackets = "".join(f"[{s.to_text()}]" for s in subscripts)
        return Text(spelling.name + brackets, POSTFIX)

    def subscript(self, expr: Load, position: int) -> Linear:
        """One subscript as a sum, shifted to where its storage begins."""
        plain = self.index(expr.subscripts[position])
        offset = self.offsets.get((expr, position))
        if offset is None:
            offset = self.offsets.get((expr.array, position))
        if offset is not None:
            return plain.plus(offset, -1)
        if any(isinstance(e, Load) and e.array == expr.array for e, _ in self.offsets):
            raise CodegenError(f"no place is known for an element of {expr.array}")
        return plain

    def index(self, expr: Expr) -> Linear:
        """An integer expression where only its mathematical value matters."""

        def leaf(e: Expr) -> Linear | None:
            match e:
                case Iter(name, _):
                    bound = self.iterators.get(name)
                    return bound.value if bound else Linear.atom(Text(name))
                case Param(name, _):
                    text = self.index_parameters.get(name) or self.value(e)
                    return Linear.atom(text)
            return Linear.atom(self.value(e))

        total = _linear(expr, leaf)
        assert total is not None
        return total

    def divides(self, quotient: Binary) -> bool:
        """Whether a division by a number leaves nothing over, by what is printed."""
        right = quotient.right
        if quotient.dtype.is_float or not isinstance(right, Const):
            return False
        return self.index(quotient.left).divided(int(right.value)) is not None

    def _flattened(self, subscripts: list[Linear], pitches: tuple[Expr, ...]) -> Linear:
        total = Linear()
        for subscript, pitch in zip(subscripts, pitches, strict=False):
            weight = self.index(pitch)
            is_wide = pitch.dtype.n_bytes > 4 and not subscript.is_constant
            if weight.is_constant and is_wide:
                many = Text(f"{weight.constant}L")
                total = total.plus(Linear.atom(binary("*", subscript.to_text(), many)))
            elif weight.is_constant:
                total = total.plus(subscript.times(weight.constant))
            elif subscript.is_constant:
                total = total.plus(weight.times(subscript.constant))
            else:
                product = binary("*", subscript.to_text(), weight.to_text())
                total = total.plus(Linear.atom(product))
        return total.plus(subscripts[-1])

    def _iterator(self, name: str, type_: ScalarType) -> Text:
        bound = self.iterators.get(name)
        if bound is None:
            return Text(name)
        text = bound.value.to_text()
        return text if bound.has_type_of(type_) else cast(type_.name, text)

    def _fold(self, expr: Expr) -> Linear | None:
        """The sum of an integer expression with substituted iterators, types equal."""
        bounds = {e.name for e in walk(expr) if isinstance(e, Iter)} & set(
            self.iterators
        )
        if not any(_is_shifted(self.iterators[name].value) for name in bounds):
            return None

        def leaf(e: Expr) -> Linear | None:
            match e:
                case Iter(name, type_) if name in self.iterators:
                    bound = self.iterators[name]
                    return bound.value if bound.has_type_of(type_) else None
                case Param(name, _):
                    return Linear.atom(self.value(e))
            return None

        leaves = [e for e in walk(expr) if isinstance(e, Const | Iter | Param)]
        if any(promote(e.dtype) != expr.dtype for e in leaves):
            return None
        return _linear(expr, leaf)


def _is_shifted(value: Linear) -> bool:
    """Whether the value is more than one plain name."""
    return value.is_constant or bool(value.constant) or not value.is_simple


def _linear(expr: Expr, leaf: Callable[[Expr], Linear | None]) -> Linear | None:
    """Sum of a ``+ - *`` tree; `leaf` says what the rest is, or None to give up."""
    match expr:
        case Const(int(value), type_, _) if not type_.is_float:
            return Linear((), value)
        case Unary("-" | "+" as op, operand):
            inner = _linear(operand, leaf)
            return None if inner is None else inner.times(-1 if op == "-" else 1)
        case Binary("+" | "-" as op, left, right):
            a, b = _linear(left, leaf), _linear(right, leaf)
            if a is None or b is None:
                return None
            return a.plus(b, 1 if op == "+" else -1)
        case Binary("*", left, right):
            a, b = _linear(left, leaf), _linear(right, leaf)
            if a is None or b is None:
                return None
            if a.is_constant:
                return b.times(a.constant)
            return a.times(b.constant) if b.is_constant else leaf(expr)
        case Binary("/", left, Const(int(value), type_, _)) if not type_.is_float:
            whole = _linear(left, leaf)
            shared = None if whole is None else whole.divided(value)
            return leaf(expr) if shared is None else shared
    return leaf(expr)


def _literal(text: str) -> Text:
    if _LITERAL.fullmatch(text):
        return Text(text)
    return Text(text, UNARY if _LITERAL.fullmatch(text.lstrip("-+")) else 0)


def print_expr(expr: Expr, rename: Mapping[str, str] | None = None) -> str:
    """An expression as C text.

    Parameters
    ----------
    expr : Expr
        What to print.
    rename : mapping of str to str, optional
        C text to write for iterators and parameters (put in parentheses where needed)
        and names to write for arrays.
    """
    return renaming_printer(rename or {}).value(expr).text


def renaming_printer(rename: Mapping[str, str]) -> ExprPrinter:
    """A printer that knows nothing but new names."""
    texts = {name: parse_text(text) for name, text in rename.items()}
    return ExprPrinter(
        iterators={name: Bound(Linear.atom(text)) for name, text in texts.items()},
        arrays={name: Spelling(text) for name, text in rename.items()},
        parameters=texts,
    )
