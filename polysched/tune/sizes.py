"""Sizes that only a run of the program tells."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from polysched.ir import Program, Scop
from polysched.runtime import RunOptions, Toolchain, Workbench
from polysched.tune.options import TuneOptions
from polysched.tune.oracle import BASELINE, run_original


def observe_sizes(
    program: Program,
    scop: Scop,
    *,
    toolchain: Toolchain | None = None,
    options: TuneOptions | None = None,
    run_options: RunOptions | None = None,
) -> dict[str, int]:
    """The parameters of a SCoP in one run of the original program.

    Parameters
    ----------
    program, scop : Program, Scop
        The file and the region.
    toolchain : Toolchain, optional
        The user's compiler and options; by default gcc.
    options, run_options : TuneOptions, RunOptions, optional
        Limit of the run; threads, arguments and made-up sizes of the program.

    Returns
    -------
    dict
        For each parameter the largest value of the calls 1, 2, 4, 8 and so on.

    Raises
    ------
    ToolchainError
        If the original cannot be compiled.
    RunError
        If it cannot be run to its end, or never enters the SCoP.
    """
    with tempfile.TemporaryDirectory(
        prefix="polysched-", ignore_cleanup_errors=True
    ) as scratch:
        workbench = Workbench(
            program,
            scop,
            toolchain=toolchain or Toolchain(),
            directory=Path(scratch),
            options=replace(run_options or RunOptions(), dump_bytes=0),
        )
        binary = workbench.build(BASELINE, None)
        dump = run_original(workbench, binary, options or TuneOptions()).dump
    assert dump is not None
    return dict(dump.parameters)
