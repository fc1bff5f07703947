// A sum over blocks: shuffles within warps, shared memory between, atomics at the end.
#include "program.h"

enum { NONE, NO_ATOMIC, EARLY_EXIT, TWO_BARRIERS, MIXED, LOST_LANE, NO_WARP_BARRIER,
       TWO_READERS, PAST_PARTS };

__global__ void reduce(const double* x, double* sum, unsigned long long* largest,
                       unsigned* n_odd, int n, int fault) {
  __shared__ double parts[8], turned[8];
  int t = blockIdx.x * blockDim.x + threadIdx.x;
  double mine = t < n ? x[t] : 0.0;
  if (fault == EARLY_EXIT && t == 37) return;
  unsigned odd = __ballot_sync(0xffffffffu, t < n && (long long)mine % 2 != 0);
  for (int delta = 16; delta > 0; delta /= 2) {
    if (fault == LOST_LANE && threadIdx.x % 32 == 5) break;
    mine += __shfl_down_sync(0xffffffffu, mine, delta);
  }
  if (threadIdx.x % 32 == 0) {
    parts[threadIdx.x / 32 + (fault == PAST_PARTS)] = mine;
    atomicAdd(n_odd, (unsigned)__popc(odd));
  }
  if (fault == TWO_BARRIERS && threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  if (fault == TWO_READERS && blockIdx.x == 2 && threadIdx.x / 2 == 20) {
    double first = parts[6];
    if (threadIdx.x == 41) parts[6] = 2 * first;
    if (first < 0) atomicAdd(n_odd, 1u);
  }
  if (threadIdx.x < 32) {
    double part = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0.0;
    for (int bits = 4; bits > 0; bits /= 2)
      part += __shfl_xor_sync(0xffffffffu, part, bits);
    if (threadIdx.x == 0) {
      if (fault == NO_ATOMIC)
        *sum += part;
      else
        atomicAdd(sum, part);
      atomicMax(largest, (unsigned long long)part);
      if (fault == MIXED) *n_odd += 1;
    }
    // The first warp turns its values round through shared memory.
    if (threadIdx.x < 8) turned[threadIdx.x] = part;
    if (fault != NO_WARP_BARRIER) __syncwarp();
    if (threadIdx.x < 8 && turned[7 - threadIdx.x] != part) atomicAdd(n_odd, 1u << 20);
  }
}

int main(int argc, char** argv) {
  const int n = 1000, block = 256;
  fault = argc > 1 ? argv[1] : "";
  static double x[n];
  for (int i = 0; i < n; i++) x[i] = i;
  double *dx, *results, sum = 0;
  unsigned long long *dmax, largest = 0;
  unsigned *dn, n_odd = 0;
  CHECK(cudaMalloc(&dx, sizeof x));
  CHECK(cudaMalloc(&results, sizeof sum));
  CHECK(cudaMalloc(&dmax, sizeof largest));
  CHECK(cudaMalloc(&dn, sizeof n_odd));
  PS_NAME(dx, "x");
  PS_NAME(results, "results");
  PS_NAME(dn, "n_odd");
  CHECK(cudaMemcpy(dx, x, sizeof x, cudaMemcpyHostToDevice));
  CHECK(cudaMemset(results, 0, sizeof sum));
  CHECK(cudaMemset(dmax, 0, sizeof largest));
  CHECK(cudaMemset(dn, 0, sizeof n_odd));
  int kind = IS("no-atomic")         ? NO_ATOMIC
             : IS("early-exit")      ? EARLY_EXIT
             : IS("two-barriers")    ? TWO_BARRIERS
             : IS("mixed")           ? MIXED
             : IS("lost-lane")       ? LOST_LANE
             : IS("no-warp-barrier") ? NO_WARP_BARRIER
             : IS("two-readers")     ? TWO_READERS
             : IS("past-parts")      ? PAST_PARTS
                                     : NONE;
  PS_LAUNCH(reduce, (n + block - 1) / block, block, 0, dx, results, dmax, dn, n, kind);
  CHECK(cudaGetLastError());
  CHECK(cudaMemcpy(&sum, results, sizeof sum, cudaMemcpyDeviceToHost));
  CHECK(cudaMemcpy(&largest, dmax, sizeof largest, cudaMemcpyDeviceToHost));
  CHECK(cudaMemcpy(&n_odd, dn, sizeof n_odd, cudaMemcpyDeviceToHost));
  CHECK(cudaFree(dx));
  CHECK(cudaFree(results));
  CHECK(cudaFree(dmax));
  CHECK(cudaFree(dn));
  unsigned long long last = 0;  // the largest part is the last block's
  for (int i = 768; i < n; i++) last += i;
  return finish((sum != n * (n - 1) / 2) + (largest != last) + (n_odd != n / 2));
}
