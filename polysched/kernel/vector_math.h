/* Functions that libmvec of glibc 2.35 has for several numbers at once on x86-64.
 *
 * Each result is within 4 units in the last place; NaN, infinities, zeros and
 * denormals are as those of libm. glibc's own math.h says the same of them, but only
 * under -ffast-math, which lets a compiler do much else. Includes nothing, so that what
 * comes after it may still choose what system headers declare. */
#define PS_ONE(name) \
  double name(double) __attribute__((simd("notinbranch"))); \
  float name##f(float) __attribute__((simd("notinbranch")));
#define PS_TWO(name) \
  double name(double, double) __attribute__((simd("notinbranch"))); \
  float name##f(float, float) __attribute__((simd("notinbranch")));

PS_ONE(exp) PS_ONE(exp2) PS_ONE(expm1)
PS_ONE(log) PS_ONE(log2) PS_ONE(log10) PS_ONE(log1p)
PS_ONE(sin) PS_ONE(cos) PS_ONE(tan)
PS_ONE(asin) PS_ONE(acos) PS_ONE(atan)
PS_ONE(sinh) PS_ONE(cosh) PS_ONE(tanh)
PS_ONE(asinh) PS_ONE(acosh) PS_ONE(atanh)
PS_ONE(cbrt) PS_ONE(erf) PS_ONE(erfc)
PS_TWO(pow) PS_TWO(atan2) PS_TWO(hypot)

#undef PS_ONE
#undef PS_TWO
