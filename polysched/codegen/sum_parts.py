"""Long sums in four parts, so that an addition waits for every fourth only.

Compilers keep one vector for a sum in lanes, and each addition waits for the one before
it. A loop over a quarter of the terms adds up four sums at a time::

    const int quarter = n / 4;
    #pragma omp simd reduction(+:sum,sum_2,sum_3,sum_4)
    for (int p = 0; p < quarter; p++) {
      { const int i = p;               sum += x[i] * y[i]; }
      { const int i = p + quarter;     sum_2 += x[i] * y[i]; }
      /* ... sum_3, sum_4 */
    }
    for (int i = 4 * quarter; i < n; i++)    /* at most three */
      sum += x[i] * y[i];
    sum += sum_2 + (sum_3 + sum_4);

Each part runs through its own piece of memory, whose pages are looked up meanwhile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from polysched.codegen.accumulate import with_accumulator
from polysched.codegen.ctext import UNARY, Names, Text, binary, integer
from polysched.codegen.nodes import Block, Loop, Node, change_blocks, instances
from polysched.ir import Call, Scop, action_expressions, walk

N_PARTS = 4
LEAST_TERMS = 64  # of a known number: fewer do not wait for long
MAX_OPERATIONS = 8  # of a term: what has more to do meanwhile does not wait
_SUM = re.compile(r"#pragma omp simd reduction\(\+:(\w+)\)")


@dataclass(frozen=True)
class SumParts:
    """Splits the loops that add up long sums in lanes.

    Attributes
    ----------
    scop : Scop
        What is computed.
    names : Names
        Source of identifiers.
    type : str
        C type of iterators.
    """

    scop: Scop
    names: Names
    type: str

    def convert(self, block: Block) -> Block:
        """The block with every such loop split."""
        items = tuple(map(self._node, block.items))
        match block.items, items:
            case (Loop(),), (Block(inner, opening, closing),):  # needs no braces
                opening, closing = block.opening + opening, closing + block.closing
                return replace(block, items=inner, opening=opening, closing=closing)
        return replace(block, items=items)

    def _node(self, node: Node) -> Node:
        if isinstance(node, Loop) and node.accumulates and node.condition is not None:
            matched = [_SUM.fullmatch(pragma) for pragma in node.pragmas]
            if len(matched) == 1 and matched[0] and self._is_long(node):
                return self._split(node, matched[0][1])
        return change_blocks(node, self.convert)

    def _is_long(self, loop: Loop) -> bool:
        """Whether there are many terms, and so little in each that additions wait."""
        if loop.n_iterations is not None and loop.n_iterations < LEAST_TERMS:
            return False
        expressions = [
            e
            for instance in instances(loop.body)
            for action in self.scop.statement(instance.statement).body
            for top in action_expressions(action)
            for e in walk(top)
        ]
        if any(isinstance(e, Call) for e in expressions):
            return False
        return sum(bool(e.operands) for e in expressions) <= MAX_OPERATIONS

    def _split(self, loop: Loop, name: str) -> Block:
        """The loop over a quarter of its iterations, and the loop over those left."""
        sums = [name, *(self.names.take(f"{name}_part") for _ in range(N_PARTS - 1))]
        quarter, opening = self._quarter(loop)
        place = self.names.take("place")
        parts = []
        for k, own in enumerate(sums):
            at = _moved(loop.first, k, quarter)
            at = Text(place) if at.text == "0" else binary("+", at, Text(place))
            value = f"const {self.type} {loop.iterator} = {at};"
            body = loop.body if own == name else with_accumulator(loop.body, own)
            parts.append(replace(body, opening=(value, *body.opening)))
        target = self._sum_type(loop)
        declared = ", ".join(f"{own} = 0" for own in sums[1:])
        lanes = replace(
            loop,
            iterator=place,
            first=integer(0),
            condition=binary("<", Text(place), quarter),
            body=Block(tuple(parts)),
            pragmas=(f"#pragma omp simd reduction(+:{','.join(sums)})",),
            n_iterations=None,
            start=None,
        )
        total = f"{name} += {sums[1]} + ({' + '.join(sums[2:])});"
        items: list[Node] = [lanes]
        if (loop.n_iterations or 1) % N_PARTS:
            behind = _moved(loop.first, N_PARTS, quarter)
            rest = replace(loop, first=behind, pragmas=(), accumulates=False)
            items.append(replace(rest, start=None, n_iterations=None))
        return Block(tuple(items), (*opening, f"{target} {declared};"), (total,))

    def _quarter(self, loop: Loop) -> tuple[Text, tuple[str, ...]]:
        """A quarter of the iterations, and the lines that declare it."""
        if loop.n_iterations is not None:
            return integer(loop.n_iterations // N_PARTS), ()
        word, last = loop.bound
        last = Text(last.text) if last.is_identifier else last
        past = binary("+", last, integer(1)) if word == "<=" else last
        name = self.names.take("quarter")
        if loop.first.text != "0":  # both may be far from 0, on different sides
            past = binary("-", Text(f"(long){past.at_least(UNARY)}", UNARY), loop.first)
        value = binary("/", past, integer(N_PARTS))
        return Text(name), (f"const {self.type} {name} = {value};",)

    def _sum_type(self, loop: Loop) -> str:
        (instance,) = instances(loop.body)
        (written,) = {a.array for a in self.scop.statement(instance.statement).writes}
        return self.scop.array(written).type.name


def _moved(first: Text, n_quarters: int, quarter: Text) -> Text:
    """The first value behind so many quarters."""
    if not n_quarters:
        return first
    if quarter.text.isdecimal():
        far = integer(n_quarters * int(quarter.text))
    else:
        far = quarter if n_quarters == 1 else binary("*", integer(n_quarters), quarter)
    if first.text.isdecimal() and far.text.isdecimal():
        return integer(int(first.text) + int(far.text))
    return far if first.text == "0" else binary("+", first, far)
