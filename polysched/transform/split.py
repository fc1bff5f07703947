"""Cutting the range of a loop into parts: index-set splitting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import islpy as isl

from polysched.analysis import Dependences
from polysched.base import PolyschedError
from polysched.ir import ScheduleTree
from polysched.sets import list_sets, n_dims, param_names
from polysched.transform.bands import has_isolation, member_schedules
from polysched.transform.step import Step

_NAME = re.compile(r"[A-Za-z_]\w*")
_CUT = re.compile(r"[\w\s+*/()-]+")


@dataclass(frozen=True)
class Split(Step):
    """Cut the range of one loop into parts that run one after another.

    With the cuts ``[c0, c0 + 1]`` a loop below a loop ``c0`` runs up to it, at it, and
    behind it::

        for j in 0 .. n:  S(j)        for j < c0:  S(j)
                                      S(c0)
                                      for j > c0:  S(j)

    The order of instances stays as it is. What is gained is that a loop may be parallel
    in each part where the whole was not, because of what it does at ``c0`` alone.

    Attributes
    ----------
    band : tuple of int
        Path of the band.
    member : int
        Position of the loop to cut; members before it are split off and stay around
        the parts.
    cuts : tuple of str
        First values of the second and later parts, ascending: affine in parameters and
        in the values ``c0``, ``c1``, ... of the loops around, outermost first. A
        parameter of such a name cannot be told from a loop, and is not allowed.
    """

    member: int
    cuts: tuple[str, ...]

    name: ClassVar[str] = "split"

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        n_members = node.band_n_member()
        if not 0 <= self.member < n_members:
            return f"found member {self.member}, expected 0 to {n_members - 1}"
        if has_isolation(node):
            return "the band or one below it isolates full tiles, which must come last"
        if node.get_domain().is_empty():
            return "no instance runs in the loop"
        if has_loop_names(node.get_domain()):
            return "a parameter has the name of a loop"
        try:
            parts = find_parts(node, self.member, self.cuts)
        except PolyschedError:
            depth = node.get_schedule_depth() + self.member
            return (
                f"found the cuts {list(self.cuts)}, expected affine functions of "
                f"parameters and of {depth} loops c0, c1, ..."
            )
        if sum(part is not None for part in parts) < 2:
            return f"the cuts {list(self.cuts)} leave the loop whole"
        return None

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        return True

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        parts = find_parts(node, self.member, self.cuts)
        if self.member:
            node = node.band_split(self.member).child(0)
        filters = isl.UnionSetList.alloc(node.get_ctx(), len(parts))
        for part in parts:
            if part is not None:
                filters = filters.add(part)
        return node.insert_sequence(filters)


def find_parts(
    node: isl.ScheduleNode, member: int, cuts: tuple[str, ...]
) -> list[isl.UnionSet | None]:
    """The instances in each part of a band member's range; None where there are none.

    Raises
    ------
    PolyschedError
        If a cut is no affine function of the outer loops and parameters.
    """
    values = loop_values(node, member)
    domain = node.get_domain()
    found: list[isl.UnionSet | None] = []
    for k in range(len(cuts) + 1):
        part = _part(values, cuts, k)
        found.append(None if part.is_empty() else _simplify(part, domain))
    return found


def has_loop_names(domain: isl.UnionSet) -> bool:
    """Whether some parameter is called like a loop in a cut: c0, c1, ..."""
    return any(re.fullmatch(r"c\d+", name) for name in param_names(domain))


def loop_values(node: isl.ScheduleNode, member: int) -> isl.UnionMap:
    """Instances to the values of all loops up to a band's member."""
    domain = node.get_domain()
    values = node.get_prefix_schedule_union_map().intersect_domain(domain)
    for schedule in member_schedules(node)[: member + 1]:
        values = values.flat_range_product(isl.UnionMap.from_union_pw_aff(schedule))
    return values


def _part(values: isl.UnionMap, cuts: tuple[str, ...], k: int) -> isl.UnionSet:
    """Instances from the first `k` cuts on, and before the next."""
    inside = isl.Set.universe(list_sets(values.range())[0].get_space())
    params = param_names(values)
    for position, cut in enumerate(cuts[: k + 1]):
        first = _read_cut(cut, params, n_dims(inside))
        space = isl.LocalSpace.from_space(first.get_domain_space())
        last = isl.Aff.var_on_domain(space, isl.dim_type.set, n_dims(inside) - 1)
        value = isl.PwAff.from_aff(last)
        side = value.ge_set(first) if position < k else value.lt_set(first)
        inside = inside.intersect(side)
    return values.intersect_range(isl.UnionSet.from_set(inside)).domain()


def _read_cut(cut: str, params: tuple[str, ...], depth: int) -> isl.PwAff:
    """A cut as a function of the values of all loops up to the one it cuts."""
    loops = [f"c{d}" for d in range(depth)]
    words = set(_NAME.findall(cut)) - {"floor", "mod"}
    names = sorted(words & set(params))
    space = f"[{', '.join(names)}] -> " if names else ""
    if not _CUT.fullmatch(cut) or words - {*params, *loops[:-1]}:
        raise PolyschedError(f"the cut {cut!r} depends on more than outer loops")
    try:
        return isl.PwAff(f"{space}{{ [{', '.join(loops)}] -> [({cut})] }}")
    except isl.Error as error:
        raise PolyschedError(f"the cut {cut!r} is not affine") from error


def _simplify(part: isl.UnionSet, domain: isl.UnionSet) -> isl.UnionSet:
    """The filter that picks a part of a domain, in few constraints."""
    total = isl.UnionSet.empty(part.get_space())
    for one in list_sets(part):
        whole = domain.extract_set(one.get_space())
        simple = one.coalesce().gist(whole)
        total = total.union(isl.UnionSet.from_set(simple))
    return total
