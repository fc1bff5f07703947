"""Small SCoPs written down as isl text, for tests that need no front end."""

from __future__ import annotations

import islpy as isl

from polysched.ir import Access, Array, Parameter, Scop, Statement
from polysched.ir.types import DOUBLE


def statement(
    name: str,
    domain: str,
    position: tuple[int, ...],
    *accesses: str,
    directions: tuple[int, ...] | None = None,
) -> Statement:
    """A statement without body; accesses are ``"r [i, j] -> A[i]"`` or ``"w ..."``.

    Subscripts may name the parameters of the domain.
    """
    parameters = domain.partition("{")[0]
    instances = isl.Set(domain)
    n = instances.dim(isl.dim_type.set)
    iterators = tuple(instances.get_dim_name(isl.dim_type.set, k) for k in range(n))
    found = []
    for text in accesses:
        kind, _, relation = text.partition(" ")
        access = isl.Map(f"{parameters}{{ {name}{relation} }}").intersect_domain(
            instances
        )
        array = access.get_tuple_name(isl.dim_type.out)
        kinds = {"r": "read", "w": "must_write", "m": "may_write"}
        found.append(Access(array, kinds[kind], access))
    return Statement(
        name,
        iterators,
        instances,
        position,
        directions or (1,) * n,
        (),
        tuple(found),
    )


def scop(name: str, *statements: Statement, context: str = "{ : }") -> Scop:
    arrays: dict[str, Array] = {}
    params: dict[str, Parameter] = {}
    for s in statements:
        space = s.domain.get_space()
        for k in range(space.dim(isl.dim_type.param)):
            p = space.get_dim_name(isl.dim_type.param, k)
            params[p] = Parameter(p)
        for a in s.accesses:
            n = a.relation.dim(isl.dim_type.out)
            arrays.setdefault(a.array, Array(a.array, DOUBLE, (None,) * n))
    return Scop(
        name,
        tuple(params.values()),
        isl.Set(context),
        statements,
        tuple(arrays.values()),
    )


def gemm() -> Scop:
    return scop(
        "gemm",
        statement(
            "S0",
            "[n] -> { S0[i, j] : 0 <= i < n and 0 <= j < n }",
            (0, 0, 0),
            "r [i, j] -> C[i, j]",
            "w [i, j] -> C[i, j]",
        ),
        statement(
            "S1",
            "[n] -> { S1[i, k, j] : 0 <= i < n and 0 <= j < n and 0 <= k < n }",
            (0, 1, 0, 0),
            "r [i, k, j] -> A[i, k]",
            "r [i, k, j] -> B[k, j]",
            "r [i, k, j] -> C[i, j]",
            "w [i, k, j] -> C[i, j]",
        ),
    )


def _five_points(source: str, target: str) -> list[str]:
    points = ("i, j", "i, j - 1", "i, j + 1", "i - 1, j", "i + 1, j")
    reads = [f"r [t, i, j] -> {source}[{p}]" for p in points]
    return [*reads, f"w [t, i, j] -> {target}[i, j]"]


def jacobi_2d() -> Scop:
    box = "0 <= t < T and 0 < i < n - 1 and 0 < j < n - 1"
    return scop(
        "jacobi_2d",
        statement(
            "S0",
            f"[T, n] -> {{ S0[t, i, j] : {box} }}",
            (0, 0, 0, 0),
            *_five_points("A", "B"),
        ),
        statement(
            "S1",
            f"[T, n] -> {{ S1[t, i, j] : {box} }}",
            (0, 1, 0, 0),
            *_five_points("B", "A"),
        ),
    )


def heat_3d() -> Scop:
    """Two statements that read each other's array at seven points, over T steps."""
    box = "0 <= t < T and 0 < i < n - 1 and 0 < j < n - 1 and 0 < k < n - 1"
    near = [(0, 0, 0), *(t for k in range(3) for t in _ends(k))]
    points = [f"i + {a}, j + {b}, k + {c}" for a, b, c in near]
    return scop(
        "heat_3d",
        *(
            statement(
                name,
                f"[T, n] -> {{ {name}[t, i, j, k] : {box} }}",
                (0, position, 0, 0, 0),
                *(f"r [t, i, j, k] -> {source}[{p}]" for p in points),
                f"w [t, i, j, k] -> {target}[i, j, k]",
            )
            for position, (name, source, target) in enumerate(
                (("S0", "A", "B"), ("S1", "B", "A"))
            )
        ),
    )


def _ends(axis: int) -> list[tuple[int, ...]]:
    return [tuple(step * (k == axis) for k in range(3)) for step in (-1, 1)]


def nine_points() -> Scop:
    """As `jacobi_2d`, with the corners: rows of both statements share no loop."""
    box = "0 <= t < T and 0 < i < n - 1 and 0 < j < n - 1"
    points = [f"i + {a}, j + {b}" for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return scop(
        "nine_points",
        *(
            statement(
                f"S{k}",
                f"[T, n] -> {{ S{k}[t, i, j] : {box} }}",
                (0, k, 0, 0),
                *[f"r [t, i, j] -> {source}[{p}]" for p in points],
                f"w [t, i, j] -> {target}[i, j]",
            )
            for k, (source, target) in enumerate(("AB", "BA"))
        ),
    )


def gauss_seidel() -> Scop:
    box = "0 <= t < T and 0 < i < n - 1 and 0 < j < n - 1"
    return scop(
        "seidel",
        statement(
            "S0",
            f"[T, n] -> {{ S0[t, i, j] : {box} }}",
            (0, 0, 0, 0),
            *_five_points("A", "A"),
        ),
    )


def jacobi_1d() -> Scop:
    box = "0 <= t < T and 0 < i < n - 1"
    points = ("i", "i - 1", "i + 1")
    return scop(
        "jacobi_1d",
        statement(
            "S0",
            f"[T, n] -> {{ S0[t, i] : {box} }}",
            (0, 0, 0),
            *[f"r [t, i] -> A[{p}]" for p in points],
            "w [t, i] -> B[i]",
        ),
        statement(
            "S1",
            f"[T, n] -> {{ S1[t, i] : {box} }}",
            (0, 1, 0),
            *[f"r [t, i] -> B[{p}]" for p in points],
            "w [t, i] -> A[i]",
        ),
    )
