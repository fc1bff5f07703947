"""Programs that show what an objective does, and the literature's known answers."""

from __future__ import annotations

from polysched.ir import Scop, Statement
from tests.unit.scops import scop, statement

SQUARE = "0 <= i < n and 0 <= j < n"
CUBE = f"{SQUARE} and 0 <= k < n"


def nest(name: str, loops: str, *accesses: str, position: tuple[int, ...] = ()):
    """A statement in loops from 0 to n, its own nest unless told otherwise."""
    iterators = loops.split()
    box = " and ".join(f"0 <= {x} < n" for x in iterators)
    instances = f"{name}[{', '.join(iterators)}]"
    here = f"[{', '.join(iterators)}]"
    domain = f"[n] -> {{ {instances} : {box} }}"
    listed = [f"{a[0]} {here} -> {a[2:]}" for a in accesses]
    return statement(name, domain, position or (0,) * (len(iterators) + 1), *listed)


def single(loops: str, *accesses: str) -> Scop:
    """One statement; accesses are "r A[i]" or "w A[i]"."""
    return scop("single", nest("S0", loops, *accesses))


def pair(first: Statement, second: Statement) -> Scop:
    """Two statements, in nests of their own when their positions say so."""
    return scop("pair", first, second)


def matmul(loops: str) -> Scop:
    return single(loops, "r A[i, k]", "r B[k, j]", "r C[i, j]", "w C[i, j]")


def syrk() -> Scop:
    return single("i j k", "r A[i, k]", "r A[j, k]", "r C[i, j]", "w C[i, j]")


def mvt() -> Scop:
    """Two matrix-vector products, the second with the transposed matrix."""
    return pair(
        nest("S0", "i j", "r x1[i]", "r A[i, j]", "r y1[j]", "w x1[i]"),
        nest(
            "S1", "i j", "r x2[i]", "r A[j, i]", "r y2[j]", "w x2[i]",
            position=(1, 0, 0),
        ),
    )  # fmt: skip


def two_products() -> Scop:
    """2mm: D = beta*D + (alpha*A*B)*C, initialisations inside of the outer loops."""
    return scop(
        "2mm",
        nest("S0", "i j", "w T[i, j]"),
        nest(
            "S1", "i j k", "r A[i, k]", "r B[k, j]", "r T[i, j]", "w T[i, j]",
            position=(0, 0, 1, 0),
        ),
        nest("S2", "i j", "r D[i, j]", "w D[i, j]", position=(1, 0, 0)),
        nest(
            "S3", "i j k", "r T[i, k]", "r C[k, j]", "r D[i, j]", "w D[i, j]",
            position=(1, 0, 1, 0),
        ),
    )  # fmt: skip


def fdtd_2d() -> Scop:
    """The three main statements: two electric fields, then the magnetic one."""
    box = "0 <= t < T and 0 < i < n - 1 and 0 < j < n - 1"

    def sweep(name: str, rank: int, *accesses: str) -> Statement:
        domain = f"[T, n] -> {{ {name}[t, i, j] : {box} }}"
        listed = [f"{a[0]} [t, i, j] -> {a[2:]}" for a in accesses]
        return statement(name, domain, (0, rank, 0, 0), *listed)

    return scop(
        "fdtd_2d",
        sweep("S0", 0, "r ey[i, j]", "r hz[i, j]", "r hz[i - 1, j]", "w ey[i, j]"),
        sweep("S1", 1, "r ex[i, j]", "r hz[i, j]", "r hz[i, j - 1]", "w ex[i, j]"),
        sweep(
            "S2", 2,
            "r hz[i, j]", "r ex[i, j + 1]", "r ex[i, j]", "r ey[i + 1, j]",
            "r ey[i, j]", "w hz[i, j]",
        ),
    )  # fmt: skip
