// Floating-point types of 16 bits, kept as their bits.
#ifndef PS_SHIM_SMALL_FLOAT
#define PS_SHIM_SMALL_FLOAT

#include "cuda_runtime.h"

namespace ps_shim {

// The bits of `value` rounded to nearest even; overflow gives infinity.
template <int exponent_bits, int mantissa_bits>
unsigned short round_to(double value) {
  constexpr int bias = (1 << (exponent_bits - 1)) - 1;
  constexpr unsigned infinity = ((1u << exponent_bits) - 1) << mantissa_bits;
  unsigned sign = std::signbit(value) ? 0x8000u : 0;
  double size = std::fabs(value);
  if (std::isnan(value)) return (unsigned short)(sign | infinity | 1u << (mantissa_bits - 1));
  if (size == 0) return (unsigned short)sign;
  int exponent = std::isinf(size) ? bias + 1 : std::ilogb(size);
  if (exponent < 1 - bias) exponent = 1 - bias;  // subnormal: a fixed step
  if (exponent > bias) return (unsigned short)(sign | infinity);
  double steps = std::nearbyint(std::ldexp(size, mantissa_bits - exponent));
  // A carry out of the mantissa moves into the exponent by itself.
  unsigned bits = (unsigned)steps + ((unsigned)(exponent + bias - 1) << mantissa_bits);
  return (unsigned short)(sign | (bits < infinity ? bits : infinity));
}

template <int exponent_bits, int mantissa_bits>
float widen(unsigned short bits) {
  constexpr int bias = (1 << (exponent_bits - 1)) - 1;
  int exponent = (bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
  int mantissa = bits & ((1 << mantissa_bits) - 1);
  float size;
  if (exponent == (1 << exponent_bits) - 1)
    size = mantissa ? NAN : INFINITY;
  else if (exponent == 0)
    size = std::ldexp((float)mantissa, 1 - bias - mantissa_bits);
  else
    size = std::ldexp((float)(mantissa | 1 << mantissa_bits),
                      exponent - bias - mantissa_bits);
  return bits & 0x8000 ? -size : size;
}

// Arithmetic in float and one rounding is exact rounding: float has more than twice
// the digits.
template <typename Rules>
struct SmallFloat {
  unsigned short bits;

  // A constant, so that shared arrays need no guard around their initialisation, which
  // threads would read and write.
  constexpr SmallFloat() : bits(0) {}
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
  SmallFloat(T value) : bits(Rules::from((double)value)) {}
  operator float() const { return Rules::to(bits); }

  friend SmallFloat operator+(SmallFloat a, SmallFloat b) { return (float)a + (float)b; }
  friend SmallFloat operator-(SmallFloat a, SmallFloat b) { return (float)a - (float)b; }
  friend SmallFloat operator*(SmallFloat a, SmallFloat b) { return (float)a * (float)b; }
  friend SmallFloat operator/(SmallFloat a, SmallFloat b) { return (float)a / (float)b; }
  SmallFloat operator-() const { return -(float)*this; }
  SmallFloat& operator+=(SmallFloat b) { return *this = *this + b; }
  SmallFloat& operator-=(SmallFloat b) { return *this = *this - b; }
  SmallFloat& operator*=(SmallFloat b) { return *this = *this * b; }
  SmallFloat& operator/=(SmallFloat b) { return *this = *this / b; }
};

}  // namespace ps_shim

#endif
