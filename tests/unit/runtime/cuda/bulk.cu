// Sums of rows over a ring of three stages filled by bulk copies, 256 bytes at a time.
#include "program.h"
#include <cuda_pipeline.h>
#include "bulk_prelude.h"

#define STAGES 3
#define W 64
#define N 64  // threads, one column each
enum { NONE, NO_WAIT, WRONG_PHASE, LATE_PHASE, FEW_BYTES, MANY_BYTES, NO_ARRIVAL,
       TWO_ARRIVALS, EARLY_REUSE, NO_BARRIER, NO_FENCE, NO_DRAIN, ODD_SIZE, ODD_PLACE,
       PAST_END, WRITES_SOURCE, NO_BEGIN, NO_FIRST_BARRIER, ONE_WAITS };

__global__ void rows(const float* in, float* out, float* again, int n, int fault) {
  __shared__ __align__(32) float stage[STAGES][W];
  __shared__ unsigned long long filled[STAGES];
  int t = threadIdx.x;
  if (t == 0 && fault != NO_BEGIN)
    for (int s = 0; s < STAGES; s++) ps_phase_begin(&filled[s]);
  stage[0][t] = stage[1][t] = -1;  // which the copies follow
  if (fault != NO_FIRST_BARRIER) __syncthreads();
  const auto copy = [&](int s, int r) {
    unsigned bytes = W * 4;
    if (fault == FEW_BYTES && r == 4) bytes -= 16;
    if (fault == MANY_BYTES && r == 4) bytes += 16;
    if (t == 0 && !(fault == NO_ARRIVAL && r == 4)) ps_phase_expect(&filled[s], bytes);
    if (t == 0 && fault == TWO_ARRIVALS && r == 4) ps_phase_expect(&filled[s], 0);
    if (ps_elect(t)) {  // half a row for each warp
      int half = t / 32;
      if (fault != NO_FENCE) ps_bulk_fence();
      int at = W / 2 * half, length = W / 2 * 4;
      if (fault == ODD_SIZE) length -= 4;
      if (fault == ODD_PLACE) at++;
      if (fault == PAST_END && r == n - 1) at += W / 2;
      ps_bulk_copy(&stage[s][at % W], &in[r * W + at], length, &filled[s]);
    }
  };
  float sum = 0;
  for (int s = 0; s < STAGES - 1; s++)
    if (s < n) copy(s, s);
  if (fault == WRITES_SOURCE && t == 5) again[5] = 1;
  for (int r = 0; r < n; r++) {
    unsigned parity = r / STAGES % 2;
    if (fault == WRONG_PHASE) parity = !parity;
    bool waits = fault != NO_WAIT && !(fault == ONE_WAITS && t > 0);
    if (waits) ps_phase_wait(&filled[r % STAGES], parity);
    if (fault == LATE_PHASE && r == n - 1) ps_phase_wait(&filled[r % STAGES], !parity);
    if (!(fault == NO_BARRIER && r == 2) && fault != ONE_WAITS) __syncthreads();
    int later = r + STAGES - 1;
    if (fault == EARLY_REUSE) later = r + STAGES;
    if (later < n) copy(later % STAGES, later);
    sum += stage[r % STAGES][W - 1 - t];
  }
  __syncthreads();
  if (fault == NO_DRAIN) copy(0, 0);
  out[t] = sum;
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
  static const char* const names[] = {
      "none",          "no-wait",      "wrong-phase", "late-phase", "few-bytes",
      "many-bytes",    "no-arrival",   "two-arrivals", "early-reuse", "no-barrier",
      "no-fence",      "no-drain",     "odd-size",    "odd-place",  "past-end",
      "writes-source", "no-begin",     "no-first-barrier", "one-waits"};
  int kind = NONE;
  for (int k = 0; k <= ONE_WAITS; k++)
    if (IS(names[k])) kind = k;
  PS_LAUNCH(rows, 1, N, 0, din, dout, din, n, kind);
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
