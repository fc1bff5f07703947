"""Elements that several statements of one body touch, with variables of their own.

Copies of a body that stand side by side, as unroll-and-jam leaves them, come back to
elements behind others. Where arrays are parameters, a compiler has to store and load
them every time, and a sum waits for memory between its terms::

    s[i][j] = d * s[i][j] + k[i] * v[j];           float held = o[j];
    o[j] += q[i] * s[i][j];                        float held_1 = s[i][j];
    s[i + 1][j] = d * s[i + 1][j] + ...;           held_1 = d * held_1 + k[i] * v[j];
    o[j] += q[i + 1] * s[i + 1][j];        ==>     held += q[i] * held_1;
                                                   ...
                                                   s[i][j] = held_1;
                                                   o[j] = held;

Different arrays are different objects, as everywhere else; elements of one array are
told apart by a subscript that differs by a number, or the array is left alone. The
order of operations stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from polysched.codegen.accumulate import runs_at_all
from polysched.codegen.handed_on import Handed, Place, find_handed
from polysched.codegen.held import Holder, is_plain
from polysched.codegen.nodes import Block, Branch, Instance, Loop, Node, change_blocks
from polysched.ir import (
    Assign,
    Expr,
    Load,
    Lookup,
    action_expressions,
    walk,
    walk_evaluated,
)

MAX_HELD = 24  # variables of a body: about what registers hold


@dataclass(frozen=True)
class Use:
    """A statement of a body, and one of its mentions of an element.

    Attributes
    ----------
    position : int
        Of the statement.
    load : Load
        As the statement has it.
    is_target : bool
        Whether it is written.
    is_read : bool
        Whether its value is.
    is_certain : bool
        Whether that is so whatever conditions in the statement say.
    """

    position: int
    load: Load
    is_target: bool
    is_read: bool
    is_certain: bool


Elements = Mapping[str, tuple[dict[str, list[Use]], dict[str, Place]]]  # by array


class HeldBodies(Holder):
    """Gives elements that a body comes back to their variables."""

    def convert(self, block: Block) -> Block:
        """The block with the variables in place."""
        body = _body_of(block)
        if body:
            return self._convert_body(block, body, self._found(body), ())
        return replace(block, items=tuple(map(self._node, block.items)))

    def _node(self, node: Node) -> Node:
        if not isinstance(node, Loop) or not (body := _body_of(node.body)):
            return change_blocks(node, self.convert)
        found = self._found(body)
        handed = self._handed(node, body, found)
        named = [(h, self.names.take("last")) for h in handed]
        loop = replace(node, body=self._convert_body(node.body, body, found, named))
        if not handed:
            return loop
        opening = tuple(
            f"{_uses(h.read, found)[0].load.type.name} {name} = {h.first};"
            for h, name in named
        )
        inside = Block((loop,), opening)
        return inside if node.n_iterations else Branch(runs_at_all(node), inside)

    def _handed(
        self, loop: Loop, body: tuple[Instance, ...], found: Elements
    ) -> list[Handed]:
        """What iterations hand on, where other stores are in the way."""
        if not is_plain(loop) or len({i.statement for i in body}) < 2 or len(found) < 2:
            return []
        handed: list[Handed] = []
        for array, (elements, places) in found.items():
            written = [t for t, us in elements.items() if any(u.is_target for u in us)]
            if not any(self.is_named(array, text, (loop.body,)) for text in elements):
                handed += [
                    h
                    for h in find_handed(loop, places, written)
                    if any(use.is_certain for use in elements[h.read])
                ]
        on = {h.written for h in handed}
        n_held = sum(
            text in on or _is_worth(uses)
            for elements, _ in found.values()
            for text, uses in elements.items()
        )
        return handed if n_held + len(handed) <= MAX_HELD else []

    def _convert_body(
        self,
        block: Block,
        body: tuple[Instance, ...],
        found: Elements,
        handed: Sequence[tuple[Handed, str]],
    ) -> Block:
        on = {h.written for h, _ in handed}
        kept = [
            (text, uses)
            for array, (elements, _) in found.items()
            for text, uses in elements.items()
            if (_is_worth(uses) or text in on)
            and not self.is_named(array, text, (block,))
        ]
        if not 0 < len(kept) <= MAX_HELD:
            return block
        named: list[dict[Load, str]] = [{} for _ in body]
        for h, name in handed:
            for use in _uses(h.read, found):
                named[use.position][use.load] = name
        opening, closing = [], []
        for text, uses in kept:
            name = self.names.take("held")
            for use in uses:
                named[use.position][use.load] = name
            start = f" = {text}" if begins_by_reading(uses) else ""
            opening.append(f"{uses[0].load.type.name} {name}{start};")
            if any(use.is_target for use in uses):
                closing.append(f"{text} = {name};")
            closing += [f"{last} = {name};" for h, last in handed if h.written == text]
        items = tuple(
            replace(instance, held=(*instance.held, *names.items()))
            for instance, names in zip(body, named, strict=True)
        )
        return replace(
            block,
            items=items,
            opening=(*block.opening, *opening),
            closing=(*closing, *block.closing),
        )

    def _found(self, body: tuple[Instance, ...]) -> Elements:
        """What the body uses of each array that is worth a variable."""
        return {array: self._elements(array, body) for array in self._arrays(body)}

    def _arrays(self, body: tuple[Instance, ...]) -> list[str]:
        """Written arrays of which the body names elements, worth a variable.

        What lies behind a pointer and is written may be any array whose address is
        known elsewhere.
        """
        actions = [self._action(instance) for instance in body]
        if any(a is None for a in actions) or any(n.accumulator for n in body):
            return []
        mentioned = [
            e
            for action in actions
            if action is not None
            for top in action_expressions(action)
            for e in walk(top)
            if isinstance(e, Load | Lookup)
        ]
        found_by_data = {
            part.array
            for e in mentioned
            if isinstance(e, Lookup)
            for part in walk(e)
            if isinstance(part, Load | Lookup)
        }
        written = dict.fromkeys(a.target.array for a in actions if a is not None)
        if not any(map(self.is_worth_holding, written)):
            return []
        return [
            name
            for name in written
            if name not in found_by_data
            and (self.is_worth_holding(name) or self._may_escape(name))
        ]

    def _may_escape(self, name: str) -> bool:
        """Whether pointers may point into an array that the program has declared."""
        array = self.scop.array(name)
        is_known = name not in self.scop.looked_up and not array.is_private
        return is_known and bool(array.extents)

    def _action(self, instance: Instance) -> Assign | None:
        body = self.scop.statement(instance.statement).body
        only = body[0] if len(body) == 1 else None
        return only if isinstance(only, Assign) else None

    def _elements(
        self, array: str, body: tuple[Instance, ...]
    ) -> tuple[dict[str, list[Use]], dict[str, Place]]:
        """The uses of each element of an array, and where it is.

        None where some may be the same.
        """
        found: dict[str, list[Use]] = {}
        places: dict[str, Place] = {}
        for k, instance in enumerate(body):
            action = self._action(instance)
            assert action is not None
            certain = {e for top in _read(action) for e in walk_evaluated(top)}
            for load, is_target, is_read in _mentions(action, array):
                if load in dict(instance.held):
                    continue
                text = self.text(load, instance)
                places[text] = self.place(load, instance)
                use = Use(k, load, is_target, is_read, is_target or load in certain)
                found.setdefault(text, []).append(use)
        if all(_are_apart(a, b) for a, b in combinations(places.values(), 2)):
            return found, places
        return {}, {}


def _uses(text: str, found: Elements) -> list[Use]:
    """The uses of an element that a body names."""
    return next(elements[text] for elements, _ in found.values() if text in elements)


def begins_by_reading(uses: list[Use]) -> bool:
    """Whether the first statement that mentions an element reads it."""
    return any(use.is_read for use in uses if use.position == uses[0].position)


def _body_of(block: Block) -> tuple[Instance, ...]:
    """The instances of a block of several that holds nothing else."""
    plain = tuple(n for n in block.items if isinstance(n, Instance))
    return plain if len(plain) == len(block.items) > 1 else ()


def _mentions(action: Assign, array: str) -> Iterator[tuple[Load, bool, bool]]:
    """The loads of an array in an assignment: each, and whether written, and read."""
    mentioned = (e for top in _read(action) for e in walk(top))
    read = [e for e in mentioned if isinstance(e, Load) and e.array == array]
    if action.target.array == array:
        target = action.target
        yield target, True, action.op != "=" or target in read
    for load in dict.fromkeys(read):
        if load != action.target:
            yield load, False, True


def _read(action: Assign) -> tuple[Expr, ...]:
    """What an assignment reads, to find its target as well."""
    return (action.value, *action.target.subscripts)


def _are_apart(one: Place, other: Place) -> bool:
    """Whether two places differ by a number in some subscript."""
    differences = (a.plus(b, -1) for a, b in zip(one, other, strict=True))
    return any(d.is_constant and d.constant for d in differences)


def _is_worth(uses: list[Use]) -> bool:
    """Whether a body comes back to an element behind a store to another one."""
    first, last = uses[0].position, uses[-1].position
    stores = {use.position for use in uses if use.is_target}
    return bool(stores) and any(k not in stores for k in range(first, last))
