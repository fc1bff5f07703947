"""Functions on integers of 8 and 16 bits whose C text gives NumPy's results."""

import numpy as np


def arithmetic(a, b, y):
    y[:] = (a + b) * b - a
    y += 3
    y -= a
    y *= b
    return a + b, a - b, a * b, -a, +a, a * b * a * b + a


def chained(a, b):
    return (a + b) // 2, (a * 5) % 7, (a - b) >> 1, (a + b) > a, np.minimum(a + b, a)


def divided_by_constants(a):
    return a // 3, a % 3, a // 7 * 7 + a % 7, a / 2


def divided(a, b):
    return a // b, a % b, a / b


def compared(a, b):
    return a < b, a == b, a >= 5, a < 300, a != -1, a > 70000, a >= 100


def bits(a, b):
    return a & b, a | b, a ^ b, ~a, a << 3, a >> 2, (a << 1) >> 1, ~(a + b) & 15


def extremes(a, b):
    return np.maximum(a, b), np.minimum(a, 9), np.clip(a, 3, 100), np.abs(a), np.sign(a)


def loose_clips(a):
    return np.clip(a, -1000, 70), a.clip(4, 70000), a.clip(max=9), np.clip(a, None, 10)


def clipped(x, r):
    return x.clip(0, 9), r.clip(-3, max=4), x[1:].clip(min=2).sum()


def powers(a):
    return a**2, a**3, a**5, a**11, np.square(a), a**0


def chosen(a, b, w):
    return np.where(a > b, a, b), np.where(w, a, 7), np.where(a > 2, a - 1, b * 3)


def truths(a, w):
    return (
        a + w,
        a * w,
        a + True,
        ~w,
        np.logical_not(a),
        a.astype(bool),
        w.astype(np.int8),
    )


def truths_as_numbers(w, o, a):
    return w // o, w % o, w**2, np.square(w), w**True, w**3, np.square(True) + a, ~3 & w


def literals(a):
    return a + np.uint8(200), a * np.int8(-3), np.int16(30000) - a, a + np.int64(1)


def literals_among_themselves(a):
    one, two = np.uint8(200), np.int8(-128)
    return a + (one + one), -one + a, abs(two) + a, a - -two, one * one + a, ~one + a


def floats(a, f, x):
    return a + f, a * x, a * 1.5, a + 0.5, f - a, a.astype(np.float32) / 3


def kinds(a, r, p):
    return a + r, a * p, a - np.int32(1), a + p.astype(np.int16)


def casts(a, p, r):
    first = a.astype(np.uint8) + a.astype(np.int8)
    second = p.astype(np.uint16) * 2 + p.astype(np.int16)
    return first, second, r.astype(np.uint8), (a + a).astype(np.int64), a.astype(float)


def written(a, p, f, y):
    y[0] = p[0]
    y[1] = f[1] * 3
    y[2] = a[2] + 1
    y[3] = 7
    y[4, 1:] = p[4, :-1] * 1000
    y[5] = np.int64(77)


def elements(a, y, p):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            v = a[i, j] + a[i, -1]
            y[i, j] = v * 2 - a[0, j]
            y[i, j] += 100
            y[i, j] = (y[i, j] + p[i, j]).astype(y.dtype)
            y[i, j] <<= 1


def python_integers(a, y):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total = 0
            for k in range(j + 1):
                total += int(a[i, k])
            y[i, j] = total % 100
            if total > 300:
                y[i, j] = 100


def typed_accumulator(a, b, y):
    for i in range(a.shape[0]):
        total = a[i, 0]
        for j in range(a.shape[1]):
            total = total + a[i, j] * b[i, j]
        y[i] = total


def alternatives(a, b, y):
    for i in range(a.shape[0]):
        v = a[i, 0] if a[i, 0] > b[i, 0] else b[i, 0]
        v = min(v, a[i, 1])
        if b[i, 1] > 3:
            v = v * b[i, 2]
        y[i] = v + 1


def sums(a):
    return a.sum(dtype=np.int64), np.sum(a.astype(np.int64), axis=0)


def sums_in_narrow_types(a):
    return a.sum(dtype=a.dtype), np.prod(a, axis=1, dtype=a.dtype)


def folds(a):
    return a.max(), a.min(axis=0), a.mean(), a.mean(axis=1), np.any(a > 3), np.var(a)


def positions(a):
    return np.argmax(a, axis=1), np.argmin(a[0]), np.count_nonzero(a)


def running(a):
    return np.maximum.accumulate(a, axis=0), np.diff(a), np.diff(a, axis=0)


def matrix_products(a, b):
    rows = np.einsum("ij,ij->i", a, b)
    return a @ b.T, np.dot(a[0], b[0]), np.outer(a[0], b[1]), rows


def traces(p, r, w):
    return np.trace(r[:6] * r[:6]), np.trace(p[:6]), np.trace(w[:6])


def joined(a, b):
    return np.concatenate((a, b)), np.stack((a, b)), np.pad(a, 1), np.roll(a, 1, axis=0)


def made(a):
    t = np.zeros(a.shape, dtype=a.dtype)
    t[1:] = a[:-1]
    u = np.full(a.shape, 9, dtype=np.uint8)
    return t + np.ones_like(a), u, np.array([1, 250, 3], dtype=np.uint8)


def masks(a, b):
    a[a > 9] = 2
    b[b > 4] += 100


def rows_in_turn(a, y):
    for k, row in enumerate(a):
        y[k] = row[::-1] + row


def overlapping(a):
    a[1:] = a[:-1] + a[1:]


def rounding(a):
    return np.floor(a), np.round(a), np.isnan(a), np.isfinite(a)


def norms(a):
    return np.linalg.norm(a)


FUNCTIONS = [
    f for f in list(globals().values()) if getattr(f, "__module__", "") == __name__
]
