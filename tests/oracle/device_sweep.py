"""Every schedule of a program's spaces for a device, run on the CPU's stand-in.

Original and kernels are compiled without fusing multiplications and additions, so
that results must be equal bit for bit, unless sums may come in any order; the stand-in
ends the program at the first race, the first access that is out of bounds, and the
like. All schedules of a SCoP are linked into one program, which an environment variable
tells the one to run.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from polysched.base import CodegenError
from polysched.codegen import PrintOptions, identifiers, splice
from polysched.codegen.cuda import CudaText, join_device, print_cuda
from polysched.frontend import parse_c
from polysched.ir import Program, Scop
from polysched.runtime import (
    Toolchain,
    compile_kernels,
    compile_shim,
    link_shim_program,
    original_text,
    shim_environment,
)
from polysched.space import Schedule, ScheduleSpace, SpaceOptions, build_space
from tests.oracle.sweep import CFLAGS, run, tiny_machine

VARIANT = "DEVICE_VARIANT"
FAULT = b"ps-shim: error"
NUMBER = re.compile(rb"-?[\d.]+(e[-+]?\d+)?")


@dataclass(frozen=True)
class Printed:
    """A schedule of a SCoP and its texts, with names of their own."""

    schedule: Schedule
    region: str
    device: str


def sweep_device(
    path: Path, flags: Sequence[str], options: SpaceOptions, tolerance: float = 0.0
) -> tuple[int, list[str]]:
    """Number of schedules run, and a line for each one that went wrong.

    With a tolerance, numbers may differ by so much of the largest of them.
    """
    flags = ("-DDUMP", *flags)
    program = parse_c(str(path), flags=flags, cflags=CFLAGS)
    wrong = [f"{path.name} {' '.join(flags)}: refused: {r}" for r in program.refusals]
    expected = run(program.source, path, flags)
    n_run = 0
    for scop in program.scops:
        space = build_space(scop, tiny_machine(), replace(options, target="cuda"))
        place = f"{path.name} {' '.join(flags)} {scop.name}"
        wrong += [
            f"{place}: {d.what}: {d.reason}"
            for d in space.dropped
            if "illegal" in d.reason or "not legal" in d.reason
        ]
        printed, refused = _print_all(program, scop, space)
        wrong += [f"{place} {text}" for text in refused]
        if not printed:
            continue
        with tempfile.TemporaryDirectory() as folder:
            binary = _build(program, scop, printed, path, flags, Path(folder))
            for k, one in enumerate(printed):
                found = _run(binary, k)
                n_run += 1
                if not is_same(found, expected, tolerance):
                    schedule = one.schedule
                    note = f"{'>'.join(schedule.objectives)}: {schedule.script_text}"
                    is_report = found.startswith(FAULT)
                    said = found[:300].decode() if is_report else "differs"
                    wrong.append(f"{place} {schedule.id}: {note}: {said}")
    return n_run, wrong


def is_same(found: bytes, expected: bytes, tolerance: float) -> bool:
    """Whether two outputs have the same words, and numbers up to a tolerance."""
    if found == expected:
        return True
    if not tolerance or len(found.split()) != len(expected.split()):
        return False
    pairs = list(zip(found.split(), expected.split(), strict=True))
    numbers = [(float(a), float(b)) for a, b in pairs if NUMBER.fullmatch(b)]
    largest = max((abs(b) for _, b in numbers), default=0.0)
    words = [(a, b) for a, b in pairs if not NUMBER.fullmatch(b)]
    return all(a == b for a, b in words) and all(
        abs(a - b) <= tolerance * largest for a, b in numbers
    )


def _print_all(
    program: Program, scop: Scop, space: ScheduleSpace
) -> tuple[list[Printed], list[str]]:
    """Texts of all schedules but the source order, and those that have none."""
    printed, refused = [], []
    options = PrintOptions(
        original_text=original_text(program, scop),
        reserved=identifiers(program.source.decode()),
    )
    for schedule in space:
        if not schedule.script:
            continue
        deps = space.dependences.validity
        try:
            text = print_cuda(space.scop, schedule.tree, options, deps=deps)
        except CodegenError as error:
            refused.append(f"{schedule.id}: not printed ({error})")
            continue
        printed.append(_rename(schedule, scop.name, text, len(printed)))
    return printed, refused


def _rename(schedule: Schedule, name: str, text: CudaText, number: int) -> Printed:
    """The texts with names that no other schedule's texts have."""
    pattern = re.compile(rf"\b(ps_(?:scop_)?{name}\w*)")
    region = pattern.sub(rf"\1_v{number}", text.region)
    return Printed(schedule, region, pattern.sub(rf"\1_v{number}", text.device))


def _build(
    program: Program,
    scop: Scop,
    printed: Sequence[Printed],
    path: Path,
    flags: Sequence[str],
    folder: Path,
) -> Path:
    cases = "".join(
        f"case {k}: {{\n{p.region}\n}} break;\n" for k, p in enumerate(printed)
    )
    region = (
        "{ extern char *getenv(const char *); extern int atoi(const char *);\n"
        f'switch (atoi(getenv("{VARIANT}"))) {{\n{cases}}} }}\n'
    )
    host, kernels = folder / path.name, folder / "kernels.cu"
    host.write_bytes(splice(program, {scop.name: region}))
    kernels.write_text(join_device([p.device for p in printed]))
    objects = [
        compile_kernels(kernels, folder / "kernels.o"),
        _shim(),
    ]
    cppflags = (*flags, f"-I{path.parent}")
    tools = Toolchain(cflags=CFLAGS, openmp_flags=(), cppflags=cppflags)
    return link_shim_program(
        objects, folder / "program", host_source=host, toolchain=tools
    )


@cache
def _shim() -> Path:
    """The stand-in's own code, compiled once for all programs."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    return compile_shim(Path(folder))


def _run(binary: Path, number: int, seconds: float = 300) -> bytes:
    """Exit status and standard output, or what the stand-in found."""
    chosen = {**shim_environment(seed=number), VARIANT: str(number)}
    done = subprocess.run(
        [str(binary)],
        capture_output=True,
        timeout=seconds,
        check=False,
        env={**os.environ, **chosen},
    )
    if FAULT in done.stderr:
        return done.stderr[done.stderr.index(FAULT) :]
    return b"%d\n%s" % (done.returncode, done.stdout)
