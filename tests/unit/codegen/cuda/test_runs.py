"""Runs of neighbours: vectors where elements lie side by side, in whole runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.codegen.cuda.programs import Prepared, compile_host, outputs, run_device

INNER = "for (int i = 1; i < N - 1; i++) for (int j = 1; j < N - 1; j++)"
WHOLE = "for (int i = 0; i < N; i++) for (int j = 0; j < N; j++)"
SWEEP = f"""{INNER}
    C[i][j] = E[0][i][j] * 2 - E[0][i - 1][j] + E[0][i][j + 1] * 3 + E[1][i][j - 1];"""
ADDED = f"{WHOLE} C[i][j] += E[0][i][j] * E[1][i][j];"
TWO = f"""{INNER} {{
    W[i][j] = E[0][i][j] + 1;
    C[i][j] = W[i][j] * 2 + E[0][i][j];
  }}"""
BACKWARDS = f"{WHOLE} C[i][N - 1 - j] = E[0][i][j] + E[2][i][N - 1 - j];"
APART = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N / 2; j++)
      C[i][j] = E[0][i][2 * j];"""
CHOSEN = f"""{INNER}
    C[i][j] = E[0][i][j] > 3 ? E[0][i][j] : E[1][i][j + 1];"""
GUARDED = f"{WHOLE} if (E[0][i][j] > 2) C[i][j] = E[0][i][j];"
DIVIDED = f"{INNER} C[i][j] = E[0][i][j - 1] / (E[1][i][j] * 0 + 3);"
QUOTIENT = SWEEP.replace("* 2 -", "* 2 / (E[0][i][j] * 0 + 3) -")
NARROW = "for (int i = 0; i < N; i++) for (int j = 2; j < 4; j++) C[i][j] = E[0][i][j];"
UPPER = "for (int i = 0; i < N; i++) for (int j = i; j < N; j++) C[i][j] = E[0][i][j];"
IN_PLACE = f"{WHOLE} C[i][j] = C[i][j] * 2 + C[i][j];"
COLUMN = f"{WHOLE} C[j][i] = E[0][j][i] + 1;"
BODIES = (
    SWEEP, ADDED, TWO, BACKWARDS, APART, CHOSEN, GUARDED, DIVIDED, NARROW, UPPER,
    IN_PLACE, COLUMN,
)  # fmt: skip
SCRIPT = "merge(band=0); launch(band=0, tile=[4,16], threads=[2,4], run=4)"


ROWS = """#include <stdio.h>
static void f(int n, int m, float P[n][m], float Q[n][m])
{
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < m; j++)
      Q[i][j] = P[i][j] + 1;
#pragma endscop
}
int main(void)
{
  static float P[5 * N], Q[5 * N];
  int m = N;
  double total = 0;
  for (int i = 0; i < 5 * m; i++)
    P[i] = i;
  f(5, m, (float (*)[m])P, (float (*)[m])Q);
  for (int i = 0; i < 5 * m; i++)
    total += Q[i];
  printf("%g\\n", total);
  return 0;
}
"""
# everything once: each part of it is a case of its own, which costs a program each
TOGETHER = "{" + "\n".join(f"  {body}" for body in BODIES) + "}"


def launch_all(n_bands: int) -> str:
    """Runs of four, two for each thread, for all of so many nests of two loops."""
    paths = [f"0.{k}.0" for k in reversed(range(n_bands))]
    return "; ".join(
        f"merge(band={path}); launch(band={path}, tile=[4,32], threads=[2,4], run=4)"
        for path in paths
    )


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("n", [20, 7])
@pytest.mark.parametrize("elem", ["float", "double", "unsigned char"])
def test_results_equal(tmp_path: Path, elem: str, n: int) -> None:
    """With rows that are aligned, and with rows that are not."""
    expected, found = outputs(tmp_path, TOGETHER, launch_all(len(BODIES)), elem, n)
    assert found == expected


def loads(text: str) -> list[str]:
    """The vectors that are declared."""
    lines = (line.strip().removeprefix("const ") for line in text.splitlines())
    return [line for line in lines if line.startswith(("float4 ", "double2 "))]


def printed(folder: Path, body: str, elem: str = "float", n: int = 20) -> str:
    return Prepared.of(folder, body, elem, n).print(SCRIPT).device


@pytest.mark.parametrize(
    ("body", "n_vectors"),
    [
        (SWEEP, 3),  # two rows that are read, one that is written
        (ADDED, 3),
        (TWO, 2),  # what is written first is not loaded
        (BACKWARDS, 3),
        (APART, 1),  # a part of what lies between would be read for nothing
        (CHOSEN, 2),  # where j + 1 may not be read, it is not
        (GUARDED, 1),  # C may keep what it has
        (NARROW, 0),
        (COLUMN, 0),
        (IN_PLACE, 1),
    ],
)
def test_elements_side_by_side_are_vectors(
    tmp_path: Path, body: str, n_vectors: int
) -> None:
    text = printed(tmp_path, body)
    assert len(loads(text)) == n_vectors
    assert not loads(printed(tmp_path, body, n=21))  # rows that are not aligned
    wide = loads(printed(tmp_path, body, "double"))
    assert all(line.startswith("double2 ") for line in wide)
    assert len(wide) >= n_vectors


@pytest.mark.parametrize(
    ("body", "has_loop"),
    [(SWEEP, False), (QUOTIENT, False), (CHOSEN, True), (TWO, True)],
)
def test_parts_of_runs_are_computed_whole_where_that_does_no_harm(
    tmp_path: Path, body: str, has_loop: bool
) -> None:
    assert ("#pragma unroll 1" in printed(tmp_path, body)) is has_loop


def test_integers_are_divided_only_where_the_program_does(tmp_path: Path) -> None:
    assert "#pragma unroll 1" in printed(tmp_path, QUOTIENT, "int")


def test_the_first_row_reads_nothing_before_the_array(tmp_path: Path) -> None:
    body = "for (int i = 0; i < N; i++) for (int j = 1; j < N - 1; j++) " + (
        "C[i][j] = E[0][i][j - 1] + E[0][i][j] + E[0][i][j + 1];"
    )
    assert "#pragma unroll 1" in printed(tmp_path, body)


@pytest.mark.cc
@pytest.mark.parametrize("m", [8, 9])
def test_rows_of_unknown_length_are_aligned_or_not_when_it_runs(
    tmp_path: Path, m: int
) -> None:
    prepared = Prepared.of_text(tmp_path, ROWS, m)
    text = prepared.print(SCRIPT)
    assert "% 4 == 0" in text.device
    compile_host(tmp_path, prepared, text, m)
    assert run_device(tmp_path, text.device, seed=m) == f"{sum(range(5 * m)) + 5 * m}\n"


@pytest.mark.cc
@pytest.mark.parametrize("m", [8, 9])
@pytest.mark.parametrize(("first", "last"), [(1, 1), (0, 1), (1, 0)])
def test_parts_of_rows_of_unknown_length_are_computed_whole_between_others(
    tmp_path: Path, m: int, first: int, last: int
) -> None:
    """Behind the last row, and before the first, there is nothing to read."""
    outside = " + 3 * P[i + 1][j] + 5 * P[i - 1][j]" if first and last else ""
    loops = f"for (int i = {first}; i < n - {last}; i++)\n for (int j = 1; j < m - 1;"
    source = ROWS.replace(
        "for (int i = 0; i < n; i++)\n    for (int j = 0; j < m;", loops
    ).replace("P[i][j] + 1", f"P[i][j - 1] + 2 * P[i][j + 1]{outside}")
    prepared = Prepared.of_text(tmp_path, source, m)
    text = prepared.print(SCRIPT)
    assert ("] = Q_run.w;" in text.device) is bool(first and last)
    compile_host(tmp_path, prepared, text, m)
    inside = [m * i + j for i in range(first, 5 - last) for j in range(1, m - 1)]
    total = sum((e - 1) + 2 * (e + 1) for e in inside)
    if outside:
        total += sum(3 * (e + m) + 5 * (e - m) for e in inside)
    assert run_device(tmp_path, text.device, seed=m) == f"{total}\n"


@pytest.mark.cc
def test_the_stand_in_finds_runs_that_are_no_whole_ones(tmp_path: Path) -> None:
    prepared = Prepared.of(tmp_path, SWEEP, "float", 20)
    text = prepared.print(SCRIPT)
    compile_host(tmp_path, prepared, text, 20)
    test = "if (4 * t1 + b1 >= 1 && 4 * t1 + b1 + 3 <= 18) {"
    assert test in text.device
    broken = text.device.replace(test, "if (1) {").replace("+ 399]", "- 2]")
    assert run_device(tmp_path, broken, 3) in ("out-of-bounds", "block-race")
