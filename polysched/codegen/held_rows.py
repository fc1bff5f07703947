"""Elements of a few rows side by side, in short arrays of their own while a loop runs.

Rows that advance together read and change the same elements in every iteration of the
loop that they share. Where these lie apart, as members of structures do, lanes collect
and scatter them each time; and where arrays are parameters, sums are stored each time::

                                             float held[16], held_1[16];
                                             for (int i = t; i <= t + 15; i++)
    for (int j = 0; j < n; j++)                held[i - t] = p[i].x;
      #pragma omp simd                       /* and held_1 from f[i].x */
      for (int i = t; i <= t + 15; i++)      for (int j = 0; j < n; j++)
        f[i].x += p[i].x - p[j].x;     ==>     #pragma omp simd
                                               for (int i = t; i <= t + 15; i++)
                                                 held_1[i - t] += held[i - t] - p[j].x;
                                             for (int i = t; i <= t + 15; i++)
                                               f[i].x = held_1[i - t];

Different arrays are different objects, as everywhere else; elements of a written array
are told apart by a subscript that differs by a number, or the array is left alone. The
order of operations stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from polysched.codegen.accumulate import runs_at_all
from polysched.codegen.ctext import Text, identifiers
from polysched.codegen.held import Holder
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import (
    Block,
    Branch,
    Instance,
    Loop,
    Node,
    change_blocks,
    walk_blocks,
    walk_nodes,
)
from polysched.ir import (
    Action,
    Assign,
    Expr,
    Guard,
    Load,
    action_expressions,
    assignments,
    walk,
    walk_evaluated,
)

MAX_LANES = 64  # of a row: vectors that registers hold
MAX_HELD = 16  # elements of a row that are held


@dataclass(frozen=True, eq=False)
class _Use:
    """One mention of an element by an instance."""

    instance: Instance
    load: Load
    text: str
    place: tuple[Linear, ...]
    is_target: bool
    is_sure: bool  # whatever the statement chooses


@dataclass(frozen=True)
class HeldRows(Holder):
    """Gives the elements of rows in lanes arrays of their own, around a loop.

    Attributes
    ----------
    index_type : str
        C type of iterators.
    indent : str
        One level.
    """

    index_type: str = "int"
    indent: str = "  "

    def convert(self, block: Block) -> Block:
        """The block with the arrays in place."""
        return replace(block, items=tuple(map(self._converted, block.items)))

    def _converted(self, node: Node) -> Node:
        if isinstance(node, Loop):
            lanes = _lanes_inside(node)
            held = None if lanes is None else self._hold(node, lanes)
            if held is not None:
                return held
        return change_blocks(node, self.convert)

    def _hold(self, outer: Loop, lanes: Loop) -> Node | None:
        """The loop with what it holds around it; None if that is nothing."""
        asked = set(map(id, _under_conditions(outer)))
        inside = [n for n in walk_nodes(outer) if isinstance(n, Instance)]
        uses = [use for n in inside for use in self._uses(n, id(n) not in asked)]
        kept = {
            text: found
            for array in dict.fromkeys(use.load.array for use in uses)
            for text, found in self._elements(array, uses, outer, lanes).items()
            if not self.is_named(array, text, walk_blocks(outer.body))
        }
        if not 0 < len(kept) <= MAX_HELD:
            return None
        named: dict[int, dict[Load, str]] = {}
        before: list[str] = []
        behind: list[str] = []
        place = _index(lanes)
        for text, found in kept.items():
            name = self.names.take("held")
            for use in found:
                named.setdefault(id(use.instance), {})[use.load] = f"{name}[{place}]"
            type_ = found[0].load.type.name
            before.append(f"{type_} {name}[{lanes.n_iterations}];")
            before += self._copied(lanes, f"{name}[{place}] = {text};")
            if any(use.is_target for use in found):
                behind += self._copied(lanes, f"{text} = {name}[{place}];")
        loop = _with_names(outer, named)
        body = Block((loop,), tuple(before), tuple(behind))
        return body if outer.n_iterations else Branch(runs_at_all(outer), body)

    def _copied(self, lanes: Loop, line: str) -> Iterator[str]:
        """A loop over the lanes that copies an element of each."""
        assert lanes.condition is not None
        name = lanes.iterator
        yield (
            f"for ({self.index_type} {name} = {lanes.first.text}; "
            f"{lanes.condition.text}; {name}++)"
        )
        yield f"{self.indent}{line}"

    def _uses(self, instance: Instance, always: bool) -> Iterator[_Use]:
        """Every mention of an element by an instance, which runs always or not."""
        for action in self.scop.statement(instance.statement).body:
            targets = {a.target for a in assignments(action)}
            tops = action_expressions(action)
            sure = set(_surely_touched(action))
            for e in dict.fromkeys(e for top in tops for e in walk(top)):
                if isinstance(e, Load) and e.subscripts:
                    text, place = self.text(e, instance), self.place(e, instance)
                    is_sure = e in sure and always
                    yield _Use(instance, e, text, place, e in targets, is_sure)

    def _elements(
        self, array: str, uses: list[_Use], outer: Loop, lanes: Loop
    ) -> dict[str, list[_Use]]:
        """Elements of an array that stay while the outer loop runs, one in each lane.

        Of a written array all or none; of others those that lie apart.
        """
        found: dict[str, list[_Use]] = {}
        for use in uses:
            if use.load.array == array:
                found.setdefault(use.text, []).append(use)
        if self.scop.array(array).is_private or array in self.scop.looked_up:
            return {}
        moving = {n.iterator for n in walk_nodes(outer) if isinstance(n, Loop)}
        moving -= {lanes.iterator}
        held = {
            text: group
            for text, group in found.items()
            if not moving & identifiers(text)
            and lanes.iterator in identifiers(text)
            and any(use.is_sure for use in group)  # others may not exist
        }
        if not any(use.is_target for group in found.values() for use in group):
            return {
                text: group
                for text, group in held.items()
                if _lies_apart(group[0].place, lanes.iterator)
            }
        places = [group[0].place for group in found.values()]
        is_known = (
            len(held) == len(found)
            and all(_steps(p, lanes.iterator) for p in places)
            and all(_differ(a, b, lanes.iterator) for a, b in combinations(places, 2))
        )
        return held if is_known else {}


def _lanes_inside(outer: Loop) -> Loop | None:
    """The lanes of a loop in one thread of which every statement runs in lanes.

    All of them over the same short range. None if it is no such loop.
    """
    if outer.condition is None or outer.pragmas or outer.accumulates or outer.sums:
        return None
    lanes = [n for n in walk_nodes(outer.body) if isinstance(n, Loop)]
    inside = [n for loop in lanes for n in walk_nodes(loop) if isinstance(n, Instance)]
    every = [n for n in walk_nodes(outer) if isinstance(n, Instance)]
    if not lanes or len(inside) != len(every):
        return None
    first = lanes[0]
    if any(first.iterator in identifiers(text) for text in _conditions(outer)):
        return None  # which compilers would ask in each lane
    is_one_range = all(
        (x.iterator, x.first.text, x.n_iterations, x.step)
        == (first.iterator, first.first.text, first.n_iterations, 1)
        and x.has_lanes
        and not x.is_shared
        for x in lanes
    )
    n = first.n_iterations or 0
    is_fixed = outer.iterator not in identifiers(first.first.text)
    plain = not any(x.has_variables for x in every)
    if not (is_one_range and is_fixed and plain and 1 < n <= MAX_LANES):
        return None
    lines = [line for b in walk_blocks(outer.body) for line in b.closing]
    return None if lines or first.condition is None else first


def _conditions(outer: Loop) -> Iterator[str]:
    """Texts of the conditions inside of a loop."""
    for node in walk_nodes(outer):
        if isinstance(node, Branch):
            yield node.condition.text


def _under_conditions(outer: Loop) -> Iterator[Instance]:
    """Instances inside of a loop that run under a condition."""
    for node in walk_nodes(outer):
        if isinstance(node, Branch):
            for side in (node.then, node.other):
                found = () if side is None else walk_nodes(side)
                yield from (n for n in found if isinstance(n, Instance))


def _surely_touched(action: Action) -> Iterator[Expr]:
    """What an action touches, whatever it chooses."""
    if isinstance(action, Assign):
        yield from walk_evaluated(action.target)
        yield from walk_evaluated(action.value)
    elif isinstance(action, Guard):
        yield from walk_evaluated(action.cond)


def _index(lanes: Loop) -> str:
    """The number of a lane."""
    first: Text = lanes.first
    if first.text == "0":
        return lanes.iterator
    is_word = first.text.isidentifier() or first.text.isdigit()
    start = first.text if is_word else f"({first.text})"
    return f"{lanes.iterator} - {start}"


def _with_names(loop: Loop, named: dict[int, dict[Load, str]]) -> Loop:
    """The loop whose instances use variables for elements."""

    def change(block: Block) -> Block:
        items: list[Node] = []
        for node in block.items:
            if isinstance(node, Instance) and id(node) in named:
                items.append(replace(node, held=tuple(named[id(node)].items())))
            else:
                items.append(change_blocks(node, change))
        return replace(block, items=tuple(items))

    return replace(loop, body=change(loop.body))


def _weights(place: tuple[Linear, ...], iterator: str) -> list[int]:
    """What each subscript gains from one lane to the next."""
    return [dict(s.terms).get(_atom(s, iterator), 0) for s in place]


def _atom(subscript: Linear, iterator: str) -> Text:
    return next((a for a, _ in subscript.terms if a.text == iterator), Text(iterator))


def _steps(place: tuple[Linear, ...], iterator: str) -> bool:
    """Whether every lane has an element of its own."""
    return any(_weights(place, iterator)) and not any(
        iterator in identifiers(atom.text) and atom.text != iterator
        for s in place
        for atom, _ in s.terms
    )


def _lies_apart(place: tuple[Linear, ...], iterator: str) -> bool:
    """Whether lanes do not find neighbours."""
    *outer, last = _weights(place, iterator)
    return any(outer) or abs(last) != 1


def _differ(one: tuple[Linear, ...], other: tuple[Linear, ...], iterator: str) -> bool:
    """Whether two places are different elements, whatever the lanes."""
    moved = _weights(one, iterator), _weights(other, iterator)
    for a, b, x, y in zip(one, other, *moved, strict=True):
        apart = a.plus(b, -1)
        if not x and not y and apart.is_constant and apart.constant:
            return True
    return False
