"""What the model counts of kernels for tensor cores is what their text has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.cost import predict_on_device, read_kernels
from polysched.cost.device import kernel_work
from polysched.ir import ScheduleTree
from polysched.machine import Gpu
from polysched.transform import apply_script, parse_script
from tests.unit.codegen.cuda.programs import Prepared

PRODUCT = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < N; k++)
        C[i][j] += %s * %s;"""
TENSOR = (
    "contract(band=0, tile=[128,64,16], threads=[2,2], runs=[64,32], stages=3, "
    "tensor=true)"
)
PLAIN = "contract(band=0, tile=[64,128,16], threads=[8,16], runs=[1,2], stages=3)"


def mapped(given: Prepared, step: str) -> ScheduleTree:
    script = parse_script("merge(band=0); merge(band=0); " + step)
    return apply_script(given.tree, script, given.deps)


@pytest.mark.parametrize("elem", ["double", "float"])
@pytest.mark.parametrize("left", ["A[i][k]", "A[k][i]"])
@pytest.mark.parametrize("right", ["B[k][j]", "B[j][k]"])
def test_shared_memory_is_that_of_the_text(
    tmp_path: Path, elem: str, left: str, right: str
) -> None:
    given = Prepared.of(tmp_path, PRODUCT % (left, right), elem, 256, "tf32")
    step = TENSOR.replace("stages=3", "stages=1").replace("16]", "8]", 1)
    (load,) = read_kernels(mapped(given, step), given.scop)
    assert load.n_threads == 128
    text = given.print("merge(band=0); merge(band=0); " + step).device
    extents = re.findall(r"__shared__ .*?_tile\[1\]\[(\d+)\]\[(\d+)\];", text)
    assert len(extents) == 2
    size = 8 if elem == "double" else 4
    expected = sum(int(a) * int(b) for a, b in extents) * size
    assert kernel_work(load).shared_bytes_per_block == expected


@pytest.mark.parametrize("elem", ["double", "float"])
def test_products_are_those_of_tensor_cores(tmp_path: Path, elem: str) -> None:
    given = Prepared.of(tmp_path, PRODUCT % ("A[i][k]", "B[k][j]"), elem, 256, "tf32")
    (load,) = read_kernels(mapped(given, TENSOR), given.scop)
    operations = kernel_work(load).operations
    of_type = {"float": operations.tensor_tf32, "double": operations.tensor_fp64}
    assert of_type.pop(elem) == 128 * 64 * 256
    assert [*of_type.values(), operations.fp32, operations.fp64] == [0, 0, 0]


def test_processors_without_tensor_cores_of_the_type_have_no_prediction(
    tmp_path: Path,
) -> None:
    body = PRODUCT % ("A[i][k]", "B[k][j]")
    given = Prepared.of(tmp_path, body, "double", 256, "reassociate")
    tensor, plain = mapped(given, TENSOR), mapped(given, PLAIN)
    assert predict_on_device(tensor, given.scop, Gpu.named("v100")) is None
    found = [
        predict_on_device(tree, given.scop, Gpu.named("h200"))
        for tree in (tensor, plain)
    ]
    assert None not in found
