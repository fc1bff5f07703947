"""Names of a kernel's arguments, and the kernel as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polysched.codegen.ctext import Names
from polysched.codegen.cuda.mapping import AXES, KernelMap, axis_of


@dataclass(frozen=True)
class KernelNames:
    """Names of a kernel and of what differs from launch to launch.

    Attributes
    ----------
    kernel : str
        Of the function.
    outer : tuple of str
        Values of the host's loops.
    firsts : tuple of str
        First point of the first tile, per member of the grid: a name or a number.
    blocks : tuple of str
        First point of a block's tile.
    threads : tuple of str
        A thread's number.
    counts : tuple of str
        Tiles per member, a name or a number, where several members share an axis.
    """

    kernel: str
    outer: tuple[str, ...]
    firsts: tuple[str, ...]
    blocks: tuple[str, ...]
    threads: tuple[str, ...]
    counts: tuple[str, ...] = ()

    @classmethod
    def take(
        cls,
        names: Names,
        kernel: str,
        mapped: KernelMap,
        firsts: Sequence[int | None],
        counts: Sequence[int | None],
    ) -> KernelNames:
        """Free names; what is a known number needs none."""
        n_blocks, n_threads = len(mapped.steps), len(mapped.n_threads)
        return cls(
            names.take(kernel),
            tuple(names.take(f"h{k}") for k in range(mapped.n_outer)),
            tuple(
                names.take(f"first{k}") if known is None else str(known)
                for k, known in enumerate(firsts)
            ),
            tuple(names.take(f"b{k}") for k in range(n_blocks)),
            tuple(names.take(f"t{k}") for k in range(n_threads)),
            tuple(
                names.take(f"n_blocks{k}") if known is None else str(known)
                for k, known in enumerate(counts)
            ),
        )


@dataclass(frozen=True)
class KernelText:
    """A printed kernel.

    Attributes
    ----------
    names : KernelNames
        Its name and those of its arguments.
    lines : tuple of str
        The function.
    arrays : tuple of str
        Names of the device arrays it takes, in order.
    values : tuple of str
        Names of the scalars and parameters it takes, in order.
    shared_bytes : int
        Shared memory to ask for at launch.
    """

    names: KernelNames
    lines: tuple[str, ...]
    arrays: tuple[str, ...]
    values: tuple[str, ...]
    shared_bytes: int = 0


def block_number(counts: Sequence[str], member: int, kind: str) -> str:
    """Number of a block's tile along a member; members outside share the axis z."""
    n = len(counts)
    at = f"({kind})blockIdx.{axis_of(n, member)}"
    outside = n - len(AXES) + 1
    if n <= len(AXES) or member >= outside:
        return at
    inner = counts[member + 1 : outside]
    if inner:
        at = f"{at} / ({' * '.join(inner)})" if len(inner) > 1 else f"{at} / {inner[0]}"
    return f"({at} % {counts[member]})" if member else f"({at})"
