"""How the references of a statement use its iterators: what most objectives weigh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import islpy as isl

from polysched.ir import Statement
from polysched.sets import component_functions


@dataclass(frozen=True)
class Subscripts:
    """One distinct reference of a statement to an array; scalars have none.

    Attributes
    ----------
    array : str
        Name of the array.
    is_write : bool
        Whether the reference writes; an update is a read and a write.
    uses : tuple of frozenset of int
        Per subscript the positions of the iterators that it contains.
    linear : tuple of str
        Per subscript its text without the constant.
    offsets : tuple of int
        Per subscript its constant.
    """

    array: str
    is_write: bool
    uses: tuple[frozenset[int], ...]
    linear: tuple[str, ...]
    offsets: tuple[int, ...]

    @property
    def factor(self) -> int:
        """m_F of the papers: a write weighs twice as much as a read."""
        return 2 if self.is_write else 1

    def has(self, iterator: int) -> bool:
        """Whether any subscript contains the iterator."""
        return any(iterator in used for used in self.uses)

    def only(self, k: int) -> int | None:
        """j(k, F): the single iterator of the k-th subscript; None for none or many."""
        used = self.uses[k]
        return next(iter(used)) if len(used) == 1 else None

    def is_shift_of(self, other: Subscripts) -> bool:
        """Whether both touch one array at a constant distance that is not zero."""
        return (
            (self.array, self.linear) == (other.array, other.linear)
        ) and self.offsets != other.offsets


@lru_cache(maxsize=256)
def subscripts(statement: Statement) -> tuple[Subscripts, ...]:
    """The distinct array references of a statement, subscripts of expansion included.

    An access that is no affine function of the iterators is left out.
    """
    found: dict[Subscripts, None] = {}
    for access in statement.accesses:
        affs = component_functions(access.relation)
        if not affs:
            continue
        uses = tuple(
            frozenset(j for j in range(statement.n_loops) if _involves(aff, j))
            for aff in affs
        )
        linear = tuple(str(aff.set_constant_val(isl.Val(0))) for aff in affs)
        offsets = tuple(int(str(aff.get_constant_val().floor())) for aff in affs)
        found[Subscripts(access.array, access.is_write, uses, linear, offsets)] = None
    return tuple(found)


def _involves(aff: isl.Aff, iterator: int) -> bool:
    return bool(aff.involves_dims(isl.dim_type.in_, iterator, 1))


def stride_weights(statement: Statement) -> tuple[int, ...]:
    """Cost of each iterator as the innermost one.

    Per distinct reference: 3 when the iterator is absent, 1 when it is in the last
    subscript, 10 for each other subscript that uses it; writes count twice.

    Examples
    --------
    For gemm's update with loops i, k, j the weights of (i, j, k) are (43, 7, 20).
    """
    return tuple(
        sum(r.factor * _stride_weight(r, j) for r in subscripts(statement))
        for j in range(statement.n_loops)
    )


def _stride_weight(reference: Subscripts, iterator: int) -> int:
    uses = [iterator in used for used in reference.uses]
    if not any(uses):
        return 3
    return (1 if uses[-1] else 0) + 10 * sum(uses[:-1])


def is_stencil(statement: Statement) -> bool:
    """Whether two references are shifts of each other and none is constant.

    A scalar, or an element whose subscripts contain no iterator, is a constant access
    (the definition of Kong and Pouchet, PLDI 2019).
    """
    if any(a.relation.range().is_singleton() for a in statement.accesses):
        return False
    references = subscripts(statement)
    if any(not any(r.uses) for r in references):
        return False
    return any(
        a.is_shift_of(b) for k, a in enumerate(references) for b in references[:k]
    )
