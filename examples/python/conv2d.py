"""A convolution of images with several channels, and a bias."""

import numpy as np

import polysched as ps

SIZES = {"n": 8, "size": 64, "channels": 8, "k": 5, "filters": 16}


@ps.kernel
def kernel(
    image: ps.float32["N", "H", "W", "C"],
    weights: ps.float32["K", "K", "C", "F"],
    bias: ps.float32["F"],
    out: ps.float32["N", "P", "Q", "F"],
):
    for n in range(out.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                for f in range(out.shape[3]):
                    out[n, i, j, f] = bias[f]
                for p in range(weights.shape[0]):
                    for q in range(weights.shape[1]):
                        for c in range(weights.shape[2]):
                            for f in range(out.shape[3]):
                                out[n, i, j, f] += (
                                    image[n, i + p, j + q, c] * weights[p, q, c, f]
                                )


def reference(image, weights, bias, out):
    """The same by NumPy."""
    k = weights.shape[0]
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            window = image[:, i : i + k, j : j + k, :]
            out[:, i, j, :] = np.tensordot(window, weights, axes=3) + bias


def inputs(rng, n, size, channels, k, filters):
    """Arguments of a call."""
    inner = size - k + 1
    return (
        rng.random((n, size, size, channels), dtype=np.float32),
        rng.random((k, k, channels, filters), dtype=np.float32),
        rng.random(filters, dtype=np.float32),
        np.zeros((n, inner, inner, filters), np.float32),
    )
