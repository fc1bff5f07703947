"""PPCG's kernels for the same programs, where a ``ppcg`` command is on the PATH.

It translates the source with the macros of the job. Its two files, device and host
code, become one of C++ whose launches are timed as our own are (``timed.h``).
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from job import Job, source_of

from polysched.analysis import find_reductions
from polysched.base import PolyschedError
from polysched.frontend import parse_c

SECONDS = 60.0  # of one program
# blocks of 64 x 64 results, 16 terms at a time, 4 x 4 results in a thread's registers
PRODUCT = (
    "--max-shared-memory=49152",
    "--unroll-gpu-tile",
    "--sizes={kernel[i]->tile[64,64,16]; kernel[i]->block[16,16]}",
)
_LAUNCH = re.compile(r"(\w+)\s*<<<\s*(\w+)\s*,\s*(\w+)\s*>>>\s*\((.*?)\);", re.DOTALL)
_HEADER = re.compile(r'^#include "\w[^"\n]*_kernel\.hu"\n', re.MULTILINE)


def find() -> str | None:
    """The command, None where there is none."""
    return shutil.which("ppcg")


def jobs_of(case: Job) -> Iterator[Job]:
    """PPCG's default for a case, and its larger tiles where products are added up."""
    if find() is None:
        return
    own = replace(case, kind="PPCG", script="", predicted_seconds=None, weight=1)
    yield own
    if _adds_products(case):
        yield replace(own, kind="PPCG (tuned)", script=shlex.join(PRODUCT))


def _adds_products(case: Job) -> bool:
    """Whether a statement in three loops or more adds up its terms."""
    return any(
        found.op in ("+", "-") and scop.statement(found.statement).n_loops > 2
        for scop in parse_c(source_of(case), flags=case.defines).scops
        for found in find_reductions(scop)
    )


def write(job: Job, name: str, folder: Path) -> None:
    """The device file of a job with the whole program in it; no other host code.

    Raises
    ------
    PolyschedError
        If PPCG fails, takes longer than `SECONDS` or makes no kernel.
    """
    device, host = _translate(job)
    host, n_launches = _LAUNCH.subn(r"PS_LAUNCH(\1, \2, \3, 0, \4);", host)
    if not n_launches or "<<<" in host:
        raise PolyschedError("PPCG makes no kernel of it that can be timed")
    macros = (d.removeprefix("-D").partition("=") for d in job.defines)
    lines = [f"#define {macro} {value or 1}" for macro, _, value in macros]
    lines += ["#define restrict __restrict__", device, host]
    (folder / f"{name}.cu").write_text("\n".join(lines))
    (folder / f"{name}.c").write_text(f"/* the program is in {name}.cu */\n")


def _translate(job: Job) -> tuple[str, str]:
    """PPCG's device and host code, without the header that declares kernels."""
    source = source_of(job)
    options = [*shlex.split(job.script), *job.defines, str(source)]
    with TemporaryDirectory() as place:
        try:
            done = subprocess.run(
                [find() or "ppcg", "--target=cuda", *options],
                cwd=place,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise PolyschedError(f"PPCG takes more than {SECONDS:.0f} s") from None
        parts = [Path(place) / f"{source.stem}_{p}.cu" for p in ("kernel", "host")]
        if done.returncode or not all(part.exists() for part in parts):
            raise PolyschedError(f"PPCG fails: {(done.stdout + done.stderr)[-300:]}")
        device, host = (_HEADER.sub("", part.read_text()) for part in parts)
    return device, host
