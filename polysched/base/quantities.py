"""Numbers as people read them, with units."""

from __future__ import annotations

_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
_THREE_DIGITS = 999.5  # what has more is printed as a whole number
_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_BINARY = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))


def print_seconds(seconds: float | None) -> str:
    """``12.3 ms``; a dash when unknown.

    Examples
    --------
    >>> print_seconds(0.0123), print_seconds(1234.5), print_seconds(None)
    ('12.3 ms', '1234 s', '-')
    """
    if seconds is None or seconds != seconds or seconds == float("inf"):
        return "-"
    if seconds == 0:
        return "0 s"
    scale, unit = next((p for p in _SECONDS if abs(seconds) >= p[0]), _SECONDS[-1])
    value = seconds / scale
    return (
        f"{value:.0f} {unit}" if abs(value) >= _THREE_DIGITS else f"{value:.3g} {unit}"
    )


def print_number(value: float) -> str:
    """Whole numbers without a point, others with three digits."""
    return str(int(value)) if float(value).is_integer() else f"{value:.3g}"


def print_large(value: float, unit: str) -> str:
    """A large number with a decimal prefix: ``12.3 GB/s``.

    Examples
    --------
    >>> print_large(12.3e9, "B/s")
    '12.3 GB/s'
    """
    scale, prefix = next((p for p in _LARGE if abs(value) >= p[0]), _LARGE[-1])
    return f"{value / scale:.3g} {prefix}{unit}"


def print_bytes(n_bytes: float) -> str:
    """A size of memory in binary units: ``32 KiB``.

    Examples
    --------
    >>> print_bytes(32768)
    '32 KiB'
    """
    scale, unit = next((p for p in _BINARY if n_bytes >= p[0]), _BINARY[-1])
    return f"{n_bytes / scale:.3g} {unit}"
