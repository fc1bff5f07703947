"""Three layers of a perceptron and a softmax."""

import numpy as np

import polysched as ps

SIZES = {"n": 8, "c": 3, "s0": 3000, "s1": 1000, "s2": 1000}


@ps.kernel
def kernel(
    x: ps.float32["N", "C"],
    w1: ps.float32["C", "A"],
    b1: ps.float32["A"],
    w2: ps.float32["A", "B"],
    b2: ps.float32["B"],
    w3: ps.float32["B", "D"],
    b3: ps.float32["D"],
):
    h1 = np.maximum(x @ w1 + b1, 0)
    h2 = np.maximum(h1 @ w2 + b2, 0)
    h3 = h2 @ w3 + b3
    e = np.exp(h3 - np.max(h3, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


reference = kernel.function


def inputs(rng, n, c, s0, s1, s2):
    """Arguments of a call."""

    def table(*shape):
        return (rng.random(shape) / shape[0]).astype(np.float32)

    return (
        table(n, c),
        table(c, s0),
        table(s0),
        table(s0, s1),
        table(s1),
        table(s1, s2),
        table(s2),
    )
