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

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from polysched.codegen.held import Holder
from polysched.codegen.linear import Linear
from polysched.codegen.nodes import Block, Instance, change_blocks
from polysched.ir import Assign, Load, Lookup, action_expressions, walk

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
    """

    position: int
    load: Load
    is_target: bool
    is_read: bool


class HeldBodies(Holder):
    """Gives elements that a body comes back to their variables."""

    def convert(self, block: Block) -> Block:
        """The block with the variables in place."""
        plain = [n for n in block.items if isinstance(n, Instance)]
        if len(plain) == len(block.items) > 1:
            return self._convert_body(block, tuple(plain))
        items = (change_blocks(node, self.convert) for node in block.items)
        return replace(block, items=tuple(items))

    def _convert_body(self, block: Block, body: tuple[Instance, ...]) -> Block:
        kept = [
            (text, uses)
            for array in self._arrays(body)
            for text, uses in self._elements(array, body).items()
            if _is_worth(uses) and not self.is_named(array, text, (block,))
        ]
        if not 0 < len(kept) <= MAX_HELD:
            return block
        named: list[dict[Load, str]] = [{} for _ in body]
        opening, closing = [], []
        for text, uses in kept:
            name = self.names.take("held")
            for use in uses:
                named[use.position][use.load] = name
            first = [use for use in uses if use.position == uses[0].position]
            start = f" = {text}" if any(use.is_read for use in first) else ""
            opening.append(f"{first[0].load.type.name} {name}{start};")
            if any(use.is_target for use in uses):
                closing.append(f"{text} = {name};")
        items = tuple(
            replace(instance, held=tuple(names.items()))
            for instance, names in zip(body, named, strict=True)
        )
        return replace(
            block,
            items=items,
            opening=(*block.opening, *opening),
            closing=(*closing, *block.closing),
        )

    def _arrays(self, body: tuple[Instance, ...]) -> list[str]:
        """Written arrays of which the body names elements, worth a variable."""
        actions = [self._action(instance) for instance in body]
        if any(a is None for a in actions) or any(n.has_variables for n in body):
            return []
        mentioned = [
            e
            for action in actions
            if action is not None
            for top in action_expressions(action)
            for e in walk(top)
            if isinstance(e, Load | Lookup)
        ]
        if any(isinstance(e, Lookup) for e in mentioned):
            return []
        written = dict.fromkeys(a.target.array for a in actions if a is not None)
        return [name for name in written if self.is_worth_holding(name)]

    def _action(self, instance: Instance) -> Assign | None:
        body = self.scop.statement(instance.statement).body
        only = body[0] if len(body) == 1 else None
        return only if isinstance(only, Assign) else None

    def _elements(self, array: str, body: tuple[Instance, ...]) -> dict[str, list[Use]]:
        """The uses of each element of an array; none where some may be the same."""
        found: dict[str, list[Use]] = {}
        places: dict[str, tuple[Linear, ...]] = {}
        for k, instance in enumerate(body):
            action = self._action(instance)
            assert action is not None
            for load, is_target, is_read in _mentions(action, array):
                text = self.text(load, instance)
                places[text] = self.place(load, instance)
                found.setdefault(text, []).append(Use(k, load, is_target, is_read))
        if all(_are_apart(a, b) for a, b in combinations(places.values(), 2)):
            return found
        return {}


def _mentions(action: Assign, array: str) -> Iterator[tuple[Load, bool, bool]]:
    """The loads of an array in an assignment: each, and whether written, and read."""
    read = [e for e in walk(action.value) if isinstance(e, Load) and e.array == array]
    if action.target.array == array:
        target = action.target
        yield target, True, action.op != "=" or target in read
    for load in dict.fromkeys(read):
        if load != action.target:
            yield load, False, True


def _are_apart(one: tuple[Linear, ...], other: tuple[Linear, ...]) -> bool:
    """Whether two places differ by a number in some subscript."""
    differences = (a.plus(b, -1) for a, b in zip(one, other, strict=True))
    return any(d.is_constant and d.constant for d in differences)


def _is_worth(uses: list[Use]) -> bool:
    """Whether a body comes back to an element behind a store to another one."""
    first, last = uses[0].position, uses[-1].position
    stores = {use.position for use in uses if use.is_target}
    return bool(stores) and any(k not in stores for k in range(first, last))
