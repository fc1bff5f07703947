// What the hand-written programs share. `fault` is the first argument: which fault
// is planted, if any.
#include <cuda_runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PS_SHIM
#define PS_LAUNCH(kernel, grid, block, bytes, ...) \
  kernel<<<grid, block, bytes>>>(__VA_ARGS__)
#define PS_NAME(pointer, name) ((void)0)
#endif

#define CHECK(call)                                                    \
  do {                                                                 \
    cudaError_t error = call;                                          \
    if (error != cudaSuccess) {                                        \
      fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(error));   \
      exit(3);                                                         \
    }                                                                  \
  } while (0)

static const char* fault = "";
#define IS(name) (strcmp(fault, name) == 0)

static int finish(int n_wrong) {
  printf("%d wrong\n", n_wrong);
  return n_wrong != 0;
}
