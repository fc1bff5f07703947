"""Products of short integers of which one instruction adds up several.

``C[i][j] += A[i][k] * B[k][j]`` of bytes, summed up as ``int``: an instruction of
AVX-512 VNNI adds four products to each of sixteen sums, one of AVX2 two to each of
eight.
"""

from __future__ import annotations

from dataclasses import dataclass

import islpy as isl

from polysched.analysis import find_operands
from polysched.ir import (
    Assign,
    Binary,
    Cast,
    Expr,
    Iter,
    Load,
    Range,
    Statement,
    range_of,
    types,
    walk,
)
from polysched.machine import Cpu
from polysched.transform.roles import Contraction

MIN_GROUPS = 4  # along the innermost loop: fewer are not worth copies of their own
NATURAL, BYTE, SHORT = Range(0, 255), Range(-128, 127), Range(-32768, 32767)
_BYTE_BITS = {"avx512_vnni": 512, "avx_vnni": 256}  # of an instruction's vectors
_PAIR_BITS = {"avx512bw": 512, "avx2": 256}


@dataclass(frozen=True)
class Grouping:
    """How terms of a sum are put side by side.

    Attributes
    ----------
    n_terms : int
        Added up in one instruction.
    shift : int
        Added to the factor that moves with the lanes: the instruction for bytes wants
        one factor with a sign and one without.
    lanes : tuple of int
        Iterators that index the copy of that factor, those of loops outside first, then
        those of the sum, and the lanes' last.
    rows : tuple of int
        Of the copy of the other factor, that along which terms lie side by side last;
        empty where it is read where it is.
    """

    n_terms: int
    shift: int
    lanes: tuple[int, ...]
    rows: tuple[int, ...]

    @property
    def element_bytes(self) -> int:
        """Of a packed value."""
        return 4 // self.n_terms


def find_grouping(found: Contraction, cpu: Cpu) -> Grouping | None:
    """How terms of a contraction are added up several at a time.

    None where values are no short integers, the processor has no such instruction, or
    the innermost loop begins elsewhere for other elements.

    Parameters
    ----------
    found : Contraction
        What its loops mean.
    cpu : Cpu
        Says what instructions it has.
    """
    statement = found.band.scop.statement(found.statement.name)
    factors = _find_factors(statement, found)
    if factors is None:
        return None
    lane, row = factors
    lanes = _copied_over(statement, lane, found, found.lane)
    inner = found.iterator(found.inside[-1])
    if not lanes or lanes[-2:-1] != (inner,) or not _is_independent(statement, inner):
        return None
    *others, moving = _copied_over(statement, row, found, found.row) or (inner,)
    rows = tuple(k for k in (moving, *others) if k != inner)
    known = found.band.scop.known_ranges
    for n_terms, shift in _choices(range_of(lane, known), range_of(row, known), cpu):
        if found.extent(found.inside[-1]) < MIN_GROUPS * n_terms:
            continue
        if _lies_in_groups(found, statement, row, inner, n_terms):
            return Grouping(n_terms, shift, lanes, ())
        if inner in others:
            return Grouping(n_terms, shift, lanes, (*rows, inner))
    return None


def _copied_over(
    statement: Statement, factor: Expr, found: Contraction, member: int
) -> tuple[int, ...]:
    """The iterators that a copy of a factor has, a member's last; empty for no copy.

    Loops outside of the band have one value each while a copy is in use.
    """
    used = _iterators_of(statement, factor)
    own = [found.iterator(k) for k in (*found.inside, member)]
    band = {found.iterator(k) for k in range(found.band.n_members)}
    names = frozenset(statement.iterators[k] for k in used)
    if not used & band <= set(own) or own[-1] not in used:
        return ()
    if factor not in find_operands(statement, names):
        return ()
    return (*sorted(used - band), *(k for k in own if k in used))


def _iterators_of(statement: Statement, expr: Expr) -> set[int]:
    """Positions of the iterators that an expression names."""
    names = {e.name for e in walk(expr) if isinstance(e, Iter)}
    return {k for k, name in enumerate(statement.iterators) if name in names}


def _choices(
    lanes: Range | None, rows: Range | None, cpu: Cpu
) -> list[tuple[int, int]]:
    """Terms at a time and what is added to a factor, best first."""
    found: list[tuple[int, int]] = []
    if lanes is None or rows is None:
        return found
    if _has(_BYTE_BITS, cpu):
        if (NATURAL.holds(lanes) and BYTE.holds(rows)) or (
            BYTE.holds(lanes) and NATURAL.holds(rows)
        ):
            found.append((4, 0))
        elif BYTE.holds(lanes) and BYTE.holds(rows):
            found.append((4, 128))
        elif NATURAL.holds(lanes) and NATURAL.holds(rows):
            found.append((4, -128))
    if _has(_PAIR_BITS, cpu) and SHORT.holds(lanes) and SHORT.holds(rows):
        found.append((2, 0))
    return found


def _has(bits: dict[str, int], cpu: Cpu) -> bool:
    """Whether the widest vectors of the processor have such an instruction."""
    return any(f in cpu.isa and n == cpu.simd_bits for f, n in bits.items())


def _find_factors(statement: Statement, found: Contraction) -> tuple[Expr, Expr] | None:
    """The factor that moves with the lanes, as it can be copied, and the other one."""
    match statement.body:
        case (Assign(target, "+=", Binary("*", left, right)),):
            pass
        case _:
            return None
    if target.type not in (types.INT, types.UINT):
        return None
    lane, row = found.iterator(found.lane), found.iterator(found.row)
    for one, other in ((left, right), (right, left)):
        used = _iterators_of(statement, one), _iterators_of(statement, other)
        if [lane in names for names in used] == [True, False] and row not in used[0]:
            return one, other
    return None


def _is_independent(statement: Statement, position: int) -> bool:
    """Whether an iterator has the same values whatever the others have."""
    domain = statement.domain
    graph = isl.Map.from_range(domain).move_dims(
        isl.dim_type.in_, 0, isl.dim_type.out, 0, position
    )
    graph = graph.move_dims(
        isl.dim_type.in_, position, isl.dim_type.out, 1, domain.n_dim() - position - 1
    )
    box = isl.Map.from_domain_and_range(graph.domain(), graph.range())
    return bool(graph.is_equal(box))


def _lies_in_groups(
    found: Contraction, statement: Statement, row: Expr, inner: int, n_terms: int
) -> bool:
    """Whether an array holds groups of the factor side by side, all of them full."""
    load = row
    while isinstance(load, Cast) and range_of(load) == range_of(load.operand):
        load = load.operand
    if not isinstance(load, Load) or load.type.n_bytes * n_terms != types.INT.n_bytes:
        return False
    direction = found.statement.direction(found.inside[-1])
    assert direction is not None
    if any(
        r.stride_class(direction) != "1"
        for r in found.statement.references
        if r.array == load.array and not r.is_write
    ):
        return False
    first = statement.domain.dim_min(inner)
    past = statement.domain.dim_max(inner).add_constant_val(isl.Val(1))
    return all(
        end.mod_val(isl.Val(n_terms)).max_val().is_zero() for end in (first, past)
    )
