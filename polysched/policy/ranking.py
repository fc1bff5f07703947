"""Dependences of a partition, those that matter most first, and what they are like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from polysched.analysis import DependenceKind, Dependences, is_box
from polysched.ir import Scop

KIND_BITS: dict[DependenceKind, int] = {"flow": 1, "anti": 2, "output": 4, "input": 8}
Cardinality = Literal["1-1", "1-N", "N-1", "N-N"]
CARDINALITIES: tuple[Cardinality, ...] = ("1-1", "1-N", "N-1", "N-N")


@dataclass(frozen=True)
class DependenceKey:
    """What a dependence is like, without names and sizes [1]_.

    Attributes
    ----------
    n_statements : int
        1 for a statement alone or with itself, 2 for a pair.
    par_priority : int
        How much outer parallelism is worth, see `par_priority`.
    dim_source, dim_sink : int
        Loops around the statements.
    rect_source, rect_sink : bool
        Whether the iteration domains are rectangular.
    dim_data : int
        Dimensions of the array that carries it.
    has_dependence : bool
        False for statements that only read the same elements, or share nothing.
    self_dependence : bool
        Whether one of the statements depends on itself.
    kinds : int
        Sum of 1 for flow, 2 for anti, 4 for output; 8 for input where nothing orders.
    cardinality : {"1-1", "1-N", "N-1", "N-N"}
        Instances of source and sink per array element: many where the statement has
        more loops than the array has dimensions.

    References
    ----------
    .. [1] Chelini et al., "Automatic generation of multi-objective polyhedral compiler
       transformations", PACT 2020, section 4.
    """

    n_statements: int
    par_priority: int
    dim_source: int
    dim_sink: int
    rect_source: bool
    rect_sink: bool
    dim_data: int
    has_dependence: bool
    self_dependence: bool
    kinds: int
    cardinality: Cardinality

    def to_json(self) -> dict[str, object]:
        """All fields by name."""
        return asdict(self)

    def distance(self, other: DependenceKey) -> int:
        """How unlike two keys are, 0 for equal ones.

        What decides whether there is something to fuse or to order weighs most, then
        loops, the array, and last the shape of the domains.
        """
        mine, theirs = asdict(self), asdict(other)
        total = sum(
            weight * abs(int(mine[name]) - int(theirs[name]))
            for name, weight in _WEIGHTS.items()
        )
        total += 4 * (self.kinds ^ other.kinds).bit_count()
        return total + 3 * (self.cardinality != other.cardinality)

    def __str__(self) -> str:
        kinds = "+".join(k for k, bit in KIND_BITS.items() if self.kinds & bit)
        loops = f"{self.dim_source} loops"
        if self.n_statements == 2:
            loops = f"{self.dim_source} and {self.dim_sink} loops"
        told = [kinds or "no dependence", loops, f"{self.dim_data}-d data"]
        told += [self.cardinality]
        told += ["self"] if self.self_dependence else []
        told += [] if self.rect_source and self.rect_sink else ["not rectangular"]
        return ", ".join(told)


_WEIGHTS = {
    "n_statements": 100,
    "has_dependence": 100,
    "par_priority": 50,
    "self_dependence": 20,
    "dim_source": 10,
    "dim_sink": 10,
    "dim_data": 5,
    "rect_source": 1,
    "rect_sink": 1,
}


def par_priority(n_cores: int) -> int:
    """How much outer parallelism is worth: 0 below 8 cores, 1 below 20, else 2."""
    return 0 if n_cores < 8 else 1 if n_cores < 20 else 2


@dataclass(frozen=True)
class RankedDependence:
    """Two statements, or one, with what connects them through one array.

    Attributes
    ----------
    source, sink : str
        Statements; equal for a self dependence and for a statement without any.
    array : str
        The array; empty for a statement that shares nothing.
    key : DependenceKey
    """

    source: str
    sink: str
    array: str
    key: DependenceKey

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """What the ranking compares, larger first."""
        key = self.key
        return (
            max(key.dim_source, key.dim_sink),
            key.dim_data,
            CARDINALITIES.index(key.cardinality),
            key.dim_source + key.dim_sink,
        )

    def __str__(self) -> str:
        if not self.array:
            return f"{self.source} alone"
        return f"{self.source} -> {self.sink} on {self.array}"


def rank_dependences(
    scop: Scop,
    dependences: Dependences,
    statements: Sequence[str] | None = None,
    n_cores: int = 2,
) -> tuple[RankedDependence, ...]:
    """Dependences inside a group of statements, in descending order of importance.

    The deepest loops over the largest arrays decide first: by the larger loop depth,
    the dimensions of the data, the cardinality, the sum of loop depths (PACT 2020,
    section 4.5); in textual order where these agree.

    Parameters
    ----------
    scop, dependences
        Input dependences count as sharing.
    statements : sequence of str, optional
        The group; all by default. A member without dependences has one entry of its
        own.
    n_cores : int
        Of the machine, for the keys.
    """
    names = [s.name for s in scop.statements]
    if statements is not None:
        names = [n for n in names if n in set(statements)]
    masks: dict[tuple[str, str, str], int] = {}
    for d in dependences.items:
        if d.source in names and d.sink in names:
            at = (d.source, d.sink, d.array)
            masks[at] = masks.get(at, 0) | KIND_BITS[d.kind]
    own = {d.source for d in dependences.items if d.orders and d.source == d.sink}
    sharing = KIND_BITS["input"]
    found = [
        RankedDependence(
            *at, _key(scop, at, mask & ~sharing or mask, bool({*at[:2]} & own), n_cores)
        )
        for at, mask in masks.items()
        if at[0] != at[1] or mask & ~sharing
    ]
    touched = {n for r in found for n in (r.source, r.sink)}
    found += [
        RankedDependence(n, n, "", _key(scop, (n, n, ""), 0, False, n_cores))
        for n in names
        if n not in touched
    ]
    order = {n: k for k, n in enumerate(names)}
    return tuple(
        sorted(
            found,
            key=lambda r: (
                [-x for x in r.rank],
                order[r.source],
                order[r.sink],
                r.array,
            ),
        )
    )


def _key(
    scop: Scop, at: tuple[str, str, str], kinds: int, has_self: bool, n_cores: int
) -> DependenceKey:
    source, sink = scop.statement(at[0]), scop.statement(at[1])
    if at[2]:
        dim = scop.array(at[2]).n_dim
    else:
        dim = max((scop.array(a.array).n_dim for a in source.accesses), default=0)
    many = (source.n_loops > dim, sink.n_loops > dim)
    return DependenceKey(
        n_statements=1 if source is sink else 2,
        par_priority=par_priority(n_cores),
        dim_source=source.n_loops,
        dim_sink=sink.n_loops,
        rect_source=is_box(source.domain),
        rect_sink=is_box(sink.domain),
        dim_data=dim,
        has_dependence=bool(kinds & ~KIND_BITS["input"]),
        self_dependence=has_self,
        kinds=kinds,
        cardinality=CARDINALITIES[2 * many[0] + many[1]],
    )
