"""Which lifted loops run row by row, one behind the other, with rows in registers.

Of two loops of a lifted stencil the second reads what the first has just written. Where
it runs a row or so behind, rows need not be loaded again, and what the first computes
need not be stored, but for the last step in time, which is cut off::

    lift:250
      t in 0 .. 498
        r = 249:            p: S0
        r = 0, r = 1:       p: S0, then S1     parts meet
        r in 2 .. 248:      roll:1:B, p: S0 of r, S1 of r - 1
        r = 249:            p: S1 of 248
        r = 249:            p: S1              parts meet
      t = 499: as without
"""

from __future__ import annotations

from dataclasses import dataclass

from polysched.ir import Binary, Expr, NodePath, Scop, action_expressions, walk
from polysched.machine import Cpu
from polysched.sets import list_sets
from polysched.transform.chain import Chain
from polysched.transform.draft import Draft
from polysched.transform.registers import Registers
from polysched.transform.roll import Roll
from polysched.transform.split import Split


@dataclass(frozen=True)
class LiftedRows:
    """Rows of lifted loops below one in time.

    Attributes
    ----------
    before, behind : int
        How many rows a statement reads before its own, and behind.
    whole : int
        The first row behind the first ones of which a part has no element, or reads
        another part's.
    lanes : int
        Parts.
    last_step : int
        Last value of the loop in time.
    """

    before: int
    behind: int
    whole: int
    lanes: int
    last_step: int


def chain_rows(
    draft: Draft, scop: Scop, cpu: Cpu, path: NodePath, lifted: LiftedRows
) -> Draft | None:
    """Chain two lifted loops below one in time; None where that is not possible.

    The last step in time stays as it was: the second part of a sequence in place of the
    loop below the mark ``lift`` at the path.
    """
    delay = max(lifted.before, lifted.behind)
    cuts = sorted({lifted.before, lifted.before + delay, lifted.whole})
    loops = (*path, 0, 0, 0, 0)
    rows = (*loops, 1, 0)
    done: Draft | None = draft
    for step in (
        Split((*path, 0), 0, (str(lifted.last_step),)),
        Chain(loops, delay),
        Split(rows, 0, tuple(map(str, cuts))),
    ):
        done = done and done.attempt(step)
    if done is None:
        return None
    middle = (*rows, cuts.index(lifted.before + delay) + 1, 0)
    n_held = 0
    for band in done.innermost_paths():
        if band[: len(rows)] == rows:
            held = done.attempt(Registers(band, (lifted.lanes,), lifted.lanes))
            n_held += held is not None and band[: len(middle)] == middle
            done = held or done
    if n_held < 2:
        return None
    first = _names(done, (*middle, 0, 0, 0))
    written = {a.array for name in first for a in scop.statement(name).writes}
    idle = _idle_products(scop, _names(done, middle)) if "fma" in cpu.isa else 0
    return done.attempt(Roll(middle, tuple(sorted(written)), idle))


def _names(draft: Draft, path: NodePath) -> list[str]:
    """Statements below a node."""
    return [s.get_tuple_name() for s in list_sets(draft.node(path).get_domain())]


def _idle_products(scop: Scop, names: list[str]) -> int:
    """Additions that units for products could do, to be busy as long as the others."""
    expressions = [
        e
        for name in names
        for action in scop.statement(name).body
        for top in action_expressions(action)
        for e in walk(top)
    ]
    n_products = sum(_is(e, "*") for e in expressions)
    n_sums = sum(
        _is(e, "+", "-") and not any(_is(x, "*") for x in e.operands)
        for e in expressions
    )
    return max(0, (n_sums - n_products) // 2)


def _is(expr: Expr, *operators: str) -> bool:
    return isinstance(expr, Binary) and expr.op in operators and expr.dtype.is_float
