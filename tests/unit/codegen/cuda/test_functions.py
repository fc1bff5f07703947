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


@pytest.mark.cc
@pytest.mark.parametrize("elem", ["float", "double", "_Float16"])
@pytest.mark.parametrize("body", [CALLS, CLASSES, NAMES, CONVERSIONS])
def test_device_code_computes_what_c_does(body: str, elem: str, tmp_path: Path) -> None:
    expected, found = outputs(tmp_path, body, LAUNCH, elem)
    assert found == expected


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
