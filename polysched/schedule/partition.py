"""Statement partitions: which statements are scheduled together.

The names are those of Chelini et al., PACT 2020, section 4.6; the publication gives no
definitions, those here are chosen so that every part is a union of strongly connected
components.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from polysched.analysis import (
    Dependences,
    component_levels,
    components,
    order_groups,
    weak_components,
)
from polysched.base import PolyschedError
from polysched.ir import Scop
from polysched.schedule.lexicon import is_stencil
from polysched.schedule.solve import WHOLE

Groups = tuple[tuple[str, ...], ...]
GroupsOf = Callable[[Scop, Dependences], Iterable[Iterable[str]]]


@dataclass(frozen=True)
class Partition:
    """A named way to group statements.

    Attributes
    ----------
    name, summary : str
        For recipes and tables.
    groups : callable
        SCoP and dependences to groups of statement names, in any order. A group that
        depends on another one in a cycle is split into its strongly connected
        components when the partition is used (`split_statements`).
    """

    name: str
    summary: str
    groups: GroupsOf


PARTITIONS: dict[str, Partition] = {}


def partition(name: str, summary: str) -> Callable[[GroupsOf], GroupsOf]:
    """Register a function as a statement partition.

    Parameters
    ----------
    name : str
        Name to use in recipes; must be new.
    summary : str
        One sentence for tables.

    Raises
    ------
    PolyschedError
        When the name is taken.
    """

    def register(groups: GroupsOf) -> GroupsOf:
        if name in PARTITIONS:
            raise PolyschedError(f"there is a statement partition {name} already")
        PARTITIONS[name] = Partition(name, summary, groups)
        return groups

    return register


def find_partition(name: str) -> Partition:
    """The partition of that name; the error lists all names."""
    if name not in PARTITIONS:
        known = ", ".join(PARTITIONS)
        raise PolyschedError(
            f"no statement partition named {name!r}; the partitions are: {known}"
        )
    return PARTITIONS[name]


def split_statements(scop: Scop, dependences: Dependences, name: str) -> Groups:
    """The parts of a partition, in an order that respects all dependences.

    Parameters
    ----------
    scop, dependences
        What is split.
    name : str
        Name of a partition.

    Raises
    ------
    PolyschedError
        When there is no such partition, or its function leaves out a statement, has
        one twice, or has a name that is none.
    """
    groups = [tuple(g) for g in find_partition(name).groups(scop, dependences)]
    label = _labels(scop, name, groups)
    return order_groups(scop, dependences, label)


def _labels(
    scop: Scop, name: str, groups: Sequence[tuple[str, ...]]
) -> dict[str, Hashable]:
    known = [s.name for s in scop.statements]
    label: dict[str, Hashable] = {}
    for k, group in enumerate(groups):
        for statement in group:
            if statement not in known:
                raise PolyschedError(
                    f"the partition {name} names {statement!r}; the statements of "
                    f"{scop.name} are: {', '.join(known)}"
                )
            if statement in label:
                raise PolyschedError(
                    f"the partition {name} has {statement} twice, expected once"
                )
            label[statement] = k
    missing = [s for s in known if s not in label]
    if missing:
        raise PolyschedError(f"the partition {name} leaves out {', '.join(missing)}")
    return label


def _by(scop: Scop, key: Callable[[str], Hashable]) -> list[list[str]]:
    found: dict[Hashable, list[str]] = {}
    for s in scop.statements:
        found.setdefault(key(s.name), []).append(s.name)
    return list(found.values())


@partition(WHOLE, "all statements in one integer program")
def all_together(scop: Scop, dependences: Dependences) -> Iterable[Iterable[str]]:
    """One part; independent statements may be fused, too."""
    return [[s.name for s in scop.statements]] if scop.statements else []


@partition("MAX", "as few parts as dependences ask for: what they connect is together")
def connected(scop: Scop, dependences: Dependences) -> Iterable[Iterable[str]]:
    """One part per weakly connected component of the dependence graph."""
    return weak_components(scop, dependences)


@partition("SINGLE", "each strongly connected component on its own")
def single(scop: Scop, dependences: Dependences) -> Iterable[Iterable[str]]:
    """Most parts: a statement that is in no cycle is alone."""
    component = components(scop, dependences)
    return _by(scop, component.__getitem__)


@partition("DIM", "statements of equal loop depth together")
def equal_depth(scop: Scop, dependences: Dependences) -> Iterable[Iterable[str]]:
    """Groups by the number of loops around a statement."""
    return _by(scop, lambda name: scop.statement(name).n_loops)


@partition("WRITE", "statements that write the same array together")
def equal_target(scop: Scop, dependences: Dependences) -> Iterable[Iterable[str]]:
    """Groups by written array; one that writes several joins their groups."""
    leader = {a.name: a.name for a in scop.arrays}

    def find(array: str) -> str:
        while leader[array] != array:
            array = leader[array]
        return array

    for s in scop.statements:
        for array in [a.array for a in s.writes]:
            leader[find(array)] = find(s.writes[0].array)
    return _by(
        scop,
        lambda name: next((find(a.array) for a in scop.statement(name).writes), name),
    )


@partition("SELFDEP", "statements that depend on themselves apart from the others")
def equal_self_dependence(
    scop: Scop, dependences: Dependences
) -> Iterable[Iterable[str]]:
    """Two groups: with and without a dependence from the statement to itself."""
    own = {d.source for d in dependences.items if d.orders and d.source == d.sink}
    return _by(scop, own.__contains__)


@partition("NODE", "cycles and stencils on their own, independent statements together")
def sets_and_components(
    scop: Scop, dependences: Dependences
) -> Iterable[Iterable[str]]:
    """The nodes of Kong and Pouchet, PLDI 2019: components, and sets between them.

    A component of several statements, or one stencil statement that depends on itself,
    is alone. The others are together as far as no chain of dependences orders them.
    """
    component = components(scop, dependences)
    level = component_levels(scop, dependences)
    own = {d.source for d in dependences.items if d.orders and d.source == d.sink}
    sizes = Counter(component.values())

    def label(name: str) -> Hashable:
        is_sweep = name in own and is_stencil(scop.statement(name))
        if sizes[component[name]] > 1 or is_sweep:
            return ("component", component[name])
        return ("set", level[name])

    return _by(scop, label)
