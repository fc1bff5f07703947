"""SCoPs from C statements and isl domains; a C compiler to compare programs with."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import islpy as isl
from pycparser import c_ast, c_parser

from polysched.codegen import PrintOptions, print_openmp
from polysched.ir import (
    Access,
    Action,
    Array,
    Assign,
    Binary,
    Call,
    Cast,
    Const,
    Expr,
    Guard,
    Iter,
    Load,
    Param,
    Parameter,
    ScheduleTree,
    Scop,
    Select,
    Statement,
    Unary,
    action_expressions,
    original_tree,
    types,
    walk,
)

FLAGS = ["-O1", "-fopenmp", "-Wall", "-Wextra", "-Werror", "-std=gnu17"]
BY_NAME = {t.name: t for t in types.ALL_TYPES}


N = {"n": types.INT}

FRAME_2D = """
#include <stdio.h>
#include <stdlib.h>
static double A[40][40], B[40][40], C[40][40];
static void f(int n)
{
@
}
int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < 40; j++) {
            A[i][j] = (3 * i + j) % 7 / 7.0;
            B[i][j] = (i + 5 * j) % 11 / 11.0;
        }
    f(n);
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < 40; j++)
            printf("%.17g %.17g %.17g\\n", A[i][j], B[i][j], C[i][j]);
    return 0;
}
"""

SQUARE = [Array(name, types.DOUBLE, (Param("n"), Param("n"))) for name in "ABC"]


class Reader:
    """Reads C statements, given what names mean."""

    def __init__(
        self,
        iterators: dict[str, types.ScalarType],
        parameters: dict[str, types.ScalarType],
        arrays: dict[str, Array],
    ) -> None:
        self.iterators, self.parameters, self.arrays = iterators, parameters, arrays

    def body(self, text: str) -> tuple[Action, ...]:
        tree = c_parser.CParser().parse(f"void f(void) {{ {text} }}")
        return self.actions(tree.ext[0].body)

    def actions(self, node: c_ast.Node | None) -> tuple[Action, ...]:
        if node is None:
            return ()
        if isinstance(node, c_ast.Compound):
            return tuple(a for n in node.block_items for a in self.actions(n))
        if isinstance(node, c_ast.If):
            then, other = self.actions(node.iftrue), self.actions(node.iffalse)
            return (Guard(self.expr(node.cond), then, other),)
        target = self.expr(node.lvalue)
        assert isinstance(target, Load)
        return (Assign(target, node.op, self.expr(node.rvalue)),)

    def expr(self, node: c_ast.Node) -> Expr:
        match node:
            case c_ast.Constant():
                if node.type == "int":
                    return Const(int(node.value), types.INT, node.value)
                return Const(float(node.value), types.DOUBLE, node.value)
            case c_ast.UnaryOp():
                return Unary(node.op, self.expr(node.expr))
            case c_ast.BinaryOp():
                return Binary(node.op, self.expr(node.left), self.expr(node.right))
            case c_ast.TernaryOp():
                parts = (node.cond, node.iftrue, node.iffalse)
                return Select(*(self.expr(p) for p in parts))
            case c_ast.Cast():
                name = " ".join(node.to_type.type.type.names)
                return Cast(BY_NAME[name], self.expr(node.expr))
            case c_ast.FuncCall():
                args = tuple(self.expr(a) for a in node.args.exprs)
                return Call(node.name.name, args, types.DOUBLE)
            case c_ast.ID():
                return self.name(node.name)
            case c_ast.ArrayRef():
                inner = self.expr(node.name)
                assert isinstance(inner, Load)
                index = self.expr(node.subscript)
                return Load(inner.array, (*inner.subscripts, index), inner.type)
        raise AssertionError(node)

    def name(self, name: str) -> Expr:
        if name in self.iterators:
            return Iter(name, self.iterators[name])
        if name in self.parameters:
            return Param(name, self.parameters[name])
        array = self.arrays[name]
        expanded = tuple(self.iterators)[: array.n_expanded]
        return Load(name, tuple(Iter(i) for i in expanded), array.type)


def index_text(expr: Expr) -> str:
    """A subscript as isl text."""
    match expr:
        case Const():
            return expr.text
        case Iter(name, _) | Param(name, _):
            return name
        case Binary("%", left, right):
            return f"(({index_text(left)}) mod {index_text(right)})"
        case Binary("/", left, right):
            return f"floor(({index_text(left)})/{index_text(right)})"
        case Binary(op, left, right):
            return f"({index_text(left)} {op} {index_text(right)})"
    raise AssertionError(expr)


def loads(expr: Expr) -> Iterator[Load]:
    return (e for e in walk(expr) if isinstance(e, Load))


def accesses_of(
    name: str, domain: isl.Set, iterators: list[str], body: tuple[Action, ...]
) -> tuple[Access, ...]:
    """Every access of a body; all of them when in doubt."""

    def access(load: Load, kind: str) -> Access:
        where = ", ".join(index_text(s) for s in load.subscripts)
        params = ", ".join(
            domain.get_dim_name(isl.dim_type.param, k)
            for k in range(domain.dim(isl.dim_type.param))
        )
        text = f"{name}[{', '.join(iterators)}] -> {load.array}[{where}]"
        relation = isl.Map(f"[{params}] -> {{ {text} }}").intersect_domain(domain)
        return Access(load.array, kind, relation)  # type: ignore[arg-type]

    reads, writes = [], []

    def visit(actions: tuple[Action, ...], kind: str) -> None:
        for action in actions:
            if isinstance(action, Guard):
                reads.extend(access(x, "read") for x in loads(action.cond))
                visit(action.then + action.other, "may_write")
                continue
            reads.extend(access(x, "read") for x in loads(action.value))
            for s in action.target.subscripts:
                reads.extend(access(x, "read") for x in loads(s))
            if action.op != "=":
                reads.append(access(action.target, "read"))
            writes.append(access(action.target, kind))

    visit(body, "must_write")
    assert all(list(action_expressions(a)) for a in body)
    return (*reads, *writes)


def make_scop(
    arrays: list[Array],
    statements: list[tuple[str, tuple[int, ...], str]],
    parameters: dict[str, types.ScalarType] | None = None,
    iterator_types: dict[str, types.ScalarType] | None = None,
    directions: dict[str, tuple[int, ...]] | None = None,
    context: str = "{ : }",
    assumptions: str = "{ : }",
) -> Scop:
    """A SCoP from (domain, position, C text) of each statement."""
    parameters = parameters or {}
    found = []
    for domain_text, position, text in statements:
        domain = isl.Set(domain_text)
        name = domain.get_tuple_name()
        iterators = [
            domain.get_dim_name(isl.dim_type.set, k)
            for k in range(domain.dim(isl.dim_type.set))
        ]
        kinds = {i: (iterator_types or {}).get(i, types.INT) for i in iterators}
        by_name = {a.name: a for a in arrays}
        body = Reader(kinds, parameters, by_name).body(text)
        found.append(
            Statement(
                name,
                tuple(iterators),
                domain,
                position,
                (directions or {}).get(name, (1,) * len(iterators)),
                body,
                accesses_of(name, domain, iterators, body),
            )
        )
    return Scop(
        "f",
        tuple(Parameter(n, t) for n, t in parameters.items()),
        isl.Set(context),
        tuple(found),
        tuple(arrays),
        isl.Set(assumptions),
    )


def tile(tree: ScheduleTree, size: int, *marks: str) -> ScheduleTree:
    """Every band tiled, marks put on the tile bands."""
    for path, _ in reversed(tree.bands()):
        node = tree.node(path)
        sizes = isl.MultiVal.zero(node.band_get_space())
        for k in range(node.band_n_member()):
            sizes = sizes.set_val(k, isl.Val(size))
        node = node.band_tile(sizes)
        for mark in marks:
            node = node.insert_mark(isl.Id(mark))
        tree = ScheduleTree(node.get_schedule())
    return tree


def mark_bands(tree: ScheduleTree, **marks: int) -> ScheduleTree:
    """Marks put on the bands of the given numbers, counted before any is there."""
    paths = [p for p, _ in tree.bands()]
    for name, number in sorted(marks.items(), key=lambda m: -m[1]):
        node = tree.node(paths[number]).insert_mark(isl.Id(name))
        tree = ScheduleTree(node.get_schedule())
    return tree


def run_c(directory: Path, source: str, *args: str) -> str:
    """What a program prints; warnings are errors."""
    path = directory / "program.c"
    path.write_text(source)
    binary = directory / "program"
    command = ["gcc", *FLAGS, str(path), "-o", str(binary), "-lm"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, source + built.stderr
    env = {"OMP_NUM_THREADS": "3"}
    done = subprocess.run(
        [str(binary), *args], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, source + done.stderr
    return done.stdout


def check_equal(
    directory: Path,
    frame: str,
    original: str,
    scop: Scop,
    trees: list[ScheduleTree],
    sizes: list[tuple[int, ...]],
    options: PrintOptions | None = None,
) -> None:
    """Compile `frame` with the original and every generated text, compare outputs.

    `frame` holds ``@`` where the region belongs; sizes are its command-line arguments.
    """
    options = options or PrintOptions(max_operations=0)
    runs = [tuple(map(str, s)) for s in sizes]
    expected = [run_c(directory, frame.replace("@", original), *args) for args in runs]
    for tree in [original_tree(scop), *trees]:
        text = print_openmp(scop, tree, options)
        for args, want in zip(runs, expected, strict=True):
            assert run_c(directory, frame.replace("@", text), *args) == want, text
