// Sums of neighbouring rows over a ring of three stages filled by asynchronous copies.
#include "program.h"
#include <cuda_pipeline.h>

#define STAGES 3
#define W 64
enum { NONE, NO_WAIT, LATE_WAIT, NO_BARRIER, NO_DRAIN, EARLY_REUSE, ODD_SIZE, ODD_PLACE,
       WRITES_SOURCE, FROM_SHARED };

__global__ void rows(const float* in, float* out, float* again, int n, int fault) {
  extern __shared__ __align__(128) unsigned char ps_shared[];
  float(*stage)[W] = (float(*)[W])ps_shared;
  int t = threadIdx.x;  // 16 threads, 4 floats each
  float4 sum = make_float4(0, 0, 0, 0);
  for (int s = 0; s < STAGES - 1; s++) {
    if (s < n) {
      if (fault == ODD_SIZE)
        __pipeline_memcpy_async(&stage[s][4 * t], &in[s * W + 4 * t], 12);
      else if (fault == ODD_PLACE)
        __pipeline_memcpy_async(&stage[s][4 * t + 1], &in[s * W + 4 * t + 1], 16);
      else if (fault == FROM_SHARED)
        __pipeline_memcpy_async(&stage[s][4 * t], &stage[2][4 * t], 16);
      else
        __pipeline_memcpy_async(&stage[s][4 * t], &in[s * W + 4 * t], 16);
    }
    __pipeline_commit();
  }
  if (fault == WRITES_SOURCE) again[4 * t] = 1;
  for (int r = 0; r < n; r++) {
    if (fault == LATE_WAIT)
      __pipeline_wait_prior(STAGES - 1);
    else if (fault != NO_WAIT)
      __pipeline_wait_prior(STAGES - 2);
    if (!(fault == NO_BARRIER && r == 2)) __syncthreads();
    int later = r + STAGES - 1;
    if (fault == EARLY_REUSE) later = r + STAGES;
    if (later < n)
      __pipeline_memcpy_async(&stage[later % STAGES][4 * t], &in[later * W + 4 * t], 16);
    __pipeline_commit();
    const float* row = stage[r % STAGES];
    float4 next = *(const float4*)&row[4 * (15 - t)];
    sum.x += next.w, sum.y += next.z, sum.z += next.y, sum.w += next.x;
  }
  if (fault == NO_DRAIN) {
    __syncthreads();
    __pipeline_memcpy_async(&stage[0][4 * t], &in[4 * t], 16);
  } else {
    __pipeline_wait_prior(0);
  }
  *(float4*)&out[4 * t] = sum;
}

int main(int argc, char** argv) {
  const int n = 10;
  fault = argc > 1 ? argv[1] : "";
  static float in[n][W], out[W];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < W; j++) in[i][j] = i * j % 11;
  float *din, *dout;
  CHECK(cudaMalloc(&din, sizeof in));
  CHECK(cudaMalloc(&dout, sizeof out));
  PS_NAME(din, "in");
  PS_NAME(dout, "out");
  CHECK(cudaMemcpy(din, in, sizeof in, cudaMemcpyHostToDevice));
  int kind = IS("no-wait")         ? NO_WAIT
             : IS("late-wait")     ? LATE_WAIT
             : IS("no-barrier")    ? NO_BARRIER
             : IS("no-drain")      ? NO_DRAIN
             : IS("early-reuse")   ? EARLY_REUSE
             : IS("odd-size")      ? ODD_SIZE
             : IS("odd-place")     ? ODD_PLACE
             : IS("writes-source") ? WRITES_SOURCE
             : IS("from-shared")   ? FROM_SHARED
                                   : NONE;
  PS_LAUNCH(rows, 1, 16, STAGES * W * 4, din, dout, din, n, kind);
  CHECK(cudaGetLastError());
  CHECK(cudaMemcpy(out, dout, sizeof out, cudaMemcpyDeviceToHost));
  CHECK(cudaFree(din));
  CHECK(cudaFree(dout));
  int n_wrong = 0;
  for (int j = 0; j < W; j++) {
    float sum = 0;
    for (int i = 0; i < n; i++) sum += in[i][W - 1 - j];
    n_wrong += out[j] != sum;
  }
  return finish(n_wrong);
}
