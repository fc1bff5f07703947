// More than 48 KiB of dynamic shared memory has to be asked for; limits of launches,
// constants, halves of a granule, events.
#include "program.h"

__constant__ int table[4];

__global__ void reverse(const short* in, short* out, int n) {
  extern __shared__ __align__(128) unsigned char ps_shared[];
  short* all = (short*)ps_shared;
  for (int i = threadIdx.x; i < n; i += blockDim.x) all[i] = in[i];
  __syncthreads();
  for (int i = threadIdx.x; i < n; i += blockDim.x)
    out[i] = (short)(all[n - 1 - i] + table[i % 4]);
}

__global__ void nothing() {}

int main(int argc, char** argv) {
  const int n = 30001;
  const size_t bytes = sizeof(short) * n;
  fault = argc > 1 ? argv[1] : "";
  static short in[n], out[n];
  const int four[4] = {1, 2, 3, 4};
  for (int i = 0; i < n; i++) in[i] = (short)(i % 999);
  short *din, *dout;
  CHECK(cudaMalloc(&din, bytes));
  CHECK(cudaMalloc(&dout, bytes));
  PS_NAME(din, "in");
  PS_NAME(dout, "out");
  CHECK(cudaMemcpyToSymbol(table, four, sizeof four));
  CHECK(cudaMemcpy(din, in, bytes, cudaMemcpyHostToDevice));
  if (!IS("no-opt-in"))
    CHECK(cudaFuncSetAttribute(reverse, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               (int)bytes));
  cudaEvent_t start, stop;
  CHECK(cudaEventCreate(&start));
  CHECK(cudaEventCreate(&stop));
  CHECK(cudaEventRecord(start, 0));
  PS_LAUNCH(reverse, 1, 128, bytes - (IS("too-few-bytes") ? 2 : 0), din, dout, n);
  CHECK(cudaGetLastError());
  CHECK(cudaEventRecord(stop, 0));
  float milliseconds = -1;
  CHECK(cudaEventElapsedTime(&milliseconds, start, stop));
  CHECK(cudaEventDestroy(start));
  CHECK(cudaEventDestroy(stop));
  CHECK(cudaMemcpy(out, dout, bytes, cudaMemcpyDeviceToHost));
  CHECK(cudaFree(din));
  CHECK(cudaFree(dout));
  int n_wrong = milliseconds < 0;
  for (int i = 0; i < n; i++) n_wrong += out[i] != in[n - 1 - i] + four[i % 4];
  PS_LAUNCH(nothing, 1, dim3(32, 33), 0);
  n_wrong += cudaPeekAtLastError() != cudaErrorInvalidConfiguration;
  n_wrong += cudaGetLastError() != cudaErrorInvalidConfiguration;
  n_wrong += cudaGetLastError() != cudaSuccess;
  PS_LAUNCH(nothing, dim3(1, 65536), 1, 0);
  n_wrong += cudaGetLastError() != cudaErrorInvalidConfiguration;
  PS_LAUNCH(nothing, 0, 1, 0);
  n_wrong += cudaGetLastError() != cudaErrorInvalidConfiguration;
  cudaDeviceProp properties;
  CHECK(cudaGetDeviceProperties(&properties, 0));
  n_wrong += cudaFuncSetAttribute(reverse, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  (int)properties.sharedMemPerBlockOptin + 1) !=
             cudaErrorInvalidValue;
  return finish(n_wrong);
}
