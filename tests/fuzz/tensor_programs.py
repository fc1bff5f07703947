"""Random imperative programs on NumPy arrays, as Python text.

Views of views, overlapping slices, in-place operations, loops, branches, exchanged and
rebound arrays. Sizes are known while a program is written, so that every subscript is
valid; half of the programs are then read with symbolic sizes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

SIZES = {"N": 9, "M": 8}
N_ARRAYS = 4


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
class Dim:
    """``base + shift`` elements; `base` names a size or is a text of its own."""

    base: str
    shift: int
    value: int


@dataclass(eq=False)
class Array:
    name: str
    dtype: str
    shape: tuple[Dim, ...]
    is_argument: bool = False
    is_fixed: bool = False  # not rebound, not exchanged


@dataclass
class Loop:
    name: str
    base: str  # "" for constant bounds
    low: int
    high: int  # exclusive


@dataclass
class Scope:
    arrays: list[Array]
    scalars: list[str]
    loops: list[Loop] = field(default_factory=list)
    depth: int = 0
    in_branch: bool = False


@dataclass(frozen=True)
class Program:
    """A function's text and how to call it."""

    seed: int
    text: str
    arguments: dict[str, tuple[str, tuple[str, ...]]]  # dtype, size names
    is_symbolic: bool


class Writer:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.lines: list[str] = []
        self.n_names = 0
        self.dtype = self.random.choice(["float64"] * 4 + ["float32", "int64"])

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
        choices += [self.rebind] * 2 + [self.call]
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
        if not _fits_type(two.dtype, one.dtype):
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

    # ---- regions and elements

    def index(self, dim: Dim, scope: Scope) -> str:
        r = self.random
        if scope.loops and r.random() < 0.8:
            loop = r.choice(scope.loops)
            low, high = -loop.low, dim.value - loop.high
            if loop.base not in ("", dim.base):
                low, high = 1, 0
            if low <= high:
                shift = r.randint(max(low, -2), min(high, 2)) if max(low, -2) <= min(
                    high, 2) else low  # fmt: skip
                if r.random() < 0.15 and dim.value > 4:
                    shift = max(shift - 2, -loop.low - dim.value)  # may wrap around
                return f"{loop.name}{shift:+d}" if shift else loop.name
        return str(r.choice([0, 1, 2, -1, -2]) if dim.value > 2 else 0)

    def element_text(self, array: Array, scope: Scope) -> str:
        inner = ", ".join(self.index(d, scope) for d in array.shape)
        return f"{array.name}[{inner}]"

    def cut(self, dim: Dim) -> tuple[str, Dim]:
        r = self.random
        if dim.value < 4 or r.random() < 0.3:
            return r.choice([(":", dim), ("::-1", dim)])
        if r.random() < 0.15:
            half = (dim.value + 1) // 2
            return "::2", Dim(f"half({dim.base}{dim.shift:+d})", 0, half)
        front = r.randint(0, min(2, dim.value - 2))
        back = r.randint(0, min(2, dim.value - 2 - front))
        small = Dim(dim.base, dim.shift - front - back, dim.value - front - back)
        return f"{front or ''}:{-back or ''}", small

    def region(
        self, array: Array, scope: Scope, can_drop: bool = True
    ) -> tuple[str, tuple[Dim, ...]]:
        items, shape = [], []
        for dim in array.shape:
            if can_drop and self.random.random() < 0.25:
                items.append(self.index(dim, scope))
                continue
            text, small = self.cut(dim)
            items.append(text)
            shape.append(small)
        if not shape and self.random.random() < 0.7:
            text, small = self.cut(array.shape[-1])
            items[-1] = text
            shape.append(small)
        return f"{array.name}[{', '.join(items)}]", tuple(shape)

    def fit(self, dim: Dim, target: Dim) -> str | None:
        """A slice of an axis with as many elements as the target."""
        if dim.base != target.base or dim.shift < target.shift:
            return None
        gap = dim.shift - target.shift
        front = self.random.randint(0, gap)
        back = gap - front
        text = f"{front or ''}:{-back or ''}"
        if self.random.random() < 0.15:
            stop = f"{front - 1}" if front else ""
            return f"{-back - 1 if back else ''}:{stop}:-1"
        return text

    def matching(
        self, scope: Scope, shape: tuple[Dim, ...], dtype: str, exact: bool = False
    ) -> str | None:
        """A view that broadcasts to a shape."""
        arrays = [a for a in scope.arrays if _fits_type(a.dtype, dtype)]
        self.random.shuffle(arrays)
        for array in arrays:
            rank = len(array.shape)
            for n_dropped in (0, 1, 2):
                n = rank - n_dropped
                if n < 0 or n > len(shape) or (exact and n != len(shape)):
                    continue
                pairs = zip(
                    array.shape[n_dropped:], shape[len(shape) - n :], strict=True
                )
                cuts = [self.fit(d, t) for d, t in pairs]
                if None in cuts:
                    continue
                drops = [self.index(d, scope) for d in array.shape[:n_dropped]]
                items = [*drops, *(c or ":" for c in cuts)]
                return f"{array.name}[{', '.join(items)}]" if items else None
            if rank == 2 and len(shape) == 2:
                cuts = [
                    self.fit(d, t)
                    for d, t in zip(array.shape, shape[::-1], strict=True)
                ]
                if None not in cuts:
                    return f"{array.name}[{cuts[0]}, {cuts[1]}].T"
        return None

    # ---- expressions

    def number(self) -> str:
        if self.dtype == "int64":
            return str(self.random.randint(-3, 3))
        return self.random.choice(["0.5", "2", "1.5", "-1", "0.25"])

    def leaf(self, scope: Scope, shape: tuple[Dim, ...], dtype: str) -> str:
        r = self.random
        pick = r.random()
        if pick < 0.7:
            found = self.matching(scope, shape, dtype)
            if found:
                return found
        if pick < 0.8 and scope.loops:
            return r.choice(scope.loops).name
        if pick < 0.9 and scope.scalars:
            return r.choice(scope.scalars)
        return self.number()

    def expression(
        self, scope: Scope, shape: tuple[Dim, ...], depth: int, dtype: str
    ) -> str:
        r = self.random
        if depth == 0 or r.random() < 0.15:
            return self.leaf(scope, shape, dtype)
        one = self.expression(scope, shape, depth - 1, dtype)
        two = self.expression(scope, shape, depth - 1, dtype)
        pick = r.random()
        if pick < 0.55:
            return f"({one} {r.choice('+-*+-')} {two})"
        if pick < 0.65:
            return f"np.{r.choice(['maximum', 'minimum'])}({one}, {two})"
        if pick < 0.72:
            return f"np.where({one} {r.choice(['>', '<=', '=='])} {two}, {two}, {one})"
        if pick < 0.8:
            return f"{r.choice(['np.abs', '-', 'np.negative'])}({one})"
        if pick < 0.85 and dtype != "int64":
            return f"np.sqrt(np.abs({one}))"
        if pick < 0.9:
            return self.modular(one)
        return self.reduced(scope, shape, dtype) or f"({one} + {two})"

    def modular(self, one: str) -> str:
        divisor = self.random.choice(["3", "2", "-3"])
        return f"({one} {self.random.choice(['%', '//'])} {divisor})"

    def reduced(self, scope: Scope, shape: tuple[Dim, ...], dtype: str) -> str | None:
        """A sum or extreme over an axis of something larger, or a product."""
        r = self.random
        for array in r.sample(scope.arrays, len(scope.arrays)):
            if array.dtype != dtype or len(array.shape) != len(shape) + 1:
                continue
            axis = r.randrange(len(array.shape))
            rest = [d for k, d in enumerate(array.shape) if k != axis]
            cuts = [self.fit(d, t) for d, t in zip(rest, shape, strict=True)]
            if None in cuts:
                continue
            cuts.insert(axis, self.cut(array.shape[axis])[0])
            name = r.choice(["sum", "max", "min", "sum"])
            return f"np.{name}({array.name}[{', '.join(map(str, cuts))}], axis={axis})"
        return None


def _fits_type(dtype: str, target: str) -> bool:
    """Whether NumPy writes the result in place without complaint."""
    return dtype == target or (target == "float64" and dtype != "float64")


def random_program(seed: int) -> Program:
    """Program number `seed`."""
    return Writer(seed).program()
