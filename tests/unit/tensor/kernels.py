"""Functions that are read, compiled as they are, and compared with NumPy.

A parameter's name says what is passed: a and b are float64 matrices of n by m, c
is n by n, d is m by k, x and y are vectors of n, z of m, e has three axes, f and g are
float32 matrices, p and q int64 ones, r an int32 one, u an int64 vector; s is a float, i
an int, h a bool.
"""

import math
from math import exp

import numpy as np
from numpy import sqrt

from polysched.tensor import erf

SHIFT = 2
WEIGHTS = (0.25, 0.5, 0.25)


def relu(v):
    return np.maximum(v, 0)


def scaled(v, factor=2.0):
    w = v * factor
    return w + 1


def add_into(target, value):
    target += value


def two_results(v):
    return v.sum(), v * 2


def loops_and_steps(a, x):
    n = len(x)
    for i in range(n - 1, -1, -2):
        x[i] = x[i] + i
    for i in range(1, n, 3):
        for j in range(i, a.shape[1]):
            a[i, j] = i * j - a[i][j]
    for i in range(2):
        a[i, -1] = a[-1, i] * 2


def sums_of_nested_loops(a, x):
    last = 0
    for i in range(len(x) - 2):
        total = 0.0
        for j in range(3):
            for k in range(-1, 2):
                total += a[i + j, k + 1]
                last = last + k
        x[i] = total / 9
    return last


def conditions(a, x, s, h):
    for i in range(len(x)):
        if i % 2 == 0 and x[i] > s:
            x[i] = -x[i]
        elif i > 3 or x[i] < 0:
            x[i] += 1
        else:
            x[i] = 0.5
    if h:
        a[0] = 1
    else:
        a[1] = 2
    if not (len(x) < 3):
        a[2, 0] = 7


def loop_in_branch(a, x):
    for i in range(len(x)):
        if x[i] > 0:
            for j in range(a.shape[1]):
                a[i, j] += x[i]
            x[i] = -1
        else:
            a[i, :] = 0


def scalars(x, y, s):
    total = 0
    count = 0
    biggest = x[0]
    for i in range(len(x)):
        total += x[i] * y[i]
        if x[i] > s:
            count += 1
        biggest = max(biggest, x[i])
    y[0] = total / (count + 1)
    return total, count, biggest


def chained(x, s):
    for i in range(len(x)):
        if 0 <= x[i] < s:
            x[i] = 10.0
        x[i] = x[i] if i < 4 else x[i - 4]


def exchange(x):
    for i in range(len(x) // 2):
        x[i], x[len(x) - 1 - i] = x[len(x) - 1 - i], x[i]


def fibonacci(x):
    one, two = 1.0, 1.0
    for i in range(len(x)):
        one, two = two, one + two
        x[i] = one


def wrapped_index(x, y):
    for i in range(len(x)):
        y[i] = x[i - 1] + x[i - 2]


def python_arithmetic(p, i):
    p[0, 0] = i // 3 - 7 % i
    p[0, 1] = -7 // 2 + (-7) % 3
    p[1, 0] = i**3
    p[1, 1] = abs(-i) + min(i, 3) + max(2, i, 5)
    for k in range(3):
        p[2, k] = (k - 2) // 2 + (k - 2) % 3


def integer_division(p, q):
    p[:] = p // q
    q %= 3
    p -= q % -4


def float_division(a, b):
    a[:] = a // b
    b[:] = b % -0.3


def powers(a, p, x):
    a[0] = a[0] ** 2 + a[1] ** 3 - abs(a[2]) ** 0.5
    a[1] = abs(a[1]) ** 1.7
    a[2] = a[2] ** -1
    p[:] = p**2 - p**3
    x[0] = abs(x[0]) ** 0.5 + x[1] ** 2
    x[1:] = 2.0 ** x[1:]


def functions(a, x):
    a[0] = np.sin(a[0]) + np.cos(a[1]) * np.tanh(a[0])
    a[1] = np.exp(-np.abs(a[1])) + np.log1p(np.abs(a[0]))
    a[2] = np.floor(a[2]) + np.ceil(a[0]) - np.trunc(a[1]) + np.rint(a[2] * 3)
    a[3] = np.arctan2(a[3], a[0]) + np.hypot(a[0], a[1]) + np.copysign(a[0], a[2])
    x[0] = math.sqrt(abs(x[0])) + exp(-abs(x[1])) + math.floor(x[2]) + sqrt(4.0)
    x[1] = math.pi * int(x[1]) + float(3)
    x[2] = math.pow(2.0, 0.5) + math.hypot(3, 4)


def nan_rules(x, y):
    x[1] = np.nan
    y[0] = np.inf
    x[:] = np.maximum(x, y)
    y[:] = np.minimum(y, x)
    return np.isnan(x), np.isinf(y), np.isfinite(x), np.sign(x)


def signs_of_zeros(x, f):
    x[0] = -0.0
    f[0] = -0.0
    return 1 / np.sign(x), np.copysign(x, np.sign(x)), 1 / np.sign(f[0])


def selections(a, b, p):
    a[:] = np.where(a > b, a, np.where(b > 0.5, b, 0))
    b[:] = np.clip(b, -0.5, 0.5)
    p[:] = np.where(p % 2 == 0, p, -p)
    p[0] = np.sign(p[0]) + (p[1] > 3)


def logic(a, b, p, q):
    mask = (a > 0) & (b < 0) | ~(a < b)
    a[:] = np.where(mask, 1, 0)
    b[:] = np.logical_and(a > 0, b > 0) * 2.0
    p[:] = (p & q) | (p ^ 3) << 2
    q[:] = q >> 1
    return mask, mask.sum(), np.logical_not(mask)


def slices(a, b, x):
    a[1:-1, 1:] = b[:-2, :-1] + b[2:, 1:]
    a[::2, ::-1] += b[::2]
    v = a[1:, 2:]
    w = v[::-1, 1:]
    w[0] = 7
    v[:, 0] -= w[:, 0]
    x[-3:] = x[:3]
    x[-2] = x[-1]


def overlapping(x, a):
    x[1:] = x[:-1]
    x[:-1] = x[1:] + x[:-1]
    x[:] = x[::-1]
    a[1:, :] = a[:-1, :] * 2
    a[:, :] = a[::-1, ::-1] - a


def overlapping_square(c):
    c[:] = c.T
    c += c.T
    c[1:, 1:] = c[:-1, :-1]


def broadcasting(a, x, z, b):
    a += z
    a *= x[:, None]
    b[:] = x[:, np.newaxis] * z[None, :] + a[0] - a[:, :1]
    b -= b.mean(axis=1, keepdims=True)


def products(a, d, c, x, z):
    t = a @ d
    u = np.dot(c, x) + x @ c
    v = np.outer(x, z) * (a @ z)[:, None]
    x[:] = c @ (x + u)
    return t, u, v, x @ u, np.matmul(c, c.T), (2.0 * a + 1) @ d


def einsums(a, d, c, x, e):
    return (
        np.einsum("ij,jk->ik", a, d),
        np.einsum("ij,ij->i", a, a),
        np.einsum("ii", c),
        np.einsum("i,j->ij", x, x),
        np.einsum("ijk->k", e),
        np.einsum("ki,kj->ij", a, a),  # symmetric
        np.einsum("ik,ki->ik", c, c),
        np.einsum("ij,jk,ki", c, c, c),
        np.trace(c),
        np.diag(c),
    )


def outer_and_tensordot(a, x, z, e, c):
    a += np.add.outer(x, z)
    some = np.tensordot(e, c, axes=1), np.tensordot(e, e, axes=((1, 2), (1, 2)))
    return some, np.tensordot(e[0], c), np.maximum.outer(c, z)


def batched(e, c):
    return e @ e.transpose(0, 2, 1), c @ e


def reductions(a, e, p, f):
    return (
        a.sum(), np.sum(a, axis=0), np.max(a, axis=1), a.min(), np.mean(a, axis=-1),
        np.prod(a, axis=0), e.sum(axis=(0, 2)), e.max(axis=1, keepdims=True), p.sum(),
        p.mean(), p.max(axis=0), f.sum(axis=1), f.mean(), np.std(a, axis=0), np.var(a),
        np.any(a > 2), np.all(a > -9, axis=0), np.cumsum(p, axis=1), np.cumsum(a[0]),
    )  # fmt: skip


def softmax(a):
    shifted = np.exp(a - np.max(a, axis=-1, keepdims=True))
    return shifted / np.sum(shifted, axis=-1, keepdims=True)


def creation(a, x):
    zeros = np.zeros((len(x), 3))
    ones = np.ones_like(a)
    full = np.full(4, 2.5)
    zeros[:, 1] = x
    steps = np.arange(len(x)) * 2 + np.arange(3, 3 + len(x))
    eye = np.eye(len(x), dtype=np.float32)
    empty = np.empty(a.shape)
    empty[:] = ones * full[0]
    literal = np.array([[1, 2], [3, 4]])
    return zeros, ones, full, steps, eye, empty, literal * 0.5, np.zeros(3, dtype=int)


def shapes(a, e, x):
    g = np.zeros((len(x), 4, 2))
    g[:, 1] = x[:, None]
    v = g.reshape(g.shape[0], -1)
    v[:, 3] = 4
    w = a.T[::-1]
    w[0] = 5
    r = np.swapaxes(e, 0, 1)
    m = x.reshape(-1, 1) + x.reshape(1, len(x))
    k = np.expand_dims(x, 0)[0]
    some = v + 1, r * 2, np.flip(a, axis=0), np.flip(a), np.roll(x, 2), m, k, g.ravel()
    more = np.squeeze(x[None, :, None]), np.broadcast_to(x, (3, len(x)))
    return some, more, np.transpose(e, (2, 0, 1)), np.roll(a, -1, axis=1)


def names_that_c_has_not(x):
    _0_weight, _, __1 = x * 2, x + 1, x - 1
    return _0_weight * _ * __1


def split_and_joined_axes(x):
    many = np.zeros((6, 4, 1, 5))
    many[:, 1] = x[:5]
    split = many.reshape(2, 3, 2, 2, 5, 1)
    split[1, 0] += 2
    joined = many.reshape(24, 1, 1, 5), many.reshape(6, 20), many.reshape(3, 2, 20)
    return split, joined, many.reshape(4, 30), np.zeros((1, 1)).reshape(1)


def error_function(a, f):
    return erf(a), erf(f * 0.5) + 1, 1 - erf(a[0, 0])


def copies(a, b, x):
    old = a.copy()
    a[:] = b
    np.copyto(b, old)
    np.add(a, b, out=a)
    np.multiply(x, 2, out=x)
    np.exp(x, out=x)
    x.fill(3)
    return a - old


def float32_rules(f, g, x, s, p):
    f *= 2.5
    g[:] = f * s + 1
    g += 1 / 3
    f[0, 0] = x[0]
    h = f * x[0]
    k = f + p[0, 0]
    total = 0.0
    for i in range(f.shape[0]):
        total += f[i, 0]
    return h, f.mean(), np.sqrt(f * f), total, f * np.float64(2), k


def int_rules(p, r, u):
    r += 3
    t = r * p
    v = r / 2
    w = p * 0.5
    p[0] = 2.75
    u[0] = u[1] + 2
    return t, v, w, r // 2, r.sum(), r.astype(np.float32), np.sqrt(r * r), -u, abs(u)


def exchange_arrays(x, y, i):
    for _ in range(i):
        y[1:-1] = (x[:-2] + x[1:-1] + x[2:]) / 3
        x, y = y, x
    return x.copy(), y[0]


def rotate_arrays(x, y, i):
    w = np.zeros_like(x)
    for k in range(1, i):
        w[:] = x + y * k
        x, y, w = y, w, x


def rebound_arrays(a, x, c):
    v = x
    for _ in range(3):
        v = c @ v
        v = v / 10
    w = a * 2
    if x[0] > 0:
        w = w + 1
    total = 0.0
    for i in range(3):
        w = w * 0.5
        total += w[i, i]
    return v, w, total


def branch_arrays(a, b, x):
    if x[0] > 0:
        t = a + b
        k = 1
    else:
        t = a - b
        k = 2.5
    return t * k


def rows(a, c):
    for row in a:
        row *= 2
        for v in row:
            c[0, 0] += v
    for w in WEIGHTS:
        c += w
    for k in (0, 2):
        c[k] = k
    for k, v in ((1, 0.5), (2, 1.5)):
        c[:, k] *= v
    for k, row in enumerate(a):
        row -= k
    for one, two in zip(a, c, strict=True):
        two[: len(one)] += one


def calls(a, x):
    a[:] = relu(a) + scaled(a, factor=3.0)
    add_into(a[0], 1)
    add_into(a, scaled(x)[:, None])
    total, twice = two_results(x)
    x[:] = twice - total + SHIFT


def triangular(c, x):
    for i in range(len(x)):
        c[i, :i] = c[:i, i]
        x[i] -= c[i, :i] @ x[:i]
        c[i, i:] *= x[i]


def cholesky(c):
    n = c.shape[0]
    c[:] = c @ c.T + n * np.eye(n)
    for i in range(n):
        for j in range(i):
            c[i, j] = (c[i, j] - c[i, :j] @ c[j, :j]) / c[j, j]
        c[i, i] = np.sqrt(c[i, i] - c[i, :i] @ c[i, :i])
        c[i, i + 1 :] = 0


def durbin(x, y):
    x[:] = x / 10
    alpha = -x[0]
    beta = 1.0
    y[0] = -x[0]
    for k in range(1, len(x)):
        beta *= 1.0 - alpha * alpha
        alpha = -(x[k] + np.dot(x[:k][::-1], y[:k])) / beta
        y[:k] += alpha * y[:k][::-1]
        y[k] = alpha


def stencil(a, b, i):
    for _ in range(i):
        b[1:-1, 1:-1] = 0.2 * (
            a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1]
        )
        a[1:-1, 1:-1] = b[1:-1, 1:-1]


def in_place_stencil(a):
    for _ in range(2):
        for i in range(1, a.shape[0] - 1):
            for j in range(1, a.shape[1] - 1):
                a[i, j] = (a[i - 1, j] + a[i, j - 1] + a[i, j] + a[i + 1, j]) / 4


def max_plus(c):
    n = c.shape[0]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            if j - 1 >= 0:
                c[i, j] = max(c[i, j], c[i, j - 1])
            if i + 1 < n:
                c[i, j] = max(c[i, j], c[i + 1, j])
            for k in range(i + 1, j):
                c[i, j] = max(c[i, j], c[i, k] + c[k + 1, j])


def windows(x, y):
    for i in range(len(x)):
        low = max(0, i - 2)
        high = min(len(x), i + 3)
        y[i] = np.sum(x[low:high]) / (high - low)


def returns_constant(x):
    x += 1
    return 3, "done", None


def returns_argument(x):
    x *= 2
    return x


def bool_scalars(x, h, s):
    flag = False
    for i in range(len(x)):
        flag = flag or x[i] > s
    if flag and h:
        x[0] = 99
    return flag


FUNCTIONS = [
    f for name, f in list(globals().items())
    if callable(f) and getattr(f, "__module__", "") == __name__
    and name not in ("erf", "relu", "scaled", "add_into", "two_results")
]  # fmt: skip
