"""The estimated registers and shared memory are what the assembler settles for.

A product of the usual make is compiled with the number of resident blocks that the
model expects. If the estimate were too low, the assembler would spill much to meet it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.cost.gpu import TileShape, compute_occupancy
from polysched.machine import Gpu
from polysched.runtime import Nvcc

pytestmark = pytest.mark.nvcc

PRODUCT = """
#include <cuda_pipeline.h>
typedef %(type)s T;
constexpr int BI = %(bi)d, BJ = %(bj)d, BK = %(bk)d, TI = %(ti)d, TJ = %(tj)d;
constexpr int STAGES = %(stages)d, NI = BI / TI, NJ = BJ / TJ, V = 16 / sizeof(T);

extern "C" __global__ void __launch_bounds__(NI * NJ, %(blocks)d)
product(const T *__restrict__ A, const T *__restrict__ B, T *__restrict__ C, int m,
        int n) {
  __shared__ __align__(16) T As[STAGES][BI][BK + V];
  __shared__ __align__(16) T Bs[STAGES][BK][BJ];
  const int t = threadIdx.x, x = t %% NJ, y = t / NJ;
  const int i0 = blockIdx.y * BI, j0 = blockIdx.x * BJ;
  T held[TI][TJ] = {};
  const auto copy = [&](int s, int k) {
#pragma unroll
    for (int e = t; e < BI * BK / V; e += NI * NJ)
      __pipeline_memcpy_async(&As[s][e / (BK / V)][e %% (BK / V) * V],
                              &A[(i0 + e / (BK / V)) * n + k + e %% (BK / V) * V], 16);
#pragma unroll
    for (int e = t; e < BK * BJ / V; e += NI * NJ)
      __pipeline_memcpy_async(&Bs[s][e / (BJ / V)][e %% (BJ / V) * V],
                              &B[(k + e / (BJ / V)) * m + j0 + e %% (BJ / V) * V], 16);
  };
  for (int s = 0; s < STAGES - 1; s++) {
    copy(s, s * BK);
    __pipeline_commit();
  }
  for (int s = 0; s < n / BK; s++) {
    __pipeline_wait_prior(STAGES - 2);
    __syncthreads();
    if ((s + STAGES - 1) * BK < n)
      copy((s + STAGES - 1) %% STAGES, (s + STAGES - 1) * BK);
    __pipeline_commit();
#pragma unroll
    for (int k = 0; k < BK; k++)
#pragma unroll
      for (int i = 0; i < TI; i++)
#pragma unroll
        for (int j = 0; j < TJ; j++)
          held[i][j] += As[s %% STAGES][y + NI * i][k] * Bs[s %% STAGES][k][x * TJ + j];
  }
#pragma unroll
  for (int i = 0; i < TI; i++)
#pragma unroll
    for (int j = 0; j < TJ; j++)
      C[(i0 + y + NI * i) * m + j0 + x * TJ + j] = held[i][j];
}
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "element_bytes", "shape"),
    [
        ("float", 4, TileShape(128, 128, 16, 8, 8, n_stages=2)),
        ("float", 4, TileShape(64, 64, 16, 8, 4, n_stages=3)),
        ("double", 8, TileShape(64, 64, 8, 8, 4, n_stages=3)),
    ],
    ids=str,
)
def test_estimate_holds(
    tmp_path: Path, kind: str, element_bytes: int, shape: TileShape
) -> None:
    gpu = Gpu.named("a100-40gb")
    estimated = shape.registers(element_bytes, has_async_copies=True)
    shared = shape.shared_bytes(element_bytes)
    blocks = compute_occupancy(gpu, shape.n_threads, estimated, shared).blocks_per_sm
    sizes = {
        "type": kind, "bi": shape.block_i, "bj": shape.block_j, "bk": shape.block_k,
        "ti": shape.thread_i, "tj": shape.thread_j, "stages": shape.n_stages,
        "blocks": blocks,
    }  # fmt: skip
    source = tmp_path / "product.cu"
    source.write_text(PRODUCT % sizes)
    code = Nvcc.locate().compile(source, architectures=[gpu.architecture], form="cubin")
    (found,) = code.resources
    assert found.spill_store_bytes / 4 <= 0.1 * estimated
    assert found.n_registers == pytest.approx(estimated, rel=0.25)
    assert found.shared_bytes == pytest.approx(shared, rel=0.25)
    held = compute_occupancy(
        gpu, shape.n_threads, found.n_registers, found.shared_bytes
    )
    assert held.blocks_per_sm == blocks
