"""In which ways two schedules of one SCoP differ, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from polysched.analysis.carried import loop_is_parallel
from polysched.analysis.dependences import Dependences
from polysched.analysis.explain import statement_names
from polysched.analysis.places import Member
from polysched.analysis.schedule_profile import profile_schedule
from polysched.analysis.statement_nest import StatementNest, statement_nests
from polysched.ir import NodePath, ScheduleTree, Scop
from polysched.sets import node_kind

MAX_PAIRS = 6  # pairs of statements named one by one

_Sentence = tuple[str, str]  # text with {} for the statements, one statement
_Loop = tuple[NodePath, int]


@dataclass(frozen=True)
class _Shape:
    """The loops of one statement as a person would name them."""

    order: tuple[str, ...]
    tiles: tuple[str, ...]
    has_waves: bool
    threads: str
    lanes: str
    copies: str
    parallel: tuple[str, ...]


def compare_trees(
    a: ScheduleTree,
    b: ScheduleTree,
    scop: Scop,
    dependences: Dependences,
    names: tuple[str, str] = ("a", "b"),
) -> tuple[str, ...]:
    """What the first tree does otherwise than the second, one sentence each.

    Loop orders, shifts and skews, fusion, the order of statements, tiles, threads,
    vector lanes, unrolling, and which loops are parallel.

    Parameters
    ----------
    a, b : ScheduleTree
        Of the same SCoP.
    scop : Scop
        Gives iterators their names.
    dependences : Dependences
        Of the SCoP; they decide which loops are parallel.
    names : tuple of str
        What to call the two.

    Returns
    -------
    tuple of str
        Empty for the same tree.
    """
    if a.key == b.key:
        return ()
    ours, theirs = ({n.name: n for n in statement_nests(tree, scop)} for tree in (a, b))
    free = [_parallel_loops(tree, dependences) for tree in (a, b)]
    found: list[_Sentence] = []
    for name in ours:
        iterators = scop.statement(name).iterators
        first = _shape(ours[name], iterators, free[0])
        second = _shape(theirs[name], iterators, free[1])
        found += [(text, name) for text in _shape_sentences(first, second, names)]
    sentences = _grouped(found)
    sentences += _sharing_sentences(ours, theirs, names, a, b, scop)
    sentences += _order_sentences(a, b)
    sentences += _separation_sentences(a, b, names)
    if not sentences:
        sentences = ["only flags or code options of some bands differ"]
    return tuple(sentences)


def _parallel_loops(tree: ScheduleTree, dependences: Dependences) -> frozenset[_Loop]:
    """Band members that carry no dependence."""
    validity = dependences.validity
    return frozenset(
        (path, k)
        for path, node in tree.bands()
        for k in range(node.band_n_member())
        if loop_is_parallel(node, k, validity)
    )


def _shape(
    nest: StatementNest, iterators: Sequence[str], free: frozenset[_Loop]
) -> _Shape:
    members = nest.members
    unrolled = [m for m in members if m.kind == "point" and m.unrolled]
    # the innermost tile of an unrolled loop stands for the loop
    registers = {_last_tile(nest, point): point for point in unrolled}
    loops = {k: registers.get(k, m) for k, m in enumerate(members) if not m.is_constant}
    # a row that depends on those around it, in a fused band, is no loop of its own
    rolled = [k for k in nest.points if not members[k].unrolled]
    rolled = sorted([*rolled, *(k for k in registers if k >= 0)])
    copies = [(loops[k], members[k].size) for k in rolled if k in registers]
    tiles = [m for k, m in loops.items() if m.kind != "point"]
    shared = [k for k in loops if members[k].is_parallel]
    lanes = [members[k] for k in nest.points if members[k].is_vector]
    return _Shape(
        order=tuple(_row_text(loops[k], iterators) for k in rolled),
        tiles=_tile_texts(tiles, iterators),
        has_waves=any(m.kind == "wave" for m in members),
        threads=_loop_text(loops[shared[0]], iterators) if shared else "",
        lanes=_row_text(lanes[-1], iterators) if lanes else "",
        copies=" and ".join(f"{_row_text(m, iterators)} by {n}" for m, n in copies),
        parallel=tuple(
            _row_text(loops[k], iterators)
            for k in rolled
            if (members[k].path, members[k].position) in free
        ),
    )


def _last_tile(nest: StatementNest, point: Member) -> int:
    row = point.coefficients
    tiles = [k for k, m in enumerate(nest.members) if m.kind == "tile"]
    return max((k for k in tiles if nest.members[k].coefficients == row), default=-1)


def _row_text(member: Member, iterators: Sequence[str]) -> str:
    """A row as one writes it: ``2t + i - 1``."""
    terms = list(zip(member.coefficients, iterators, strict=True))
    terms += [(c, name) for name, c in member.parameters]
    parts = [(c, name if abs(c) == 1 else f"{abs(c)}{name}") for c, name in terms if c]
    if member.constant or not parts:
        parts.append((member.constant, str(abs(member.constant))))
    signed = "".join(f"{' - ' if c < 0 else ' + '}{text}" for c, text in parts)
    return signed.removeprefix(" + ") if signed.startswith(" + ") else f"-{signed[3:]}"


def _loop_text(member: Member, iterators: Sequence[str]) -> str:
    if member.kind == "wave":
        return "the wavefronts"
    row = _row_text(member, iterators)
    return f"the tiles of {row}" if member.kind == "tile" else f"loop {row}"


def _tile_texts(members: Sequence[Member], iterators: Sequence[str]) -> tuple[str, ...]:
    """Every level of tiling, outermost first; a wave and its tiles are one level."""
    levels: list[dict[tuple[int, ...], tuple[str, int]]] = []
    path: NodePath | None = None
    for m in members:
        if m.kind == "wave":
            rows = [(replace(m, coefficients=c), c, n) for c, n in m.summed]
            levels.append({c: (_row_text(r, iterators), n) for r, c, n in rows})
            path = None
            continue
        known = levels[-1].get(m.coefficients) if levels else None
        text = _row_text(m, iterators)
        if path is None and levels and (known is None or known[1] == m.size):
            levels[-1][m.coefficients] = (text, m.size)
            continue
        if m.path != path:
            levels.append({})
            path = m.path
        levels[-1][m.coefficients] = (text, m.size)
    return tuple(_level_text(list(level.values())) for level in levels)


def _level_text(tiles: Sequence[tuple[str, int]]) -> str:
    sizes = " x ".join(str(size) for _, size in tiles)
    return f"{sizes} around ({', '.join(text for text, _ in tiles)})"


def _shape_sentences(a: _Shape, b: _Shape, names: tuple[str, str]) -> Iterator[str]:
    """Sentences with ``{}`` where the statements' names belong."""
    if a.order != b.order:
        ours, theirs = (", ".join(s.order) for s in (a, b))
        yield f"the loops of {{}} run in the order ({ours}) instead of ({theirs})"
    ours, theirs = (", then ".join(s.tiles) for s in (a, b))
    yield from _change(ours, theirs, "loops of {{}} are tiled {}", names)
    yield from _change(
        "run" * a.has_waves, "run" * b.has_waves, "the tiles of {{}} {} in waves", names
    )
    yield from _change(a.threads, b.threads, "threads share {} of {{}}", names)
    yield from _change(a.lanes, b.lanes, "loop {} of {{}} runs in vector lanes", names)
    yield from _change(a.copies, b.copies, "loops of {{}} are unrolled, {},", names)
    rows = [row for row in a.order if row in b.order]
    for row in rows:
        if (row in a.parallel) != (row in b.parallel):
            which = names[0] if row in a.parallel else names[1]
            yield f"loop {row} of {{}} is parallel in {which} only"


def _change(a: str, b: str, form: str, names: tuple[str, str]) -> Iterator[str]:
    """One sentence for a trait that one or both trees have, none when it is equal."""
    if a == b:
        return
    if a and b:
        yield f"{form.format(a)} instead of {b}"
    else:
        yield f"{form.format(a or b)} in {names[0] if a else names[1]} only"


def _grouped(found: Sequence[_Sentence]) -> list[str]:
    """Sentences that several statements have in common are told once."""
    groups: dict[str, list[str]] = {}
    for text, name in found:
        groups.setdefault(text, []).append(name)
    return [text.format(_enumerate(names)) for text, names in groups.items()]


def _enumerate(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _sharing_sentences(
    ours: dict[str, StatementNest],
    theirs: dict[str, StatementNest],
    names: tuple[str, str],
    a: ScheduleTree,
    b: ScheduleTree,
    scop: Scop,
) -> list[str]:
    changed = []
    for pair in combinations(ours, 2):
        counts = [_n_shared(n[pair[0]], n[pair[1]]) for n in (ours, theirs)]
        if counts[0] != counts[1]:
            changed.append((pair, counts))
    if len(changed) > MAX_PAIRS:
        first, second = (profile_schedule(t, scop).partition for t in (a, b))
        return [f"statements share loops as {first} instead of {second}"]
    return [_sharing(pair, counts, names) for pair, counts in changed]


def _sharing(
    pair: tuple[str, str], counts: Sequence[int], names: tuple[str, str]
) -> str:
    ours, theirs = counts
    who = f"{pair[0]} and {pair[1]} share"
    if ours and theirs:
        return f"{who} {_loops(ours)} instead of {theirs}"
    return f"{who} {_loops(ours or theirs)} in {names[0] if ours else names[1]} only"


def _loops(n: int) -> str:
    return "a loop" if n == 1 else f"{n} loops"


def _n_shared(a: StatementNest, b: StatementNest) -> int:
    """Point loops that two statements are in together; unrolled ones count."""
    keys = [
        {(n.members[k].path, n.members[k].position) for k in n.points} for n in (a, b)
    ]
    return len(keys[0] & keys[1])


def _order_sentences(a: ScheduleTree, b: ScheduleTree) -> list[str]:
    ours, theirs = (_textual_order(t) for t in (a, b))
    moved = [
        p for p in combinations(ours, 2) if theirs.index(p[0]) > theirs.index(p[1])
    ]
    if not moved:
        return []
    if len(moved) > MAX_PAIRS:
        first, second = (", ".join(order) for order in (ours, theirs))
        return [f"statements stand in the order {first} instead of {second}"]
    return [f"{s} stands before {t} instead of behind" for s, t in moved]


def _textual_order(tree: ScheduleTree) -> list[str]:
    """Statements in the order in which the tree's leaves hold them."""
    found = []
    for _, node in tree.nodes():
        if node_kind(node) == "leaf":
            found += [n for n in statement_names(node.get_domain()) if n not in found]
    return found


def _separation_sentences(
    a: ScheduleTree, b: ScheduleTree, names: tuple[str, str]
) -> list[str]:
    """Whether loops are cut where the set of running statements changes."""
    told = ["loops" if "separate[" in t.text else "" for t in (a, b)]
    return list(_change(told[0], told[1], "{} are cut to run without guards", names))
