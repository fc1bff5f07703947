"""Functions of NumPy in terms of others: read in place of a call, as a user's own are.

They are never called, only read: what depends on arguments that are left out, on axes
and on numbers of dimensions is decided while a kernel is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_LOG_2 = float(np.log(2.0))
_PER_DEGREE = float(np.pi / 180.0)
_PER_RADIAN = float(180.0 / np.pi)


def _ptp(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    most = np.max(a, axis=axis, keepdims=keepdims)
    return most - np.min(a, axis=axis, keepdims=keepdims)


def _fliplr(m: Any) -> Any:
    return m[:, ::-1]


def _flipud(m: Any) -> Any:
    return m[::-1]


def _deg2rad(x: Any) -> Any:
    return np.multiply(x, _PER_DEGREE)


def _rad2deg(x: Any) -> Any:
    return np.multiply(x, _PER_RADIAN)


def _logaddexp(x1: Any, x2: Any) -> Any:
    more = np.log1p(np.exp(-np.abs(np.subtract(x1, x2))))
    return np.where(np.equal(x1, x2), np.add(x1, _LOG_2), np.maximum(x1, x2) + more)


def _heaviside(x1: Any, x2: Any) -> Any:
    at_zero = np.where(np.equal(x1, 0), x2, x1)  # NaN stays
    return np.where(np.less(x1, 0), 0.0, np.where(np.greater(x1, 0), 1.0, at_zero))


def _nansum(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return np.sum(np.where(np.isnan(a), 0, a), axis=axis, keepdims=keepdims)


def _nanprod(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    return np.prod(np.where(np.isnan(a), 1, a), axis=axis, keepdims=keepdims)


def _nanmean(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    total = np.sum(np.where(np.isnan(a), 0.0, a), axis=axis, keepdims=keepdims)
    ones = np.where(np.isnan(a), np.zeros_like(a), np.ones_like(a))
    return total / np.sum(ones, axis=axis, keepdims=keepdims)


def _add_reduce(array: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    return np.sum(array, axis=axis, keepdims=keepdims)


def _multiply_reduce(array: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    return np.prod(array, axis=axis, keepdims=keepdims)


def _maximum_reduce(array: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    return np.max(array, axis=axis, keepdims=keepdims)


def _minimum_reduce(array: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    return np.min(array, axis=axis, keepdims=keepdims)


def _and_reduce(array: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    return np.all(array, axis=axis, keepdims=keepdims)


def _or_reduce(array: Any, axis: Any = 0, keepdims: Any = False) -> Any:
    return np.any(array, axis=axis, keepdims=keepdims)


def _average(a: Any, axis: Any = None, weights: Any = None) -> Any:
    if weights is None:
        return np.mean(a, axis=axis)
    if weights.ndim == a.ndim:
        return np.sum(a * weights, axis=axis) / np.sum(weights, axis=axis)
    return np.sum(np.moveaxis(a, axis, -1) * weights, axis=-1) / np.sum(weights)


def _isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8) -> Any:
    limit = np.add(atol, np.multiply(rtol, np.abs(b)))
    is_near = np.less_equal(np.abs(np.subtract(a, b)), limit)
    return np.logical_or(np.logical_and(is_near, np.isfinite(b)), np.equal(a, b))


def _allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8) -> Any:
    return np.all(np.isclose(a, b, rtol, atol))


def _divmod(x: Any, y: Any) -> Any:
    return x // y, x % y


def _atleast_2d(x: Any) -> Any:
    if np.ndim(x) == 1:
        return x[np.newaxis]
    return x


def _cross(a: Any, b: Any) -> Any:
    return np.array(
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    )


COMPOSITES: dict[Any, Callable[..., Any]] = {
    np.ptp: _ptp,
    np.fliplr: _fliplr,
    np.flipud: _flipud,
    np.deg2rad: _deg2rad,
    np.radians: _deg2rad,
    np.rad2deg: _rad2deg,
    np.degrees: _rad2deg,
    np.logaddexp: _logaddexp,
    np.heaviside: _heaviside,
    np.nansum: _nansum,
    np.nanprod: _nanprod,
    np.nanmean: _nanmean,
    np.add.reduce: _add_reduce,
    np.multiply.reduce: _multiply_reduce,
    np.maximum.reduce: _maximum_reduce,
    np.minimum.reduce: _minimum_reduce,
    np.logical_and.reduce: _and_reduce,
    np.logical_or.reduce: _or_reduce,
    np.average: _average,
    np.isclose: _isclose,
    np.allclose: _allclose,
    np.divmod: _divmod,
    divmod: _divmod,
    np.atleast_2d: _atleast_2d,
    np.cross: _cross,
}
