// The shim's runtime as one translation unit; compiled without instrumentation and
// linked to every program that includes the shim's cuda_runtime.h.
#include "host.h"

// The dynamic shared memory of a block. Thread-local like the static arrays of a
// kernel, so that all shared memory is one range of addresses.
alignas(128) thread_local unsigned char ps_shared[ps::kMaxShared];
