// CUDA text on the CPU: keywords, types and the host interface, as far as the
// generated programs use them. Threads are fibers, blocks run one after another;
// device/*.cpp, compiled apart and without instrumentation, does the work.
// See docs/techniques/cuda-shim.md.
#ifndef PS_SHIM
#define PS_SHIM 1

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#define PS_SHIM_PLAIN __attribute__((no_sanitize("thread")))

#define __global__ __attribute__((noinline))
#define __device__
#define __host__
#define __shared__ thread_local  // one OS thread runs all fibers, so they share it
#define __constant__ __attribute__((section("ps_constant")))
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __grid_constant__

#include "ps_host.h"

template <typename T>
cudaError_t cudaMalloc(T** pointer, size_t bytes) {
  return ps_shim_malloc((void**)(void*)pointer, bytes);
}
template <typename T>
cudaError_t cudaMallocAsync(T** pointer, size_t bytes, cudaStream_t) {
  return ps_shim_malloc((void**)(void*)pointer, bytes);
}
template <typename T>
cudaError_t cudaMallocHost(T** pointer, size_t bytes, unsigned = 0) {
  return ps_shim_malloc_host((void**)(void*)pointer, bytes);
}
template <typename T>
cudaError_t cudaHostAlloc(T** pointer, size_t bytes, unsigned) {
  return ps_shim_malloc_host((void**)(void*)pointer, bytes);
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes,
                                   cudaMemcpyKind kind, cudaStream_t = nullptr) {
  return cudaMemcpy(to, from, bytes, kind);
}
inline cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from,
                                     size_t from_pitch, size_t width, size_t height,
                                     cudaMemcpyKind kind, cudaStream_t = nullptr) {
  return cudaMemcpy2D(to, to_pitch, from, from_pitch, width, height, kind);
}
inline cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes,
                                   cudaStream_t = nullptr) {
  return cudaMemset(to, value, bytes);
}
template <typename T>
cudaError_t cudaMemcpyToSymbol(T& symbol, const void* from, size_t bytes,
                               size_t offset = 0,
                               cudaMemcpyKind = cudaMemcpyHostToDevice) {
  if (offset > sizeof symbol || bytes > sizeof symbol - offset)
    return cudaErrorInvalidValue;
  memcpy((char*)(void*)&symbol + offset, from, bytes);
  return cudaSuccess;
}
template <typename F>
cudaError_t cudaFuncSetAttribute(F* kernel, cudaFuncAttribute what, int value) {
  return ps_shim_set_attribute((const void*)kernel, what, value);
}

namespace ps_shim {
// Arguments are evaluated once per launch and passed by value to every thread.
template <typename... P>
struct Launch {
  template <size_t... I>
  PS_SHIM_PLAIN static void call(void (*kernel)(P...), std::tuple<P...>& arguments,
                                 std::index_sequence<I...>) {
    kernel(std::get<I>(arguments)...);
  }
  PS_SHIM_PLAIN static void start(const void* kernel, void* arguments) {
    call((void (*)(P...))kernel, *(std::tuple<P...>*)arguments,
         std::index_sequence_for<P...>());
  }
};

template <typename... P, typename... A>
cudaError_t launch(const char* name, void (*kernel)(P...), dim3 grid, dim3 block,
                   size_t bytes, A&&... given) {
  std::tuple<P...> arguments(std::forward<A>(given)...);
  return ps_shim_launch(name, (const void*)kernel, grid, block, bytes,
                        Launch<P...>::start, &arguments, sizeof arguments);
}

template <typename T>
constexpr size_t element_bytes() {
  if constexpr (std::is_void_v<T>)
    return 1;
  else
    return sizeof(T);
}
}  // namespace ps_shim

#define PS_LAUNCH(kernel, grid, block, bytes, ...) \
  ps_shim::launch(#kernel, kernel, grid, block, bytes, ##__VA_ARGS__)

template <typename T>
void ps_shim_label(T* pointer, const char* name) {
  ps_shim_name((const void*)pointer, name, ps_shim::element_bytes<T>());
}
#define PS_NAME(pointer, name) ps_shim_label(pointer, name)

#include "ps_kernel.h"
#include "ps_tensor.h"

#endif
