"""Three-point averages, there and back, step by step."""

import polysched as ps

SIZES = {"steps": 800, "n": 16000}


@ps.kernel
def kernel(steps: int, A: ps.float64["N"], B: ps.float64["N"]):
    for _t in range(steps):
        B[1:-1] = 0.33333 * (A[:-2] + A[1:-1] + A[2:])
        A[1:-1] = 0.33333 * (B[:-2] + B[1:-1] + B[2:])


reference = kernel.function


def inputs(rng, steps, n):
    """Arguments of a call."""
    return steps, rng.random(n), rng.random(n)
