// Asynchronous copies from global to shared memory, per thread and in groups.
#ifndef PS_SHIM_PIPELINE
#define PS_SHIM_PIPELINE

#include "cuda_runtime.h"

extern "C" {
void ps_shim_copy_async(void* to, const void* from, size_t bytes, size_t zeros);
void ps_shim_copy_commit(void);
void ps_shim_copy_wait(size_t n_later);

// What generated text defines itself where there is a device: see docs/techniques/.
void ps_phase_begin(unsigned long long* barrier);
void ps_phase_expect(unsigned long long* barrier, unsigned n_bytes);
void ps_phase_wait(unsigned long long* barrier, unsigned parity);
void ps_bulk_fence(void);
void ps_bulk_copy(void* to, const void* from, unsigned n_bytes,
                  unsigned long long* barrier);
}

// One lane of a warp, which one is for the device to choose.
inline bool ps_elect(int, unsigned line = __builtin_LINE()) {
  unsigned lanes = ps_shim_ballot(0xffffffffu, 1, line);
  return ps_shim_lane() == 31u - (unsigned)__clz((int)lanes);
}

inline void __pipeline_memcpy_async(void* to, const void* from, size_t bytes,
                                    size_t zeros = 0) {
  ps_shim_copy_async(to, from, bytes, zeros);
}
inline void __pipeline_commit() { ps_shim_copy_commit(); }
inline void __pipeline_wait_prior(size_t n_later) { ps_shim_copy_wait(n_later); }

#endif
