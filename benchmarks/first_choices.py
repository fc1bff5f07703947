"""The model's first choices beside peers, all in one race, for many programs.

``python benchmarks/first_choices.py DIRECTORY PROGRAM... --tools gcc,polly`` builds for
every region the peers' programs and polysched's first choices, checks all of them
against the original, and runs them in turn; one JSON file per region. With ``--page``
it prints a table of the files in the directory instead. Nothing is tuned: a choice that
is slower than the original loses to it, as in ``polysched tune``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import geometric_mean, median

from polysched.base import PolyschedError
from polysched.bench import BenchOptions, detect_peers, find_kernels, select_tools
from polysched.bench.build import Builder, Setting
from polysched.bench.peers import BASELINE, Found
from polysched.bench.race import Runner, race
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.records import Failure
from polysched.workflow import build_space, choose_candidates, parse, prepare_scop

CHOICE = "choice-"
BUDGETS = (1, 4)
RACE_SECONDS = 12.0


@dataclass(frozen=True)
class Region:
    """What was measured for one region.

    Attributes
    ----------
    name : str
        File, and region where there are several.
    times : dict of str to list of float
        Seconds by tool, one per round; choices are called ``choice-1`` and so on.
    failures : dict of str to str
        Why a tool has none.
    foreign_cores : float or None
        What others used of the machine during the race.
    """

    name: str
    times: dict[str, list[float]]
    failures: dict[str, str]
    foreign_cores: float | None

    def seconds(self, tool: str) -> float | None:
        """The median of a tool; for ``ours-N`` of the best choice or the original."""
        if tool.startswith("ours-"):
            names = [f"{CHOICE}{k + 1}" for k in range(int(tool[5:]))] + [BASELINE]
            return min(median(self.times[n]) for n in names if n in self.times)
        return median(self.times[tool]) if tool in self.times else None

    @property
    def best_peer(self) -> str:
        """The fastest tool that is none of ours."""
        peers = [t for t in self.times if not t.startswith(CHOICE)]
        return min(peers, key=lambda t: median(self.times[t]))


def measure(
    program: Program, scop: Scop, name: str, found: Sequence[Found], rounds: int
) -> Region:
    """Build, check and race one region."""
    options = BenchOptions(threads=Machine.detect().cpu.n_cores)
    failures: dict[str, str] = {}
    runners: list[Runner] = []
    with tempfile.TemporaryDirectory(prefix="choices-") as directory:
        setting = Setting(options.toolchain, options.run_options)
        builder = Builder(program, prepare_scop(scop), Path(directory), setting)
        for tool in found:
            built = None if tool.absent else builder.build(tool)
            if isinstance(built, Runner):
                runners.append(built)
            elif built is not None:
                failures[tool.peer.name] = f"{built.kind}: {built.text}"
        for tool_name, made in _choices(program, scop, builder):
            if isinstance(made, Runner):
                runners.append(made)
            else:
                failures[tool_name] = f"{made.kind}: {made.text}"
        result = race(
            runners,
            rounds=rounds,
            seconds=RACE_SECONDS,
            limit_seconds=builder.limit_seconds,
        )
    times: dict[str, list[float]] = {}
    for runner, taken in result.times:
        if isinstance(taken, Failure):
            failures[runner.names[0]] = f"{taken.kind}: {taken.text}"
        else:
            times[runner.names[0]] = list(taken)
    return Region(name, times, failures, result.foreign_cores)


def _choices(
    program: Program, scop: Scop, builder: Builder
) -> Iterator[tuple[str, Runner | Failure]]:
    """The first choices, checked as tuning checks them."""
    machine = Machine.detect()
    sizes = dict(builder.oracle.dump.parameters)
    space = build_space(program, machine, scop=scop.name, parameters=sizes)
    for k, variant in enumerate(choose_candidates(space, max(BUDGETS))):
        name = f"{CHOICE}{k + 1}"
        try:
            yield name, builder.build_own(name, variant.region_text(), check=True)
        except PolyschedError as error:
            yield name, Failure("codegen", str(error))


def load(directory: Path) -> list[Region]:
    """The regions measured so far, by name."""
    texts = [path.read_text() for path in sorted(directory.glob("*.json"))]
    return [Region(**json.loads(text)) for text in texts]


def page(regions: Sequence[Region]) -> Iterator[str]:
    """Lines of a Markdown table, geometric means last."""
    sets = [f"ours-{n}" for n in BUDGETS]
    heads = ["region", BASELINE, "best peer", "its time", *sets]
    heads += [f"{s} x {t}" for t in (BASELINE, "peer") for s in sets]
    yield _row(heads)
    yield _row(["---", "---:", "---", *["---:"] * (len(heads) - 3)])
    ratios: list[list[float]] = []
    for region in regions:
        original, peer = region.seconds(BASELINE), region.seconds(region.best_peer)
        own = [region.seconds(s) for s in sets]
        if original is None or peer is None or None in own:
            yield _row([region.name, *["-"] * (len(heads) - 1)])
            continue
        known = [s for s in own if s is not None]
        ratios.append([t / s for t in (original, peer) for s in known])
        yield _row(
            [
                region.name,
                _milliseconds(original),
                region.best_peer,
                _milliseconds(peer),
                *map(_milliseconds, known),
                *(f"{r:.2f}" for r in ratios[-1]),
            ]
        )
    means = [f"{geometric_mean(column):.2f}" for column in zip(*ratios, strict=True)]
    yield _row(["geometric mean", *[""] * (len(heads) - 1 - len(means)), *means])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms"


def main() -> None:
    """Measure, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("programs", nargs="*", help="files, or names of the suites")
    parser.add_argument("--tools", default=BASELINE, help="peers; gcc is one of them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    if given.page:
        sys.stdout.writelines(f"{line}\n" for line in page(load(given.directory)))
        return
    given.directory.mkdir(parents=True, exist_ok=True)
    found = detect_peers(select_tools(given.tools.split(","))[0])
    for file in find_kernels(given.programs, ("programs",)):
        program = parse(file.path)
        for scop in program.scops:
            many = len(program.scops) > 1
            name = f"{file.name}:{scop.name}" if many else file.name
            try:
                region = measure(program, scop, name, found, given.rounds)
            except PolyschedError as error:
                sys.stderr.write(f"{name}: {error}\n")
                continue
            text = json.dumps(asdict(region))
            (given.directory / f"{name.replace(':', '-')}.json").write_text(text)


if __name__ == "__main__":
    main()
