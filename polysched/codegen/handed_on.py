"""Elements that one iteration writes and the next one reads.

Where arrays are parameters, a compiler stores such an element and loads it again behind
the stores to others, and each iteration waits for memory; in a variable it does not::

    for (int j = 1; j < m; j++) {                  double last = h[i][0];
      e[i][j] = a * h[i][j - 1] + x[j];            for (int j = 1; j < m; j++) {
      h[i][j] = b * e[i][j] + y[j];        ==>       double held;
    }                                                e[i][j] = a * last + x[j];
                                                     held = b * e[i][j] + y[j];
                                                     h[i][j] = held;
                                                     last = held;
                                                   }
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polysched.codegen.ctext import PRIMARY, Text, identifiers
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Loop

Place = tuple[Linear, ...]  # the subscripts of an element


@dataclass(frozen=True)
class Handed:
    """An element of one iteration that is another one of the next.

    Attributes
    ----------
    written, read : str
        The two as an iteration names them.
    first : str
        The second one as the first iteration does.
    """

    written: str
    read: str
    first: str


def find_handed(
    loop: Loop, places: Mapping[str, Place], written: Sequence[str]
) -> list[Handed]:
    """What the body of a loop hands on from iteration to iteration.

    Parameters
    ----------
    loop : Loop
        With a body that runs straight through.
    places : mapping of str to places
        Where the elements of one array are that the body names, which are all apart.
    written : sequence of str
        Those that it writes.
    """
    found = []
    for one in written:
        before = _before(places[one], loop)
        others = [places[w] for w in written if w != one]
        if before is None or not all(_never_meet(places[one], o, loop) for o in others):
            continue
        for text, place in places.items():
            if text not in written and _is_same(place, before):
                found.append(Handed(one, text, _at_first(text, place, loop)))
    return found


def _before(place: Place, loop: Loop) -> Place | None:
    """A place an iteration earlier; None where it is the same one, or hard to say."""
    if not _is_plain(place, loop):
        return None
    step = Linear((), -loop.step)
    moved = tuple(s.plus(step, _weight(s, loop)) for s in place)
    return None if moved == place else moved


def _is_plain(place: Place, loop: Loop) -> bool:
    """Whether the iterator is in subscripts as a term of its own, if at all."""
    return all(
        atom.text == loop.iterator or loop.iterator not in identifiers(atom.text)
        for subscript in place
        for atom, _ in subscript.terms
    )


def _weight(subscript: Linear, loop: Loop) -> int:
    return sum(w for atom, w in subscript.terms if atom.text == loop.iterator)


def _is_same(one: Place, other: Place) -> bool:
    differences = (a.plus(b, -1) for a, b in zip(one, other, strict=True))
    return all(d == Linear() for d in differences)


def _never_meet(one: Place, other: Place, loop: Loop) -> bool:
    """Whether two places are apart in any two iterations of a loop."""
    return any(
        not _weight(a, loop) and (d := a.plus(b, -1)).is_constant and d.constant
        for a, b in zip(one, other, strict=True)
    ) and _is_plain(other, loop)


def _at_first(text: str, place: Place, loop: Loop) -> str:
    """An element as the first iteration names it."""
    first = loop.start or Linear.atom(loop.first)
    iterator = Text(loop.iterator)
    subscripts = "".join(f"[{s.to_text()}]" for s in place)
    if not text.endswith(subscripts):  # as in arrays that are one row
        value = loop.first.at_least(PRIMARY)
        return re.sub(rf"\b{loop.iterator}\b", lambda _: value, text)
    moved = (
        s.plus(Linear.atom(iterator), -w).plus(first, w)
        for s, w in ((s, _weight(s, loop)) for s in place)
    )
    return text.removesuffix(subscripts) + "".join(f"[{s.to_text()}]" for s in moved)
