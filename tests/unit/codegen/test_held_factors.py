"""What all iterations of a loop in lanes read is read before it, where it stays."""

from __future__ import annotations

import pytest

from tests.unit.codegen.test_registers import check, text_of

PROGRAM = """
#include <stdio.h>
#define N 40
static double A[N][N], x[N], y[N];
static void run(int n, double A[N][N], double x[N], double *y) {
#pragma scop
    for (int k = 0; k < n; k++)
        for (int j = FIRST; j < n; j++)
            BODY
#pragma endscop
}
int main(void) {
    double sum = 0.0;
    for (int i = 0; i < N; i++) {
        x[i] = i % 7 / 4.0;
        y[i] = i % 3 - 1.0;
        for (int k = 0; k < N; k++)
            A[i][k] = (7 * i + k) % 11 / 64.0;
    }
    run(N, A, x, y);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            sum += A[i][k] + x[i] * y[k];
    printf("%f\\n", sum);
    return 0;
}
"""
LANES = "vector(band=0.0, member=0)"
ROW = "A[k][j] -= A[k][k] * y[j];"


def program(body: str, first: str = "k + 1") -> str:
    return PROGRAM.replace("FIRST", first).replace("BODY", body)


def lines(source: str, tmp_path) -> list[str]:
    text = text_of(source, LANES, tmp_path)
    found = [line.strip() for line in text.splitlines()]
    return found[found.index("{") + 1 : found.index("}") + 1]


def test_an_element_that_stays_is_read_before_the_loop(tmp_path) -> None:
    """There may be none where the loop does not run."""
    assert lines(program(ROW), tmp_path) == [
        "for (int t1 = 0; t1 < n - 1; t1++) {",
        "if (t1 + 1 < n) {",
        "const double held = A[t1][t1];",
        "#pragma omp simd",
        "for (int t2 = t1 + 1; t2 < n; t2++)",
        "A[t1][t2] -= held * y[t2];",
        "}",
    ]
    check(program(ROW), LANES)


@pytest.mark.parametrize(
    ("body", "first", "held"),
    [
        ("A[k][j] = x[k] * y[j] + x[k];", "0", ["x[t1]"]),
        ("A[k][j] += A[n - 1 - k][0] * x[j];", "n / 2 + 1", ["A[n - t1 - 1][0]"]),
        ("A[k][j] = x[k] > 0.0 ? y[k] : x[j];", "0", ["x[t1]"]),
        ("A[k][j] += A[k][0] * y[k];", "1", ["A[t1][0]", "y[t1]"]),
    ],
    ids=["pointers", "some-row", "chosen", "row"],
)
def test_which_elements_are_held(
    body: str, first: str, held: list[str], tmp_path
) -> None:
    found = [x for x in lines(program(body, first), tmp_path) if x.startswith("const")]
    assert [x.partition(" = ")[2] for x in found] == [f"{h};" for h in held]
    check(program(body, first), LANES)


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ("y[j] = A[k][j] * x[j];", "0"),
        ("A[j][k] = A[k][j] + 1.0;", "k + 1"),
    ],
    ids=["all-move", "no-constant"],
)
def test_nothing_is_held_that_moves(body: str, first: str, tmp_path) -> None:
    assert not [x for x in lines(program(body, first), tmp_path) if "held" in x]
    check(program(body, first), LANES)
