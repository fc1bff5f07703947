"""How large the device code of a schedule is."""

from __future__ import annotations

from polysched.codegen.cuda.printer import print_cuda
from polysched.codegen.openmp import CodeSize
from polysched.codegen.options import PrintOptions
from polysched.ir import ScheduleTree, Scop


def measure_cuda(
    scop: Scop, tree: ScheduleTree, options: PrintOptions | None = None
) -> CodeSize:
    """Loops, conditions and other statements in a schedule's kernels and host code.

    Raises
    ------
    CodegenError
        If it cannot be printed.
    """
    lines = print_cuda(scop, tree, options).device.splitlines()
    words = [line.split("(", 1)[0].strip() for line in lines]
    n_loops, n_branches = words.count("for"), words.count("if")
    n_others = sum(line.endswith(";") for line in lines)
    return CodeSize(n_loops, n_branches, n_others)
