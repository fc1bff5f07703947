"""Every schedule of a program's spaces, compiled, run, compared bit for bit.

`-ffp-contract=off` keeps the compiler from fusing multiplications and additions, so a
legal schedule that keeps each cell's order of accumulation changes no bit. The machine
has tiny caches, so that small arrays are tiled with full and partial tiles.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.base import CodegenError
from polysched.codegen import PrintOptions, identifiers, print_openmp, splice
from polysched.codegen.options import TileLoops
from polysched.frontend import parse_c
from polysched.ir import Program, Scop
from polysched.machine import Machine
from polysched.runtime import original_text
from polysched.space import Schedule, SpaceOptions, build_space

EXAMPLES = Path(__file__).parents[2] / "examples"
POLYBENCH = sorted((EXAMPLES / "polybench").glob("*.c"))
PROGRAMS = sorted((EXAMPLES / "programs").glob("*.c"))
CFLAGS = ("-O1", "-fopenmp", "-ffp-contract=off", "-std=gnu11", "-w")


def tiny_machine() -> Machine:
    cpu = Machine.detect(calibrated=False).cpu
    caches = {"l1_bytes": 1024, "l2_bytes": 4096, "l3_bytes": 16384}
    return Machine(replace(cpu, n_cores=2, **caches))


def slow(*sizes: int) -> list[object]:
    """Parameters of a test that only the slow run has."""
    return [pytest.param(size, marks=pytest.mark.slow) for size in sizes]


def size_names(path: Path) -> list[str]:
    """Macros that a program lets `-D` set."""
    found = r"#ifndef (\w+)\n(?:#ifdef TINY\n)?# *define \1 "
    return re.findall(found, path.read_text())


def run(source: bytes, path: Path, flags: Sequence[str], seconds: float = 60) -> bytes:
    """Standard output of a program; fails the test on anything unusual."""
    with tempfile.TemporaryDirectory() as folder:
        file, binary = Path(folder) / path.name, Path(folder) / "program"
        file.write_bytes(source)
        command = ["gcc", *CFLAGS, *flags, f"-I{path.parent}", str(file)]
        subprocess.run([*command, "-o", str(binary), "-lm"], check=True, timeout=120)
        done = subprocess.run(
            [str(binary)],
            stdout=subprocess.PIPE,
            timeout=seconds,
            check=False,
            env={"OMP_NUM_THREADS": "3"},
        )
    return b"%d\n%s" % (done.returncode, done.stdout)


def print_variant(
    program: Program,
    scop: Scop,
    schedule: Schedule,
    *,
    tile_loops: TileLoops = "either",
) -> bytes:
    options = PrintOptions(
        header=(schedule.id,),
        original_text=original_text(program, scop),
        reserved=identifiers(program.source.decode()),
        tile_loops=tile_loops,
    )
    return splice(program, {scop.name: print_openmp(scop, schedule.tree, options)})


def sweep(
    path: Path,
    flags: Sequence[str],
    options: SpaceOptions,
    *,
    tile_loops: TileLoops = "either",
    machine: Machine | None = None,
) -> tuple[int, list[str]]:
    """Number of schedules run, and a line for each one that went wrong."""
    flags = ("-DDUMP", *flags)
    program = parse_c(str(path), flags=flags, cflags=CFLAGS)
    wrong = [f"{path.name} {' '.join(flags)}: refused: {r}" for r in program.refusals]
    expected = run(program.source, path, flags)
    n_run = 0
    for scop in program.scops:
        space = build_space(scop, machine or tiny_machine(), options)
        wrong += [
            f"{path.name} {scop.name}: {d.what}: {d.reason}"
            for d in space.dropped
            if "illegal" in d.reason or "not legal" in d.reason
        ]
        for schedule in space:
            place = f"{path.name} {' '.join(flags)} {scop.name} {schedule.id}"
            note = f"{'>'.join(schedule.objectives)}: {schedule.script_text}"
            try:
                text = print_variant(
                    program, space.scop, schedule, tile_loops=tile_loops
                )
                found = run(text, path, flags)
            except CodegenError as error:
                wrong.append(f"{place}: not printed ({error}) {note}")
                continue
            except subprocess.SubprocessError as error:
                wrong.append(f"{place}: {error} {note}")
                continue
            n_run += 1
            if found != expected:
                wrong.append(f"{place}: differs {note}")
    return n_run, wrong
