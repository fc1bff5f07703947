"""correlation.c by NumPy."""

import numpy as np


def inputs(M, N):
    """Arrays as the C program fills them."""
    i, j = np.arange(N)[:, None], np.arange(M)
    noise = np.where(j % 23 == 20, 0, (i + j) % 5)
    return {"data": i * (j + 3) % 23 / 23.0 + noise}


def kernel(data):
    """Columns of mean 0 and length 1, times themselves; constant ones are kept."""
    n = len(data)
    mean = data.sum(axis=0) / n
    data = data - mean
    stddev = np.sqrt((data * data).sum(axis=0) / n)
    stddev = np.where(stddev <= 0.1, 1.0, stddev)
    data = data / (np.sqrt(n) * stddev)
    corr = data.T @ data
    np.fill_diagonal(corr, 1.0)
    return {"mean": mean, "stddev": stddev, "data": data, "corr": corr}
