"""Run as a script by `numpy_program`, without the package: one timed call of a kernel.

``python numpy_child.py SIDECAR RESULTS NAME=VALUE...``: calls ``inputs`` of the sidecar
with the sizes and ``kernel`` with what that gives, first to warm up, then timed on
fresh inputs. RESULTS is a file for the arrays that the kernel returns, or ``-``.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from pathlib import Path

import numpy as np


def main(words: list[str]) -> None:
    """Run the sidecar that the command line names."""
    sidecar, results, *settings = words
    sizes = {n: int(v) for n, _, v in (s.partition("=") for s in settings)}
    functions = runpy.run_path(sidecar)
    functions["kernel"](**functions["inputs"](**sizes))
    arrays = functions["inputs"](**sizes)
    started = time.perf_counter()
    found = functions["kernel"](**arrays)
    seconds = time.perf_counter() - started
    Path(os.environ["POLYSCHED_TIMES"]).write_text(
        f"1 {seconds:.9f}\n", encoding="ascii"
    )
    if results != "-":
        np.savez(results, **found)


if __name__ == "__main__":
    main(sys.argv[1:])
