"""The fixed parts of a device file, and types as C++ spells them."""

from __future__ import annotations

from polysched.ir import ScalarType

STATIC_BYTES = 48 * 1024  # more shared memory than this has to be asked for
SHARED_BYTES = 227 * 1024  # of a block, where most
HOST_FUNCTION = "ps_scop_"  # begins the names of the functions that replace regions
PRELUDE = """\
#include <cuda_pipeline.h>
#include <cuda_runtime.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef PS_LAUNCH
#define PS_LAUNCH(kernel, grid, block, bytes, ...) \\
  kernel<<<(grid), (block), (bytes)>>>(__VA_ARGS__)
#define PS_NAME(pointer, name) ((void)0)
#endif
#define PS_CHECK(call) ps_check((call), #call, __LINE__)

static void ps_check(cudaError_t status, const char *call, int line)
{
  if (status != cudaSuccess) {
    fprintf(stderr, "%s:%d: %s: %s\\n", __FILE__, line, call,
            cudaGetErrorString(status));
    exit(EXIT_FAILURE);
  }
}
"""

SIZES_PRELUDE = """\
static inline size_t ps_bytes(long n_elements, size_t n_bytes)
{
  return n_elements > 0 ? (size_t)n_elements * n_bytes : 0;
}
"""

HALF_PRELUDES = {
    "__half": "#include <cuda_fp16.h>\n",
    "__nv_bfloat16": "#include <cuda_bf16.h>\n",
}

BULK_PRELUDE = """\
#ifndef PS_SHIM
/* Copies of whole rows to shared memory, and a barrier whose phases end when the
   announced bytes have come: sm_90. Before, the same rows in pieces that
   __pipeline_wait_prior waits for. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
#define PS_HAS_BULK 1
#endif

static __device__ __forceinline__ unsigned ps_shared_address(const void *pointer)
{
  return (unsigned)__cvta_generic_to_shared(pointer);
}

static __device__ __forceinline__ void ps_phase_begin(unsigned long long *barrier)
{
#ifdef PS_HAS_BULK
  asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;\\n\\t"
               "fence.proxy.async.shared::cta;"
               :: "r"(ps_shared_address(barrier)) : "memory");
#endif
}

static __device__ __forceinline__ void ps_phase_expect(unsigned long long *barrier,
                                                       unsigned n_bytes)
{
#ifdef PS_HAS_BULK
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;"
               :: "r"(ps_shared_address(barrier)), "r"(n_bytes) : "memory");
#endif
}

static __device__ __forceinline__ void ps_phase_wait(unsigned long long *barrier,
                                                     unsigned parity)
{
#ifdef PS_HAS_BULK
  unsigned has_ended;
  do {
    asm volatile("{\\n\\t.reg .pred done;\\n\\t"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%1], %2;\\n\\t"
                 "selp.u32 %0, 1, 0, done;\\n\\t}"
                 : "=r"(has_ended)
                 : "r"(ps_shared_address(barrier)), "r"(parity) : "memory");
  } while (!has_ended);
#endif
}

/* True in one lane of a warp whose lanes all come here. */
static __device__ __forceinline__ bool ps_elect(int thread)
{
#ifdef PS_HAS_BULK
  unsigned is_chosen;
  asm volatile("{\\n\\t.reg .pred one;\\n\\t"
               "elect.sync _|one, 0xffffffff;\\n\\t"
               "selp.u32 %0, 1, 0, one;\\n\\t}" : "=r"(is_chosen));
  return is_chosen != 0;
#else
  return thread % 32 == 0;
#endif
}

/* Between what threads wrote to a place in shared memory and a bulk copy to it. */
static __device__ __forceinline__ void ps_bulk_fence()
{
#ifdef PS_HAS_BULK
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

static __device__ __forceinline__ void ps_bulk_copy(void *to, const void *from,
                                                    unsigned n_bytes,
                                                    unsigned long long *barrier)
{
#ifdef PS_HAS_BULK
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes"
               " [%0], [%1], %2, [%3];"
               :: "r"(ps_shared_address(to)), "l"(__cvta_generic_to_global(from)),
                  "r"(n_bytes), "r"(ps_shared_address(barrier)) : "memory");
#else
  for (unsigned at = 0; at < n_bytes; at += 16)
    __pipeline_memcpy_async((char *)to + at, (const char *)from + at, 16);
#endif
}
#endif
"""


def type_name(type_: ScalarType) -> str:
    """A C type as C++ spells it."""
    return "bool" if type_.name == "_Bool" else type_.name
