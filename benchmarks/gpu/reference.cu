/* What a plain copy reaches, and the vendor's products with -DWITH_CUBLAS -lcublas:
 * one line of JSON, milliseconds of the shortest of some runs. */
#include <cuda_runtime.h>
#include <cstdio>
#include <cstdlib>
#ifdef WITH_CUBLAS
#include <cublas_v2.h>
#endif

#define CHECK(call)                                                      \
  do {                                                                   \
    if ((call) != 0) {                                                   \
      fprintf(stderr, "line %d: %s failed\n", __LINE__, #call);          \
      exit(1);                                                           \
    }                                                                    \
  } while (0)

template <typename F>
static float best_ms(F run, int repeats = 12)
{
  cudaEvent_t first, last;
  CHECK(cudaEventCreate(&first));
  CHECK(cudaEventCreate(&last));
  float best = 1e30f;
  for (int n = 0; n < repeats; n++) {
    float ms = 0;
    CHECK(cudaEventRecord(first));
    run();
    CHECK(cudaEventRecord(last));
    CHECK(cudaEventSynchronize(last));
    CHECK(cudaEventElapsedTime(&ms, first, last));
    best = ms < best ? ms : best;
  }
  return best;
}

template <typename T>
static T *filled(size_t n)
{
  T *host = (T *)malloc(n * sizeof(T)), *device;
  for (size_t k = 0; k < n; k++)
    host[k] = (T)(k * 977 % 1024) / 1024 - (T)0.5;
  CHECK(cudaMalloc(&device, n * sizeof(T)));
  CHECK(cudaMemcpy(device, host, n * sizeof(T), cudaMemcpyHostToDevice));
  free(host);
  return device;
}

#ifdef WITH_CUBLAS
template <typename T, typename F>
static void product(const char *name, F multiply, cublasMath_t math = CUBLAS_DEFAULT_MATH)
{
  const int n = 4096;
  const size_t size = (size_t)n * n;
  T *a = filled<T>(size), *b = filled<T>(size), *c = filled<T>(size), one = 1, zero = 0;
  cublasHandle_t handle;
  CHECK(cublasCreate(&handle));
  CHECK(cublasSetMathMode(handle, math));
  float ms = best_ms([&] {
    CHECK(multiply(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, &one, a, n, b, n, &zero,
                   c, n));
  });
  printf(", \"%s matmul %d\": %.6f", name, n, ms);
  CHECK(cublasDestroy(handle));
  CHECK(cudaFree(a));
  CHECK(cudaFree(b));
  CHECK(cudaFree(c));
}
#endif

int main()
{
  const size_t n_bytes = (size_t)1 << 30;
  float *from = filled<float>(n_bytes / sizeof(float)), *to;
  CHECK(cudaMalloc(&to, n_bytes));
  float ms = best_ms([&] {
    CHECK(cudaMemcpyAsync(to, from, n_bytes, cudaMemcpyDeviceToDevice));
  });
  printf("{\"copy_bytes_per_second\": %.6e", 2.0 * n_bytes / ms * 1e3);
  CHECK(cudaFree(from));
  CHECK(cudaFree(to));
#ifdef WITH_CUBLAS
  printf(", \"cublas\": %d", CUBLAS_VERSION);
  product<float>("float", cublasSgemm);
  product<double>("double", cublasDgemm);
  product<float>("tf32", cublasSgemm, CUBLAS_TF32_TENSOR_OP_MATH);
#endif
  printf("}\n");
  return 0;
}
