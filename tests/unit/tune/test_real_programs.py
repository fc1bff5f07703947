"""From C files to measured variants: front end, printer, harness and judge together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from polysched.base import RunError
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from polysched.ir import Program, Scop, original_tree
from polysched.records import Failure, Measurement
from polysched.runtime import RunOptions, Toolchain, original_text
from polysched.tune import TuneOptions, TuneResult, observe_sizes, tune

pytestmark = pytest.mark.cc

EXAMPLES = Path(__file__).parents[3] / "examples"
KERNELS = ("gemm", "jacobi-2d", "gramschmidt", "nussinov", "trisolv", "deriche")
FUNCTION = """\
void smooth(int n, int steps, double a[n][n], float *restrict b)
{
#pragma scop
    for (int t = 0; t < steps; t++)
        for (int i = 1; i < n - 1; i++)
            for (int j = 1; j < n - 1; j++)
                a[i][j] = 0.5 * (a[i - 1][j] + b[i * n + j]);
#pragma endscop
}
"""


@dataclass(frozen=True)
class Text:
    id: str
    text: str
    predicted_seconds: float | None = None

    def region_text(self) -> str:
        return self.text

    def device_text(self) -> str:
        return ""


def measure(
    program: Program, scop: Scop, run_options: RunOptions | None = None
) -> TuneResult:
    """Time the printed source order, and a text that loses the last statement."""
    printed = print_openmp(scop, original_tree(scop))
    return tune(
        program,
        scop,
        [Text("printed", printed), Text("empty", ";")],
        toolchain=Toolchain(cflags=("-O1",)),
        options=TuneOptions(repeats=1),
        run_options=run_options,
    )


def check(result: TuneResult) -> None:
    good, bad = result.outcomes["printed"], result.outcomes["empty"]
    assert isinstance(good, Measurement)
    assert good.matches
    assert isinstance(bad, Failure)
    assert bad.kind == "mismatch"


@pytest.mark.long
@pytest.mark.parametrize("name", KERNELS)
def test_kernels(name: str) -> None:
    path = EXAMPLES / "polybench" / f"{name}.c"
    program = parse_c(path, flags=("-DMINI",))
    check(measure(program, program.scops[0]))


def test_function_without_main(tmp_path: Path) -> None:
    path = tmp_path / "smooth.c"
    path.write_text(FUNCTION)
    program = parse_c(path)
    (scop,) = program.scops
    sizes = {"n": 13, "steps": 3}
    check(measure(program, scop, RunOptions(parameters=sizes)))
    with pytest.raises(RunError, match="parameter 'steps' needs a value"):
        measure(program, scop, RunOptions(parameters={"n": 13}))


def test_original_text_is_the_region_without_pragmas(tmp_path: Path) -> None:
    path = tmp_path / "smooth.c"
    path.write_text(FUNCTION)
    program = parse_c(path)
    text = original_text(program, program.scops[0])
    assert "pragma" not in text
    assert text.count("\n") == FUNCTION.count("\n") - 3


CALLED = """\
void fill(int n, int m, int a[n][m])
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            a[i][j] = i - j;
#pragma endscop
}
static int rows[40];
int main(int argc, char **argv)
{
    if (argc > 2)
        return 0;
    fill(4, 10, (int (*)[10])rows);
    fill(8, 5, (int (*)[5])rows);
    return 0;
}
"""


def test_sizes_are_the_largest_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "called.c"
    path.write_text(CALLED)
    program = parse_c(path)
    (scop,) = program.scops
    tools = Toolchain(cflags=("-O1",))
    assert observe_sizes(program, scop, toolchain=tools) == {"n": 8, "m": 10}
    never = RunOptions(args=("a", "b"))
    with pytest.raises(RunError, match="never entered"):
        observe_sizes(program, scop, toolchain=tools, run_options=never)
