"""Code sizes from the child process: as in this one, refusals with their reasons."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import islpy as isl
import pytest

from polysched.base import CodegenError, Deadline, LimitError
from polysched.codegen import (
    CodeMeasurer,
    CodeSize,
    PrintOptions,
    measure_code,
    measure_worker,
    measuring,
    wait_for_size,
)
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.transform import trees


def tiled_gemm() -> ScheduleTree:
    tree, _ = trees.one_band(scops.gemm(), trees.GEMM_BAND, "S0", "S1")
    return apply_script(tree, parse_script("tile(band=0, sizes=[32, 32, 32])"))


def test_sizes_are_those_that_this_process_finds() -> None:
    scop = scops.gemm()
    measurer = CodeMeasurer(scop)
    pairs = [(t, measurer.submit(t)) for t in (tiled_gemm(), original_tree(scop))]
    for tree, future in pairs:
        assert wait_for_size(future, Deadline()) == measure_code(scop, tree)


def test_the_working_directory_is_no_place_to_import_from(tmp_path: Path) -> None:
    """A user's `json.py` beside the program is not what the child takes for json."""
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')\n")
    program = (
        "from polysched.base import Deadline\n"
        "from polysched.codegen import CodeMeasurer, wait_for_size\n"
        "from polysched.ir import original_tree\n"
        "from tests.unit import scops\n"
        "scop = scops.gemm()\n"
        "size = CodeMeasurer(scop).submit(original_tree(scop))\n"
        "print(wait_for_size(size, Deadline()).n_loops)\n"
    )
    script = tmp_path / "scripts" / "run.py"
    script.parent.mkdir()
    script.write_text(program)
    here = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": here},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "4\n", done.stderr


def test_each_measurer_has_its_own_scop() -> None:
    gemm, jacobi = scops.gemm(), scops.jacobi_2d()
    both = [(CodeMeasurer(s), s, original_tree(s)) for s in (gemm, jacobi, gemm)]
    answers = [(m.submit(tree), s, tree) for m, s, tree in both]
    for future, scop, tree in answers:
        assert wait_for_size(future, Deadline()) == measure_code(scop, tree)


def test_a_refusal_is_the_error_that_printing_raises() -> None:
    scop = scops.gemm()
    node = (
        original_tree(scop)
        .bands()[-1][1]
        .band_member_set_ast_loop_type(0, isl.ast_loop_type.unroll)
    )
    tree = ScheduleTree(node.get_schedule())
    with pytest.raises(CodegenError) as here:
        measure_code(scop, tree, PrintOptions())
    with pytest.raises(CodegenError) as there:
        wait_for_size(CodeMeasurer(scop).submit(tree), Deadline())
    assert there.value.message == here.value.message


def test_a_slow_schedule_is_refused_and_the_next_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scop = scops.gemm()
    measurer = CodeMeasurer(scop)
    monkeypatch.setattr(measuring, "MAX_SECONDS", 1e-6)
    with pytest.raises(CodegenError, match="spends more than 1e-06 s"):
        wait_for_size(measurer.submit(tiled_gemm()), Deadline())
    monkeypatch.undo()
    size = wait_for_size(measurer.submit(tiled_gemm()), Deadline())
    assert size == measure_code(scop, tiled_gemm())


def test_nothing_is_waited_for_after_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = threading.Event()

    def wait(*_: object) -> CodeSize:
        ended.wait()
        return CodeSize(1, 1, 1)

    monkeypatch.setattr(measuring._Child, "measure", wait)
    measurer = CodeMeasurer(scops.gemm())
    futures = [measurer.submit(tiled_gemm()) for _ in range(5)]
    with pytest.raises(LimitError, match="no time left: its code"):
        wait_for_size(futures[-1], Deadline.after(0.0))
    measurer.close()
    ended.set()
    assert futures[-1].cancelled()
    assert futures[0].result() == CodeSize(1, 1, 1)


def test_parts_of_a_sequence_are_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scop = scops.gemm()
    built: list[str] = []

    def count(scop: Scop, tree: ScheduleTree, options: PrintOptions) -> CodeSize:
        built.append(tree.text)
        return measure_code(scop, tree, options)

    monkeypatch.setattr(measure_worker, "measure_code", count)
    tree = trees.in_sequence(scop, "S0", "S1")
    judge = measure_worker.Judge(scop)
    assert judge.judge(tree) == measure_code(scop, tree)
    assert len(built) == 2
    judge.judge(tree.parts()[1])
    assert len(built) == 2


def test_parts_are_refused_together(monkeypatch: pytest.MonkeyPatch) -> None:
    scop = scops.gemm()
    tree = trees.in_sequence(scop, "S0", "S1")
    n_nodes = max(measure_code(scop, part).n_nodes for part in tree.parts())
    monkeypatch.setattr(measure_worker, "_PRINTING", PrintOptions(max_nodes=n_nodes))
    with pytest.raises(CodegenError, match=f"more than {n_nodes} loops"):
        measure_worker.Judge(scop).judge(tree)


def test_a_bug_is_told_and_costs_one_schedule() -> None:
    scop = scops.gemm()
    measurer = CodeMeasurer(scop)
    broken: Any = SimpleNamespace(text=None)
    with pytest.warns(UserWarning, match="code builder fails: Traceback"):
        error = measurer.submit(broken).exception()
    assert isinstance(error, CodegenError)
    size = wait_for_size(measurer.submit(original_tree(scop)), Deadline())
    assert size == measure_code(scop, original_tree(scop))


def test_two_children_give_the_sizes_that_one_gives() -> None:
    scop = scops.gemm()
    measurer = CodeMeasurer(scop)
    trees_ = [tiled_gemm(), original_tree(scop)] * measuring.BACKLOG
    futures = [measurer.submit(tree) for tree in trees_]
    expected = [measure_code(scop, tree) for tree in trees_]
    assert [wait_for_size(f, Deadline()) for f in futures] == expected
    children = measurer._crew.children
    assert [c.is_started for c in children] == [True] * len(children)


@pytest.mark.long
def test_a_child_is_replaced_when_it_or_the_one_it_is_forked_from_is_lost() -> None:
    scop = scops.gemm()
    expected = measure_code(scop, original_tree(scop))
    measurer = CodeMeasurer(scop)
    assert wait_for_size(measurer.submit(original_tree(scop)), Deadline()) == expected
    crew = measurer._crew
    crew.end()
    assert [child.is_started for child in crew.children] == [False, False]
    assert wait_for_size(measurer.submit(original_tree(scop)), Deadline()) == expected
    crew.end()
    server = crew.server._process
    assert server is not None
    server.kill()
    server.wait()
    many = [measurer.submit(original_tree(scop)) for _ in range(4)]
    assert [wait_for_size(f, Deadline()) for f in many] == [expected] * 4
    assert [child.is_started for child in crew.children] == [True] * len(crew.children)


def test_children_of_a_lost_process_are_unknown_to_the_next() -> None:
    crew = CodeMeasurer(scops.gemm())._crew
    pipes = crew.children[0].start()
    assert crew.server.wait(os.getpid()) is None
    assert crew.children[0].start() is pipes
    measuring.end_child(pipes.pid)
    assert crew.children[0].forget() == -signal.SIGKILL


_IN_A_FORK = """
import os, sys
from polysched.base import Deadline
from polysched.codegen import CodeMeasurer, wait_for_size
from polysched.ir import original_tree
from tests.unit import scops

scop = scops.gemm()
tree = original_tree(scop)
size = wait_for_size(CodeMeasurer(scop).submit(tree), Deadline())
pid = os.fork()
assert wait_for_size(CodeMeasurer(scop).submit(tree), Deadline.after(60.0)) == size
if pid == 0:
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
child = CodeMeasurer(scop)._crew.children[0]
assert child.is_started
assert wait_for_size(CodeMeasurer(scop).submit(tree), Deadline()) == size
print(child._pipes.pid, CodeMeasurer(scop)._crew.server._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.long
def test_a_fork_of_the_process_has_children_of_its_own_and_all_end_with_it() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _IN_A_FORK],
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == -signal.SIGKILL
    for pid in run.stdout.split():
        for _ in range(1000):
            if not _runs(int(pid)):
                break
            time.sleep(0.01)
        assert not _runs(int(pid))
    assert len(run.stdout.split()) == 2


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_a_child_loads_no_library_that_it_does_not_need() -> None:
    names = ("networkx", "numpy", "sympy", "pulp", "highspy")
    code = (
        f"import sys, {measure_worker.__name__}; print(set(sys.modules) & {{*{names}}})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
