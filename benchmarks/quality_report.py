"""What `space_quality` found: files, a table, a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from math import comb, exp, inf, log
from pathlib import Path

from polysched.base import PAPER, scheme_style
from polysched.records import Measurement, Outcome

TIMES_AS_MANY = 10  # random schedules for each kept one
BUDGETS = (1, 2, 4, 8, 16)
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 320, 60, 50, 16, 150
COLOURS = {"kept": "#00854a", "random": "#6e7781"}
LINE = "#ddd"
IN_THE_DARK = {"#00854a": "#2fc39a", "#6e7781": "#9aa6b2", LINE: "#3a434d"}
NAMES = {"kept": "kept, by rank", "random": "random, expected"}


@dataclass
class Entry:
    """One schedule.

    Attributes
    ----------
    id, objectives, form, script : str
        Which it is, and where it comes from.
    side : {"kept", "random"}
        The default space, or the sample.
    predicted : float or None
        Seconds that the model expects.
    code : str
        Hash of its text; empty when it cannot be printed.
    failure : str
        Why there is no time; empty when there is one, or it was not tried yet.
    seconds : float
        Median time; 0.0 when there is none.
    """

    id: str
    side: str
    predicted: float | None
    objectives: str
    form: str
    script: str
    code: str
    failure: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it was measured, with right results."""
        return self.seconds > 0.0

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be found out."""
        return self.ok or bool(self.failure)

    def take(self, outcome: Outcome) -> None:
        """Remember what came of it."""
        if isinstance(outcome, Measurement):
            self.seconds = outcome.median_seconds
        else:
            self.failure = f"{outcome.kind}: {outcome.text}"[:200]


@dataclass
class Kernel:
    """All schedules of a kernel and their times.

    Attributes
    ----------
    name : str
    entries : list of Entry
        Those of the default space by rank, then the random ones as drawn.
    n_seeds : int
        How many random policies were asked.
    space_seconds : float
        Wall time of building the default space.
    original : float
        Seconds of the original.
    race : dict of str to float
        Medians of the last race, by id and "original".
    """

    name: str
    entries: list[Entry] = field(default_factory=list)
    n_seeds: int = 0
    space_seconds: float = 0.0
    original: float = 0.0
    race: dict[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path, name: str) -> Kernel:
        """What is known of a kernel; nothing where there is no file."""
        if not path.exists():
            return cls(name)
        data = json.loads(path.read_text())
        return cls(**{**data, "entries": [Entry(**e) for e in data["entries"]]})

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1))

    def side(self, side: str) -> list[Entry]:
        """One of the two samples in order."""
        return [e for e in self.entries if e.side == side]

    def n_of(self, side: str) -> int:
        """How many schedules one of the samples has."""
        return len(self.side(side))

    def finalists(self, n: int) -> list[Entry]:
        """The fastest `n` of each side, each schedule once."""
        found: dict[str, Entry] = {}
        for side in ("kept", "random"):
            right = sorted(
                (e for e in self.side(side) if e.ok), key=lambda e: e.seconds
            )
            found |= {e.id: e for e in right[:n]}
        return list(found.values())

    def best(self, side: str) -> Entry | None:
        """The fastest of a side, by the race where it took part."""
        right = [e for e in self.side(side) if e.ok]
        raced = [e for e in right if e.id in self.race]
        return min(
            raced or right, key=lambda e: self.race.get(e.id, e.seconds), default=None
        )

    def best_seconds(self, side: str) -> float:
        """Time of the fastest of a side; infinite when none is right."""
        found = self.best(side)
        return inf if found is None else self.race.get(found.id, found.seconds)

    @property
    def fastest(self) -> float:
        """The least of all times, by the same measurements as the curves."""
        return min(self.original, *(e.seconds for e in self.entries if e.ok))

    def kept_after(self, n: int) -> float:
        """Best time among the model's first `n`, the original included."""
        tried = [e.seconds for e in self.side("kept")[:n] if e.ok]
        return min([self.original, *tried])

    def random_after(self, n: int) -> float:
        """Expected best time of `n` of the sample, the original included.

        Over all choices of n: ``sum_i t_i * C(N-i, n-1) / C(N, n)`` for times in rising
        order; a failure counts as the original.
        """
        entries = self.side("random")
        times = sorted(
            min(self.original, e.seconds) if e.ok else self.original for e in entries
        )
        n, total = min(n, len(times)), len(times)
        if not n:
            return self.original
        choices = comb(total, n)
        return sum(
            t * comb(total - k - 1, n - 1) / choices for k, t in enumerate(times)
        )

    def summary(self) -> dict[str, object]:
        """Figures of one kernel."""
        kept, drawn = self.best_seconds("kept"), self.best_seconds("random")
        budgets = [*BUDGETS, max(1, self.n_of("kept"))]
        winners = {s: self.best(s) for s in ("kept", "random")}
        return {
            "kernel": self.name,
            "kept": self.n_of("kept"),
            "random": self.n_of("random"),
            "random_wanted": TIMES_AS_MANY * self.n_of("kept"),
            "random_failed": sum(not e.ok for e in self.side("random")),
            "original_seconds": self.race.get("original", self.original),
            "best_kept_seconds": kept,
            "best_random_seconds": drawn,
            "kept_over_random": kept / drawn,
            "kept_after": {n: self.kept_after(n) for n in budgets},
            "random_after": {n: self.random_after(n) for n in budgets},
            "winners": {s: asdict(e) for s, e in winners.items() if e is not None},
        }


def write_report(kernels: Sequence[Kernel], directory: Path) -> str:
    """JSON and a picture into a directory; returns the table.

    Kernels whose kept schedules are not all measured are left out; of the random ones
    those that are measured count.
    """
    measured = [
        replace(k, entries=[e for e in k.entries if e.is_done])
        for k in kernels
        if k.original and all(e.is_done for e in k.side("kept"))
    ]
    summaries = [k.summary() for k in measured]
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / "space-quality.json"
    target.write_text(json.dumps(summaries, indent=1) + "\n")
    if measured:
        (directory / "space-quality.svg").write_text(_draw(measured))
    return _table(measured)


def _table(kernels: Sequence[Kernel]) -> str:
    heads = ["kernel", "kept", "random", "original ms", "best kept", "best random"]
    heads += ["kept/random", *(f"first {n}" for n in BUDGETS), "random 16"]
    rows = [heads, ["---"] * len(heads)]
    for k in kernels:
        kept, drawn = k.best_seconds("kept"), k.best_seconds("random")
        floor = k.fastest
        rows.append(
            [
                k.name,
                str(k.n_of("kept")),
                f"{k.n_of('random')} of {TIMES_AS_MANY * k.n_of('kept')}",
                f"{1e3 * k.race.get('original', k.original):.3g}",
                f"{1e3 * kept:.3g}",
                f"{1e3 * drawn:.3g}",
                f"{kept / drawn:.2f}",
                *(f"{k.kept_after(n) / floor:.2f}" for n in BUDGETS),
                f"{k.random_after(16) / floor:.2f}",
            ]
        )
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if kernels:
        ratios = [k.best_seconds("kept") / k.best_seconds("random") for k in kernels]
        mean = exp(sum(map(log, ratios)) / len(ratios))
        within = sum(r <= 1.05 for r in ratios)
        lines += ["", f"geometric mean of kept/random {mean:.2f}; "]
        lines[-1] += f"{within} of {len(ratios)} kernels within 5 %"
    return "\n".join(lines) + "\n"


def _draw(kernels: Sequence[Kernel]) -> str:
    """Share of the best speed over the number of measured schedules, both sides."""
    budgets = [*BUDGETS, 32]
    curves = {
        "kept": [_share(kernels, "kept", n) for n in budgets],
        "random": [_share(kernels, "random", n) for n in budgets],
    }
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        scheme_style(IN_THE_DARK),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
    ]
    for tick in range(0, 101, 20):
        y = _y(tick / 100)
        lines.append(
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" '
            f'stroke="{LINE}"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick} %</text>'
        )
    for k, n in enumerate(budgets):
        lines.append(
            f'<text x="{_x(k):.1f}" y="{HEIGHT - BOTTOM + 18}" '
            f'text-anchor="middle">{n}</text>'
        )
    lines.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" '
        f'text-anchor="middle">measured, mean of {len(kernels)} kernels</text>'
    )
    for side, shares in curves.items():
        points = " ".join(f"{_x(k):.1f},{_y(s):.1f}" for k, s in enumerate(shares))
        colour = COLOURS[side]
        lines.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" '
            f'stroke-width="2"/><text x="{WIDTH - RIGHT + 8}" '
            f'y="{_y(shares[-1]) + 4:.1f}" fill="{colour}">{NAMES[side]}</text>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def _share(kernels: Sequence[Kernel], side: str, n: int) -> float:
    """Geometric mean of the speed found with `n` over the best speed of all."""
    total = 0.0
    for k in kernels:
        found = k.kept_after(n) if side == "kept" else k.random_after(n)
        total += log(k.fastest / found)
    return exp(total / len(kernels))


def _x(position: int) -> float:
    return LEFT + position * (WIDTH - RIGHT - LEFT) / len(BUDGETS)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
