"""Terms of a sum, and how blocks and threads share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import islpy as isl

from polysched.codegen.cuda.sum_ops import Operator
from polysched.ir import ScalarType, Statement

PREFIX = "ps_"  # of the iterators of further statements


@dataclass(frozen=True, eq=False)
class Shared:
    """A loop that blocks and threads share.

    Attributes
    ----------
    value : isl.Map
        Terms to the loop's value.
    tile : int
        Values in a block, 0 for all.
    threads : int
        Among which they are dealt out in turn.
    is_sum : bool
        Whether it runs over terms of one element, and not over elements.
    """

    value: isl.Map
    tile: int
    threads: int
    is_sum: bool


@dataclass(frozen=True, eq=False)
class Terms:
    """Terms of sums, and how blocks and threads share them.

    Attributes
    ----------
    statement : Statement
        That adds a term to the thread's own sum, whose array it calls `own`.
    own : str
        That array.
    type : ScalarType
        Of the sums.
    op : Operator
        How parts are put together.
    index : ScalarType
        Of subscripts.
    outer, element : isl.Map
        Terms to the launch, and to the subscripts of what they are added to.
    shared : tuple of Shared
        Loops that are shared, outermost first.
    """

    statement: Statement
    own: str
    type: ScalarType
    op: Operator
    index: ScalarType
    outer: isl.Map
    element: isl.Map
    shared: tuple[Shared, ...]

    @property
    def sums(self) -> list[Shared]:
        """The loops over terms of one element."""
        return [s for s in self.shared if s.is_sum]

    @cached_property
    def parts(self) -> isl.Map:
        """Terms to the numbers of the tiles that they are in."""
        return self._each("floor(x/{0.tile})", [s for s in self.sums if s.tile])

    @cached_property
    def threads(self) -> isl.Map:
        """Terms to the threads among which they are dealt out."""
        return self._each("x mod {0.threads}", self.sums)

    @cached_property
    def homes(self) -> isl.Map:
        """Terms to launch, part and element: what is handed over in one piece."""
        return flat(self.outer, self.parts, self.element)

    @cached_property
    def places(self) -> isl.Map:
        """Terms to launch, part, thread and element."""
        return flat(self.outer, self.parts, self.threads, self.element)

    def _each(self, function: str, loops: Sequence[Shared]) -> isl.Map:
        nothing = isl.Map.from_domain(self.outer.domain())
        found = (
            s.value.apply_range(isl.Map(f"{{ [x] -> [{function.format(s)}] }}"))
            for s in loops
        )
        return flat(nothing, *found)


@dataclass(frozen=True, eq=False)
class Goal:
    """Where a kernel puts its sums.

    Attributes
    ----------
    array : str
        The array.
    kept : frozenset of str
        Of launch (h), part (k) and element (e), those that are its subscripts.
    op : Operator or None
        What puts them into the element; None where they are all that it has.
    """

    array: str
    kept: frozenset[str]
    op: Operator | None


def place_in_block(shared: Sequence[Shared]) -> isl.Map:
    """Instances of one statement to who runs them: a member for each shared loop."""
    return flat(
        *(
            s.value.apply_range(isl.Map(f"{{ [x] -> [x mod {s.threads}] }}"))
            if s.is_sum
            else s.value
            for s in shared
        )
    )


def place_in_grid(shared: Sequence[Shared]) -> isl.Map:
    """Instances of one statement to their block: first values of the loops' tiles."""
    tiles = (
        s.value.apply_range(isl.Map(f"{{ [x] -> [{s.tile}*floor(x/{s.tile})] }}"))
        for s in shared
        if s.tile
    )
    nothing = isl.Map.from_domain(shared[0].value.domain())
    found = flat(nothing, *tiles)
    return found if n_out(found) else flat(nothing, _zero(shared[0].value))


def _zero(value: isl.Map) -> isl.Map:
    """All instances to 0: where no loop is tiled, there is one block."""
    return value.apply_range(isl.Map("{ [x] -> [0] }"))


def flat(*relations: isl.Map) -> isl.Map:
    """Several functions of the same instances as one, without a name."""
    return reduce(lambda a, b: a.flat_range_product(b), relations)


def n_out(relation: isl.Map) -> int:
    """Dimensions of the range."""
    return int(relation.dim(isl.dim_type.out))
