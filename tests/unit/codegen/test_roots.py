"""Square roots are declared without side effects, and the rest is left alone."""

import shutil
import subprocess

import pytest

from polysched.codegen import print_openmp, splice
from polysched.frontend import parse_c
from polysched.ir import original_tree

pytestmark = pytest.mark.cc

TEXT = """\
#include <math.h>
void f(double *x, float *y, int n) {{
#pragma scop
  for (int i = 0; i < n; i++) {{
    x[i] = 1 / {root}(x[i]);
    y[i] = fabsf(y[i]);
  }}
#pragma endscop
}}
"""


def _printed(tmp_path, root):
    path = tmp_path / "roots.c"
    path.write_text(TEXT.format(root=root))
    program = parse_c(path)
    (scop,) = program.scops
    return path, program, print_openmp(scop, original_tree(scop))


def test_called_roots_are_declared(tmp_path):
    assert (
        "extern double (sqrt)(double) __attribute__((const));"
        in _printed(tmp_path, "sqrt")[2]
    )
    assert "extern float (sqrtf)(float)" in _printed(tmp_path, "sqrtf")[2]
    assert "extern" not in _printed(tmp_path, "exp")[2]


@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_compilers_take_the_declaration(tmp_path, cc):
    if shutil.which(cc) is None:
        pytest.skip(f"{cc} is not installed")
    path, program, text = _printed(tmp_path, "sqrt")
    path.write_bytes(splice(program, {program.scops[0].name: text}))
    subprocess.run(
        [cc, "-O1", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-c", str(path), "-o",
         str(tmp_path / "roots.o")],
        check=True,
    )  # fmt: skip
