"""Rows that blocks have for themselves: equal results, and what is refused.

Integers must come out exactly, on the stand-in with threads in random order and by the
interpreter, which runs blocks and threads interleaved at random.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.base import IllegalScheduleError, PolyschedError
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import Prepared, outputs

SOFTMAX = """for (int i = 0; i < N; i++) {
    T m = A[i][0];
    for (int j = 1; j < N; j++)
      m = A[i][j] > m ? A[i][j] : m;
    T s = 0;
    for (int j = 0; j < N; j++) {
      C[i][j] = (A[i][j] - m) * 3;
      s += C[i][j];
    }
    for (int j = 0; j < N; j++)
      C[i][j] = C[i][j] - s;
  }"""
MOMENTS = """for (int b = 0; b < 3; b++)
    for (int i = 0; i < n; i++) {
      T s = 0, q = 1;
      for (int j = 0; j < n; j++) {
        s += D[b][i][j];
        q += D[b][i][j] * D[b][i][j];
      }
      s = 2 * s + q;
      for (int j = 0; j < n; j++)
        E[b][i][j] = D[b][i][j] * s - q;
    }"""
PLANES = """for (int b = 0; b < 3; b++) {
    T least = D[b][0][0], s = 0;
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        if (D[b][i][j] < least) least = D[b][i][j];
      }
    for (int i = 0; i < N; i++)
      s += D[b][i][i] - least;
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        E[b][i][j] += D[b][i][j] * s;
  }"""
TRIANGLE = """for (int i = 0; i < N; i++) {
    T s = 0;
    for (int j = 0; j <= i; j++)
      s += A[i][j] * B[j][i];
    for (int j = i; j < N; j++)
      C[i][j] -= s;
  }"""
IN_TURN = """for (int t = 0; t < 3; t++) {
    for (int i = 0; i < N; i++) {
      W[t][i] = C[i][t];
      for (int j = 0; j < N; j++)
        W[t][i] += A[i][j] * C[t][j];
    }
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        C[j][i] += W[t][i];
  }"""
INSIDE = """for (int i = 0; i < N; i++) {
    T s = 0;
    for (int j = 0; j < N; j++) {
      s += A[i][j];
      C[i][j] = s;
    }
    for (int j = 0; j < N; j++)
      C[i][j] += s;
  }"""


def rows(
    threads: str, arrays: str = "", parts: str = "", members: int = 1, band: str = "0"
) -> str:
    sums = f", arrays=[{arrays}], parts=[{parts}]" if arrays else ""
    return f"launch_rows(band={band}, members={members}, threads=[{threads}]{sums}); "


CASES = [
    (SOFTMAX, 21, rows("32", "m,s", "1,3")),
    (SOFTMAX, 70, rows("64", "m,s", "1,3")),
    (SOFTMAX, 5, rows("6", "m,s", "1,3")),
    (MOMENTS, 37, "merge(band=0); " + rows("32", "s,q", "2,2", members=2)),
    (MOMENTS, 1, "merge(band=0); " + rows("16", "s,q", "2,2", members=2)),
    (PLANES, 21, rows("2,8", "least,s", "2,3")),
    (PLANES, 37, rows("4,32", "least,s", "2,3")),
    (TRIANGLE, 45, rows("32", "s", "1")),
    (IN_TURN, 21, "merge(band=0.0.1.0); launch(band=0.0.1.0, tile=[8,8], "
     "threads=[8,8]); " + rows("32", "W", "1", band="0.0.0.0")),
]  # fmt: skip


@pytest.mark.cc
@pytest.mark.parametrize(("body", "n", "script"), CASES)
def test_results_equal(tmp_path: Path, body: str, n: int, script: str) -> None:
    expected, found = outputs(tmp_path, body, script, "int", n, "reassociate")
    assert found == expected


def kernel(tmp_path: Path, body: str, script: str, n: int = 70) -> str:
    text = Prepared.of(tmp_path, body, "float", n, "reassociate").print(script).device
    return text[text.index("__global__") : text.index('extern "C"')]


def test_a_row_is_one_kernel_and_its_sums_stay_in_the_block(tmp_path: Path) -> None:
    text = kernel(tmp_path, SOFTMAX, rows("64", "m,s", "1,3"))
    assert text.count("__global__") == 1
    head = text[: text.index("{")]
    assert set(re.findall(r"(\w+)(?:,|\))\n?", head)) == {"64", "A", "C"}
    assert len(re.findall(r"__shared__ float [ms]\w*;", text)) == 2
    assert "__shfl_down_sync" in text


def test_scalars_that_two_kernels_use_are_in_device_memory(tmp_path: Path) -> None:
    script = "; ".join((
        "distribute(band=0, member=0, statements=[0, 1, 2, 3, 4, 5])",
        *(f"launch(band=0.{k}.0, tile=[8], threads=[8])" for k in (5, 4, 2, 0)),
        *(f"single(band=0.{k}.0)" for k in (3, 1)),
    ))  # fmt: skip
    text = kernel(tmp_path, SOFTMAX, script)
    assert "m_dev" in text
    assert "__shared__" not in text


def test_what_one_thread_does_alone_needs_no_barrier_between(tmp_path: Path) -> None:
    """Two beginnings; two sums handed over, and what is made of them."""
    text = kernel(tmp_path, MOMENTS, "merge(band=0); " + rows("64", "s,q", "2,2", 2))
    assert text.count("__syncthreads();") == 3
    alone = text[: text.index("__syncthreads();")]
    assert alone.count("if (t0 == 0)") == 1


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (rows("32", "m,s", "1,1"), "dependence on s from S4 to S4 violated"),
        (rows("32", "m,s,s", "1,3,4"), "part 4 is no sum in s"),
        (rows("32", "m,s", "0,3"), "parts with loops"),
        (rows("32", "m,s", "1"), "not one part for each sum"),
        (rows("8,8", "m,s", "1,3"), "2 thread counts for 1 loops"),
        (rows("2048", "m,s", "1,3"), "at most 1024 fit"),
        (rows("32", "m,s", "1,3", members=2), "rows of 2 members"),
        (rows("32", "m", "1"), "violated"),
        (rows("32", "m,s", "1,3") + rows("32", "m,s", "1,3"), "expected a band"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, script: str, words: str) -> None:
    given = Prepared.of(tmp_path, SOFTMAX, "float", 70, "reassociate")
    with pytest.raises((PolyschedError, IllegalScheduleError), match=words):
        apply_script(given.tree, parse_script(script), given.deps)


def test_sums_that_keep_their_order_have_one_thread(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, SOFTMAX, "float", 70)
    with pytest.raises(PolyschedError, match="must run before S1"):
        apply_script(given.tree, parse_script(rows("32", "m,s", "1,3")), given.deps)


def test_what_needs_a_sum_on_the_way_is_refused(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, INSIDE, "int", 70, "reassociate")
    with pytest.raises(IllegalScheduleError, match="each thread adds to a copy of s"):
        given.print(rows("32", "s", "1"))
