"""What objectives may know of a processor."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.machine import Cpu


@dataclass(frozen=True)
class MachineFacts:
    """The two numbers of a processor that choose between objectives.

    Attributes
    ----------
    n_cores : int
        Cores that share a parallel loop.
    vector_lanes : int
        Array elements in one vector register.

    Examples
    --------
    >>> MachineFacts().wants_skewing
    True
    >>> MachineFacts(n_cores=64, vector_lanes=8).wants_parallelism
    True
    """

    n_cores: int = 2
    vector_lanes: int = 4

    @classmethod
    def of_cpu(cls, cpu: Cpu, element_bytes: int = 8) -> MachineFacts:
        """The facts of a processor for elements of a size in bytes."""
        return cls(cpu.n_cores, cpu.vector_elements(element_bytes))

    @property
    def wants_parallelism(self) -> bool:
        """Whether cores matter more than vectors: twice as many cores as lanes."""
        return self.n_cores >= 2 * self.vector_lanes

    @property
    def wants_skewing(self) -> bool:
        """Whether a skewed vector loop is worth its price (the opposite)."""
        return not self.wants_parallelism
