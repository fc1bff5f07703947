"""Threads are kept off the caller's core during a call, and are free again after it."""

import os
import subprocess
import sys
import textwrap

import pytest

from polysched.kernel.entry_table import print_table
from polysched.kernel.entry_team import TEAM_BYTES

pytestmark = pytest.mark.cc

PROGRAM = """
    import os, sys, threading, time
    import numpy as np
    import polysched as ps

    @ps.kernel(cache=sys.argv[1], threads=3, timeout=5.0)
    def scale(A: ps.float64["N", "M"], B: ps.float64["N", "M"]):
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                B[i, j] = 2.0 * A[i, j] + 1.0

    @ps.kernel(cache=sys.argv[1], threads=2, timeout=5.0)
    def negate(A: ps.float64["N", "M"], B: ps.float64["N", "M"]):
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                B[i, j] = -A[i, j]

    A = np.ones((300, 200))

    def call(n):
        B = np.empty_like(A)
        for k in range(n):
            scale(A, B)
            assert (B == 3.0).all()
            if k % 3 == 0:
                negate(A, B)  # a smaller team: OpenMP ends a thread
                assert (B == -1.0).all()
            time.sleep(0.002)  # long enough to count as idle

    def masks():
        return {t: os.sched_getaffinity(int(t)) for t in os.listdir("/proc/self/task")}

    assert "#pragma omp parallel" in scale.build(A, A).source
    call(10)
    assert len(masks()) > 1, "there are threads"
    callers = [threading.Thread(target=call, args=(20,)) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    call(4)
    assert all(m == os.sched_getaffinity(0) for m in masks().values()), masks()
    print("free")
"""


@pytest.mark.long
@pytest.mark.parametrize("bound", [False, True])
def test_threads_are_free_after_calls(tmp_path, bound):
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k != "OMP_PROC_BIND"}
    environment |= {"OMP_PROC_BIND": "false"} if bound else {}
    command = [sys.executable, str(path), str(tmp_path / "cache")]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment
    )
    assert (done.stdout, done.stderr) == ("free\n", "")


DRIVER = """
int main(void)
{
  static long room[TEAM_BYTES / sizeof(long)];
  cpu_set_t all, mine;
  sched_getaffinity(0, sizeof all, &all);
  ps_team = (struct ps_team *)room;
  ps_threads = 2;
  for (int call = 0; call < 20; call++) {
    if (!ps_place_team())
      return 1;
    if (ps_place_team()) /* by another kernel meanwhile */
      return 2;
    const int is_first = call == 0;
    if (ps_team->is_placed == is_first || ps_team->n != 2)
      return 3;
    sched_getaffinity(ps_team->threads[1], sizeof mine, &mine);
    if (!is_first && CPU_COUNT(&all) > 1 && CPU_COUNT(&mine) != CPU_COUNT(&all) - 1)
      return 4;
    ps_leave_team();
    sched_getaffinity(ps_team->threads[1], sizeof mine, &mine);
    if (!CPU_EQUAL(&mine, &all))
      return 5;
    usleep(1500);
  }
  ps_threads = 3; /* other threads are asked again */
  if (!ps_place_team() || ps_team->n != 3 || ps_team->is_placed)
    return 6;
  ps_leave_team();
  ps_team->threads[2] = 0x7ffffff; /* nobody's */
  ps_team->ended = 0;
  if (!ps_place_team() || ps_team->is_placed || ps_team->asked)
    return 7;
  ps_leave_team();
  sched_getaffinity(ps_team->threads[1], sizeof mine, &mine);
  return CPU_EQUAL(&mine, &all) ? 0 : 8;
}
"""


def test_threads_run_elsewhere_during_a_call(tmp_path):
    driver = DRIVER.replace("TEAM_BYTES", str(TEAM_BYTES))
    source, program = tmp_path / "team.c", tmp_path / "team"
    source.write_text(print_table(0) + driver, encoding="utf-8")
    subprocess.run(["gcc", "-fopenmp", "-w", source, "-o", program], check=True)
    environment = {k: v for k, v in os.environ.items() if k != "OMP_PROC_BIND"}
    assert subprocess.run([program], check=False, env=environment).returncode == 0
