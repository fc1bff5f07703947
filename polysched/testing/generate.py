"""Random affine C programs, always inside their arrays and free of undefined values."""

from __future__ import annotations

import random
from collections.abc import Sequence

from polysched.testing.affine import Affine, Ranges
from polysched.testing.data import (
    ArrayPlan,
    DataPlan,
    pick_arrays,
    pick_parameters,
)
from polysched.testing.shape import Shape
from polysched.testing.unit import Node, RandomUnit, program_text

# arguments of all types, which C converts; results that no library rounds
_CALLS = ("fabs({})", "sqrt(fabs({}))", "fmax({}, 1)", "abs({})")
_CALLED = 0.32  # of all terms of floats, less what stands before
_WEIGHTS = {"double": "0.25 * ", "float": "0.25f * ", "int": "", "unsigned": "3u * "}


def random_unit(seed: int, shape: Shape | None = None, name: str = "f") -> RandomUnit:
    """A random function with one SCoP.

    Parameters
    ----------
    seed : int
        Equal seeds and shapes give equal text.
    shape : Shape, optional
        Size and variety.
    name : str
        Name of the function; it prefixes the names of its arrays.

    Returns
    -------
    RandomUnit
        All subscripts are inside of the arrays and no signed integer overflows, in
        every scenario that it calls the function with.
    """
    return _Generator(seed, shape or Shape(), name).unit()


def random_scop(seed: int, shape: Shape | None = None) -> tuple[str, str]:
    """A complete random program and one sentence about it."""
    unit = random_unit(seed, shape)
    described = f"seed {seed}: {unit.signature or 'constant sizes'}, called with "
    return program_text([unit]), described + "; ".join(
        c or "nothing" for c in unit.calls
    )


class _Generator:
    def __init__(self, seed: int, shape: Shape, name: str) -> None:
        self._seed = seed
        self._shape = shape
        self._name = name
        self._rng = random.Random(seed)
        self._variables: dict[str, Ranges] = {}
        self._locals: list[str] = []
        self._epilogue: list[str] = []
        self._budget = self._rng.randint(1, shape.max_statements)
        self._parameters = pick_parameters(self._rng, shape)
        self._n_scenarios = len(next(iter(self._parameters.values()), (0,)))
        for p, values in self._parameters.items():
            self._variables[p] = tuple((v, v) for v in values)
        self._arrays = pick_arrays(self._rng, name)
        self._scalars = self._pick_scalars()
        self._n_temporaries = 0
        self._loops: list[str] = []

    def unit(self) -> RandomUnit:
        """The finished function."""
        nest = []
        while self._budget > 0:
            nest.append(self._item(0))
        data = DataPlan(self._name, self._parameters, self._arrays, self._scalars)
        return RandomUnit(
            self._seed,
            self._name,
            tuple(data.global_lines()),
            data.signature(),
            tuple(self._locals),
            tuple(nest),
            tuple(self._epilogue),
            tuple(data.init_lines()),
            tuple(data.calls(self._n_scenarios)),
            tuple(data.dump_lines()),
        )

    # choices

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _odd(self) -> bool:
        return self._chance(self._shape.oddity)

    def _pick_scalars(self) -> list[tuple[str, str]]:
        if not self._chance(0.4):
            return []
        type_ = self._arrays[0].type
        if self._chance(0.5):
            return [(f"{self._name}_s", type_)]
        self._locals.append(f"{type_} s = 1;")
        if self._chance(0.7):
            self._epilogue.append(f"{self._name}_out = (double)s;")
        return [("s", type_)]

    # structure

    def _item(self, depth: int) -> Node:
        deeper = depth < self._shape.max_depth
        if deeper and self._chance(0.55 if depth else 0.93):
            return self._loop(depth)
        if depth and self._odd():
            return self._condition(depth)
        return self._leaf()

    def _block(self, depth: int) -> tuple[Node, ...]:
        items = [*self._jump(), self._item(depth)]
        while self._budget > 0 and self._chance(0.5):
            items += [*self._jump(), self._item(depth)]
        return tuple(items)

    def _jumps(self, share: float = 1.0) -> bool:
        return bool(self._shape.jumps) and self._chance(share * self._shape.jumps)

    def _jump(self) -> list[Node]:
        """A condition under which the rest of an iteration is skipped, or nothing."""
        if not self._loops or not self._jumps(0.5):
            return []
        return [Node(f"if ({self._any_condition()}) continue;", is_leaf=True)]

    def _any_condition(self) -> str:
        """A condition on iterators or on data."""
        if self._chance(0.6):
            return self._affine_condition()
        a, b = self._load(""), self._load("")
        return f"{a} {self._rng.choice(['>', '<', '!='])} {b}"

    def _loop(self, depth: int) -> Node:
        name = "ijkl"[depth]
        low, high = self._bound(upper=False), self._bound(upper=True)
        low_ranges = low.ranges(self._variables, self._n_scenarios)
        high_ranges = high.ranges(self._variables, self._n_scenarios)
        self._variables[name] = tuple(
            (a, max(a, b - 1))
            for (a, _), (_, b) in zip(low_ranges, high_ranges, strict=True)
        )
        self._loops.append(name)
        head = self._loop_head(name, low, high)
        children = self._block(depth + 1)
        if self._jumps(0.5):
            leave = f"if ({self._affine_condition()}) break;"
            children = (Node(leave, is_leaf=True), *children)
        self._loops.pop()
        del self._variables[name]
        return Node(head, children)

    def _loop_head(self, name: str, low: Affine, high: Affine) -> str:
        step = self._rng.choice([2, 3]) if self._odd() else 1
        declared = "int " if self._chance(0.8) else ""
        if not declared and f"int {name};" not in self._locals:
            self._locals.append(f"int {name};")
        if self._odd():
            start, stop = high.plus(-1).text(), f"{name} >= {low.text()}"
            if self._chance(0.3):
                stop = f"{name} > {low.plus(-1).text()}"
            advance = f"{name}--" if step == 1 else f"{name} -= {step}"
        else:
            start, stop = low.text(), f"{name} < {high.text()}"
            if self._chance(0.3):
                stop = f"{name} <= {high.plus(-1).text()}"
            advance = f"{name}++" if step == 1 else f"{name} += {step}"
        return f"for ({declared}{name} = {start}; {stop}; {advance})"

    def _bound(self, *, upper: bool) -> Affine:
        outer = [*self._loops]
        if outer and self._chance(0.3):
            name = self._rng.choice(outer)
            return Affine(((name, 1),), self._rng.randint(0, 2) + upper)
        if not upper:
            return Affine(constant=self._rng.choice([0, 0, 0, 1, 2]))
        if self._parameters and self._chance(0.75):
            name = self._rng.choice(list(self._parameters))
            return Affine(((name, 1),), self._rng.choice([0, 0, 0, -1, 1]))
        return Affine(constant=self._rng.randint(2, self._shape.max_size))

    def _condition(self, depth: int) -> Node:
        text = self._affine_condition()
        if self._chance(0.3):
            word = self._rng.choice(["&&", "||"])
            text = f"{text} {word} {self._affine_condition()}"
        if self._chance(0.15):
            text = f"!({text})"
        if self._jumps():
            text = self._any_condition()
        children = self._block(depth)
        other: tuple[Node, ...] = ()
        if self._budget > 0 and self._chance(0.4):
            other = self._block(depth)
        return Node(f"if ({text})", children, other)

    def _affine_condition(self) -> str:
        if self._odd():
            modulus = self._rng.choice([2, 3])
            left = self._linear(nonnegative=True)
            text = Affine(left.terms, left.constant, modulus=modulus).text()
            rest = self._rng.randint(0, modulus - 1)
            return f"{text} {self._rng.choice(['==', '!='])} {rest}"
        op = self._rng.choice(["<", "<=", ">", ">=", "==", "!="])
        right = self._rng.choice([*self._loops, *self._parameters, "2", "3", "4"])
        return f"{self._linear().text()} {op} {right}"

    # subscripts

    def _linear(self, *, nonnegative: bool = False) -> Affine:
        names = self._rng.sample(
            self._loops, min(len(self._loops), self._rng.choice([1, 1, 1, 2]))
        )
        terms = tuple((n, self._rng.choice([1, 1, 1, 1, -1, 2])) for n in names)
        linear = Affine(terms, self._rng.choice([0, 0, 0, 1, -1, 2]))
        if nonnegative:
            low = self._least(linear)
            linear = Affine(terms, linear.constant - min(0, low))
        return linear

    def _least(self, expr: Affine) -> int:
        return min(a for a, _ in expr.ranges(self._variables, self._n_scenarios))

    def _subscript(self) -> Affine:
        linear = self._linear()
        if self._chance(0.3 * self._shape.oddity):
            linear = self._linear(nonnegative=True)
            n = self._rng.choice([2, 3])
            if self._chance(0.5):
                linear = Affine(linear.terms, linear.constant, modulus=n)
            else:
                linear = Affine(linear.terms, linear.constant, divisor=n)
        return linear.plus(-min(0, self._least(linear)))

    def _element(self, plan: ArrayPlan, chosen: Sequence[Affine] = ()) -> str:
        """An element at random subscripts, or at those that are chosen."""
        subscripts = []
        for k in range(plan.n_dim):
            s = chosen[k] if chosen else self._subscript()
            ranges = s.ranges(self._variables, self._n_scenarios)
            plan.extents[k] = max(plan.extents[k], 1 + max(b for _, b in ranges))
            subscripts.append(s.text())
        if plan.kind == "linear":
            first = subscripts[0] if " " not in subscripts[0] else f"({subscripts[0]})"
            return f"{plan.name}[{first} * {plan.extent_name(1)} + {subscripts[1]}]"
        return plan.name + "".join(f"[{s}]" for s in subscripts)

    # statements

    def _leaf(self) -> Node:
        self._budget -= 1
        if self._shape.private_arrays and self._chance(self._shape.private_arrays):
            return self._with_private_array()
        if self._loops and self._chance(0.15):
            return self._with_temporary()
        return Node(self._guarded(self._statement()), is_leaf=True)

    def _guarded(self, statement: str) -> str:
        if not self._chance(0.5 * self._shape.oddity):
            return statement
        a, b = self._load(""), self._load("")
        return f"if ({a} {self._rng.choice(['>', '<', '!='])} {b})\n    {statement}"

    def _target(self) -> tuple[str, str]:
        if self._scalars and self._chance(0.2):
            return self._rng.choice(self._scalars)
        plan = self._rng.choice(self._arrays)
        return self._element(plan), plan.type

    def _stencil(self) -> str | None:
        """An element updated from its neighbours; None where no array has the depth."""
        plans = [p for p in self._arrays if p.n_dim <= len(self._loops)]
        if not plans:
            return None
        plan = self._rng.choice(plans)
        centre = []
        for name in self._loops[len(self._loops) - plan.n_dim :]:
            alone = Affine(((name, 1),))
            centre.append(alone.plus(1 - min(0, self._least(alone))))
        terms = []
        for _ in range(self._rng.randint(1, 3)):
            at = [s.plus(self._rng.choice([-1, 0, 0, 1])) for s in centre]
            terms.append(f"{_WEIGHTS[plan.type]}{self._element(plan, at)}")
        value = " + ".join(terms)
        target = self._element(plan, centre)
        return f"{target} = {f'({value}) % 1009' if plan.type == 'int' else value};"

    def _statement(self) -> str:
        if self._shape.stencils and self._chance(self._shape.stencils):
            stencil = self._stencil()
            if stencil is not None:
                return stencil
        target, type_ = self._target()
        floating = type_ in ("double", "float")
        if self._chance(0.12):
            value = self._load(type_)
            op = self._rng.choice(["<", ">"])
            return f"{target} = {value} {op} {target} ? {value} : {target};"
        if (floating or type_ == "unsigned") and self._chance(0.35):
            op = self._rng.choice(["+=", "+=", "-=", "*="])
            factor = self._rng.choice(["", " * 0.5" if floating else " * 3u"])
            return f"{target} {op} {self._load(type_)}{factor};"
        return f"{target} = {self._expression(type_, target)};"

    def _expression(self, type_: str, target: str) -> str:
        terms = [self._term(type_) for _ in range(self._rng.randint(1, 3))]
        if self._chance(0.3):
            terms.append(target)
        text = terms[0]
        for term in terms[1:]:
            text += f" {self._rng.choice(['+', '-'])} {term}"
        if self._odd() and self._loops:
            a, b = self._load(type_), self._load(type_)
            cond = self._affine_condition() if self._chance(0.5) else f"{a} > {b}"
            text = f"{cond} ? {text} : {b}"
        return f"({text}) % 1009" if type_ == "int" else text

    def _term(self, type_: str) -> str:
        choice = self._rng.random()
        if type_ in ("double", "float"):
            suffix = "f" if type_ == "float" else ""
            constant = self._rng.choice(["0.25", "0.5", "1.5", "0.1"]) + suffix
            if choice < 0.15:
                return constant
            if choice < 0.25 and self._loops:
                return f"{constant} * {self._rng.choice(self._loops)}"
            if choice < _CALLED:
                call = _CALLS[int(choice * 1000) % len(_CALLS)]
                return call.format(self._load(type_))
            if choice < 0.6:
                return f"{constant} * {self._load(type_)}"
            return self._load(type_)
        suffix = "u" if type_ == "unsigned" else ""
        if choice < 0.2:
            return f"{self._rng.randint(1, 9)}{suffix}"
        if choice < 0.3 and self._loops:
            return self._rng.choice(self._loops)
        if choice < 0.6:
            return f"{self._rng.randint(2, 5)}{suffix} * {self._load(type_)}"
        return self._load(type_)

    def _load(self, type_: str) -> str:
        """A value that a target of the given type ("" for any) may take."""
        allowed = {"int": ["int"], "unsigned": ["int", "unsigned"]}.get(
            type_, ["int", "unsigned", "double", "float"]
        )
        scalars = [name for name, t in self._scalars if t in allowed]
        if scalars and self._chance(0.2):
            return self._rng.choice(scalars)
        plans = [p for p in self._arrays if p.type in allowed]
        return self._element(self._rng.choice(plans)) if plans else "2"

    def _with_private_array(self) -> Node:
        """An array that one short loop fills and the next one reads."""
        plan = self._rng.choice(self._arrays)
        target, value = self._element(plan), self._term(plan.type)
        name, size = f"w{self._n_temporaries}", self._rng.randint(2, 4)
        self._n_temporaries += 1
        self._locals.append(f"{plan.type} {name}[{size}];")
        used = self._rng.choice(["q", f"{size - 1} - q", "0"])
        total = f"{target} + {name}[{used}]"
        lines = [
            f"for (int q = 0; q < {size}; q++)",
            f"    {name}[q] = {value} + q;",
            f"for (int q = 0; q < {size}; q++)",
            f"    {target} = {f'({total}) % 1009' if plan.type == 'int' else total};",
        ]
        return Node("\n".join(lines), is_leaf=True)

    def _with_temporary(self) -> Node:
        """A scalar that is written and read in the same iteration."""
        target, type_ = self._target()
        if any(target == name for name, _ in self._scalars):
            target, type_ = self._element(self._arrays[0]), self._arrays[0].type
        name = f"t{self._n_temporaries}"
        self._n_temporaries += 1
        value = self._expression(type_, self._load(type_))
        use = f"({name} + {name}) % 1009" if type_ == "int" else f"{name} + {name}"
        if self._chance(0.5):
            return Node(f"{type_} {name} = {value};\n{target} = {use};", is_leaf=True)
        self._locals.append(f"{type_} {name} = 0;")
        return Node(f"{name} = {value};\n{target} = {use};", is_leaf=True)
