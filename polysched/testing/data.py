"""The data of a random program: declarations, initial values, calls, output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from random import Random

from polysched.testing.shape import Shape

_CONVERSION = {"double": "%a", "float": "%a", "int": "%d", "unsigned": "%u"}


@dataclass
class ArrayPlan:
    """An array whose extents grow with its subscripts.

    `kind` is "static", "vla" (a parameter with run-time extents) or "linear" (a pointer
    with one subscript ``row * pitch + column``).
    """

    name: str
    type: str
    n_dim: int
    kind: str
    extents: list[int] = field(default_factory=list)

    def extent_name(self, k: int) -> str:
        """The function's parameter that holds a run-time extent."""
        return f"{self.name}_{k}"

    def object_name(self) -> str:
        """Name of the object behind the array."""
        return self.name if self.kind == "static" else f"g_{self.name}"

    def object_extents(self) -> list[int]:
        """Extents of the object behind the array."""
        return [prod(self.extents)] if self.kind == "linear" else self.extents

    def pointer(self) -> str:
        """C text of a pointer to the first element."""
        return f"&{self.object_name()}{'[0]' * len(self.object_extents())}"


@dataclass(frozen=True)
class DataPlan:
    """All data of one function; see `RandomUnit` for what the lines are.

    `parameters` maps each size to its values, one per scenario; scalars named ``s`` are
    local, others global.
    """

    name: str
    parameters: Mapping[str, tuple[int, ...]]
    arrays: Sequence[ArrayPlan]
    scalars: Sequence[tuple[str, str]]

    def _passed(self) -> list[tuple[ArrayPlan, list[int]]]:
        """Arrays that are parameters, with the extents that are passed as well."""
        return [
            (p, list(range(1 if p.kind == "linear" else 0, p.n_dim)))
            for p in self.arrays
            if p.kind != "static"
        ]

    def _global_scalars(self) -> list[tuple[str, str]]:
        return [(n, t) for n, t in self.scalars if n != "s"]

    def signature(self) -> str:
        """The parameter list."""
        parts = [f"int {p}" for p in self.parameters]
        for plan, dims in self._passed():
            names = [plan.extent_name(k) for k in dims]
            parts += [f"int {n}" for n in names]
            if plan.kind == "linear":
                parts.append(f"{plan.type} *{plan.name}")
            else:
                extents = "".join(f"[{n}]" for n in names)
                parts.append(f"{plan.type} {plan.name}{extents}")
        return ", ".join(parts) or "void"

    def calls(self, n_scenarios: int) -> list[str]:
        """Different argument lists, one per scenario."""
        calls: dict[str, None] = {}
        for k in range(n_scenarios):
            values = [str(v[k]) for v in self.parameters.values()]
            for plan, dims in self._passed():
                values += [str(plan.extents[d]) for d in dims]
                values.append(plan.object_name())
            calls[", ".join(values)] = None
        return list(calls)

    def global_lines(self) -> list[str]:
        """Declarations at file level."""
        lines = [f"static double {self.name}_out;"]
        for plan in self.arrays:
            brackets = "".join(f"[{e}]" for e in plan.object_extents())
            lines.append(f"static {plan.type} {plan.object_name()}{brackets};")
        return lines + [f"static {t} {n};" for n, t in self._global_scalars()]

    def init_lines(self) -> list[str]:
        """Small repeatable values for everything."""
        lines = [f"{self.name}_out = 0;"]
        lines += [f"{n} = 1;" for n, _ in self._global_scalars()]
        for number, plan in enumerate(self.arrays):
            scale = " / 4.0" if plan.type in ("double", "float") else ""
            lines += [
                f"{plan.type} *p{number} = {plan.pointer()};",
                f"for (int q = 0; q < {prod(plan.extents)}; q++)",
                f"    p{number}[q] = (q * {3 + 2 * number} + {number}) % 11{scale};",
            ]
        return lines

    def dump_lines(self) -> list[str]:
        """Printing of everything."""
        lines = [f'printf("%a\\n", {self.name}_out);']
        lines += [
            f'printf("{_CONVERSION[t]}\\n", {n});' for n, t in self._global_scalars()
        ]
        for number, plan in enumerate(self.arrays):
            lines += [
                f"{{ {plan.type} *p{number} = {plan.pointer()};",
                f"for (int q = 0; q < {prod(plan.extents)}; q++)",
                f'    printf("{_CONVERSION[plan.type]}\\n", p{number}[q]); }}',
            ]
        return lines


def pick_parameters(draw: Random, shape: Shape) -> dict[str, tuple[int, ...]]:
    """Sizes known at run time, and the values of each in several calls; or none."""
    if draw.random() >= shape.run_time_sizes:
        return {}
    top = shape.max_size
    names = ["n", "m"][: draw.randint(1, 2)]
    scenarios = [
        [draw.randint(top - 3, top) for _ in names],
        [draw.randint(0, 2) for _ in names],
        [draw.randint(1, top) for _ in names],
    ]
    return {p: tuple(s[k] for s in scenarios) for k, p in enumerate(names)}


def pick_arrays(draw: Random, name: str) -> list[ArrayPlan]:
    """One to three arrays, mostly of one kind of numbers; names begin with `name`."""
    plans = []
    floating = draw.random() < 0.6
    for letter in "ABC"[: draw.randint(1, 3)]:
        types = ["double", "double", "float"] if floating else ["unsigned", "int"]
        if draw.random() < 0.15:
            types = ["double", "int", "unsigned"]
        n_dim = draw.choice([1, 1, 2, 2, 3])
        kind = draw.choice(["static"] * 4 + ["vla", "linear"])
        if kind == "linear":
            n_dim = 2
        type_ = draw.choice(types)
        plans.append(ArrayPlan(f"{name}_{letter}", type_, n_dim, kind, [1] * n_dim))
    return plans
