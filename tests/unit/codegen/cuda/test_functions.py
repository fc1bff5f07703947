"""What C and C++ read differently: calls of functions, conversions, names."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.base import CodegenError
from polysched.runtime import Nvcc
from tests.unit.codegen.cuda.programs import Prepared, outputs

LAUNCH = "launch(band=0, tile=[8], threads=[8])"
# each result is another one where C++ is left to choose the function
CALLS = """for (int i = 0; i < n; i++)
    Z[i] = __builtin_sqrt(X[i] * X[i] + (T)i) + __builtin_fabs(i - 5)
      + __builtin_abs(X[i] * (T)3) + __builtin_fmax(X[i], 1)
      + __builtin_pow(X[i], 2) + __builtin_sinf(i / 7.0) + __builtin_sqrt(3);"""
CLASSES = """for (int i = 0; i < n; i++)
    Z[i] = __builtin_isinf_sign((i - 4) / (X[i] - X[i])) + __builtin_isnan(X[i]) * 3
      + __builtin_ctz(i + 8) + __builtin_popcount(i) * 10 + __builtin_clz(i + 1)
      + (_Bool)(i % 3) + __builtin_lround(X[i] * (T)1.5) + __builtin_lrintf(X[i]);"""
NAMES = """for (int new = 0; new < n; new++) {
    T class[2];
    class[0] = X[new];
    class[1] = class[0] * 2;
    Z[new] = class[1];
  }"""
# a type of two bytes is a class there, of which not every conversion is meant
CONVERSIONS = """for (int i = 0; i < n; i++) {
    T old = X[i], low = i > 3 ? X[i] : Z[i];
    int whole = (int)old + (old && i), is_set = !low;
    double wide = low, more = (double)old + wide;
    if (old > low)
      Z[i] = more + whole;
    else
      Z[i] = (_Bool)low + is_set + (long)old + (old != low ? old : (T)i) * (T)1.5;
    Z[i] += low * old - i;
    Z[i] -= (unsigned char)old;
  }"""
# functions of the file: branches, loops, conversions, callees, names of the device's
OWN = """
enum { LIMIT = 6 };
static inline T clamp(T v, T low, T high)
{
  if (v < low)
    return low;
  return v > high ? high : v;
}
static T root(T v)
{
  T x = v > 1 ? v : 1;
  for (int k = 0, n = 0; k < LIMIT; k++) {
    T next = (x + v / x) / 2;
    if (__builtin_fabs(next - x) < 1e-3)
      break;
    x = next, n++;
  }
  return x;
}
static int lerp(double a, unsigned char b)
{
  int n = 0;
  while (a > b) {
    int b = 7;
    a -= b;
    n += 2;
  }
  do {
    T a = n;
    n++;
  } while (n % 3);
  return n + (int)__builtin_sqrt((T)b);
}
static float fmax(T a, T b) { return clamp(a, root(b), 3) - root(a) / 3; }
"""
OWN_CALLS = """for (int i = 0; i < n; i++) {
    T v = fmax(X[i], i % 5) * 2;
    for (int k = 0; k < 3; k++)
      v += lerp(X[i] * (T)9 + k, 257 + i) * root(k + v * v);
    Z[i] = v;
  }"""


@pytest.mark.cc
@pytest.mark.parametrize("elem", ["float", "double", "_Float16"])
@pytest.mark.parametrize("body", [CALLS, CLASSES, NAMES, CONVERSIONS])
def test_device_code_computes_what_c_does(body: str, elem: str, tmp_path: Path) -> None:
    expected, found = outputs(tmp_path, body, LAUNCH, elem)
    assert found == expected


@pytest.mark.cc
@pytest.mark.parametrize("elem", ["float", "double"])
def test_functions_of_the_file_run_on_the_device(elem: str, tmp_path: Path) -> None:
    """One has the name of a function of math.h, which is not what it means."""
    expected, found = outputs(tmp_path, OWN_CALLS, LAUNCH, elem, before=OWN)
    assert found == expected


@pytest.mark.parametrize(
    "function",
    [
        "static T f(T v) { static const T table[2] = {1, 2}; return table[v > 0]; }",
        "static T f(T v) { switch ((int)v) { case 1: return 2; } return v; }",
    ],
)
def test_functions_with_tables_are_refused(function: str, tmp_path: Path) -> None:
    body = "for (int i = 0; i < n; i++) Z[i] = f(X[i]);"
    given = Prepared.of(tmp_path, body, before=function)
    with pytest.raises(CodegenError, match=r"f\(\) is not available on the device"):
        given.print(LAUNCH)


@pytest.mark.cc
def test_truth_values_have_c_s_name_in_c(tmp_path: Path) -> None:
    body = "for (int i = 0; i < n; i++) Z[i] = X[i] ^ (i % 3 > Z[i]);"
    text = Prepared.of(tmp_path, body, "_Bool").print(LAUNCH)
    assert "_Bool" not in text.device
    assert "(_Bool *)Z" in text.region
    expected, found = outputs(tmp_path, body, LAUNCH, "_Bool")
    assert found == expected


def test_arguments_are_converted_as_in_c(tmp_path: Path) -> None:
    device = Prepared.of(tmp_path, CALLS, "float").print(LAUNCH).device
    assert "sqrt((double)(X[i] * X[i] + (float)i))" in device
    assert "abs((int)(X[i] * (float)3))" in device
    assert "fmax((double)X[i], 1.0)" in device
    assert "sqrt(3.0)" in device


@pytest.mark.nvcc
@pytest.mark.parametrize("body", [CALLS, CLASSES, NAMES])
def test_what_is_printed_is_known_to_nvcc(body: str, tmp_path: Path) -> None:
    source = tmp_path / "device.cu"
    source.write_text(Prepared.of(tmp_path, body, "float").print(LAUNCH).device)
    nvcc = Nvcc.locate()
    assert nvcc.compile(source, architectures=["sm_90"], form="cubin").resources


@pytest.mark.parametrize("name", ["threadIdx", "dim3", "bool"])
def test_names_of_the_device_are_refused(name: str, tmp_path: Path) -> None:
    body = f"for (int {name} = 0; {name} < n; {name}++) Y[{name}] = X[{name}];"
    with pytest.raises(CodegenError, match=f"'{name}' means something else"):
        Prepared.of(tmp_path, body).print(LAUNCH)


@pytest.mark.cc
def test_truth_values_of_an_iteration_and_of_functions_have_c_s_name_too(
    tmp_path: Path,
) -> None:
    before = """static _Bool odd(int v) { return v & 2; }
    static int twice(_Bool v) { return v + v; }"""
    body = """for (int i = 0; i < n; i++) {
    _Bool k = i % 3;
    Z[i] = k * 3 + odd(i * 2) + twice(i & 6);
    k ^= 1;
    Z[i] += k;
  }"""
    text = Prepared.of(tmp_path, body, "int", before=before).print(LAUNCH)
    assert "_Bool" not in text.device
    expected, found = outputs(tmp_path, body, LAUNCH, "int", before=before)
    assert found == expected
