"""PyTorch modules through polysched beside eager PyTorch and ``torch.compile``.

Run with a Python that has polysched and PyTorch, first with ``--build``, which fills
the caches, then without. Results are compared with eager PyTorch's before anything is
timed; sides take turns. ``--page FILE`` writes the table. Threads are what
``OMP_NUM_THREADS`` says; each side has a pool of its own, which waits for work after a
call, so that every turn begins with a pause and calls that do not count.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  as PyTorch's documentation has it
from torch import nn

import polysched as ps

EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "torch"
SECONDS = 20.0  # for the search, which a loaded machine slows down
PAUSE, WARM, CALLS, TURNS = 0.05, 3, 10, 3
SIDES = ("polysched", "reordered", "eager", "compile")


class Perceptron(nn.Module):
    """Two linear layers and a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(512, 1024)
        self.second = nn.Linear(1024, 256)

    def forward(self, x: Any) -> Any:
        """Apply it."""
        return F.softmax(self.second(F.relu(self.first(x))), dim=-1)


class Attention(nn.Module):
    """Softmax attention, written out."""

    def forward(self, query: Any, key: Any, value: Any) -> Any:
        """Apply it."""
        return F.softmax(query @ key.transpose(-1, -2) / 8.0, dim=-1) @ value


class Normalised(nn.Module):
    """A sum and a layer norm."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(512)

    def forward(self, x: Any, residual: Any) -> Any:
        """Apply it."""
        return self.norm(x + residual)


class Pointwise(nn.Module):
    """Arithmetic element by element."""

    def forward(self, x: Any, bias: Any) -> Any:
        """Apply it."""
        return F.hardswish(x * 2 + bias) * torch.clamp(x - bias, -1, 1)


class Convolution(nn.Module):
    """A convolution, a rectifier and a pool."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(16, 32, 3, padding=1)

    def forward(self, image: Any) -> Any:
        """Apply it."""
        return F.max_pool2d(F.relu(self.convolution(image)), 2)


@dataclass(frozen=True)
class Case:
    """A module with arguments of a call."""

    name: str
    module: Any
    args: tuple[Any, ...]


def list_cases() -> list[Case]:
    """All cases; weights and arguments are the same each time."""
    torch.manual_seed(0)
    cases = [
        Case("perceptron", Perceptron(), (torch.randn(64, 512),)),
        Case("attention", Attention(), tuple(torch.randn(8, 128, 64) for _ in "qkv")),
        Case("layer norm", Normalised(), tuple(torch.randn(1024, 512) for _ in "xr")),
        Case("pointwise", Pointwise(), (torch.randn(1024, 1024), torch.randn(1024))),
        Case("convolution", Convolution(), (torch.randn(2, 16, 64, 64),)),
    ]
    for stem in ("residual_block", "encoder_block"):
        example = _load(EXAMPLES / f"{stem}.py")
        title = stem.replace("_", " ")
        cases.append(Case(title, example.module(), example.inputs()))
    for case in cases:
        case.module.eval()
    return cases


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def list_sides(case: Case, names: Sequence[str]) -> dict[str, Callable[..., Any]]:
    """The ways to run a module."""
    found: dict[str, Callable[..., Any]] = {}
    for name in names:
        if name in ("polysched", "reordered"):
            fp = "strict" if name == "polysched" else "reassociate"
            title = case.name.replace(" ", "_")
            options = {"timeout": SECONDS, "name": title, "fp": fp}
            found[name] = ps.from_torch(case.module, case.args, **options)
        else:
            found[name] = (
                torch.compile(case.module) if name == "compile" else case.module
            )
    return found


def find_difference(case: Case, function: Callable[..., Any]) -> float:
    """How far a result is from eager PyTorch's, as part of the largest element."""
    expected, found = case.module(*case.args), function(*case.args)
    return float((found - expected).abs().max() / expected.abs().max())


def measure(case: Case, names: Sequence[str]) -> dict[str, float]:
    """Median seconds of a call, by side; a wrong result has none."""
    sides = list_sides(case, names)
    right = {k: f for k, f in sides.items() if find_difference(case, f) < 1e-4}
    times: dict[str, list[float]] = {name: [] for name in right}
    for _ in range(TURNS):
        for name, function in right.items():
            time.sleep(PAUSE)
            for k in range(WARM + CALLS):
                started = time.perf_counter()
                function(*case.args)
                if k >= WARM:
                    times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in times.items()}


def print_table(rows: dict[str, dict[str, float]]) -> str:
    """The medians as a Markdown table, with geometric means of ratios under it."""
    sides = [s for s in SIDES if any(s in row for row in rows.values())]
    others = [s for s in sides if s in ("eager", "compile")]
    ours = "reordered" if "reordered" in sides else "polysched"
    titles = [*sides, *(f"{s} / {ours}" for s in others)]
    lines = [f"| module | {' | '.join(titles)} |", "|---|" + "---:|" * len(titles)]
    for name, row in rows.items():
        cells = [_milliseconds(row.get(side)) for side in sides]
        cells += [_ratio(row, side, ours) for side in others]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines.append("")
    for side in others:
        both = [r for r in rows.values() if {side, ours} <= set(r)]
        mean = math.exp(sum(math.log(r[side] / r[ours]) for r in both) / len(both))
        lines.append(f"{side} / {ours}, geometric mean of {len(both)}: {mean:.2f}")
    return "\n".join(lines) + "\n"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.3g} ms"


def _ratio(row: dict[str, float], side: str, ours: str) -> str:
    return f"{row[side] / row[ours]:.2f}" if {side, ours} <= set(row) else "-"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="names of cases; all by default")
    parser.add_argument("--build", action="store_true", help="build only")
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    cases = [
        c for c in list_cases() if not options.modules or c.name in options.modules
    ]
    names = options.sides.split(",")
    rows = {}
    with torch.no_grad():
        for case in cases:
            if options.build:
                for name, function in list_sides(case, names).items():
                    off = find_difference(case, function)
                    sys.stdout.write(f"{case.name}, {name}: off by {off:.1e}\n")
                sys.stdout.flush()
                continue
            rows[case.name] = measure(case, names)
            sys.stderr.write(f"{case.name}: {rows[case.name]}\n")
    if rows:
        sys.stdout.write(print_table(rows))
    if options.page:
        options.page.write_text(print_table(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
