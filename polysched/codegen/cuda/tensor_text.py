"""What a device file that multiplies in tensor cores defines once."""

from __future__ import annotations

TENSOR_CALL = "ps_multiply("  # stands in every text that needs one of the definitions
SQUARE_CALL, TURNED_CALL = "ps_load_square(", "ps_load_turned("  # of halves
ROUND_CALL = "ps_round("  # and in those of floats
TENSOR_DOUBLES = """\
#ifndef PS_SHIM
/* A warp adds a product of 16 x 8 by 8 x 8 elements to 16 x 8 sums. Lane 4 g + t has
   sums (g + 8 h, 2 t + i) at 2 h + i, left factors (g + 8 h, t + 4 s) at 2 s + h and
   right ones (t + 4 s, g) at s. */
static __device__ __forceinline__ void ps_multiply(
    double (&sums)[4], const double (&left)[4], const double (&right)[2])
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm("mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64"
      " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+d"(sums[0]), "+d"(sums[1]), "+d"(sums[2]), "+d"(sums[3])
      : "d"(left[0]), "d"(left[1]), "d"(left[2]), "d"(left[3]),
        "d"(right[0]), "d"(right[1]));
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#pragma unroll
  for (int n = 0; n < 4; n++)
    asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64"
        " {%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+d"(sums[n % 2 * 2]), "+d"(sums[n % 2 * 2 + 1])
        : "d"(left[n]), "d"(right[n / 2]));
#elif defined(__CUDA_ARCH__)
#error "tensor cores multiply doubles from sm_80 on"
#endif
}
#endif
"""
TENSOR_FLOATS = """\
#ifndef PS_SHIM
/* To the nearest number of 10 bits of mantissa, ties away from zero. */
static __device__ __forceinline__ float ps_round(float value)
{
  unsigned bits = 0;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
#elif defined(__CUDA_ARCH__)
#error "tensor cores multiply floats from sm_80 on"
#endif
  return __uint_as_float(bits);
}

/* A warp adds a product of 16 x 8 by 8 x 8 rounded elements to 16 x 8 sums. Lane
   4 g + t has sums (g + 8 h, 2 t + i) at 2 h + i, left factors (g + 8 h, t + 4 s) at
   2 s + h and right ones (t + 4 s, g) at s. */
static __device__ __forceinline__ void ps_multiply(
    float (&sums)[4], const float (&left)[4], const float (&right)[2])
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"
      " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(__float_as_uint(left[0])), "r"(__float_as_uint(left[1])),
        "r"(__float_as_uint(left[2])), "r"(__float_as_uint(left[3])),
        "r"(__float_as_uint(right[0])), "r"(__float_as_uint(right[1])));
#endif
}
#endif
"""
_TENSOR_HALVES = """\
#ifndef PS_SHIM
/* Four squares of 8 x 8 elements, of which lane 8 m + r points to row r of number m, 16
   bytes. Lane 4 g + t gets (g, 2 t + i) of number m at 2 m + i. */
static __device__ __forceinline__ void ps_load_square(KIND *to, const KIND *row)
{
  unsigned pairs[4] = {0, 0, 0, 0};
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 750
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(pairs[0]), "=r"(pairs[1]), "=r"(pairs[2]), "=r"(pairs[3])
               : "r"((unsigned)__cvta_generic_to_shared(row)) : "memory");
#endif
#pragma unroll
  for (int n = 0; n < 8; n++)
    to[n] = MAKE((unsigned short)(pairs[n / 2] >> n % 2 * 16));
}

/* The same with rows and columns of each square exchanged: (2 t + i, g). */
static __device__ __forceinline__ void ps_load_turned(KIND *to, const KIND *row)
{
  unsigned pairs[4] = {0, 0, 0, 0};
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 750
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(pairs[0]), "=r"(pairs[1]), "=r"(pairs[2]), "=r"(pairs[3])
               : "r"((unsigned)__cvta_generic_to_shared(row)) : "memory");
#endif
#pragma unroll
  for (int n = 0; n < 8; n++)
    to[n] = MAKE((unsigned short)(pairs[n / 2] >> n % 2 * 16));
}

/* A warp adds a product of 16 x 16 by 16 x 8 elements, exact, to 16 x 8 sums. Lane
   4 g + t has sums (g + 8 h, 2 t + i) at 2 h + i, left factors (g + 8 h, 2 t + i + 8 s)
   at 4 s + 2 h + i and right ones (2 t + i + 8 s, g) at 2 s + i. */
static __device__ __forceinline__ void ps_multiply(
    float (&sums)[4], const KIND (&left)[8], const KIND (&right)[4])
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  unsigned pairs[6];
#pragma unroll
  for (int n = 0; n < 4; n++)
    pairs[n] = (unsigned)BITS(left[2 * n + 1]) << 16 | BITS(left[2 * n]);
#pragma unroll
  for (int n = 0; n < 2; n++)
    pairs[4 + n] = (unsigned)BITS(right[2 * n + 1]) << 16 | BITS(right[2 * n]);
  asm("mma.sync.aligned.m16n8k16.row.col.f32.WORD.WORD.f32"
      " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(pairs[0]), "r"(pairs[1]), "r"(pairs[2]), "r"(pairs[3]),
        "r"(pairs[4]), "r"(pairs[5]));
#elif defined(__CUDA_ARCH__)
#error "tensor cores multiply numbers of two bytes in these tiles from sm_80 on"
#endif
}
#endif
"""


def _halves(kind: str, bits: str, make: str, word: str) -> str:
    text = _TENSOR_HALVES.replace("KIND", kind).replace("BITS", bits)
    return text.replace("MAKE", make).replace("WORD", word)


TENSOR_HALVES = {
    "__half": _halves("__half", "__half_as_ushort", "__ushort_as_half", "f16"),
    "__nv_bfloat16": _halves(
        "__nv_bfloat16", "__bfloat16_as_ushort", "__ushort_as_bfloat16", "bf16"
    ),
}


def tensor_prelude(lines: str) -> tuple[str, ...]:
    """The definitions that a kernel's text needs."""
    if TENSOR_CALL not in lines:
        return ()
    for kind, text in TENSOR_HALVES.items():
        if kind in lines:
            return (text,)
    return (TENSOR_FLOATS if ROUND_CALL in lines else TENSOR_DOUBLES,)
