"""Functions of NumPy that are made of others, lambdas, comprehensions and such.

Parameters are named as in `kernels.py`.
"""

import numpy as np

WEIGHTS = (0.25, 0.5, 0.25)


def spreads(a, x):
    return np.ptp(a), np.ptp(a, axis=0), np.ptp(x)


def flipped(a):
    return np.fliplr(a), np.flipud(a), np.atleast_2d(a[0]), np.atleast_2d(a)


def angles(a, f, p):
    return np.deg2rad(a), np.radians(f), np.rad2deg(f), np.degrees(p)


def logs_of_sums(a, b, s):
    return np.logaddexp(a, b), np.logaddexp(a, a), np.logaddexp(a, s)


def steps(a, b, p, f):
    return np.heaviside(a, 0.5), np.heaviside(p, b), np.heaviside(f * 0, f)


def with_holes(a, x, p):
    a = np.where(a > 1.5, np.nan, a)
    x = np.where(x < 9, np.nan, x)
    return (
        np.nansum(a), np.nansum(a, axis=1), np.nanmean(a, axis=0), np.nanmax(a, axis=0),
        np.nanmin(a), np.nanmax(x), np.nanprod(a, axis=1), np.nansum(p), np.nanmax(p),
    )  # fmt: skip


def reduced(a, p, o):
    return (
        np.add.reduce(a), np.maximum.reduce(a, axis=1), np.minimum.reduce(a, axis=None),
        np.multiply.reduce(p, axis=1), np.logical_or.reduce(o), np.add.reduce(a[0]),
        np.logical_and.reduce(o, axis=1, keepdims=True),
    )  # fmt: skip


def averages(a, b, x, z):
    return (
        np.average(a), np.average(a, axis=0), np.average(x, weights=x * x + 1),
        np.average(a, axis=1, weights=z * z + 1), np.average(a, weights=b * b + 1),
        np.average(a, axis=0, weights=x * x + 1),
    )  # fmt: skip


def near(a, b, x):
    c = a + 1e-9
    return np.isclose(a, c), np.allclose(a, c), np.allclose(a, b), np.isclose(x, 0.5)


def quotients(a, p, u, i):
    for k in range(len(u)):
        one, two = divmod(u[k] - 3, 4)
        u[k] = one * 100 + two
    return np.divmod(a, 0.75), np.divmod(p, i)


def crossed(x, y):
    return np.cross(x[:3], y[:3])


def rounded(a, f, p):
    return np.round(a, 2), a.round(1), np.round(f, 1), np.round(a, -1), np.round(p, 2)


def rounded_numbers(x, u):
    for k in range(len(x)):
        u[k] = round(x[k] * 3) + round(2.5)


def selected(a, x, s):
    return (
        np.select([a < 0, a > s], [a * 2, s], default=a),
        np.select([x < 0, x < 1], [x, -x]),
    )


def rolled(a, e, x, i):
    return (
        np.roll(a, (1, -2), axis=(0, 1)), np.roll(x, i), np.roll(x, -i),
        np.roll(x, i - 5), np.roll(a, i - 7, axis=1), np.roll(e, 1, axis=(1, 2)),
    )  # fmt: skip


def gaps_with_ends(x, u):
    return (
        np.diff(x, prepend=0), np.diff(x, append=x[0]), np.diff(u, prepend=1, append=2),
        np.diff(x, prepend=x[:2]),
    )  # fmt: skip


def where_a_mask_holds(a, o, x):
    return (
        np.sum(a, where=o), np.sum(a, axis=0, where=a > 0), x.sum(where=x > 0.5),
        np.prod(a, axis=1, where=o), np.any(a > 2, where=o), np.all(o, where=a > 0),
    )  # fmt: skip


def sums_of_python(x, a, o):
    return sum(x), sum(a), sum(WEIGHTS), sum([x[0], x[1], 2]), sum(o[0])


def backwards(x, y, u):
    for i in reversed(range(1, len(x), 2)):
        x[i] += x[i - 1] * 2
    for i in reversed(range(len(x) - 1, 1, -1)):
        y[i] = y[i - 1] + i
    for v in reversed(x):
        y[0] += v * v
    for w in reversed(WEIGHTS):
        y[1] = y[1] * 2 + w
    for i in reversed(range(3, 2)):
        u[i] = 0


def pairs_in_order(x, y, u):
    for k, (v, w) in enumerate(zip(x, y, strict=True)):
        u[k] = k + (v > w)
    for k, w in enumerate(WEIGHTS):
        x[k] *= w
    for k, (i, w) in enumerate(((3, 0.5), (2, 1.5))):
        y[i] = w * k


def lambdas(x, s):
    square = lambda v: v * v + s  # noqa: E731
    mixed = lambda v, w: square(v) - w  # noqa: E731
    for i in range(len(x)):
        x[i] = mixed(x[i], i)
    s = 2.0
    return square(x)


def comprehensions(x, a):
    corners = [x[k] * 2 for k in range(3)]
    sides = np.array([w * a[0, 1] for w in WEIGHTS])
    return sum(w * x[0] for w in enumerate_weights()), corners[1], sides


def enumerate_weights():
    return (0.5, 1.5)


def listed(a, e, x):
    return a[:, [0, 2]], a[[1, 0, -1]], x[[2]], e[:, [1, 0]][1]


FUNCTIONS = [
    f for name, f in list(globals().items())
    if callable(f) and getattr(f, "__module__", "") == __name__
    and name != "enumerate_weights"
]  # fmt: skip
