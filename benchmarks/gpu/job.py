"""What is measured: one variant of one program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from polysched.machine import Gpu

HERE = Path(__file__).resolve().parent
SUITE = HERE.parents[1] / "examples" / "polybench"
GPU = Gpu.named("h200")


@dataclass(frozen=True)
class Job:
    """One variant of one program.

    Attributes
    ----------
    case : str
        Program, sizes and element type.
    kind : str
        What the variant stands for.
    program : str
        File name without suffix.
    defines : tuple of str
        Macros it is compiled with.
    script : str
        Steps from the source order.
    flops, n_bytes : float
        Work of one entry of the region, and least traffic of one that sweeps arrays
        once per sweep.
    predicted_seconds : float or None
        By the model of shapes, for the H200.
    weight : int
        Variants of its case and kind that are measured in one turn.
    original : str
        File of the program whose output its own must agree with; "" where it checks
        its results itself.
    """

    case: str
    kind: str
    program: str
    defines: tuple[str, ...]
    script: str
    flops: float
    n_bytes: float
    predicted_seconds: float | None = None
    weight: int = 1
    original: str = ""


def source_of(job: Job) -> Path:
    """The program of a job."""
    return (SUITE if job.original else HERE / "programs") / f"{job.program}.c"
