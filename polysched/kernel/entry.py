"""C text of the function that Python calls: it checks, allocates, runs, gives back.

The text needs no header of Python or NumPy. Python's functions reach it as pointers in
a table; of objects it reads the type, and of arrays the fields of ``PyArrayObject``,
which NumPy's own headers read in every extension module and which
`polysched.kernel.native` compares with what Python says before it lets an entry run.
A call that does not fit gives `NotImplemented` back, and nothing has happened: who
called then finds out why, slowly and in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from polysched.kernel.bounds import LARGEST_INTEGER, Bounds
from polysched.kernel.entry_table import print_table
from polysched.tensor import (
    ArgType,
    CFunction,
    ConstantArg,
    CParameter,
    Returned,
    ScalarArg,
)

PLAIN_SUFFIX = "_plain"  # of the function's name, for the source text as it is
ITEM_BYTES = {
    "float64": 8, "float32": 4, "int64": 8, "int32": 4, "uint32": 4, "int16": 2,
    "uint16": 2, "int8": 1, "uint8": 1, "bool": 1,
}  # fmt: skip
_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400  # NPY_ARRAY_...
INTEGERS = {
    "int64": (-(1 << 63), (1 << 63) - 1), "int32": (-(1 << 31), (1 << 31) - 1),
    "uint32": (0, (1 << 32) - 1),
    "int16": (-(1 << 15), (1 << 15) - 1), "uint16": (0, (1 << 16) - 1),
    "int8": (-(1 << 7), (1 << 7) - 1), "uint8": (0, (1 << 8) - 1),
}  # fmt: skip
"""The least and the greatest number of each integer type."""
_ALIGNMENT = 64  # of each temporary


def print_entry(
    function: CFunction,
    types: Mapping[str, ArgType],
    bounds: Bounds,
    has_threads: bool = True,
) -> str:
    """C text of the entry of a library.

    Parameters
    ----------
    function : CFunction
        What is called. The library has it twice: scheduled under its name, and as the
        source text has it under its name with `PLAIN_SUFFIX`.
    types : mapping of str to ArgType
        Of the Python function's parameters, in order.
    bounds : Bounds
        For which sizes no array is left, and for which the scheduled text is right.
    has_threads : bool
        Whether the scheduled text starts any.
    """
    entry = _Entry(function, types, bounds, has_threads)
    return "\n".join(
        [
            print_table(len(list_constants(function, types))),
            *entry.declarations(),
            "EXPORTED void *ps_entry(void *self, void *const *ps_args, long ps_n_args)",
            "{",
            *(f"  {line}" for line in entry.statements()),
            "}",
            "",
        ]
    )


def list_constants(function: CFunction, types: Mapping[str, ArgType]) -> list[object]:
    """Values that an entry compares arguments with, then those that it gives back."""
    expected = [t.value for t in types.values() if isinstance(t, ConstantArg)]
    return [*expected, *_returned_constants(function.returns)]


def _returned_constants(returned: Returned) -> list[object]:
    if returned.kind == "constant":
        return [returned.value]
    return [c for item in returned.items for c in _returned_constants(item)]


@dataclass(frozen=True)
class _Entry:
    """The parts of an entry's text, in order."""

    function: CFunction
    types: Mapping[str, ArgType]
    bounds: Bounds
    has_threads: bool

    def declarations(self) -> list[str]:
        """The two functions that it calls."""
        kinds = ["void *" if p.kind == "array" else p.c_type for p in self._all]
        given = ", ".join(kinds) or "void"
        name = self.function.name
        return [
            f"extern void {name}({given});",
            f"extern void {name}{PLAIN_SUFFIX}({given});",
            "",
        ]

    def statements(self) -> list[str]:
        """The body of the entry."""
        return [
            f"if (ps_n_args != {len(self.types)})",
            "  return ps_give(ps_missed);",
            *self._read_arguments(),
            *self._compare_sizes(),
            *self._check_overlap(),
            *self._check_conditions(),
            *self._check_elements(),
            *self._make_results(),
            *self._make_temporaries(),
            *self._run(),
            *self._give_back(),
        ]

    @property
    def _all(self) -> tuple[CParameter, ...]:
        return self.function.parameters

    @property
    def _arrays(self) -> list[CParameter]:
        """Arrays that are arguments."""
        return [p for p in self._all if p.kind == "array" and p.source]

    def _read_arguments(self) -> list[str]:
        parameters = {p.source: p for p in self._all if p.kind != "size"}
        lines, n_constants = [], 0
        for k, (name, kind) in enumerate(self.types.items()):
            found = parameters.get(name)
            if isinstance(kind, ConstantArg):
                lines += _miss_unless(f"ps_args[{k}] == ps_constants[{n_constants}]")
                n_constants += 1
            elif found is None:
                continue  # an argument that the function does not use
            elif isinstance(kind, ScalarArg):
                lines += self._read_scalar(found, k)
            else:
                lines += self._read_array(found, k)
        return lines

    def _read_scalar(self, parameter: CParameter, k: int) -> list[str]:
        """Python numbers only; others are converted by who calls again."""
        name, c_type = parameter.name, parameter.c_type
        if parameter.dtype == "bool":
            test = f"ps_args[{k}] == ps_true || ps_args[{k}] == ps_false"
            value = f"ps_args[{k}] == ps_true"
            return [*_miss_unless(test), f"const {c_type} {name} = {value};"]
        if parameter.dtype.startswith("float"):
            test = f"ps_read_real(ps_args[{k}], &ps_v{k})"
            lines = [f"double ps_v{k};"]
        else:
            least, most = INTEGERS[parameter.dtype]
            if parameter.name in self.bounds.counted:
                least, most = -LARGEST_INTEGER, LARGEST_INTEGER
            limits = f"{_literal(least)}, {_literal(most)}"
            test = f"ps_read_integer(ps_args[{k}], {limits}, &ps_v{k})"
            lines = [f"long ps_v{k};"]
        return [*lines, *_miss_unless(test), f"const {c_type} {name} = ps_v{k};"]

    def _read_array(self, parameter: CParameter, k: int) -> list[str]:
        flags = _CONTIGUOUS | _ALIGNED
        if parameter.role != "input":
            flags |= _WRITEABLE
        given = (
            f"ps_args[{k}], ps_{parameter.dtype}_dtype, "
            f"{len(parameter.extents)}, {flags:#x}"
        )
        array = f"ps_a_{parameter.name}"
        return [
            f"struct ps_array *{array} = ps_read_array({given});",
            *_miss_unless(array),
        ]

    def _compare_sizes(self) -> list[str]:
        """Sizes come from where they stand first; everything else must agree."""
        sizes = {p.name: p for p in self._all if p.kind == "size"}
        given = [
            (f"ps_a_{p.name}->sizes[{d}]", extent.c)
            for p in self._arrays
            for d, extent in enumerate(p.extents)
        ]
        first: dict[str, str] = {}
        for value, text in given:
            if text in sizes:
                first.setdefault(text, value)
        lines = [
            f"const {sizes[name].c_type} {name} = {value};"
            for name, value in first.items()
        ]
        for value, text in given:
            if first.get(text) != value:
                lines += _miss_unless(f"{value} == {text}")
        return lines

    def _check_overlap(self) -> list[str]:
        lines = [
            f"const long ps_n_{p.name} = {_bytes(p)};"
            for p in self._arrays
            if len(self._arrays) > 1
        ]
        for a, b in combinations(self._arrays, 2):
            if a.role == "input" and b.role == "input":
                continue
            ends = ", ".join(f"ps_a_{p.name}->data, ps_n_{p.name}" for p in (a, b))
            lines += [f"if (ps_overlap({ends}))", "  return ps_give(ps_missed);"]
        return lines

    def _check_conditions(self) -> list[str]:
        lines = []
        for name, extent in self.bounds.extents.items():
            lines.append(f"const long {name} = {extent.c};")
        conditions = [c.condition.c for c in self.function.checks]
        for condition in (*conditions, self.bounds.inside):
            if condition not in ("", "1"):
                lines += _miss_unless(condition)
        return lines

    def _check_elements(self) -> list[str]:
        """What index arrays hold, each of them read once."""
        lines = []
        for name in dict.fromkeys(limit.array for limit in self.function.ranges):
            p = self.function.parameter(name)
            n = f"{_bytes(p)} / {ITEM_BYTES[p.dtype]}"
            ends = f"&ps_least_{name}, &ps_most_{name}"
            lines += [
                f"long ps_least_{name}, ps_most_{name};",
                f"ps_find_ends_{p.dtype}(ps_a_{name}->data, {n}, {ends});",
            ]
        for limit in self.function.ranges:
            op = ">=" if limit.kind == "least" else "<="
            held = f"ps_{limit.kind}_{limit.array}"
            lines += _miss_unless(f"{held} {op} ({limit.limit.c})")
        return lines

    def _make_results(self) -> list[str]:
        lines = []
        for p in self.function.results:
            if not p.extents:
                lines.append(f"{p.c_type} ps_r_{p.name} = 0;")
                continue
            sizes = ", ".join(e.c for e in p.extents)
            shape = f"(const long[]){{{sizes}}}, {len(p.extents)}"
            lines += [
                f"void *ps_o_{p.name} = ps_new_array({shape}, ps_{p.dtype}_dtype);",
                f"if (!ps_o_{p.name}) {{",
                *(f"  {line}" for line in self._drop_results(before=p)),
                "  return 0;",
                "}",
            ]
        return lines

    def _drop_results(self, before: CParameter | None = None) -> list[str]:
        lines = []
        for p in self.function.results:
            if p == before:
                break
            if p.extents:
                lines.append(f"ps_py.drop(ps_o_{p.name});")
        return lines

    def _make_temporaries(self) -> list[str]:
        temporaries = self.function.temporaries
        if not temporaries:
            return []
        lines = [f"long ps_total = {_ALIGNMENT};"]
        for p in temporaries:
            size = f"({_bytes(p)} + {_ALIGNMENT - 1}) / {_ALIGNMENT} * {_ALIGNMENT}"
            lines += [f"const long ps_at_{p.name} = ps_total;", f"ps_total += {size};"]
        return [
            *lines,
            "char *ps_room = ps_borrow(ps_total);",
            "if (!ps_room) {",
            *(f"  {line}" for line in self._drop_results()),
            "  return ps_py.no_memory();",
            "}",
        ]

    def _run(self) -> list[str]:
        given = ", ".join(self._passed(p) for p in self._all)
        name = self.function.name
        placed = "ps_is_scheduled && ps_place_team()" if self.has_threads else "0"
        lines = [
            f"const int ps_is_scheduled = {self.bounds.scheduled};",
            "ps_has_run = 1;",
            f"const int ps_is_placed = {placed};",
            "void *ps_state = ps_py.save_thread();",
            "const int ps_before = ps_threads ? omp_get_max_threads() : 0;",
            "if (ps_threads)",
            "  omp_set_num_threads(ps_threads);",
            "if (ps_is_scheduled)",
            f"  {name}({given});",
            "else",
            f"  {name}{PLAIN_SUFFIX}({given});",
            "if (ps_before)",
            "  omp_set_num_threads(ps_before);",
            "ps_py.restore_thread(ps_state);",
            "if (ps_is_placed)",
            "  ps_leave_team();",
        ]
        if self.function.temporaries:
            lines.append("ps_return(ps_room);")
        return lines

    def _passed(self, p: CParameter) -> str:
        if p.kind != "array":
            return p.name
        if p.role == "temporary":
            return f"ps_room + ps_at_{p.name}"
        if p.role == "result":
            if not p.extents:
                return f"&ps_r_{p.name}"
            return f"((struct ps_array *)((char *)ps_o_{p.name} + ps_head))->data"
        return f"ps_a_{p.name}->data"

    def _give_back(self) -> list[str]:
        n_expected = sum(isinstance(t, ConstantArg) for t in self.types.values())
        printer = _ReturnPrinter(self.function, list(self.types), n_expected)
        value = printer.print(self.function.returns)
        # each use of a result took a reference, and one is left over
        return [f"void *ps_value = {value};", *self._drop_results(), "return ps_value;"]


@dataclass
class _ReturnPrinter:
    """Prints what a call gives back as a C expression that owns its object."""

    function: CFunction
    arguments: list[str]
    n_constants: int

    def print(self, returned: Returned) -> str:
        """The expression; constants are counted from left to right."""
        if returned.kind == "none":
            return "ps_give(ps_none)"
        if returned.kind == "argument":
            return f"ps_give(ps_args[{self.arguments.index(returned.name)}])"
        if returned.kind == "array":
            return f"ps_give(ps_o_{returned.name})"
        if returned.kind == "scalar":
            return self._scalar(returned)
        if returned.kind == "constant":
            self.n_constants += 1
            return f"ps_give(ps_constants[{self.n_constants - 1}])"
        made = f"ps_py.new_tuple({len(returned.items)})"
        for k, item in enumerate(returned.items):
            made = f"ps_fill_tuple({made}, {k}, {self.print(item)})"
        return made

    def _scalar(self, returned: Returned) -> str:
        dtype = self.function.parameter(returned.name).dtype
        maker = "from_real" if dtype.startswith("float") else "from_integer"
        if dtype == "bool":
            maker = "from_bool"
        value = f"ps_py.{maker}(ps_r_{returned.name})"
        return value if returned.is_weak else f"ps_new_scalar(ps_{dtype}_type, {value})"


def _miss_unless(condition: str) -> list[str]:
    return [f"if (!({condition}))", "  return ps_give(ps_missed);"]


def _bytes(parameter: CParameter) -> str:
    factors = [f"(long)({e.c})" for e in parameter.extents]
    return " * ".join([*factors, str(ITEM_BYTES[parameter.dtype])])


def _literal(value: int) -> str:
    return f"({value + 1}L - 1)" if value == -(1 << 63) else f"{value}L"
