"""What would have to be given up for a pin that a schedule does not obey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from polysched.analysis import (
    Dependences,
    LoopReport,
    SplitReport,
    loop_carriers,
    outline_tree,
)
from polysched.base import Deadline
from polysched.ir import Scop
from polysched.schedule import (
    PARTITIONS,
    WHOLE,
    Pin,
    PinFused,
    PinParallel,
    PinPrice,
    Recipe,
    check_pins,
    cut_dependences,
    find_core,
    has_objective,
    parse_pin,
    price_pin,
    satisfies,
    statement_levels,
)
from polysched.space import Schedule

PLAIN = Recipe(("MIC",))  # for schedules that no objective list asked for


@dataclass(frozen=True, eq=False)
class Want:
    """A pin put to a schedule.

    Attributes
    ----------
    pin : Pin
    is_met : bool
        Whether the affine schedule obeys it already.
    price : PinPrice or None
        What obeying it costs; None when it is met.
    has_list : bool
        Whether the schedule has an objective list of its own to compare with.
    outline : str
        The affine schedule with the pin as indented text; empty when there is none.
    """

    pin: Pin
    is_met: bool
    price: PinPrice | None = None
    has_list: bool = True
    outline: str = ""

    def to_json(self) -> dict[str, object]:
        """The answer as one object."""
        price = self.price
        solved = None if price is None else price.solved
        conflict = None if price is None else price.conflict
        return {
            "pin": str(self.pin),
            "met": self.is_met,
            "objectives": [
                {
                    "name": c.name,
                    "before": c.before,
                    "after": c.after,
                    "worse": c.is_worse,
                }
                for c in (price.changes if price else ())
            ],
            "shape": solved.shape if solved else None,
            "given_up": list(solved.given_up) if solved else [],
            "conflict": conflict.to_json() if conflict else None,
            "failure": price.failure if price else "",
            "outline": self.outline.splitlines(),
        }

    def lines(self) -> Iterator[str]:
        """The answer in words, the first line without indentation."""
        price = self.price
        if price is None:
            yield f"{self.pin}: nothing, the schedule obeys it"
        elif price.conflict is not None:
            yield f"{self.pin}: cannot be had, {price.conflict}"
            yield from (f"  {text}" for text in price.conflict.witnesses)
            missing = [g.name for g in price.conflict.obstacles]
            if missing:
                yield f"  it could be had without the {'; the '.join(missing)}"
        elif price.solved is None:
            yield f"{self.pin}: not known, {price.failure}"
        else:
            yield f"{self.pin}: {_cost(price, self.has_list)}"
            yield from (f"  {line}" for line in self.outline.splitlines())


def _cost(price: PinPrice, has_list: bool) -> str:
    assert price.solved is not None
    told = [f"{c.name} gets worse, from {c.before} to {c.after}" for c in price.losses]
    told += [f"{name} is given up" for name in price.solved.given_up]
    unknown = [c.name for c in price.changes if c.after is None]
    if unknown:
        told.append(f"not known in time: {', '.join(unknown)}")
    if not has_list:
        told = ["possible; no objective asked for this schedule, so none is lost"]
    wanted = price.recipe.shape
    if price.solved.shape != wanted:
        told.append(f"rows of the form {price.solved.shape} instead of {wanted}")
    return "; ".join(told) or "no objective gets worse"


def read_pins(pins: Sequence[Pin | str]) -> tuple[Pin, ...]:
    """Pins from pins and texts, each once."""
    read = (parse_pin(p) if isinstance(p, str) else p for p in pins)
    return tuple(dict.fromkeys(read))


def price_wants(
    scop: Scop,
    dependences: Dependences,
    schedule: Schedule,
    pins: Sequence[Pin],
    seconds: float,
) -> tuple[Want, ...]:
    """Solve a schedule's own objective list again, with one pin at a time in front.

    Parameters
    ----------
    scop, dependences
        Of the space that the schedule is from.
    schedule : Schedule
    pins : sequence of Pin
        What is wanted; each is priced on its own.
    seconds : float
        Limit for all of them.

    Raises
    ------
    PinError
        If a pin names what the SCoP does not have.
    """
    check_pins(pins, scop)
    deadline = Deadline.after(seconds)
    core = find_core(scop, dependences)
    pieces = cut_dependences(core.scop, core.dependences)
    has_list = all(has_objective(name) for name in schedule.objectives)
    kept = tuple(p for p in schedule.pins if p not in schedule.broken_pins)
    recipe = PLAIN
    if has_list:
        shape = schedule.shape or "unit"
        known = schedule.partition in PARTITIONS
        partition = schedule.partition if known else WHOLE
        recipe = Recipe(schedule.objectives, shape, partition, kept)
    wants = []
    for k, pin in enumerate(pins):
        if satisfies(schedule.affine, pin, scop, dependences):
            wants.append(Want(pin, is_met=True))
            continue
        share = deadline.capped(deadline.remaining_seconds() / (len(pins) - k))
        price = price_pin(
            core.scop,
            core.dependences,
            recipe,
            pin,
            share,
            before=schedule.stages if has_list else (),
            pieces=pieces,
        )
        outline = ""
        if price.solved is not None:
            tree = core.embed(price.solved.tree, dependences)
            loops = loop_carriers(tree, dependences, scop)
            outline = outline_tree(tree, loops, scop)
        wants.append(Want(pin, False, price, has_list, outline))
    return tuple(wants)


def open_wants(
    scop: Scop,
    schedule: Schedule,
    rows: Sequence[LoopReport],
    splits: Sequence[SplitReport],
) -> tuple[Pin, ...]:
    """What one may want of a schedule: its sequential loops parallel, its parts fused.

    Parameters
    ----------
    scop, schedule
        As for `price_wants`.
    rows : sequence of LoopReport
        The loops of the affine schedule.
    splits : sequence of SplitReport
        Its neighbouring statements in different loops.
    """
    levels = statement_levels(schedule.affine)
    found: dict[Pin, None] = {}
    for row in rows:
        if row.parallel:
            continue
        for name in row.statements:
            at = [
                level
                for level, one in enumerate(levels[name])
                for member in one.members
                if (member.path, member.position) == (row.path, row.member)
            ]
            if at:
                found[PinParallel(name, at[0])] = None
                break
    for split in splits:
        depth = split.row + 1
        ends = [
            next((n for n in names if scop.statement(n).n_loops >= depth), None)
            for names in (split.first, split.second)
        ]
        if ends[0] and ends[1]:
            found[PinFused(ends[0], ends[1], depth)] = None
    return tuple(found)
