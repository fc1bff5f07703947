"""Dependences as a picture: statements from top to bottom, an arrow for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polysched.analysis import (
    Dependence,
    Dependences,
    dependence_distance,
    own_distance,
    print_distance,
)
from polysched.ir import Scop
from polysched.sets import list_sets
from polysched.show.markup import Html, join
from polysched.show.picture import (
    Picture,
    clip_text,
    legend,
    line,
    path,
    rectangle,
    text,
    text_width,
)

KIND_COLOURS = {"flow": 0, "anti": 1, "output": 3, "input": 6}
_ROW, _TRACK, _GAP, _PAD = 18.0, 13.0, 14.0, 8.0
_MAX_TEXT, _LETTER = 52, 7.4


@dataclass(frozen=True)
class Edge:
    """Dependences of one array between two statements at one distance.

    Attributes
    ----------
    source, sink, array : str
    kinds : tuple of str
    distance : str
        Along the loops that both are in; empty where there is none, or no SCoP to
        tell.
    """

    source: str
    sink: str
    array: str
    kinds: tuple[str, ...]
    distance: str = ""

    @property
    def label(self) -> str:
        """``A flow, anti (0, 1)``."""
        return f"{self.array} {', '.join(self.kinds)} {self.distance}".rstrip()

    @property
    def colour(self) -> int:
        """Of its first kind."""
        return KIND_COLOURS[self.kinds[0]]


def list_edges(
    dependences: Dependences, scop: Scop | None = None, *, with_input: bool = False
) -> tuple[Edge, ...]:
    """The edges of the graph, those of one array, pair and distance joined."""
    kinds: dict[tuple[str, str, str, str], list[str]] = {}
    for d in dependences.items:
        if d.orders or with_input:
            distance = _distance(d, scop)
            key = (d.source, d.sink, d.array, distance)
            kinds.setdefault(key, []).append(d.kind)
    return tuple(
        Edge(source, sink, array, tuple(k), distance)
        for (source, sink, array, distance), k in kinds.items()
    )


def _distance(dependence: Dependence, scop: Scop | None) -> str:
    if scop is None:
        told = print_distance(own_distance(dependence))
    else:
        told = print_distance(dependence_distance(dependence, scop))
    return "" if told == "()" else told


def statement_order(dependences: Dependences, scop: Scop | None) -> list[str]:
    """Statements in source order; without a SCoP in the order of their numbers."""
    if scop is not None:
        return [s.name for s in scop.statements]
    names = {n for d in dependences.items for n in (d.source, d.sink)}
    domain = list_sets(dependences.validity.domain())
    names |= {s.get_tuple_name() for s in domain}
    return sorted(names, key=lambda n: (len(n), n))


def dependence_graph(
    dependences: Dependences, scop: Scop | None = None, *, with_input: bool = False
) -> Picture:
    """The dependence graph: who waits for whom, through which array, how far.

    Every arrow has a row in the box of its source, where its label stands, one in that
    of its sink, and a track of its own to the right of the boxes: nothing overlaps.

    Parameters
    ----------
    dependences : Dependences
    scop : Scop, optional
        Gives the statements' text and the distances.
    with_input : bool
        Whether to draw sharing of what is only read.
    """
    edges = list_edges(dependences, scop, with_input=with_input)
    names = statement_order(dependences, scop)
    texts = {n: _statement_text(n, scop) for n in names}
    outs = {n: [e for e in edges if e.source == n] for n in names}
    ins = {n: [e for e in edges if e.sink == n and e.source != n] for n in names}
    width = _LETTER * max((len(t) for t in texts.values()), default=8) + 2 * _PAD
    tracks = _assign_tracks(edges, names)
    n_tracks = max(tracks.values(), default=-1) + 1
    label_x = width + _PAD + _TRACK * (n_tracks + 1)
    parts: list[Html] = []
    leave: dict[Edge, float] = {}
    enter: dict[Edge, float] = {}
    y = 30.0
    for name in names:
        rows = max(1, len(ins[name]) + sum(1 + (e.sink == name) for e in outs[name]))
        height = rows * _ROW + 6
        parts.append(rectangle(0.5, y, width, height, "box"))
        parts.append(text(_PAD, y + 17, texts[name], class_="mono"))
        place = y + 3 + _ROW / 2
        for edge in ins[name]:
            enter[edge] = place
            place += _ROW
        for edge in outs[name]:
            leave[edge] = place
            place += _ROW
            if edge.sink == name:
                enter[edge] = place
                place += _ROW
        y += height + _GAP
    for edge in edges:
        x = width + _PAD + _TRACK * (tracks[edge] + 1)
        parts.append(_draw(edge, width, x, label_x, leave[edge], enter[edge]))
    longest = max((text_width(e.label) for e in edges), default=0.0)
    head = _legend(edges)
    total = max(label_x + longest + 4, 320.0)
    title = f"dependences of {scop.name}" if scop else "dependences"
    return Picture(title, total, y, join([head, *parts]))


def _statement_text(name: str, scop: Scop | None) -> str:
    told = scop.statement(name).text if scop is not None else ""
    return clip_text(f"{name}: {told}" if told else name, _MAX_TEXT)


def _assign_tracks(edges: Sequence[Edge], names: Sequence[str]) -> dict[Edge, int]:
    """A track for each edge, short ones inside; edges that meet have different ones."""
    rank = {n: k for k, n in enumerate(names)}
    taken: list[list[tuple[int, int]]] = []
    found: dict[Edge, int] = {}

    def span(edge: Edge) -> tuple[int, int]:
        ends = rank[edge.source], rank[edge.sink]
        return min(ends), max(ends)

    for edge in sorted(edges, key=lambda e: span(e)[1] - span(e)[0]):
        low, high = span(edge)
        for k, spans in enumerate(taken):
            alone = low == high  # rows of one box are below each other
            if all(
                b < low or high < a or (alone and a == b and a == low) for a, b in spans
            ):
                spans.append((low, high))
                found[edge] = k
                break
        else:
            found[edge] = len(taken)
            taken.append([(low, high)])
    return found


def _draw(
    edge: Edge, box: float, x: float, label_x: float, leave: float, enter: float
) -> Html:
    """From the source's row along the track to the sink's, and the label."""
    k = edge.colour
    dash = " dash" if edge.kinds[0] != "flow" else ""
    route = [(box + 0.5, leave), (x, leave), (x, enter), (box + 6, enter)]
    head = [(box + 0.5, enter), (box + 7, enter - 3.5), (box + 7, enter + 3.5)]
    return join(
        (
            line(x, leave, label_x - 5, leave, "grid"),
            path(route, f"s{k}{dash}"),
            path(head, f"f{k}", closed=True),
            text(label_x, leave + 4, edge.label),
        )
    )


def _legend(edges: Sequence[Edge]) -> Html:
    kinds = [k for k in KIND_COLOURS if any(e.kinds[0] == k for e in edges)]
    items = [
        (
            line(-8, 0, 8, 0, f"s{KIND_COLOURS[k]}{'' if k == 'flow' else ' dash'}"),
            k,
        )
        for k in kinds
    ]
    return legend(12, 16, items)
