"""NVIDIA's compiler takes the default choices: no spills, copies ahead, as predicted.

No GPU is needed. The quick suite compiles a product; `make slow` compiles the default
choice of every kernel for every architecture that the compiler makes code for.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.codegen.cuda import print_cuda
from polysched.cost.device import kernel_work
from polysched.cost.kernels import read_kernels
from polysched.machine import Gpu
from polysched.runtime import Nvcc
from polysched.transform import apply_script, parse_script
from polysched.transform.device_plan import DevicePlanner
from tests.oracle.device_code import (
    bulk_stages_in_flight,
    compile_kernels,
    default_variants,
    has_compiler,
    stages_in_flight,
)
from tests.oracle.nvrtc import WHEELS, Nvrtc
from tests.oracle.sweep import EXAMPLES, POLYBENCH
from tests.unit.codegen.cuda.programs import Prepared

GPU = Gpu.named("h100")
UNSPILLED = (
    "polybench/gemm",
    "polybench/jacobi-2d",
    "polybench/heat-3d",
    "programs/conv_layer",
    "programs/attention",
)
PRODUCT = """for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < M; k++)
        C[i][j] += A[i][k] * B[k][j];"""
RANKED_FOR = {"v100": ("sm_70",), "h100": ("sm_70", "sm_75", "sm_80", "sm_90")}
WORD_BYTES = 4
FEW_WORDS = 8  # that a kernel with all 255 registers may spill, of 60 tiles and more

pytestmark = [pytest.mark.nvcc, pytest.mark.timeout(900)]


def example(name: str) -> Path:
    return EXAMPLES / f"{name}.c"


@pytest.mark.long
def test_a_product_copies_three_tiles_ahead_and_spills_nothing(tmp_path: Path) -> None:
    given = Prepared.of(tmp_path, PRODUCT, "float", 1000)
    (first,) = DevicePlanner(given.scop, given.deps).plan(given.tree, limit=1)
    source = tmp_path / "product.cu"
    source.write_text(print_cuda(given.scop, first.tree).device)
    nvcc = Nvcc.locate()
    code = nvcc.compile(source, architectures=["sm_90"], form="cubin")
    (product,) = code.resources
    assert not product.has_spills
    ptx = nvcc.compile(source, architectures=["sm_90"], form="ptx").path.read_text()
    assert stages_in_flight(ptx, product.name) >= 3
    (load,) = read_kernels(first.tree, given.scop)
    predicted = kernel_work(load).registers_per_thread
    assert product.n_registers == pytest.approx(predicted, rel=0.15)


@pytest.mark.long
def test_a_product_copies_rows_in_bulk_three_tiles_ahead(tmp_path: Path) -> None:
    """For sm_90; the same text makes code for sm_80, which copies pieces."""
    given = Prepared.of(tmp_path, PRODUCT.replace("M", "N"), "float", 1024)
    (first,) = DevicePlanner(given.scop, given.deps).plan(given.tree, limit=1)
    *before, contract = map(str, first.steps)
    script = "; ".join([*before, contract.replace("tensor=false", "bulk=true")])
    tree = apply_script(given.tree, parse_script(script), given.deps)
    source = tmp_path / "product.cu"
    source.write_text(print_cuda(given.scop, tree).device)
    nvcc = Nvcc.locate()
    both = ["sm_80", "sm_90"]
    for product in nvcc.compile(source, architectures=both, form="object").resources:
        assert not product.has_spills, product
    ptx = nvcc.compile(source, architectures=["sm_90"], form="ptx").path.read_text()
    assert bulk_stages_in_flight(ptx, product.name) >= 3
    ptx = nvcc.compile(source, architectures=["sm_80"], form="ptx").path.read_text()
    assert "mbarrier" not in ptx
    assert stages_in_flight(ptx, product.name) >= 3


def test_a_product_is_compiled_for_the_oldest_processor(tmp_path: Path) -> None:
    """By the library of release 12, where it is there: nvcc 13 does not know it."""
    library = Nvrtc.locate()
    if library is None:
        pytest.skip(f"needs pip install {WHEELS}")
    given = Prepared.of(tmp_path, PRODUCT, "float", 1000)
    planner = DevicePlanner(given.scop, given.deps)
    (first,) = planner.plan(given.tree, limit=1)
    code = library.compile(print_cuda(given.scop, first.tree).device, "sm_70")
    assert [r.architecture for r in code] == ["sm_70"]
    assert not code[0].has_spills


@pytest.mark.slow
@pytest.mark.parametrize("name", UNSPILLED)
def test_default_choices_spill_nothing(name: str, tmp_path: Path) -> None:
    for variant in default_variants(example(name), GPU):
        kernels = compile_kernels(variant, tmp_path, "sm_90")
        assert [k.found.name for k in kernels if k.found.has_spills] == []


@pytest.mark.slow
def test_the_default_product_copies_three_tiles_ahead(tmp_path: Path) -> None:
    (variant,) = default_variants(example("polybench/gemm"), GPU)
    staged = [
        k.found.name
        for k in compile_kernels(variant, tmp_path, "sm_90")
        if k.expected.is_staged
    ]
    (source,) = tmp_path.glob("*.cu")
    code = Nvcc.locate().compile(source, architectures=["sm_90"], form="ptx")
    ptx = code.path.read_text()
    assert staged
    assert all(stages_in_flight(ptx, name) >= 3 for name in staged)


@pytest.mark.slow
@pytest.mark.parametrize("path", POLYBENCH, ids=lambda p: p.stem)
@pytest.mark.parametrize("ranked_for", RANKED_FOR)
def test_kernels_take_what_is_predicted(
    path: Path, ranked_for: str, tmp_path: Path
) -> None:
    """Whatever the architecture, threads fit, and the model's sizes are near."""
    known = [a for a in RANKED_FOR[ranked_for] if has_compiler(a)]
    if not known:
        pytest.skip(f"no compiler for it: pip install {WHEELS}")
    for variant in default_variants(path, Gpu.named(ranked_for)):
        for architecture in known:
            for kernel in compile_kernels(variant, tmp_path, architecture):
                found, expected = kernel.found, kernel.expected
                assert found.spill_store_bytes <= FEW_WORDS * WORD_BYTES, found
                if expected.is_staged:
                    assert kernel.shared_bytes == pytest.approx(
                        expected.shared_bytes, rel=0.02
                    ), found
                    ratio = found.n_registers / expected.n_registers
                    assert 0.8 <= ratio <= 1.25, found
                else:
                    assert kernel.shared_bytes == expected.shared_bytes, found
                    assert found.n_registers <= 3 * expected.n_registers, found
