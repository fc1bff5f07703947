"""Kernels whose elements and iterations data choose, built once for all tests."""

from functools import cache
from types import FunctionType

import polysched as ps

SHAPES = {
    "look_up": {"y": "M", "x": "N", "k": "M"},
    "take_rows": {"out": "MC", "table": "NC", "k": "MB"},
    "count": {"h": "N", "k": "M", "v": "M"},
    "put": {"h": "N", "k": "M", "v": "M"},
    "between": {"y": "M", "x": "N", "k": "M"},
    "window": {"y": "M", "x": "N", "k": "M"},
    "follow": {"y": "M", "x": "N", "k": "M", "order": "M"},
    "reversed_view": {"y": "M", "x": "N", "k": "M"},
    "chosen_halves": {"y": "M", "x": "N", "k": "M"},
    "sparse_rows": {"y": "N", "value": "Z", "column": "Z", "start": "P", "x": "M"},
    "sparse_columns": {"y": "M", "value": "Z", "row": "Z", "start": "P", "x": "N"},
    "scaled_rows": {"value": "Z", "start": "P", "x": "N"},
    "triangle": {"y": "P", "x": "Z", "n": "P"},
    "backwards": {"y": "N", "value": "Z", "start": "P"},
    "two_steps": {"y": "N", "column": "Z", "start": "P", "x": "M"},
}
INTEGERS = {"k", "order", "column", "row", "start", "n"}


@cache
def build(function, dtype):
    """The kernel of a function, for all sizes, with index arrays of a type."""
    made = FunctionType(function.__code__, function.__globals__, function.__name__)
    for name, sizes in SHAPES[function.__name__].items():
        type_ = getattr(ps, dtype if name in INTEGERS else "float64")
        made.__annotations__[name] = type_[tuple(sizes)]
    return ps.kernel(made, timeout=1.0)


def look_up(y, x, k):
    for i in range(len(k)):
        y[i] = 2 * x[k[i]]


def take_rows(out, table, k):
    for i in range(k.shape[0]):
        for j in range(k.shape[1]):
            out[i] += table[k[i, j]]


def count(h, k, v):
    for i in range(len(k)):
        place = k[i]
        h[place] += v[i]


def put(h, k, v):
    for place, value in zip(k, v, strict=True):
        h[place] = value


def between(y, x, k):
    for i in range(len(k)):
        y[i] = x[k[i] + 1] - x[k[i]]


def window(y, x, k, m):
    for i in range(len(k)):
        for j in range(m):
            y[i] += x[k[i] - j]


def follow(y, x, k, order):
    for i in range(len(order)):
        y[i] = x[k[order[i]]]


def reversed_view(y, x, k):
    back = x[::-1]
    for i in range(len(k)):
        y[i] = back[k[i]]


def chosen_halves(y, x, k):
    doubled = x * 2
    for i in range(len(k)):
        if k[i] % 2 == 0:
            y[i] = doubled[k[i]]
        else:
            y[i] = (x + 1)[k[i]]


def sparse_rows(y, value, column, start, x):
    for i in range(len(y)):
        total = 0.0
        for k in range(start[i], start[i + 1]):
            total += value[k] * x[column[k]]
        y[i] = total


def sparse_columns(y, value, row, start, x):
    for j in range(len(x)):
        for k in range(start[j], start[j + 1]):
            y[row[k]] += value[k] * x[j]


def scaled_rows(value, start, x):
    for i in range(len(x)):
        for k in range(start[i], start[i + 1]):
            value[k] *= x[i]


def triangle(y, x, n):
    for i in range(len(n)):
        for j in range(n[i]):
            for k in range(j):
                y[i] += x[j] * x[k]


def backwards(y, value, start):
    for i in range(len(y)):
        for k in range(start[i + 1] - 1, start[i] - 1, -1):
            y[i] = y[i] / 2 + value[k]


def two_steps(y, column, start, x):
    for i in range(len(y)):
        for k in range(start[i], start[i + 1]):
            for m in range(start[column[k]], start[column[k] + 1]):
                y[i] += x[column[m]]
