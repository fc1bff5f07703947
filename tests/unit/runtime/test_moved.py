"""What a region writes is found behind pointers that its text has moved on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polysched.codegen import PrintOptions, print_openmp
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.runtime import RunOptions, Toolchain, Workbench
from polysched.workflow import prepare_scop

pytestmark = pytest.mark.cc

SOURCE = """\
static double A[300], B[300];
static void kernel(int n, unsigned short w, double *p, double *q)
{
    int i = 0;
#pragma scop
    BODY
#pragma endscop
}
int main(void)
{
    for (int i = 0; i < 300; i++)
        A[i] = i % 7 / 4.0;
    kernel(40, 3, A, B);
    kernel(30, 2, A + 7, B + 60);
    return 0;
}
"""


@pytest.mark.parametrize(
    ("body", "moved", "n_elements"),
    [
        ("while (n--) *q++ = *p++;", {"n", "p", "q"}, 70),
        ("for (int k = 0; k < n; k++) { *q = p[0] + p[1]; q++; p += w; }",
         {"p", "q"}, 70),
        ("while (i < n) { q[i] = p[i]; i += 2; }", {"i"}, 35),
        ("while (n) { q[n] = p[n] * n; n -= 1; }", {"n"}, 70),
        ("for (int k = 0; k < n; k++) q[k] = p[k];", set(), 70),
    ],
)  # fmt: skip
def test_dumps_of_the_original_and_of_ours_are_equal(
    body: str, moved: set[str], n_elements: int, tmp_path: Path
) -> None:
    path = tmp_path / "walk.c"
    path.write_text(SOURCE.replace("BODY", body))
    program = parse_c(path)
    (scop,) = program.scops
    scop = prepare_scop(scop)
    assert scop.moved == moved
    bench = Workbench(
        program,
        scop,
        toolchain=Toolchain(cflags=("-O1", "-Wall", "-Werror=uninitialized")),
        directory=tmp_path / "work",
        options=RunOptions(),
    )
    ours = print_openmp(scop, original_tree(scop), PrintOptions(original_text=body))
    dumps = []
    for name, text in (("original", None), ("ours", ours)):
        run = bench.execute(bench.build(name, text), timeout_seconds=20, with_dump=True)
        assert run.dump is not None
        dumps.append(run.dump)
    first, second = dumps
    assert sum(s.values.size for s in first.segments) == n_elements
    assert first.parameters == second.parameters
    for one, other in zip(first.segments, second.segments, strict=True):
        assert (one.call, one.array) == (other.call, other.array)
        assert np.array_equal(one.values, other.values)
        assert np.count_nonzero(one.values) > one.values.size // 2
