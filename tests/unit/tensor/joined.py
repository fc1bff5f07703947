"""Functions that join, pad, search, filter and leave early, compared with NumPy.

Parameters are named as in `kernels.py`; o and w are truth values, n by m and n.
"""

import numpy as np


def concatenated(a, b, x, y, p):
    return (
        np.concatenate((a, b, p)),
        np.concatenate([x, y[::-1], x[1:3] * 2]),
        (np.concatenate((a, b[:, 1:3]), axis=1)),
    )


def stacked(a, b, x, y):
    return (
        np.stack((x, y)), np.stack([x, y], axis=1), np.stack((a, b), axis=-1),
        np.hstack((a, b)), np.hstack((x, y)), np.vstack((a, b)), np.vstack((x, y)),
        np.column_stack((x, y, a)),
    )  # fmt: skip


def joined_in_place(a, x):
    x[:] = np.concatenate((x[3:], x[:3]))
    a[:2] = np.stack((a[1], a[0]))


def padded(a, x, u, s):
    return (
        np.pad(a, 1), np.pad(a, ((0, 2), (1, 0)), constant_values=s),
        np.pad(x, (2, 1), mode="edge"), np.pad(u, 3), np.pad(a, ((1, 2),)),
    )  # fmt: skip


def padded_with_itself(a, x):
    return (
        np.pad(x, (3, 2), mode="reflect"), np.pad(x, 2, mode="symmetric"),
        np.pad(a, ((1, 0), (2, 3)), "wrap"), np.pad(a, 2, mode="edge"),
    )  # fmt: skip


def convolved_by_padding(a):
    full = np.pad(a, 1)
    out = np.zeros_like(a)
    for di in range(3):
        for dj in range(3):
            out += full[di : di + a.shape[0], dj : dj + a.shape[1]] * (di - dj)
    return out


def differences(a, x, p):
    return np.diff(x), np.diff(a, axis=0), np.diff(a, 2), np.diff(p, n=1, axis=-1)


def triangles(a, c, p):
    return np.triu(c), np.tril(c, -1), np.triu(a, k=2), np.tril(p, 1)


def repeated(a, x, u):
    return (
        np.repeat(x, 2), np.repeat(a, 3, axis=0), a.repeat(2, axis=1),
        np.tile(x, 3), np.tile(a, (2, 1)), np.tile(u, (2, 2)),
    )  # fmt: skip


def grids(x, z, s):
    rows, columns = np.meshgrid(x, z)
    first, second = np.meshgrid(x, z, indexing="ij")
    line = np.linspace(s, 4, 9)
    return rows * columns, first - second, line, np.linspace(-1, s, 6, endpoint=False)


def spaced(x, s):
    return np.linspace(0.0, s, len(x)) + x


def kronecker(a, d):
    return np.kron(a[:, :2], a[:2, :2])


def convolutions(x, z, u):
    return (
        np.convolve(x, z), np.convolve(x, z[:3], "valid"), np.convolve(x, z, "same"),
        np.convolve(x, z[:4], mode="same"), np.correlate(x, z[:3]), np.convolve(u, u),
        np.correlate(x, z, "full"), np.correlate(x, z[:4], "same"),
    )  # fmt: skip


def norms(a, x, p, f):
    return (
        np.linalg.norm(x), np.linalg.norm(a), np.linalg.norm(a, axis=1),
        np.linalg.norm(x, 1), np.linalg.norm(a, np.inf, axis=0), np.linalg.norm(f),
        np.linalg.norm(a, ord=2, axis=1, keepdims=True), np.linalg.norm(p, "fro"),
    )  # fmt: skip


def normalised(a):
    a /= np.linalg.norm(a, axis=1, keepdims=True)


def counted(a, p):
    return (
        np.count_nonzero(a > 0),
        np.count_nonzero(p, axis=1),
        (np.count_nonzero(a > 1, axis=0, keepdims=True)),
    )


def running(a, x, p):
    return (
        np.maximum.accumulate(x), np.minimum.accumulate(a, axis=1),
        np.maximum.accumulate(p), np.add.accumulate(a), np.multiply.accumulate(x),
    )  # fmt: skip


def positions(a, x, p):
    return (
        np.argmax(x), x.argmin(), np.argmax(a, axis=1), np.argmin(p, axis=0),
        np.argmax(np.where(x > 0, np.nan, x)),
    )  # fmt: skip


def inner_products(a, b, x, z, e):
    return np.inner(a, b), np.inner(a, z), np.inner(x, x), np.inner(e, e[0])


def moved_axes(e):
    return (
        np.moveaxis(e, 0, -1) * 1, np.moveaxis(e, -1, 0) + 1,
        np.moveaxis(e, (0, 1), (2, 0)) * 1,
    )  # fmt: skip


def masks(a, b, x, y, p, s):
    a[a > s] = 0.5
    b[np.isnan(b)] = 0
    m = (x > 0) & ~(y > 0)
    x[m] = -y[m] * 2 + s
    x[x < -1] += 1
    y[m] *= x[m]
    p[p > 2] //= 2
    p[p == 3] = np.maximum(p[p == 3], 4) - 1


def row_masks(a, x, y):
    a[x > 0] = 7
    a[y > 0] = a[y > 0] * 2
    a[:, 0][x < 0] = 1


def masks_of_moved_elements(a, x, y):
    x[1:][x[:-1] > 0] = 0.25
    y[y[::-1] > 0] += 1
    a[1:-1][a[:-2] > a[2:]] *= 0.5
    for i in range(1, 4):
        a[i][a[i - 1] < 0] = i


def truth_values(a, x, o, w):
    x[w] = 0
    a[o] = np.where(w[:, None], a, -a)[o] * 2
    a[~w] += 1
    o[0] = w[0] | (a[0] > 0)
    w[1:] = ~w[:-1] & o[1:, 0]
    if w[2]:
        x[2] = 8
    return o.sum(axis=0), np.any(o, axis=1), w.astype(np.float64), o[::-1] & o


def mask_with_a_sum(a, x):
    x[x > 0] = np.mean(x)
    for i in range(a.shape[0]):
        row = a[i]
        row[row < 0] = row.max()


def continues(a, x):
    for i in range(len(x)):
        if i == 2:
            continue
        x[i] += 1
        for j in range(a.shape[1]):
            if j > i:
                a[i, j] = 0
                continue
            elif j == 1:
                a[i, j] += 3
            a[i, j] *= 2
        if i % 2:
            x[i] -= 5
        else:
            continue
        x[i] *= 3


def continues_on_data(x, y, s):
    total = 0.0
    for i in range(len(x)):
        if x[i] < s:
            continue
        y[i] = x[i]
        if y[i] > 1:
            total += y[i]
            continue
        total -= 1
    return total


def leaves_early(x, h, i):
    x[0] = 1
    if i > 100:
        return
    x[1] = 2
    if h:
        x[2] = 3
        return
    for k in range(len(x)):
        x[k] = 9


FUNCTIONS = [
    f for name, f in list(globals().items())
    if callable(f) and getattr(f, "__module__", "") == __name__
]  # fmt: skip
