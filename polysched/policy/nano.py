"""Nano-kernels: the smallest programs that show each kind of dependence.

One or two statements, each in one to three loops, with two array references each; two
statements share one array (Chelini et al., PACT 2020, section 4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import islpy as isl

from polysched.analysis import compute_dependences
from polysched.ir import Access, Array, Parameter, Scop, Statement
from polysched.ir.types import DOUBLE
from polysched.policy.ranking import DependenceKey, rank_dependences

Link = Literal["flow", "reduce", "anti", "output", "input", "update", "rescale"]
LINKS: tuple[Link, ...] = get_args(Link)
Own = Literal["map", "transpose", "accumulate", "columns", "scan", "sweep", "overwrite"]
OWNS: tuple[Own, ...] = get_args(Own)
MAX_DEPTH = 3
_LOOPS = ("i", "j", "k")


@dataclass(frozen=True, eq=False)
class NanoKernel:
    """A program of one or two statements.

    Attributes
    ----------
    name : str
        What it is, as in ``flow-2-3-2`` (loops of source and sink, dimensions of the
        shared array), with ``-t`` for transposed and ``-tri`` for triangular.
    scop : Scop
    """

    name: str
    scop: Scop

    def key(self, n_cores: int) -> DependenceKey:
        """The key of what connects its statements."""
        deps = compute_dependences(self.scop)
        ranked = rank_dependences(self.scop, deps, n_cores=n_cores)
        shared = [r for r in ranked if r.array in ("X", "")]
        n = len(self.scop.statements)
        wanted = [r for r in shared if r.key.n_statements == n]
        return wanted[0].key


def nano_kernels() -> tuple[NanoKernel, ...]:
    """All of them, in an order that never changes."""
    return (*_single_kernels(), *_pair_kernels())


def _single_kernels() -> Iterator[NanoKernel]:
    for own, depth, is_triangular in product(OWNS, range(1, MAX_DEPTH + 1), (0, 1)):
        loops = _LOOPS[:depth]
        if is_triangular and depth < 2:
            continue
        for n in _single_dims(own, depth):
            references = _single_references(own, loops, n)
            name = f"{own}-{depth}-{n}{'-tri' * is_triangular}"
            body = _statement(
                "S0", depth, (0,) * (depth + 1), references, is_triangular
            )
            yield NanoKernel(name, _scop(name, body))


def _single_dims(own: Own, depth: int) -> range:
    """Dimensions of the array that one statement writes."""
    match own:
        case "map" | "scan":
            return range(depth, depth + 1)
        case "transpose":
            return range(depth, depth + (depth > 1))
        case "accumulate" | "columns" | "overwrite":
            return range(1, depth)
        case "sweep":
            return range(max(1, depth - 1), depth)


def _single_references(own: Own, loops: tuple[str, ...], n: int) -> list[str]:
    here = list(loops[:n])
    match own:
        case "map" | "overwrite":
            return [f"r Z[{_join(loops)}]", f"w X[{_join(here)}]"]
        case "transpose":
            return [f"r Z[{_join(loops[::-1])}]", f"w X[{_join(here)}]"]
        case "accumulate" | "columns":
            element = f"X[{_join(here)}]"
            whole = loops if own == "accumulate" else loops[::-1]
            return [f"r Z[{_join(whole)}]", f"r {element}", f"w {element}"]
        case "scan":
            last = [*here[:-1], f"{here[-1]} - 1"]
            return [f"r X[{_join(last)}]", f"w X[{_join(here)}]"]
        case "sweep":
            space = list(loops[-n:])
            before = [*space[:-1], f"{space[-1]} - 1"]
            behind = [*space[:-1], f"{space[-1]} + 1"]
            return [
                f"r X[{_join(before)}]",
                f"r X[{_join(behind)}]",
                f"w X[{_join(space)}]",
            ]


def _pair_kernels() -> Iterator[NanoKernel]:
    depths = range(1, MAX_DEPTH + 1)
    for link, source, sink in product(LINKS, depths, depths):
        if link == "reduce" and sink < 2:
            continue
        for n in range(1, min(source, sink) + 1):
            yield _pair_kernel(link, source, sink, n)
            if n >= 2:
                yield _pair_kernel(link, source, sink, n, is_transposed=True)
            if max(source, sink) >= 2:
                yield _pair_kernel(link, source, sink, n, is_triangular=True)


def _pair_kernel(
    link: Link,
    source: int,
    sink: int,
    n: int,
    *,
    is_transposed: bool = False,
    is_triangular: bool = False,
) -> NanoKernel:
    name = f"{link}-{source}-{sink}-{n}{'-t' * is_transposed}{'-tri' * is_triangular}"
    first, second = _LOOPS[:source], _LOOPS[:sink]
    mine = f"X[{_join(first[:n])}]"
    theirs = f"X[{_join(second[:n][:: -1 if is_transposed else 1])}]"
    kinds = {"anti": "rw", "output": "ww", "input": "rr"}.get(link, "wr")
    wide = f"Y[{_join(second)}]"
    others = {
        "reduce": [f"r {theirs}", f"r Y[{second[0]}]", f"w Y[{second[0]}]"],
        "update": [f"r {wide}", f"r {theirs}", f"w {theirs}"],
        "rescale": [f"r {wide}", f"r {theirs}", f"w {theirs}"],
        "anti": [f"r {wide}", f"w {theirs}"],
        "output": [f"r {wide}", f"w {theirs}"],
    }.get(link, [f"r {theirs}", f"w {wide}"])
    own = f"{'w' if kinds[0] == 'r' else 'r'} Z[{_join(first)}]"
    if link == "rescale":
        own = f"r {mine}"
    before, behind = (0,) * (source + 1), (1, *(0,) * sink)
    references = [own, f"{kinds[0]} {mine}"]
    first_statement = _statement("S0", source, before, references, is_triangular)
    second_statement = _statement("S1", sink, behind, others, is_triangular)
    return NanoKernel(name, _scop(name, first_statement, second_statement))


def _join(subscripts: list[str] | tuple[str, ...]) -> str:
    return ", ".join(subscripts)


def _statement(
    name: str,
    depth: int,
    position: tuple[int, ...],
    references: list[str],
    is_triangular: bool | int,
) -> Statement:
    loops = _LOOPS[:depth]
    bounds = [f"0 < {loop} < N" for loop in loops]
    if is_triangular and depth >= 2:
        bounds.append(f"{loops[1]} <= {loops[0]}")
    domain = isl.Set(f"[N] -> {{ {name}[{_join(loops)}] : {' and '.join(bounds)} }}")
    accesses = []
    for text in references:
        kind, _, element = text.partition(" ")
        relation = isl.Map(f"{{ {name}[{_join(loops)}] -> {element} }}")
        accesses.append(
            Access(
                element.partition("[")[0],
                "read" if kind == "r" else "must_write",
                relation.intersect_domain(domain),
            )
        )
    return Statement(name, loops, domain, position, (1,) * depth, (), tuple(accesses))


def _scop(name: str, *statements: Statement) -> Scop:
    arrays: dict[str, Array] = {}
    for s in statements:
        for a in s.accesses:
            n = a.relation.range().n_dim()
            arrays.setdefault(a.array, Array(a.array, DOUBLE, (None,) * n))
    context = isl.Set("[N] -> { : N >= 4 }")
    return Scop(name, (Parameter("N"),), context, statements, tuple(arrays.values()))
