"""Random imperative programs on NumPy arrays, as Python text.

Views of views, overlapping slices, in-place operations, loops, branches, exchanged and
rebound arrays. Sizes are known while a program is written, so that every subscript is
valid; half of the programs are then read with symbolic sizes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from tests.fuzz.tensor_expressions import (
    SIZES,
    Array,
    Dim,
    ExpressionWriter,
    Loop,
    Scope,
    fits_type,
)

N_ARRAYS = 4
_BARE = re.compile(r"(\w+)(\[[^\]]*\])*(\.T)?")  # a view of an array, nothing computed


def blend(a, b):
    """Called by programs, and read in place."""
    c = a * 2
    for _ in range(2):
        c = c + b
    return np.maximum(c, b)


def shift_in(target, value):
    """Called by programs; changes its argument."""
    target[1:] = target[:-1]
    target[0] = value


@dataclass(frozen=True)
class Program:
    """A function's text and how to call it."""

    seed: int
    text: str
    arguments: dict[str, tuple[str, tuple[str, ...]]]  # dtype, size names
    is_symbolic: bool


class Writer(ExpressionWriter):
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.seed = seed
        self.lines: list[str] = []
        self.n_names = 0

    def program(self) -> Program:
        r = self.random
        dims = {k: Dim(k, 0, v) for k, v in SIZES.items()}
        arrays, arguments = [], {}
        for k in range(N_ARRAYS):
            rank = r.choice([1, 2, 2, 2]) if k else 2
            bases = [r.choice("NM") for _ in range(rank)] if k else ["N", "M"]
            dtype = self.dtype if r.random() < 0.9 else "float64"
            if k == 0:
                dtype = self.dtype
            name = "ABCD"[k]
            shape = tuple(dims[b] for b in bases)
            arrays.append(Array(name, dtype, shape, is_argument=True))
            arguments[name] = (dtype, tuple(bases))
        self.lines.append("N, M = A.shape")
        scope = Scope(arrays, ["alpha"])
        for _ in range(r.randint(2, 5)):
            self.statement(scope, 1)
        self.returned(scope)
        body = "\n".join(f"    {line}" for line in self.lines)
        names = ", ".join([*arguments, "alpha"])
        text = f"def f{self.seed}({names}):\n{body}\n"
        return Program(self.seed, text, arguments, r.random() < 0.5)

    def fresh(self, letter: str) -> str:
        self.n_names += 1
        return f"{letter}{self.n_names}"

    def add(self, depth: int, text: str) -> None:
        self.lines.append("    " * (depth - 1) + text)

    # ---- statements

    def statement(self, scope: Scope, depth: int) -> None:
        r = self.random
        choices = [self.write] * 5 + [self.augment] * 3 + [self.element] * 3
        if depth < 4:
            choices += [self.loop] * 3 + [self.branch] * 2
        choices += [self.scalar] * 2 + [self.exchange_elements]
        if depth == 1:
            choices += [self.view] * 3 + [self.new] * 2 + [self.exchange_loop]
        choices += [self.rebind] * 2 + [self.call] + [self.masked] * 2
        if scope.loops:
            choices += [self.triangle] * 2
        r.choice(choices)(scope, depth)

    def block(self, scope: Scope, depth: int, n: int) -> None:
        before = len(self.lines)
        for _ in range(n):
            self.statement(scope, depth)
        if len(self.lines) == before:
            self.add(depth, "pass")

    def write(self, scope: Scope, depth: int) -> None:
        array = self.random.choice(scope.arrays)
        text, shape = self.region(array, scope)
        value = self.expression(scope, shape, 2, array.dtype)
        names = {a.name for a in scope.arrays}
        if len(shape) == 1 and (bare := _BARE.fullmatch(value)) and bare[1] in names:
            value += ".copy()"  # of overlapping rows NumPy reads what it has written
        self.add(depth, f"{text} = {value}")

    def augment(self, scope: Scope, depth: int) -> None:
        array = self.random.choice(scope.arrays)
        text, shape = self.region(array, scope)
        op = self.random.choice(["+=", "-=", "*="])
        value = self.expression(scope, shape, 1, array.dtype)
        if shape and self.random.random() < 0.2 and len(shape) == len(array.shape):
            text = array.name
            value = self.expression(scope, array.shape, 1, array.dtype)
        self.add(depth, f"{text} {op} {value}")

    def masked(self, scope: Scope, depth: int) -> None:
        """An assignment to the elements that a comparison chooses."""
        array = self.random.choice(scope.arrays)
        text, shape = self.region(array, scope)
        left = self.matching(scope, shape, array.dtype, exact=True)
        other = self.matching(scope, shape, array.dtype, exact=True)
        if not shape or left is None or other is None:
            return
        mask = f"{left} {self.random.choice(['>', '<=', '!='])} {self.number()}"
        values = [
            self.number(), f"{other}[{mask}] * {self.number()}",
            f"{other}[{mask}] + {text}[{mask}]", f"np.abs({other}[{mask}])",
        ]  # fmt: skip
        op = self.random.choice(["=", "=", "+="])
        self.add(depth, f"{text}[{mask}] {op} {self.random.choice(values)}")

    def element(self, scope: Scope, depth: int) -> None:
        array = self.random.choice(scope.arrays)
        text = self.element_text(array, scope)
        value = self.expression(scope, (), 2, array.dtype)
        self.add(depth, f"{text} {self.random.choice(['=', '=', '+='])} {value}")

    def exchange_elements(self, scope: Scope, depth: int) -> None:
        array = self.random.choice(scope.arrays)
        one, two = (self.element_text(array, scope) for _ in range(2))
        self.add(depth, f"{one}, {two} = {two}, {one} + 1")

    def loop(self, scope: Scope, depth: int) -> None:
        r = self.random
        name = self.fresh("i")
        base = r.choice(["N", "M", ""])
        low = r.randint(0, 2)
        if base:
            down = r.randint(-1, 2)
            high, text = SIZES[base] - down, f"{base} - {down}"
            if down < 0:
                high, text = SIZES[base], base
        else:
            high = low + r.randint(1, 4)
            text = str(high)
        header = f"range({low}, {text})"
        if r.random() < 0.2:
            header = f"range({low}, {text}, 2)"
        elif r.random() < 0.2:
            header = f"range({text} - 1, {low} - 1, -1)"
        self.add(depth, f"for {name} in {header}:")
        inner = Scope(
            scope.arrays, list(scope.scalars),
            [*scope.loops, Loop(name, base, low, high)], depth, scope.in_branch,
        )  # fmt: skip
        if r.random() < 0.15:
            self.add(depth + 1, f"if {self.condition(inner)}:")
            self.statement(inner, depth + 2)
            self.add(depth + 2, "continue")
        self.block(inner, depth + 1, r.randint(1, 3))

    def branch(self, scope: Scope, depth: int) -> None:
        self.add(depth, f"if {self.condition(scope)}:")
        inner = Scope(
            scope.arrays, list(scope.scalars), scope.loops, scope.depth, in_branch=True
        )
        self.block(inner, depth + 1, self.random.randint(1, 2))
        if self.random.random() < 0.5:
            self.add(depth, "else:")
            inner.scalars = list(scope.scalars)
            self.block(inner, depth + 1, 1)

    def condition(self, scope: Scope) -> str:
        r = self.random
        if scope.loops and r.random() < 0.6:
            name = r.choice(scope.loops).name
            return r.choice(
                [f"{name} % 2 == 0", f"{name} > 2", f"{name} != 3", f"1 < {name} <= 4"]
            )
        if r.random() < 0.2:
            return r.choice(["N > 4", "M % 3 == 2", "alpha > 0"])
        array = r.choice(scope.arrays)
        return f"{self.element_text(array, scope)} > {r.choice(['0', '1', 'alpha'])}"

    def scalar(self, scope: Scope, depth: int) -> None:
        dtype = self.dtype
        value = self.expression(scope, (), 2, dtype)
        own = [s for s in scope.scalars if s != "alpha"]
        if own and self.random.random() < 0.6:
            op = self.random.choice(["+=", "=", "-="])
            self.add(depth, f"{self.random.choice(own)} {op} {value}")
            return
        name = self.fresh("s")
        start = "" if dtype == "int64" else "0.0 + "
        self.add(depth, f"{name} = {start}{value}")
        scope.scalars.append(name)

    def view(self, scope: Scope, depth: int) -> None:
        array = self.random.choice(scope.arrays)
        text, shape = self.region(array, scope, can_drop=len(array.shape) > 1)
        if not shape:
            return
        if len(shape) == 2 and self.random.random() < 0.3:
            text, shape = f"{text}.T", shape[::-1]
        name = self.fresh("v")
        self.add(depth, f"{name} = {text}")
        scope.arrays.append(Array(name, array.dtype, shape, is_fixed=True))
        array.is_fixed = True

    def new(self, scope: Scope, depth: int) -> None:
        array = self.random.choice(scope.arrays)
        _, shape = self.region(array, scope)
        if not shape:
            shape = array.shape
        value = self.expression(scope, shape, 2, array.dtype)
        pick = self.random.random()
        if pick < 0.2:
            value, shape = f"np.zeros_like({array.name})", array.shape
        elif pick < 0.4:
            value, shape = f"{array.name}.copy()", array.shape
        else:
            like = self.matching(scope, shape, array.dtype, exact=True)
            if like is None:
                value, shape = f"{array.name} * 2", array.shape
            else:
                value = f"np.zeros_like({like}) + ({value})"
        name = self.fresh("t")
        self.add(depth, f"{name} = {value}")
        scope.arrays.append(Array(name, array.dtype, shape))

    def exchange_loop(self, scope: Scope, depth: int) -> None:
        pairs = [
            (a, b)
            for a in scope.arrays for b in scope.arrays
            if a.name < b.name and (a.shape, a.dtype) == (b.shape, b.dtype)
        ]  # fmt: skip
        if not pairs:
            return
        one, two = self.random.choice(pairs)
        name = self.fresh("i")
        self.add(depth, f"for {name} in range(0, {self.random.randint(0, 4)}):")
        text, shape = self.region(one, scope)
        value = self.expression(scope, shape, 2, one.dtype)
        self.add(depth + 1, f"{text} = {value}")
        self.add(depth + 1, f"{one.name}, {two.name} = {two.name}, {one.name}")

    def rebind(self, scope: Scope, depth: int) -> None:
        """A name means another array from now on, perhaps in one branch only."""
        own = [a for a in scope.arrays if a.name[0] == "t" and not a.is_fixed]
        if not own:
            return
        array = self.random.choice(own)
        pick = self.random.random()
        like = [
            a.name for a in scope.arrays
            if a is not array and (a.shape, a.dtype) == (array.shape, array.dtype)
        ]  # fmt: skip
        if pick < 0.25 and like:
            value = self.random.choice(like)  # two names for one array
        elif pick < 0.5 and like:
            value = f"{self.random.choice(like)} + {array.name}"
        elif pick < 0.75 or array.dtype == "int64":
            value = f"np.where({array.name} > 1, {array.name} - 1, {array.name})"
        else:
            value = f"{array.name} * 0.5 + {self.number()}"
        self.add(depth, f"{array.name} = {value}")

    def call(self, scope: Scope, depth: int) -> None:
        """A call of a function that is read in place."""
        array = self.random.choice(scope.arrays)
        if self.random.random() < 0.5:
            value = self.expression(scope, array.shape[1:], 1, array.dtype)
            self.add(depth, f"shift_in({array.name}, {value})")
            return
        text, shape = self.region(array, scope)
        one = self.matching(scope, shape, array.dtype, exact=True)
        if one is None or not shape:
            return
        two = self.expression(scope, shape, 1, array.dtype)
        self.add(depth, f"{text} = blend({one}, {two})")

    def triangle(self, scope: Scope, depth: int) -> None:
        """Slices that end at a loop's variable."""
        loop = self.random.choice(scope.loops)
        vectors = []
        for array in scope.arrays:
            dim = array.shape[-1]
            if loop.base in ("", dim.base) and loop.high <= dim.value:
                lead = [self.index(d, scope) for d in array.shape[:-1]]
                vectors.append((array, lead))
        if len(vectors) < 2:
            return
        (one, first), (two, second) = self.random.sample(vectors, 2)
        if not fits_type(two.dtype, one.dtype):
            return
        end = self.random.choice([f":{loop.name}", f"{loop.name}:{loop.high}"])
        if loop.base:
            end = f":{loop.name}"
        left = f"{one.name}[{', '.join([*first, end])}]"
        right = f"{two.name}[{', '.join([*second, end])}]"
        back = "[::-1]" if self.random.random() < 0.3 else ""
        op = self.random.choice(["=", "+="])
        self.add(depth, f"{left} {op} {right}{back} * {self.number()}")

    def returned(self, scope: Scope) -> None:
        names = [a.name for a in scope.arrays if not a.is_argument]
        names += [s for s in scope.scalars if s != "alpha"]
        if names:
            self.add(1, f"return {', '.join(names)},")


def random_program(seed: int) -> Program:
    """Program number `seed`."""
    return Writer(seed).program()
