"""The programs of PolyBench, and what the model ranks first for any program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from job import GPU, SUITE, Job, source_of

from polysched.analysis import FloatingPoint
from polysched.machine import Machine
from polysched.workflow import Variant, build_space, optimize, parse

SPACE_SECONDS = 20.0
N_CHOICES = 3  # of the space of a program


def suite_jobs() -> Iterator[Job]:
    """PolyBench at LARGE: the region is entered once."""
    for file in sorted(SUITE.glob("*.c")):
        case, defines = f"{file.stem} LARGE", ("-DLARGE", "-DREPS=1")
        yield Job(
            case, "our choice", file.stem, defines, "", 0.0, 0.0, original=file.name
        )  # fmt: skip


def choices(job: Job) -> Iterator[tuple[Job, Variant]]:
    """The best-ranked schedules of a program's space, as `tune` would measure them."""
    program = parse(str(source_of(job)), flags=job.defines)
    machine = Machine(Machine.detect(calibrated=False).cpu, gpu=GPU)
    fp: FloatingPoint = "strict"
    if job.program in ("rowsums", "halfmul"):
        fp = "reassociate"
    fp = "tf32" if job.case.startswith("tf32") else fp
    space = build_space(program, machine, seconds=SPACE_SECONDS, target="cuda", fp=fp)
    for variant in space.variants[:N_CHOICES]:
        script, predicted = variant.schedule.script_text, variant.predicted_seconds
        kept = predicted if job.original else None
        yield (
            replace(job, kind="our choice", script=script, predicted_seconds=kept),
            variant,
        )


def write_choice(variant: Variant, name: str, folder: Path) -> None:
    """The pair of files of a schedule."""
    assert variant.program is not None
    (folder / f"{name}.cu").write_text(variant.device_text())
    (folder / f"{name}.c").write_bytes(optimize(variant.program, [variant]))
