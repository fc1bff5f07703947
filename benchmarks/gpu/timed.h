/* Put in front of a device file: times its kernels and prints what they took.
 *
 * Each entry of the region is timed by events before its first and behind its last
 * launch; REPS says how often the program enters it. A short warm-up comes first, so
 * that the clock is up. Programs that run side by side take turns with the device, by a
 * lock on turn.lock, from the first array of an entry to the last one's end; who takes
 * longer than TURN_SECONDS is ended, for the others wait. */
#include <cuda_runtime.h>
#include <cstdio>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <vector>

#ifndef REPS
#define REPS 1
#endif
#define TURN_SECONDS 20

namespace timed {

__global__ void spin(float *x)
{
  float v = threadIdx.x;
  for (int n = 0; n < 1 << 16; n++)
    v = v * 1.0001f + 0.5f;
  *x = v;
}

struct Times {
  std::vector<cudaEvent_t> events;
  void mark()
  {
    cudaEvent_t e;
    if (events.empty()) {
      float *x;
      cudaMalloc(&x, sizeof(float));
      for (int n = 0; n < 200; n++)
        spin<<<528, 256>>>(x);
      cudaDeviceSynchronize();
      cudaFree(x);
    }
    cudaEventCreate(&e);
    cudaEventRecord(e);
    events.push_back(e);
  }
  ~Times()
  {
    size_t n = events.size() / REPS;
    for (size_t r = 0; n && r < REPS; r++) {
      float ms = 0;
      cudaEventElapsedTime(&ms, events[r * n], events[r * n + n - 1]);
      fprintf(stderr, "kernels %.6f ms, %zu launches\n", ms, n / 2);
    }
  }
};

static Times &times()
{
  static Times all;
  return all;
}

static int n_arrays;

static int turn_file()
{
  static const int file = open("turn.lock", O_CREAT | O_RDWR, 0666);
  return file;
}

static void allocating()
{
  if (!n_arrays++) {
    ::cudaFree(0);
    flock(turn_file(), LOCK_EX);
    alarm(TURN_SECONDS);
  }
}

static cudaError_t freed(cudaError_t status)
{
  if (!--n_arrays) {
    alarm(0);
    flock(turn_file(), LOCK_UN);
  }
  return status;
}

}

#define cudaMalloc(pointer, bytes) (timed::allocating(), cudaMalloc(pointer, bytes))
#define cudaFree(pointer) timed::freed(cudaFree(pointer))

#define PS_LAUNCH(kernel, grid, block, bytes, ...)              \
  do {                                                          \
    timed::times().mark();                                      \
    kernel<<<(grid), (block), (bytes)>>>(__VA_ARGS__);          \
    timed::times().mark();                                      \
  } while (0)
#define PS_NAME(pointer, name) ((void)0)
