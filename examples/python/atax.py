"""y = A^T (A x)."""

import polysched as ps

SIZES = {"m": 3600, "n": 4400}


@ps.kernel
def kernel(A: ps.float64["M", "N"], x: ps.float64["N"]):
    return (A @ x) @ A


def reference(A, x):
    """The same by NumPy."""
    return (A @ x) @ A


def inputs(rng, m, n):
    """Arguments of a call."""
    return rng.random((m, n)), rng.random(n)
