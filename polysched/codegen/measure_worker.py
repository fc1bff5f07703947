"""Child process of `measuring`: schedule trees in, the size of their code out.

isl's AST builder can take minutes for a tree and cannot be interrupted; a process that
spends more processor time on one tree than it may is ended by the system.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict

from polysched.base import CodegenError, PolyschedError
from polysched.codegen.openmp import CodeSize, measure_code
from polysched.codegen.options import PrintOptions
from polysched.ir import ScheduleTree, Scop

_CHEAP = PrintOptions(max_operations=200_000)
_SLOW_SECONDS = 0.4  # of processor time for so many operations: more would take minutes


def judge(scop: Scop, tree: ScheduleTree) -> CodeSize:
    """How large the code of a schedule is; an error where it would explode.

    isl's operations differ in cost by a factor of hundreds: a schedule whose first
    operations are slow is not given more of them.
    """
    started = time.thread_time()
    try:
        return measure_code(scop, tree, _CHEAP)
    except CodegenError:
        if time.thread_time() - started > _SLOW_SECONDS:
            raise
    return measure_code(scop, tree)


def answer(scop: Scop, text: str) -> Mapping[str, int | str]:
    """The size by name, or the reason why there is no code."""
    try:
        return asdict(judge(scop, ScheduleTree.parse(text)))
    except PolyschedError as error:
        return {"refused": error.message}


def main() -> None:
    """Read pickled tasks from standard input until it ends, answer one line each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to act on
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    scop: Scop | None = None
    with contextlib.suppress(EOFError):
        while True:
            data, text, seconds = pickle.load(sys.stdin.buffer)
            if data is not None:
                scop = pickle.loads(data)
            if scop is None:
                continue
            signal.setitimer(signal.ITIMER_PROF, seconds)
            found = answer(scop, text)
            signal.setitimer(signal.ITIMER_PROF, 0)
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
