"""Five-point averages, there and back, step by step."""

import polysched as ps

SIZES = {"steps": 100, "n": 1300}


@ps.kernel
def kernel(steps: int, A: ps.float64["N", "N"], B: ps.float64["N", "N"]):
    n = A.shape[0]
    for _t in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                B[i, j] = 0.2 * (
                    A[i, j] + A[i, j - 1] + A[i, j + 1] + A[i + 1, j] + A[i - 1, j]
                )
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = 0.2 * (
                    B[i, j] + B[i, j - 1] + B[i, j + 1] + B[i + 1, j] + B[i - 1, j]
                )


def reference(steps, A, B):
    """The same by NumPy."""
    for _t in range(steps):
        for source, target in ((A, B), (B, A)):
            target[1:-1, 1:-1] = 0.2 * (
                source[1:-1, 1:-1]
                + source[1:-1, :-2]
                + source[1:-1, 2:]
                + source[2:, 1:-1]
                + source[:-2, 1:-1]
            )


def inputs(rng, steps, n):
    """Arguments of a call."""
    return steps, rng.random((n, n)), rng.random((n, n))
