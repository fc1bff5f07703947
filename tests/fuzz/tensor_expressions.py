"""Regions of arrays and expressions on them, drawn at random, as Python text."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

SIZES = {"N": 9, "M": 8}


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


class ExpressionWriter:
    """Draws what stands on either side of an assignment."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.dtype = self.random.choice(["float64"] * 4 + ["float32", "int64"])

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
        arrays = [a for a in scope.arrays if fits_type(a.dtype, dtype)]
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
        if pick < 0.93:
            return self.joined(scope, shape, dtype) or f"({one} - {two})"
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

    def joined(self, scope: Scope, shape: tuple[Dim, ...], dtype: str) -> str | None:
        """An array put together again from its parts, or with another border."""
        r = self.random
        one = self.matching(scope, shape, dtype, exact=True)
        if one is None or not shape or min(d.value for d in shape) < 4:
            return None
        k = r.randint(1, 2)
        if r.random() < 0.5:
            return f"np.concatenate(({one}[{k}:], {one}[:{k}]))"
        if min(d.value for d in shape) <= 2 * k:
            k = 1  # NumPy does not pad what is empty
        inner = ", ".join([f"{k}:-{k}"] * len(shape))
        mode = r.choice(["constant", "edge", "constant"])
        return f"np.pad({one}[{inner}], {k}, mode={mode!r})"


def fits_type(dtype: str, target: str) -> bool:
    """Whether NumPy writes the result in place without complaint."""
    return dtype == target or (target == "float64" and dtype != "float64")
