"""What a differential check is asked to do, and what it tells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from polysched.codegen import Target
from polysched.runtime import Toolchain

STRICT_TOOLCHAIN = Toolchain(
    cflags=("-O1", "-std=gnu11", "-ffp-contract=off", "-fno-builtin"),
    compile_seconds=300.0,
)


@dataclass(frozen=True)
class CheckOptions:
    """How programs are checked.

    Attributes
    ----------
    toolchain : Toolchain
        The compiler; results must not depend on its optimisations.
    threads : int
        Threads of the transformed program.
    n_shuffles : int
        How often each tree is interpreted with its parallel loops in random order.
    max_calls : int
        Executions of each SCoP that are compared, from the first.
    max_instances : int
        Executions with more instances are not interpreted.
    run_seconds : float
        Time limit of each run.
    max_operations : int
        isl operations for the dependences of one SCoP; one that needs more is left out.
    max_schedule_operations : int
        isl operations for all schedules of one SCoP; more are a mismatch.
    proof_operations : int
        isl operations for the code generator's own proof of each schedule's loops;
        where results differ it is tried again with as many as by default.
    target : {"openmp", "cuda"}
        What schedules are printed as; kernels run on the CPU's stand-in.
    """

    toolchain: Toolchain = STRICT_TOOLCHAIN
    threads: int = 3
    n_shuffles: int = 1
    max_calls: int = 4
    max_instances: int = 200_000
    run_seconds: float = 60.0
    max_operations: int = 3_000_000
    max_schedule_operations: int = 60_000_000
    proof_operations: int = 3_000_000
    target: Target = "openmp"


@dataclass(frozen=True)
class Mismatch:
    """One disagreement.

    Attributes
    ----------
    scop : str
        Name of the SCoP, empty for the whole program.
    stage : str
        "frontend", "analysis", "interpreter", "schedules", "legality",
        "interpreted schedule", "shuffled schedule", "codegen", "compile", "run" or
        "compiled schedule".
    text : str
        What was expected and what was found.
    tree : str
        The schedule at fault, or empty.
    origin : str
        What made it, where known: objectives and script.
    """

    scop: str
    stage: str
    text: str
    tree: str = ""
    origin: str = ""

    def __str__(self) -> str:
        under = f"\n  under {self.tree}" if self.tree else ""
        under += f"\n  made by {self.origin}" if self.origin else ""
        return f"{self.scop or 'program'}: {self.stage}: {self.text}{under}"


@dataclass
class Report:
    """What a check did, and what it found.

    Attributes
    ----------
    mismatches : list of Mismatch
        Empty when all agree.
    n_scops, n_refused, n_unanalysed : int
        SCoPs accepted, regions refused, SCoPs whose analysis was cut short.
    n_executions : int
        Interpreted executions under the original order.
    n_trees : int
        Schedules compared with the compiled original.
    unprinted : counter of str
        Schedules that the code generator refused, by its reason.
    kinds : counter of str
        How many of the compared schedules have each origin and each kind of step.
    """

    mismatches: list[Mismatch] = field(default_factory=list)
    n_scops: int = 0
    n_refused: int = 0
    n_unanalysed: int = 0
    n_executions: int = 0
    n_trees: int = 0
    unprinted: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def n_unprinted(self) -> int:
        """Schedules that the code generator refused."""
        return self.unprinted.total()

    def add(self, other: Report) -> None:
        """Add the counts and findings of another report."""
        self.mismatches += other.mismatches
        self.n_scops += other.n_scops
        self.n_refused += other.n_refused
        self.n_unanalysed += other.n_unanalysed
        self.n_executions += other.n_executions
        self.n_trees += other.n_trees
        self.unprinted += other.unprinted
        self.kinds += other.kinds
