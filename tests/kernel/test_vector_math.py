"""exp and its kin run on several numbers at once where NumPy alone says what they are.

A library of functions that is only nearly right would show as wrong lanes, as a wrong
sign of zero, or as a number where NaN belongs.
"""

import platform

import numpy as np
import pytest

import polysched as ps
from polysched.kernel.build import toolchain

pytestmark = pytest.mark.cc

LAST_PLACES = 4.5  # of libmvec, and half a unit for the number that it is compared with
EDGES = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 5e-324, -1e-310, 1e300, -1e300]


def functions(out: ps.float64["F", "N"], x: ps.float64["N"]):
    out[0] = np.exp(x)
    out[1] = np.log(x)
    out[2] = np.sin(x)
    out[3] = np.cos(x)
    out[4] = np.tanh(x)
    out[5] = np.arctan2(x, 2.0)
    out[6] = np.cbrt(x)
    out[7] = np.arcsin(x)


def in_long_double(x):
    x = x.astype(np.longdouble)
    two = np.longdouble(2)
    with np.errstate(all="ignore"):
        return np.array(
            [np.exp(x), np.log(x), np.sin(x), np.cos(x), np.tanh(x),
             np.arctan2(x, two), np.cbrt(x), np.arcsin(x)]
        )  # fmt: skip


def points():
    random = np.random.default_rng(5)
    return np.concatenate([EDGES, random.uniform(-3, 3, 20_000), EDGES])


@pytest.mark.parametrize("fp", ["promised", "strict"])
def test_each_result_is_near_the_right_one(fp):
    x = points()
    out = np.empty((8, len(x)))
    ps.kernel(fp=fp)(functions)(out, x)
    exact = in_long_double(x)
    right = exact.astype(np.float64)
    for found, wanted, precise in zip(out, right, exact, strict=True):
        special = ~np.isfinite(wanted) | (wanted == 0)
        assert np.array_equal(found[special], wanted[special], equal_nan=True)
        assert np.array_equal(
            np.signbit(found[wanted == 0]), np.signbit(wanted[wanted == 0])
        )
        last_place = np.spacing(np.abs(wanted[~special]))
        error = np.abs(found[~special] - precise[~special]) / last_place
        assert np.max(error) <= LAST_PLACES


def has_lanes(kernel, *args):
    library = kernel.build(*args).stored.library
    return b"_ZGV" in library.read_bytes()


@pytest.mark.skipif(
    platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc",
    reason="libmvec is glibc's on x86-64",
)
def test_strict_kernels_call_libm_one_number_at_a_time():
    given = np.empty((8, 40)), np.empty(40)
    assert has_lanes(ps.kernel(functions), *given)
    assert not has_lanes(ps.kernel(fp="strict")(functions), *given)


def test_another_library_is_called_as_before(monkeypatch):
    options = ps.kernel(functions).options
    plain = toolchain(ps.kernel(fp="strict")(functions).options).cflags
    for machine, library in (
        ("x86_64", ("", "")),
        ("x86_64", ("glibc", "2.31")),
        ("aarch64", ("glibc", "2.39")),
    ):
        monkeypatch.setattr(platform, "machine", lambda found=machine: found)
        monkeypatch.setattr(platform, "libc_ver", lambda found=library: found)
        assert toolchain(options).cflags == plain
