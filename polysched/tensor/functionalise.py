"""New versions of arrays that are overwritten, and one copy per iteration of a loop.

A program that mutates arrays through views becomes one in which a name means one value,
as in Zhang et al., "TensorSSA" (DAC 2024), section 3: views are affine maps to a base
already, so that every write says which elements of the base it replaces (Assign), and
every read from which version it takes them (Access). Exact dataflow over loops and
branches takes the place of block propagation: stores that reach a common load are one
version, and versions that share no load get arrays of their own (renaming). A version
whose values never pass from one iteration of a loop to another gets one copy for each
iteration (array expansion, Feautrier, ICS 1988). What is left are flow dependences, and
those output dependences that a version has inside one iteration.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import islpy as isl

from polysched.sets import list_maps, map_names, read_map
from polysched.tensor.bounds import largest
from polysched.tensor.dataflow import INITIAL, Accesses, AccessPoint, Flow, iterator_of
from polysched.tensor.expr import (
    Assign,
    Break,
    Expr,
    For,
    If,
    Load,
    Node,
    Op,
    Storage,
    While,
    expressions_of,
    loads,
    walk_nodes,
)
from polysched.tensor.facts import Loop
from polysched.tensor.program import TensorProgram
from polysched.tensor.size import Size, floor_div

Key = tuple[int, int]  # a node and the number of a load in it


class _Version:
    """Stores that reach common loads, with those loads."""

    def __init__(self, stores: set[str], loads: set[str], is_original: bool) -> None:
        self.stores = stores
        self.loads = loads
        self.is_original = is_original
        self.loops: tuple[For, ...] = ()
        self.storage: Storage | None = None


def expand(program: TensorProgram) -> TensorProgram:
    """The same program with a version of an array for each value that it holds.

    Arguments and results keep their last version; the others become temporaries, which
    take more memory. The result computes the same values in the same order.
    """
    accesses = Accesses(program.parameters, program.body)
    names = {s.name for s in (*program.arrays, *program.variables)}
    names |= {p.name for p in program.parameters}
    targets: dict[Key, tuple[Storage, tuple[Size, ...]]] = {}
    arrays: list[Storage] = []
    variables: list[Storage] = []
    for storage in (*program.arrays, *program.variables):
        versions = _versions(accesses, storage)
        for number, version in enumerate(versions):
            made = _make(storage, version, number, names)
            names.add(made.name)
            (arrays if made.extents or made.kind != "local" else variables).append(made)
            _note(accesses, version, made, targets)
        if not versions:
            (variables if storage.kind == "local" else arrays).append(storage)
    order = {"argument": 0, "result": 1, "temporary": 2}
    arrays.sort(key=lambda s: order[s.kind])
    return replace(
        program, arrays=tuple(arrays), variables=tuple(variables),
        body=_rewrite(program.body, targets),
    )  # fmt: skip


def _versions(accesses: Accesses, storage: Storage) -> list[_Version]:
    """The versions of an array, the original first; none to leave it as it is."""
    points = accesses.of(storage)
    if id(storage) in accesses.bent or not any(p.is_store for p in points):
        return []
    flow = accesses.flow(storage, storage.kind in ("argument", "result"))
    groups = _groups(points, flow)
    versions = [
        _Version(
            {p.name for p in points if p.name in group and p.is_store},
            {p.name for p in points if p.name in group and not p.is_store},
            INITIAL in group or "END" in group,
        )
        for group in groups
    ]
    versions.sort(key=lambda v: not v.is_original)
    for version in versions:
        if not version.is_original:
            version.loops = _private_loops(points, version, flow)
    return versions


def _groups(points: Sequence[AccessPoint], flow: Flow) -> list[set[str]]:
    """Accesses joined by values that pass between them, in order of the text."""
    groups: list[set[str]] = [{INITIAL, "END"}]
    groups += [{p.name} for p in points]
    for sink, sources in flow.sources.items():
        joined = {sink, *sources}
        touched = [g for g in groups if g & joined]
        groups = [g for g in groups if not g & joined]
        groups.append(set().union(joined, *touched))
    first = {p.name: k for k, p in enumerate(points)}
    found = [g for g in groups if g & set(first)]
    found.sort(key=lambda g: min(first.get(n, len(first)) for n in g))
    return found


def _private_loops(
    points: Sequence[AccessPoint], version: _Version, flow: Flow
) -> tuple[For, ...]:
    """Loops of the Python text that carry none of the version's values."""
    members = [p for p in points if p.name in version.stores | version.loads]
    common: list[For] = []
    for level in zip(*(p.loops for p in members), strict=False):
        if any(loop is not level[0] for loop in level):
            break
        common.append(level[0])
    names = version.stores | version.loads
    pairs = [m for m in list_maps(flow.relation) if set(map_names(m)) <= names]
    depths = {p.name: len(p.loops) for p in members}
    return tuple(
        loop
        for k, loop in enumerate(common)
        if loop.is_written and all(_stays(pair, depths, k) for pair in pairs)
        and not _uses(members, loop) and not _trip(loop, tuple(common)).chosen
    )  # fmt: skip


def _stays(pair: isl.Map, loops: dict[str, int], k: int) -> bool:
    """Whether source and sink agree in the iterator of a loop."""
    one, two = map_names(pair)
    ours = [f"s{j}" if j != k else "same" for j in range(loops[one])]
    theirs = [f"t{j}" if j != k else "same" for j in range(loops[two])]
    agree = read_map(f"{{ {one}[{', '.join(ours)}] -> {two}[{', '.join(theirs)}] }}")
    return bool(pair.is_subset(agree))


def _uses(members: Iterable[AccessPoint], loop: For) -> bool:
    """Whether each iteration has elements of its own already."""
    stores = [p for p in members if isinstance(p.node, Assign) and p.is_store]
    return any(
        loop.iterator in set(s.symbols())
        for p in stores
        if isinstance(p.node, Assign)
        for s in p.node.target.subscripts
    )


def _make(storage: Storage, version: _Version, number: int, names: set[str]) -> Storage:
    if version.is_original:
        return storage
    if not version.loops and number == 0:
        return storage
    name = (
        storage.name if number == 0 else _free(f"{storage.name}_v{number + 1}", names)
    )
    extents = storage.extents
    if version.loops:
        extents = (*(_trip(loop, version.loops) for loop in version.loops), *extents)
    kind = "temporary" if extents else "local"
    return replace(storage, name=name, kind=kind, extents=extents, copied_from=set())


def _trip(loop: For, loops: tuple[For, ...]) -> Size:
    """An upper bound of how often a loop runs."""
    span = loop.stop - loop.start if loop.step > 0 else loop.start - loop.stop
    step = abs(loop.step)
    count = span if step == 1 else floor_div(span + (step - 1), step)
    return largest(count, [Loop(n.iterator, n.start, n.stop, n.step) for n in loops])


def _free(name: str, names: set[str]) -> str:
    while name in names:
        name += "_"
    return name


def _note(
    accesses: Accesses, version: _Version, made: Storage,
    targets: dict[Key, tuple[Storage, tuple[Size, ...]]],
) -> None:  # fmt: skip
    """Where the version's accesses go from now on."""
    leading = tuple(iterator_of(loop) for loop in version.loops)
    members = version.stores | version.loads
    for point in accesses.points:
        if point.name in members:
            targets[id(point.node), point.number] = (made, leading)


def _rewrite(
    nodes: list[Node], targets: dict[Key, tuple[Storage, tuple[Size, ...]]]
) -> list[Node]:
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Assign):
            value = _rewrite_expr(node, node.value, targets)
            target = _moved(node.target, targets.get((id(node), -1)))
            result.append(replace(node, target=target, value=value))
        elif isinstance(node, For):
            result.append(replace(node, body=_rewrite(node.body, targets)))
        elif isinstance(node, While):
            condition = _rewrite_expr(node, node.condition, targets)
            body = _rewrite(node.body, targets)
            result.append(replace(node, condition=condition, body=body))
        elif isinstance(node, Break):
            result.append(node)
        else:
            assert isinstance(node, If)
            result.append(
                replace(
                    node, condition=_rewrite_expr(node, node.condition, targets),
                    body=_rewrite(node.body, targets),
                    orelse=_rewrite(node.orelse, targets),
                )
            )  # fmt: skip
    return result


def _moved(load: Load, target: tuple[Storage, tuple[Size, ...]] | None) -> Load:
    if target is None:
        return load
    storage, leading = target
    return replace(load, storage=storage, subscripts=(*leading, *load.subscripts))


def _rewrite_expr(
    node: Node, expr: Expr, targets: dict[Key, tuple[Storage, tuple[Size, ...]]]
) -> Expr:
    """Loads are counted in the order of `walk`."""
    count = iter(range(1_000_000))

    def visit(part: Expr) -> Expr:
        if isinstance(part, Load):
            return _moved(part, targets.get((id(node), next(count))))
        if isinstance(part, Op):
            return replace(part, operands=tuple(visit(a) for a in part.operands))
        return part

    return visit(expr)


def contract(program: TensorProgram) -> TensorProgram:
    """Temporaries of the same type and shape share memory where none needs both.

    Lifetimes are intervals of the function's outermost statements; the scheduler's
    freedom shrinks again, so contract what is to run as it is written.
    """
    spans = _spans(program)
    free: list[tuple[int, Storage]] = []
    kept: dict[int, Storage] = {}
    order = [s for s in program.arrays if s.kind == "temporary" and id(s) in spans]
    for storage in sorted(order, key=lambda s: spans[id(s)]):
        first, last = spans[id(storage)]
        alike = (
            (k, s)
            for k, (end, s) in enumerate(free)
            if end < first and s.dtype == storage.dtype and s.extents == storage.extents
        )
        reuse = next(alike, None)
        if reuse is None:
            kept[id(storage)] = storage
            free.append((last, storage))
        else:
            kept[id(storage)] = reuse[1]
            free[reuse[0]] = (last, reuse[1])
    targets: dict[Key, tuple[Storage, tuple[Size, ...]]] = {}
    for node in walk_nodes(program.body):
        for number, load in _numbered(node):
            if id(load.storage) in kept:
                targets[id(node), number] = (kept[id(load.storage)], ())
    arrays = tuple(s for s in program.arrays if kept.get(id(s), s) is s)
    return replace(program, arrays=arrays, body=_rewrite(program.body, targets))


def _numbered(node: Node) -> list[tuple[int, Load]]:
    found = [p for e in expressions_of(node) for p in enumerate(loads(e))]
    return [(-1, node.target), *found] if isinstance(node, Assign) else found


def _spans(program: TensorProgram) -> dict[int, tuple[int, int]]:
    """First and last outermost statement that mentions a storage."""
    spans: dict[int, tuple[int, int]] = {}
    for k, top in enumerate(program.body):
        for node in walk_nodes([top]):
            for _, load in _numbered(node):
                first, _ = spans.get(id(load.storage), (k, k))
                spans[id(load.storage)] = (first, k)
    return spans
