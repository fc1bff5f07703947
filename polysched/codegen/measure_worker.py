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
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from typing import BinaryIO

from polysched.base import CodegenError, PolyschedError
from polysched.codegen.build import check_size
from polysched.codegen.cuda import measure_cuda
from polysched.codegen.fork_server import serve_forks
from polysched.codegen.openmp import CodeSize, measure_code
from polysched.codegen.options import PrintOptions, Target
from polysched.ir import ScheduleTree, Scop

_PRINTING = PrintOptions()
_WITH_ORIGINAL = PrintOptions(original_text="")  # whatever it is, it is not printed
_NUMBERED = PrintOptions(max_operations=800_000, tile_loops="numbers")
_BEGINS = PrintOptions(tile_loops="begins")


class Judge:
    """Finds how large the code of schedules of one SCoP is.

    Many schedules of a space share loop nests, whose code is built once.

    Parameters
    ----------
    scop : Scop
        What the schedules order.
    target : {"openmp", "cuda"}
        What they are to be printed as.
    """

    def __init__(self, scop: Scop, target: Target = "openmp") -> None:
        self.scop = scop
        self.target = target
        self._known: dict[str, CodeSize | CodegenError] = {}

    def judge(self, tree: ScheduleTree) -> CodeSize:
        """The size of a schedule's code; an error where it would explode."""
        if self.target == "cuda":  # where arrays live depends on all kernels
            return measure_cuda(self.scop, tree, _WITH_ORIGINAL)
        sizes = [self._judge_part(part) for part in tree.parts()]
        total = CodeSize(
            sum(s.n_loops for s in sizes),
            sum(s.n_branches for s in sizes),
            sum(s.n_instances for s in sizes),
        )
        check_size(total.n_nodes, _PRINTING.max_nodes)
        return total

    def answer(self, text: str) -> Mapping[str, int | str]:
        """The size by name, why there is no code, or how our own code fails."""
        try:
            return asdict(self.judge(ScheduleTree.parse(text)))
        except PolyschedError as error:
            return {"refused": error.message}
        except Exception:  # noqa: BLE001  the parent warns of it
            return {"bug": traceback.format_exc()}

    def _judge_part(self, part: ScheduleTree) -> CodeSize:
        found = self._known.get(part.text)
        if found is None:
            try:
                found = self._build(part)
            except CodegenError as error:
                found = error
            self._known[part.text] = found
        if isinstance(found, CodegenError):
            raise found
        return found

    def _build(self, part: ScheduleTree) -> CodeSize:
        """Build the code of a part, in the form that takes half the time if it can.

        The code is printed in that form, too, where it cannot be in the other.
        """
        try:
            return measure_code(self.scop, part, _NUMBERED)
        except CodegenError:
            return measure_code(self.scop, part, _BEGINS)


def work(source: BinaryIO, target: BinaryIO) -> None:
    """Read pickled tasks until they end, answer one line each."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    judge: Judge | None = None
    with contextlib.suppress(EOFError):
        while True:
            data, text, seconds = pickle.load(source)
            if data is not None:
                judge = Judge(*pickle.loads(data))
            if judge is None:
                continue
            signal.setitimer(signal.ITIMER_PROF, seconds)
            found = judge.answer(text)
            signal.setitimer(signal.ITIMER_PROF, 0)
            target.write(json.dumps(found).encode() + b"\n")
            target.flush()


if __name__ == "__main__":
    serve_forks(int(sys.argv[1]), work)
