"""The fixed parts of a device file, and types as C++ spells them."""

from __future__ import annotations

from polysched.ir import ScalarType

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

static inline size_t ps_bytes(long n_elements, size_t n_bytes)
{
  return n_elements > 0 ? (size_t)n_elements * n_bytes : 0;
}
"""

# what the C library and the device's library both have
DEVICE_FUNCTIONS = frozenset(
    name + suffix
    for name in [
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cbrt",
        "ceil",
        "copysign",
        "cos",
        "cosh",
        "erf",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "fabs",
        "fdim",
        "floor",
        "fma",
        "fmax",
        "fmin",
        "fmod",
        "hypot",
        "ldexp",
        "lgamma",
        "log",
        "log10",
        "log1p",
        "log2",
        "nearbyint",
        "pow",
        "remainder",
        "rint",
        "round",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
        "tgamma",
        "trunc",
    ]
    for suffix in ("", "f")
) | {"abs", "labs", "llabs"}


def type_name(type_: ScalarType) -> str:
    """A C type as C++ spells it."""
    return "bool" if type_.name == "_Bool" else type_.name
