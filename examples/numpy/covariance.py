"""covariance.c by NumPy."""

import numpy as np


def inputs(M, N):
    """Arrays as the C program fills them."""
    i, j = np.arange(N)[:, None], np.arange(M)
    return {"data": i * (j + 2) % 19 / 19.0 + (3 * i + j) % 4}


def kernel(data):
    """Columns without their means, times themselves; one observation counts as two."""
    n = max(2, len(data))
    mean = data.sum(axis=0) / n
    data = data - mean
    return {"mean": mean, "data": data, "cov": data.T @ data / (n - 1.0)}
