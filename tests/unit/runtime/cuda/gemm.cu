// Tiles in shared memory, 2x2 results per thread in registers.
#include "program.h"

#define T 16
enum { NONE, NO_BARRIER, NO_SECOND_BARRIER, PAST_END, PAST_ROW, NO_LOAD };

__global__ void __launch_bounds__(64)
    gemm(const float* __restrict__ A, const float* __restrict__ B,
         float* __restrict__ C, int n, int fault) {
  extern __shared__ __align__(128) unsigned char ps_shared[];
  __shared__ float As[T][T + 1];
  float(*Bs)[T] = (float(*)[T])ps_shared;
  float acc[2][2] = {{0.0f}};
  int i0 = blockIdx.y * T, j0 = blockIdx.x * T;
  for (int k0 = 0; k0 < n; k0 += T) {
    for (int e = threadIdx.y * 8 + threadIdx.x; e < T * T; e += 64) {
      int r = e / T, c = e % T;
      As[r][c] = i0 + r < n && k0 + c < n ? A[(i0 + r) * n + k0 + c] : 0.0f;
      if (fault == NO_LOAD && r == 3) continue;
      Bs[r][c] = k0 + r < n && j0 + c < n ? __ldg(&B[(k0 + r) * n + j0 + c]) : 0.0f;
    }
    if (fault != NO_BARRIER) __syncthreads();
#pragma unroll
    for (int k = 0; k < T; k++)
#pragma unroll
      for (int a = 0; a < 2; a++)
#pragma unroll
        for (int b = 0; b < 2; b++)
          acc[a][b] += As[threadIdx.y * 2 + a][k] * Bs[k][threadIdx.x + 8 * b];
    if (fault != NO_SECOND_BARRIER) __syncthreads();
  }
  for (int a = 0; a < 2; a++)
    for (int b = 0; b < 2; b++) {
      int i = i0 + threadIdx.y * 2 + a, j = j0 + threadIdx.x + 8 * b;
      if (i < n && j < n) C[i * n + j + (fault == PAST_END)] = acc[a][b];
    }
  if (fault == PAST_ROW && i0 == 0 && threadIdx.x == 0)
    C[-1 - (int)threadIdx.y] = 0.0f;
}

int main(int argc, char** argv) {
  const int n = 40;
  const size_t bytes = sizeof(float) * n * n;
  fault = argc > 1 ? argv[1] : "";
  static float A[n][n], B[n][n], C[n][n];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) A[i][j] = (i + j) % 7, B[i][j] = (i * j) % 5;
  float *dA, *dB, *dC;
  CHECK(cudaMalloc(&dA, bytes));
  CHECK(cudaMalloc(&dB, bytes));
  CHECK(cudaMalloc((void**)&dC, bytes));
  PS_NAME(dA, "A");
  PS_NAME(dB, "B");
  PS_NAME(dC, "C");
  CHECK(cudaMemcpy(dA, A, bytes - (IS("short-copy") ? 4 : 0), cudaMemcpyHostToDevice));
  if (!IS("no-copy-in"))
    CHECK(cudaMemcpy(dB, IS("swapped-copy") ? (float*)dB : &B[0][0],
                     bytes + (IS("long-copy") ? 4 : 0), cudaMemcpyHostToDevice));
  int kind = IS("no-barrier")          ? NO_BARRIER
             : IS("no-second-barrier") ? NO_SECOND_BARRIER
             : IS("past-end")          ? PAST_END
             : IS("before-start")      ? PAST_ROW
             : IS("no-load")           ? NO_LOAD
                                       : NONE;
  if (IS("use-after-free")) CHECK(cudaFree(dB));
  PS_LAUNCH(gemm, dim3((n + T - 1) / T, (n + T - 1) / T), dim3(8, 8), T * T * 4,
            IS("host-pointer") ? &A[0][0] : dA, dB, dC, n, kind);
  CHECK(cudaGetLastError());
  CHECK(cudaDeviceSynchronize());
  if (IS("host-access")) C[0][0] = dC[0];
  if (IS("hidden-host-access")) memcpy(C, dC, bytes);
  if (!IS("no-copy-back")) CHECK(cudaMemcpy(C, dC, bytes, cudaMemcpyDeviceToHost));
  CHECK(cudaFree(dA));
  if (!IS("leak")) CHECK(cudaFree(dB));
  CHECK(cudaFree(dC));
  int n_wrong = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      float sum = 0;
      for (int k = 0; k < n; k++) sum += A[i][k] * B[k][j];
      n_wrong += C[i][j] != sum;
    }
  return finish(n_wrong);
}
