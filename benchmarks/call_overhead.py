"""What a call costs besides its work: polysched, Numba, NumPy, in nanoseconds.

Run with the Python that has polysched; ``--numba PYTHON`` names one that has Numba and
NumPy. Medians of repeated loops over arrays of three elements.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import timeit
from collections.abc import Callable

import numpy as np

CALLS, REPEATS = 50_000, 9


def measure(call: Callable[[], object]) -> float:
    """Nanoseconds of one call, without the loop around it."""
    empty = min(timeit.repeat(lambda: None, number=CALLS, repeat=3))
    times = timeit.repeat(call, number=CALLS, repeat=REPEATS)
    return (statistics.median(times) - empty) / CALLS * 1e9


def arguments() -> dict[str, tuple[object, ...]]:
    """Arguments by what is called: one, three and six arrays, and numbers."""
    x = [np.ones(3) for _ in range(6)]
    return {"one": (x[0],), "three": (2.0, *x[:3]), "six": tuple(x)}


def one(x):
    """Writes one array."""
    for i in range(x.shape[0]):
        x[i] = 1.0


def three(a, x, y, z):
    """Reads a number and two arrays, writes one."""
    for i in range(x.shape[0]):
        z[i] = a * x[i] + y[i]


def six(u, v, w, x, y, z):
    """Reads five arrays, writes one."""
    for i in range(u.shape[0]):
        z[i] = u[i] + v[i] + w[i] + x[i] + y[i]


def run_numba() -> dict[str, float]:
    """Times of Numba's calls, of its compiler's plain kind."""
    import numba

    found = {}
    for function in (one, three, six):
        given = arguments()[function.__name__]
        compiled = numba.njit(function)
        compiled(*given)
        found[function.__name__] = measure(lambda f=compiled, g=given: f(*g))
    return found


def run_polysched() -> dict[str, float]:
    """Times of kernels whose sizes are symbols."""
    import polysched as ps

    found = {}
    for function in (one, three, six):
        given = arguments()[function.__name__]
        arrays = [n for n in function.__code__.co_varnames[: len(given)] if n != "a"]
        function.__annotations__ = dict.fromkeys(arrays, ps.float64["N"]) | {"a": float}
        kernel = ps.kernel(function)
        kernel(*given)
        found[function.__name__] = measure(lambda f=kernel, g=given: f(*g))
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numba", metavar="PYTHON")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        sys.stdout.write(json.dumps(run_numba()))
        return
    ours = run_polysched()
    theirs: dict[str, float] = {}
    if options.numba:
        command = [options.numba, __file__, "--child"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        theirs = json.loads(done.stdout)
    x, y, z = (np.ones(3) for _ in range(3))
    sys.stdout.write(
        f"numpy.add(x, y, z)  {measure(lambda: np.add(x, y, z)):6.0f} ns\n"
    )
    for name, nanoseconds in ours.items():
        beside = ""
        if name in theirs:
            ratio = nanoseconds / theirs[name]
            beside = f"   numba {theirs[name]:6.0f} ns   ratio {ratio:.2f}"
        sys.stdout.write(f"{name:18}  {nanoseconds:6.0f} ns{beside}\n")


if __name__ == "__main__":
    main()
