// bfloat16, each operation rounded once to nearest even.
#ifndef PS_SHIM_BF16
#define PS_SHIM_BF16

#include "cuda_runtime.h"
#include "ps_small_float.h"

struct __nv_bfloat16_rules {
  static unsigned short from(double value) {
    return ps_shim::round_to<8, 7>(value);
  }
  static float to(unsigned short bits) { return ps_shim::widen<8, 7>(bits); }
};
typedef ps_shim::SmallFloat<__nv_bfloat16_rules> __nv_bfloat16;

struct alignas(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;
};

inline __nv_bfloat16 __float2bfloat16(float a) { return __nv_bfloat16(a); }
inline __nv_bfloat16 __float2bfloat16_rn(float a) { return __nv_bfloat16(a); }
inline __nv_bfloat16 __double2bfloat16(double a) { return __nv_bfloat16(a); }
inline float __bfloat162float(__nv_bfloat16 a) { return (float)a; }

#endif
