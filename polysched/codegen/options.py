"""How generated text should look and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from polysched.ir import MacroUse

LEAST_SHARED = 4096
"""Statement instances below which threads take longer to start than to work: a few
microseconds against one or two nanoseconds for each instance."""

Target = Literal["openmp", "cuda"]  # what schedules are printed as
TileLoops = Literal["begins", "numbers", "either"]  # what loops over tiles enumerate


@dataclass(frozen=True)
class PrintOptions:
    """Options of `print_openmp`.

    Attributes
    ----------
    header : tuple of str
        Lines of the comment above the code: which schedule it is, and why.
    parallel : bool
        Whether marked loops get `omp parallel for`.
    simd : bool
        Whether marked loops get `omp simd`.
    iterator_prefix : str
        Generated loops are named by it and their depth, ``t1``, ``t2``, ...
    indent : str
        White space per level.
    original_text : str or None
        Text of the region, printed for parameter values outside the SCoP's
        assumptions; needed when it has any. Without it nothing is asked about names
        that may mean the same memory: whoever prints so promises that they do not.
    reserved : frozenset of str
        Identifiers that generated names must avoid besides the SCoP's own; pass
        ``identifiers(source)`` of the whole file to be safe from its macros.
    macro_uses : tuple of MacroUse
        Macros that the code rests on: it does not compile where they are others.
    max_nodes : int
        Largest number of loops, branches and statements to print.
    max_operations : int
        isl operations allowed for building the code (some 3e5 a second), for each part
        of an outermost sequence; 0 for any number.
    check_operations : int
        isl operations allowed for proving the built code right; 0 leaves it out. The
        proof that threads of a device are independent, for each kernel, has to be
        completed within as many (0: any number).
    tile_loops : {"begins", "numbers", "either"}
        Whether loops over tiles enumerate where they begin, ``t1 = 0, 32, 64``, or
        count them, ``t1 = 0, 1, 2``, which isl builds in half the time; "either"
        counts them only where the other form explodes.
    heap_bytes : int
        Private arrays larger than this live on the heap.
    least_shared : int
        Statement instances in one run of a loop below which it is not shared by
        threads, where that is known only at run time; 0 shares always.
    """

    header: tuple[str, ...] = ()
    parallel: bool = True
    simd: bool = True
    iterator_prefix: str = "t"
    indent: str = "  "
    original_text: str | None = None
    reserved: frozenset[str] = frozenset()
    macro_uses: tuple[MacroUse, ...] = ()
    max_nodes: int = 4000
    max_operations: int = 1_250_000
    check_operations: int = 3_000_000
    tile_loops: TileLoops = "either"
    heap_bytes: int = 64 * 1024
    least_shared: int = 0
