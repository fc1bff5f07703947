"""What is copied between host and device: to the last element, not to the last row."""

from __future__ import annotations

from pathlib import Path

import islpy as isl
import pytest

from polysched.base import CodegenError
from polysched.codegen.cuda.arrays import place_array, touched_elements
from polysched.ir import Const, Expr, Param, Scop
from tests.unit.codegen.cuda.programs import Prepared, outputs

SIZES = {"n": 6, "m": 5, "p": 9}
HEAD = "void f(int n, int m, int p, double *restrict X, double (*restrict R)[m])"
LOOPS = "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++)"
FLAT = {
    "rows": f"{LOOPS} X[i * m + j] = 1;",
    "parts of rows": f"{LOOPS} if (j <= m - 1 - i) X[i * m + j] = 1;",
    "rows further apart": f"{LOOPS} if (i + j < n) X[i * p + j] = 1;",
    "in the row before": f"{LOOPS} if (i > 0) R[i][j - 1] = 1;",
    "in the row before, of the first row": f"{LOOPS} R[i][j - 1] = 1;",
    "in the row behind": f"{LOOPS} R[i][j + 2] = 1;",
    "two rows behind": "for (int i = 0; i < n; i++) R[i][2 * m + i / 2] = 1;",
    "rows that begin before the pointer": (
        "for (int i = -1; i < n; i++) for (int j = 0; j < m; j++) X[i * m + j] = 1;"
    ),
    "every other column of pairs of rows": (
        f"{LOOPS} {{ X[i * 12 + j % 2 * 6 + j] = 1; }}"
    ),
    "three subscripts": (
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++)"
        "for (int k = 0; k < n - i; k++) X[(i * m + j) * n + k] = 1;"
    ),
}


def _scop(folder: Path, body: str) -> Scop:
    text = f"{HEAD}\n{{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    return Prepared.of_text(folder, text, 0).scop


def _value(value: isl.PwAff) -> int:
    for name, number in SIZES.items():
        k = value.find_dim_by_name(isl.dim_type.param, name)
        if k >= 0:
            fixed = isl.Set(f"[{name}] -> {{ : {name} = {number} }}")
            value = value.intersect_params(fixed)
    return int(value.max_val().to_python())


def _weights(pitches: tuple[Expr, ...]) -> list[int]:
    def number(expr: Expr) -> int:
        match expr:
            case Const(value):
                return int(value)
            case Param(name):
                return SIZES[name]
        numbers = [number(operand) for operand in expr.operands]
        return numbers[0] if len(numbers) == 1 else numbers[0] * numbers[1]

    return [*map(number, pitches), 1]


@pytest.mark.parametrize("name", FLAT)
def test_memory_reaches_to_the_last_element(name: str, tmp_path: Path) -> None:
    scop = _scop(tmp_path, FLAT[name])
    (array,) = [a for a in scop.arrays if a.source_name in "XR"]
    placed = place_array(scop, array, "X")
    weights = _weights(placed.pitches)
    touched = touched_elements(scop, array)
    for size, number in SIZES.items():
        fixed = isl.Set(f"[{size}] -> {{ : {size} = {number} }}")
        touched = touched.intersect_params(fixed)
    places: set[int] = set()

    def add(point: isl.Point) -> None:
        n = len(weights)
        at = (point.get_coordinate_val(isl.dim_type.set, k) for k in range(n))
        numbers = (int(v.to_python()) for v in at)
        places.add(sum(w * v for w, v in zip(weights, numbers, strict=True)))

    touched.foreach_point(add)
    assert placed.memory is not None
    first, last = (
        sum(w * _value(v) for w, v in zip(weights, values, strict=True))
        for values in (placed.memory.first, placed.memory.last)
    )
    assert (first, last) == (min(0, *places), max(places))


def test_rows_far_away_are_refused(tmp_path: Path) -> None:
    scop = _scop(tmp_path, f"{LOOPS} R[n][j - 3 * m] = 1;")
    (array,) = scop.arrays
    with pytest.raises(CodegenError, match="not known to stay within 2 rows"):
        place_array(scop, array, "R")


def test_what_data_choose_is_in_the_rows_that_are_declared(tmp_path: Path) -> None:
    text = """void f(int n, const unsigned char *restrict k, int H[restrict 7])
    {
    #pragma scop
      for (int i = 0; i < n; i++) H[k[i]]++;
    #pragma endscop
    }"""
    scop = Prepared.of_text(tmp_path, text, 0).scop
    memory = place_array(scop, scop.array("H"), "H").memory
    assert memory is not None
    assert [*map(_value, (*memory.first, *memory.last))] == [0, 6]


@pytest.mark.cc
def test_what_is_not_copied_is_zero(tmp_path: Path) -> None:
    """The last row's end is not the program's to copy; threads may read whole rows."""
    body = """for (int i = 0; i < n; i++)
      for (int j = 0; j < n - i; j++)
        Z[i * n + j] += X[i * n + j];"""
    script = "merge(band=0); launch(band=0, tile=[4, 8], threads=[4, 8])"
    device = Prepared.of(tmp_path, body).print(script).device
    assert "cudaMemset((char *)dev_Z + copied_Z, 0, bytes_Z - copied_Z)" in device
    assert "cudaMemcpy(Z, dev_Z, copied_Z, cudaMemcpyDeviceToHost)" in device
    expected, found = outputs(tmp_path, body, script)
    assert found == expected
