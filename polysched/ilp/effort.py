"""How much work solves may take, in a measure that no machine changes."""

from __future__ import annotations

from math import inf

SECOND = 18_500_000  # about what one core does in a second, of 2024, not loaded
_START = 750  # simplex iterations that take as long as presolve and the first cuts
_PER_NODE = 100  # simplex iterations of a node, the first ones take ten times as many
_LEAST_NODES = 10


class Effort:
    """What is left of the work that solves may take together.

    A unit is one simplex iteration on one row of the program. Time limits end a solve
    at another place on another machine; this one ends it at the same.

    Parameters
    ----------
    limit : float
        Units; infinite by default. What one solve takes is known when it has ended,
        so the last one exceeds the limit.
    """

    def __init__(self, limit: float = inf) -> None:
        self._left = limit

    @property
    def is_spent(self) -> bool:
        """Whether nothing more should be solved to the end."""
        return self._left <= 0.0

    def spend(self, n_iterations: int, n_rows: int) -> None:
        """Count one solve."""
        self._left -= (n_iterations + _START) * n_rows

    def n_nodes(self, n_rows: int) -> int | None:
        """Most nodes of the next search tree; None without a limit."""
        if self._left == inf:
            return None
        return max(_LEAST_NODES, int(self._left / (_PER_NODE * max(1, n_rows))))
