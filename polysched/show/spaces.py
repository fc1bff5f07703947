"""Tables of a space: sizes of the stages, schedules with bars, what was dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from polysched.base import print_number
from polysched.show.facts import axis_label, fact_text, finite_fact, main_facts
from polysched.show.markup import Html, code, details, element, join, table
from polysched.space import Schedule, ScheduleSpace, better_direction, fact_sentence
from polysched.transform import short_script

_STAGES = (
    ("asked", "recipes and fixed schedules asked for"),
    ("solved", "gave a legal affine schedule"),
    ("distinct", "distinct legal trees after tiling and mapping"),
    ("kept", "schedules in the space"),
)


def size_html(space: ScheduleSpace) -> Html:
    """How many candidates each stage left."""
    counts = [getattr(space.size, name) for name, _ in _STAGES]
    most = max(*counts, 1)
    rows = [
        (name, join((str(n), bar(n / most))), told)
        for (name, told), n in zip(_STAGES, counts, strict=True)
    ]
    return table((), rows, numbers=(1,))


def bar(share: float, *, up: bool = False) -> Html:
    """A bar filled to a share of its width."""
    width = f"width:{max(0.0, min(1.0, share)):.0%}"
    inside = element("i", style=width)
    return element("span", inside, class_="bar up" if up else "bar", aria_hidden="true")


def space_table(
    space: ScheduleSpace,
    names: Sequence[str] | None = None,
    n_rows: int | None = None,
    link: Callable[[Schedule], Html] | None = None,
) -> Html:
    """The schedules with the numbers that tell them apart, each with a bar.

    Parameters
    ----------
    space : ScheduleSpace
    names : sequence of str, optional
        Facts to show.
    n_rows : int, optional
        Most rows; all by default.
    link : callable, optional
        What stands in place of the id.
    """
    shown = list(main_facts(space) if names is None else names)
    ends = {n: _ends(space, n) for n in shown}
    heads: list[object] = ["#", "id"]
    heads += [element("span", axis_label(n), title=fact_sentence(n)) for n in shown]
    heads += ["objectives", "script"]
    rows = []
    for k, s in enumerate(space.schedules[:n_rows]):
        cells: list[object] = [k + 1, link(s) if link else code(s.id)]
        cells += [_cell(s, n, ends[n]) for n in shown]
        cells += [code(" > ".join(s.objectives)), code(short_script(s.script))]
        rows.append(cells)
    return table(heads, rows, numbers=[0, *range(2, 2 + len(shown))])


def _ends(space: ScheduleSpace, name: str) -> tuple[float, float]:
    values = [v for s in space if (v := finite_fact(s, name)) is not None]
    return (min(values), max(values)) if values else (0.0, 0.0)


def _cell(schedule: Schedule, name: str, ends: tuple[float, float]) -> Html:
    """A number, and how it stands among the others."""
    value = finite_fact(schedule, name)
    if value is None:
        return Html("-")
    low, high = ends
    share = (value - low) / (high - low) if high > low else 0.0
    is_up = better_direction(name) == "high"
    return join((fact_text(name)(value), bar(share, up=is_up)))


def dropped_html(space: ScheduleSpace) -> Html:
    """What was asked for and is not there, and why."""
    if not space.dropped:
        return element("p", "Nothing was dropped.")
    kinds = ", ".join(f"{kind}: {n}" for kind, n in space.drop_counts().items())
    rows = [(code(d.what), d.reason) for d in space.dropped]
    told = f"{print_number(len(space.dropped))} candidates dropped; {kinds}"
    return details(told, table(("candidate", "reason"), rows))
