"""`kernel`: the decorator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from polysched.kernel.callable import Kernel
from polysched.kernel.options import KernelOptions

if TYPE_CHECKING:
    from polysched.machine import Machine
    from polysched.policy import Chooser, Policy


@overload
def kernel(function: Callable[..., Any]) -> Kernel: ...


@overload
def kernel(
    *,
    tune: bool = ...,
    budget: int = ...,
    policy: str | Policy | Chooser = ...,
    fp: Literal["strict", "promised", "reassociate"] = ...,
    machine: Machine | None = ...,
    threads: int | None = ...,
    timeout: float = ...,
    cache: str | Path | None = ...,
    cc: str = ...,
) -> Callable[[Callable[..., Any]], Kernel]: ...


def kernel(
    function: Callable[..., Any] | None = None, **options: Any
) -> Kernel | Callable[[Callable[..., Any]], Kernel]:
    """Make a Python function on NumPy arrays a `Kernel`, which runs as native code.

    Parameters
    ----------
    function : callable
        The function, when it is used without parentheses.
    **options
        The fields of `KernelOptions`: tune, budget, policy, fp, machine, threads,
        timeout, cache, cc.

    Examples
    --------
    >>> import numpy as np, polysched as ps
    >>> @ps.kernel
    ... def scale(a: float, x: ps.float64["N"], y: ps.float64["N"]):
    ...     for i in range(len(x)):
    ...         y[i] = a * x[i]
    >>> scale
    <kernel scale(a: float, x: float64[N], y: float64[N]), 0 built>
    """
    if function is not None:
        return Kernel(function, KernelOptions(**options))
    chosen = KernelOptions(**options)

    def decorate(decorated: Callable[..., Any]) -> Kernel:
        return Kernel(decorated, chosen)

    return decorate
