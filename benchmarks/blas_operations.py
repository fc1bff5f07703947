"""Kernels beside OpenBLAS's own routine for the same operation.

    python benchmarks/blas_operations.py lu syr2k --size LARGE --rounds 7

`polysched bench` compares with NumPy expressions, some of which do more than is asked
for (a whole product for a triangle) or go through Python (LU in blocks). Here the
column ``numpy`` is one call of the library that NumPy's wheels carry: dsyrk, dsyr2k,
dsymm, dtrmm, dpotrf, dgetrf; results are compared as ever. The library adds up in an
order of its own, as ``ours-1-fast`` may (``--fp reassociate``) and ``ours-1`` may not.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
POLYBENCH = HERE.parent / "examples" / "polybench"
CALLS = HERE / "openblas"


def main() -> int:
    """Race the kernels in a folder whose NumPy forms are these calls."""
    known = sorted(p.stem for p in CALLS.glob("*.py") if p.stem != "library")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kernels", nargs="*", default=known)
    parser.add_argument("--size", default="LARGE", help="macro that picks the sizes")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, in turn")
    parser.add_argument("--json", type=Path, help="where the figures are kept")
    given = parser.parse_args()
    kernels = given.kernels
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "numpy").mkdir()
        for kernel in kernels:
            shutil.copy(POLYBENCH / f"{kernel}.c", folder)
            (folder / "numpy" / f"{kernel}.py").symlink_to(CALLS / f"{kernel}.py")
        words = [
            *(str(folder / f"{kernel}.c") for kernel in kernels),
            *("--size", given.size, "--rounds", str(given.rounds)),
            *("--tools", "ours,ours-fast,numpy,blas-gemm", "--budget", "1"),
            *("--records", str(folder / "records.sqlite")),
            *(("--json", str(given.json)) if given.json else ()),
        ]
        program = [sys.executable, "-m", "polysched", "bench", *words]
        return subprocess.run(program, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
