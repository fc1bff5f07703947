"""Are two runs' results equal? Exactly for integers, up to rounding for the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polysched.base import MismatchError
from polysched.runtime.dump import Dump, Segment, Values

Mask = npt.NDArray[np.bool_]
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)\b")
_TEXT_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Comparison:
    """Two runs agree.

    Attributes
    ----------
    n_values : int
        How many values were compared.
    n_rounded : int
        How many of them differ in rounding only.
    max_relative_error : float
        Largest difference over the largest magnitude in its array.
    n_nan : int
        How many of the expected values are NaN, and so prove little.
    """

    n_values: int
    n_rounded: int
    max_relative_error: float
    n_nan: int = 0


def compare_dumps(
    expected: Dump,
    found: Dump,
    tolerances: Mapping[str, float],
    ignored: Mapping[int, Mask] | None = None,
) -> Comparison:
    """Compare every value of two dumps.

    Parameters
    ----------
    expected : Dump
        The original's: the oracle.
    found : Dump
        The variant's.
    tolerances : mapping of array name to float
        Bound on a difference of floating point values, relative to the largest finite
        magnitude that the array has in `expected`; arrays not named must be equal.
        Why any at all: a compiler may fuse multiply and add in one text and not in
        the other, also when the order of operations is the same.
    ignored : mapping of segment number to mask, optional
        Values to leave out: those that differ between two runs of the original.

    Raises
    ------
    MismatchError
        With array, subscripts, expected and found value, and how many differ.
    """
    if expected.n_calls != found.n_calls:
        raise MismatchError(
            f"the region ran {found.n_calls} times, expected {expected.n_calls} times"
        )
    if len(expected.segments) != len(found.segments):
        raise MismatchError(
            f"{len(found.segments)} arrays were dumped, expected"
            f" {len(expected.segments)}"
        )
    n_values = n_rounded = n_nan = 0
    worst = 0.0
    for k, (want, got) in enumerate(
        zip(expected.segments, found.segments, strict=True)
    ):
        skip = ignored.get(k) if ignored else None
        part = _compare_segment(want, got, tolerances.get(want.array, 0.0), skip)
        n_values += part.n_values
        n_rounded += part.n_rounded
        n_nan += part.n_nan
        worst = max(worst, part.max_relative_error)
    return Comparison(n_values, n_rounded, worst, n_nan)


def differing_values(first: Dump, second: Dump) -> dict[int, Mask]:
    """Values that are not equal bit for bit, by segment; empty masks are left out.

    Raises
    ------
    MismatchError
        If the two dumps do not even hold the same elements.
    """
    if len(first.segments) != len(second.segments):
        raise MismatchError("two runs of the original dump different arrays")
    masks = {}
    for k, (a, b) in enumerate(zip(first.segments, second.segments, strict=True)):
        if not a.is_laid_out_as(b):
            raise MismatchError(
                f"two runs of the original dump different elements of {a.array!r}"
            )
        mask = _differs(a.values, b.values)
        if mask.any():
            masks[k] = mask
    return masks


def compare_output(expected: str, found: str) -> None:
    """Compare what two runs printed: words exactly, numbers up to rounding.

    Raises
    ------
    MismatchError
        With the first line that differs.
    """
    if expected == found:
        return
    want, got = expected.splitlines(), found.splitlines()
    for k, (a, b) in enumerate(zip(want, got, strict=False)):
        if not _is_same_line(a, b):
            raise MismatchError(
                f"line {k + 1} of the output is {b[:120]!r}, expected {a[:120]!r}"
            )
    if len(want) != len(got):
        raise MismatchError(f"{len(got)} lines of output, expected {len(want)}")


def _is_same_line(a: str, b: str) -> bool:
    if a == b:
        return True
    if _NUMBER.sub("#", a) != _NUMBER.sub("#", b):
        return False
    pairs = zip(_NUMBER.findall(a), _NUMBER.findall(b), strict=True)
    return all(_is_same_number(x, y) for x, y in pairs)


def _is_same_number(x: str, y: str) -> bool:
    if x == y:
        return True
    a, b = float(x), float(y)
    return bool(abs(a - b) <= _TEXT_TOLERANCE * max(abs(a), abs(b)))


def _differs(a: Values, b: Values) -> Mask:
    """Elementwise: not equal, where NaN equals NaN and 0.0 equals -0.0."""
    different: Mask = a != b
    if a.dtype.kind == "f":
        different &= ~(np.isnan(a) & np.isnan(b))
    return different


def _compare_segment(
    want: Segment, got: Segment, tolerance: float, skip: Mask | None
) -> Comparison:
    if want.array != got.array or want.call != got.call:
        raise MismatchError(
            f"array {got.array!r} was dumped where {want.array!r} was expected"
        )
    if not want.is_laid_out_as(got):
        raise MismatchError(
            f"other elements of array {want.array!r} were dumped than expected"
        )
    different = _differs(want.values, got.values)
    if skip is not None:
        different &= ~skip
    n_values = int(want.values.size - (0 if skip is None else skip.sum()))
    n_nan = int(np.isnan(want.values).sum()) if want.values.dtype.kind == "f" else 0
    if not different.any():
        return Comparison(n_values, 0, 0.0, n_nan)
    positions = np.flatnonzero(different)
    errors = _relative_errors(want.values, got.values, positions)
    wrong = ~(errors <= tolerance)
    if wrong.any():
        raise _mismatch(want, got, positions[wrong], n_values)
    return Comparison(n_values, len(positions), float(errors.max()), n_nan)


def _relative_errors(
    want: Values, got: Values, positions: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Differences over the largest finite magnitude; infinity where hopeless."""
    if want.dtype.kind != "f":
        return np.full(positions.shape, np.inf)
    finite = want[np.isfinite(want)]
    scale = float(np.abs(finite).max()) if finite.size else 0.0
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        a = want[positions].astype(np.float64)
        b = got[positions].astype(np.float64)
        errors = np.abs(a - b) / (scale or 1.0)
    hopeless = ~(np.isfinite(a) & np.isfinite(b))
    errors[hopeless] = np.inf
    return errors


def _mismatch(
    want: Segment, got: Segment, wrong: npt.NDArray[np.intp], n_values: int
) -> MismatchError:
    first = int(wrong[0])
    place = "".join(f"[{s}]" for s in want.subscripts(first))
    call = f" after call {want.call}" if want.call > 1 else ""
    return MismatchError(
        f"{want.array}{place} is {got.values[first]!s}, expected"
        f" {want.values[first]!s}{call}; {len(wrong)} of {n_values} values differ"
    )
