"""Functions that compilers would call compute the same as operations."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from polysched.codegen import print_openmp, splice
from polysched.codegen.calls import CALL_MACROS
from polysched.frontend import parse_c
from polysched.ir import original_tree

pytestmark = pytest.mark.cc

BELOW_HALF = {"": "0.49999999999999994", "f": "0.49999997f"}
PROGRAM = """\
#include <math.h>
#include <string.h>
#define N {n}
static volatile double values[N] = {{{values}}};
{own}
{type} a[N], b[N];
{result} y[N][N], z[N][N];
int main(void) {{
  for (int i = 0; i < N; i++) a[i] = b[i] = values[i];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) z[i][j] = {call};
#pragma scop
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      y[i][j] = {call};
#pragma endscop
  return memcmp(y, z, sizeof y) != 0;
}}
"""


def program(tmp_path: Path, name: str, own: str = "") -> tuple[Path, str]:
    """The program with its scop printed anew, and the new text."""
    suffix = "f" if name.endswith("f") else ""
    is_whole = name[0] == "l"
    below = BELOW_HALF[suffix]
    values = ["0.0", "-0.0", "0.5", "-0.5", "1.5", "2.5", "-2.5", "0.7", "-1e9"]
    values += ["3.0000001", "8388608.0", "8388609.0", "4194304.5"]
    values += ["4194305.5", "-0.3", "-0.7", "-1.0", below, f"-{below}"]
    if not is_whole:
        values += ["NAN", "INFINITY", "-INFINITY", "1e30", "4503599627370496.0"]
        values += ["4503599627370497.0", "2251799813685248.5", "2251799813685249.5"]
    call = f"{name}(a[i], b[j])" if name.startswith("fm") else f"{name}(a[i])"
    path = tmp_path / "calls.c"
    path.write_text(
        PROGRAM.format(
            n=len(values),
            values=", ".join(values),
            own=own,
            type="float" if suffix else "double",
            result="long" if is_whole else "float" if suffix else "double",
            call=call,
        )
    )
    parsed = parse_c(path)
    (scop,) = parsed.scops
    text = print_openmp(scop, original_tree(scop))
    path.write_bytes(splice(parsed, {scop.name: text}))
    return path, text


def run(path: Path, cc: str, *flags: str) -> int:
    """What the program returns: 0 where both results are the same, bit for bit."""
    if shutil.which(cc) is None:
        pytest.skip(f"{cc} is not installed")
    made = path.with_suffix(".out")
    warnings = ["-Wall", "-Werror", "-Wno-unknown-pragmas"]
    options = [*warnings, "-fno-builtin", *flags]
    subprocess.run([cc, "-O2", *options, path, "-o", made, "-lm"], check=True)
    return subprocess.run([made], check=False).returncode


@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize(
    "name",
    [
        "fmax", "fminf", "lrintf", "round", "roundf", "lround", "lroundf", "floor",
        "floorf", "ceil", "ceilf", "trunc", "truncf",
    ],
)  # fmt: skip
def test_values_are_those_of_the_library(tmp_path: Path, name: str, cc: str) -> None:
    """Also of NaN, zeros with a sign, halves, and the number next to a half."""
    path, text = program(tmp_path, name)
    assert f"= ps_{name}(" in text
    assert run(path, cc) == 0


@pytest.mark.parametrize("name", ["round", "floorf", "ceil", "truncf"])
def test_gcc_puts_rounded_elements_in_lanes(tmp_path: Path, name: str) -> None:
    if shutil.which("gcc") is None or platform.machine() != "x86_64":
        pytest.skip("no gcc for processors with masks")
    path = tmp_path / "lanes.c"
    type_ = "float" if name.endswith("f") else "double"
    path.write_text(
        f"#include <math.h>\nvoid f({type_} *x, {type_} *y) {{\n#pragma scop\n"
        f"for (int i = 0; i < 999; i++) y[i] = {name}(x[i]);\n#pragma endscop\n}}\n"
    )
    parsed = parse_c(path)
    (scop,) = parsed.scops
    text = print_openmp(scop, original_tree(scop))
    path.write_bytes(splice(parsed, {scop.name: text}))
    options = ["-O3", "-march=skylake-avx512", "-fopt-info-vec", "-fno-builtin", "-c"]
    made = subprocess.run(
        ["gcc", *options, path, "-o", path.with_suffix(".o")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "loop vectorized" in made.stderr


def test_minima_that_wait_for_each_other_are_the_processors(tmp_path: Path) -> None:
    """Not jumps, which a processor guesses wrong half of the time."""
    if shutil.which("gcc") is None or platform.machine() != "x86_64":
        pytest.skip("no gcc for this processor")
    path = tmp_path / "chain.c"
    path.write_text(
        "#include <math.h>\nvoid f(float *x) {\n#pragma scop\n"
        "for (int i = 1; i < 999; i++) x[i] += fminf(x[i - 1], x[i]);\n"
        "#pragma endscop\n}\n"
    )
    parsed = parse_c(path)
    (scop,) = parsed.scops
    text = print_openmp(scop, original_tree(scop))
    path.write_bytes(splice(parsed, {scop.name: text}))
    options = ["-O3", "-msse2", "-fno-builtin", "-S", "-o", "-"]
    made = subprocess.run(
        ["gcc", *options, path], check=True, capture_output=True, text=True
    )
    assert "minss" in made.stdout


def test_every_macro_has_a_function_of_the_library() -> None:
    assert {"fmaxf", "lrint", "llroundf", "round", "ceilf"} < CALL_MACROS.keys()
    assert len(CALL_MACROS) == 20


def test_a_function_of_the_file_is_called(tmp_path: Path) -> None:
    """Whatever the library has of that name: this one halves."""
    own = "double round(double x) { for (int k = 0; k < 2; k++) x /= 2; return x; }"
    path, text = program(tmp_path, "round", own)
    assert "ps_round" not in text
    assert run(path, "gcc") == 0
