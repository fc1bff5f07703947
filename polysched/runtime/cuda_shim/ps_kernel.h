// What a kernel calls: barriers, warp primitives, atomics, intrinsics.
#ifndef PS_SHIM_KERNEL
#define PS_SHIM_KERNEL

extern "C" {
int ps_shim_barrier(unsigned line, int kind, int predicate);
void ps_shim_warp_barrier(unsigned mask, unsigned line);
unsigned long long ps_shim_exchange(unsigned mask, unsigned long long value,
                                    unsigned lane, unsigned line);
unsigned ps_shim_lane(void);
unsigned ps_shim_ballot(unsigned mask, int predicate, unsigned line);
unsigned ps_shim_active(unsigned mask);
void ps_shim_atomic(const void* address, size_t bytes);
}

// The lines tell barriers apart: threads that meet must meet at the same one.
#define __syncthreads() (void)ps_shim_barrier(__LINE__, 0, 0)
#define __syncthreads_count(p) ps_shim_barrier(__LINE__, 1, (p) != 0)
#define __syncthreads_and(p) ps_shim_barrier(__LINE__, 2, (p) != 0)
#define __syncthreads_or(p) ps_shim_barrier(__LINE__, 3, (p) != 0)
#define __syncwarp(...) ps_shim::WarpBarrier{__LINE__}(__VA_ARGS__)
#define __shfl_sync(mask, ...) ps_shim::shuffle(__LINE__, mask, __VA_ARGS__)
#define __shfl_up_sync(mask, ...) ps_shim::shuffle_up(__LINE__, mask, __VA_ARGS__)
#define __shfl_down_sync(mask, ...) ps_shim::shuffle_down(__LINE__, mask, __VA_ARGS__)
#define __shfl_xor_sync(mask, ...) ps_shim::shuffle_xor(__LINE__, mask, __VA_ARGS__)
#define __ballot_sync(mask, p) ps_shim_ballot(mask, (p) != 0, __LINE__)
#define __any_sync(mask, p) (ps_shim_ballot(mask, (p) != 0, __LINE__) != 0)
#define __all_sync(mask, p) (ps_shim_ballot(mask, (p) == 0, __LINE__) == 0)
#define __activemask() ps_shim_active(0xffffffffu)
#define __threadfence() ((void)0)
#define __threadfence_block() ((void)0)
#define __threadfence_system() ((void)0)

namespace ps_shim {
struct WarpBarrier {
  unsigned line;
  PS_SHIM_PLAIN void operator()(unsigned mask = 0xffffffffu) const {
    ps_shim_warp_barrier(mask, line);
  }
};

template <typename T>
PS_SHIM_PLAIN T from_lane(unsigned line, unsigned mask, T value, unsigned lane) {
  static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
  unsigned long long bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  bits = ps_shim_exchange(mask, bits, lane, line);
  __builtin_memcpy(&value, &bits, sizeof(T));
  return value;
}
template <typename T>
PS_SHIM_PLAIN T shuffle(unsigned line, unsigned mask, T value, int lane,
                        int width = 32) {
  unsigned first = ps_shim_lane() & ~(unsigned)(width - 1);
  return from_lane(line, mask, value, first | ((unsigned)lane & (width - 1)));
}
template <typename T>
PS_SHIM_PLAIN T shuffle_up(unsigned line, unsigned mask, T value, unsigned delta,
                           int width = 32) {
  unsigned self = ps_shim_lane(), place = self & (width - 1);
  return from_lane(line, mask, value, place < delta ? self : self - delta);
}
template <typename T>
PS_SHIM_PLAIN T shuffle_down(unsigned line, unsigned mask, T value, unsigned delta,
                             int width = 32) {
  unsigned self = ps_shim_lane(), place = self & (width - 1);
  return from_lane(line, mask, value,
                   place + delta >= (unsigned)width ? self : self + delta);
}
template <typename T>
PS_SHIM_PLAIN T shuffle_xor(unsigned line, unsigned mask, T value, int bits,
                            int width = 32) {
  unsigned self = ps_shim_lane(), other = self ^ (unsigned)bits;
  bool later = (other & ~(unsigned)(width - 1)) > (self & ~(unsigned)(width - 1));
  return from_lane(line, mask, value, later ? self : other);
}

template <typename T, typename F>
PS_SHIM_PLAIN inline T update(T* address, F make) {
  ps_shim_atomic(address, sizeof(T));
  T old = *address;
  *address = make(old);
  return old;
}
}  // namespace ps_shim

// For the types that a device has them for, and no others.
#define PS_SHIM_ATOMIC(type, name, value)                                          \
  PS_SHIM_PLAIN inline type name(type* address, type x) {                          \
    return ps_shim::update(address, [=](type old) PS_SHIM_PLAIN -> type {          \
      return (type)(value);                                                        \
    });                                                                            \
  }
#define PS_SHIM_ATOMIC_ORDER(type)                  \
  PS_SHIM_ATOMIC(type, atomicMin, x < old ? x : old) \
  PS_SHIM_ATOMIC(type, atomicMax, old < x ? x : old)
#define PS_SHIM_ATOMIC_BITS(type)                   \
  PS_SHIM_ATOMIC_ORDER(type)                        \
  PS_SHIM_ATOMIC(type, atomicAdd, old + x)          \
  PS_SHIM_ATOMIC(type, atomicExch, ((void)old, x))  \
  PS_SHIM_ATOMIC(type, atomicAnd, old & x)          \
  PS_SHIM_ATOMIC(type, atomicOr, old | x)           \
  PS_SHIM_ATOMIC(type, atomicXor, old ^ x)          \
  PS_SHIM_PLAIN inline type atomicCAS(type* address, type expected, type x) {      \
    return ps_shim::update(address, [=](type old) PS_SHIM_PLAIN -> type {          \
      return old == expected ? x : old;                                            \
    });                                                                            \
  }
PS_SHIM_ATOMIC_BITS(int)
PS_SHIM_ATOMIC_BITS(unsigned)
PS_SHIM_ATOMIC_BITS(unsigned long long)
PS_SHIM_ATOMIC_ORDER(long long)
PS_SHIM_ATOMIC(int, atomicSub, old - x)
PS_SHIM_ATOMIC(unsigned, atomicSub, old - x)
PS_SHIM_ATOMIC(float, atomicAdd, old + x)
PS_SHIM_ATOMIC(double, atomicAdd, old + x)
PS_SHIM_ATOMIC(float, atomicExch, ((void)old, x))

template <typename T>
inline T __ldg(const T* address) {
  return *address;
}
template <typename T>
inline T __ldcg(const T* address) {
  return *address;
}
template <typename T>
inline T __ldcs(const T* address) {
  return *address;
}
template <typename T>
inline void __stcg(T* address, T value) {
  *address = value;
}
template <typename T>
inline void __stcs(T* address, T value) {
  *address = value;
}

#define PS_SHIM_MINMAX(type)                                 \
  inline type min(type a, type b) { return b < a ? b : a; }  \
  inline type max(type a, type b) { return a < b ? b : a; }
PS_SHIM_MINMAX(int)
PS_SHIM_MINMAX(unsigned)
PS_SHIM_MINMAX(long)
PS_SHIM_MINMAX(unsigned long)
PS_SHIM_MINMAX(long long)
PS_SHIM_MINMAX(unsigned long long)
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
inline double min(float a, double b) { return fmin(a, b); }
inline double min(double a, float b) { return fmin(a, b); }
inline double max(float a, double b) { return fmax(a, b); }
inline double max(double a, float b) { return fmax(a, b); }

inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return sqrt(a); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __expf(float a) { return expf(a); }
inline float __logf(float a) { return logf(a); }
inline float __sinf(float a) { return sinf(a); }
inline float __cosf(float a) { return cosf(a); }
inline float __powf(float a, float b) { return powf(a, b); }
inline float rsqrtf(float a) { return 1.0f / sqrtf(a); }
inline double rsqrt(double a) { return 1.0 / sqrt(a); }
inline float __saturatef(float a) { return fminf(fmaxf(a, 0.0f), 1.0f); }
inline int __float2int_rn(float a) { return (int)rintf(a); }
inline float __int2float_rn(int a) { return (float)a; }
inline double __longlong_as_double(long long a) {
  double b;
  __builtin_memcpy(&b, &a, 8);
  return b;
}
inline long long __double_as_longlong(double a) {
  long long b;
  __builtin_memcpy(&b, &a, 8);
  return b;
}
inline float __int_as_float(int a) {
  float b;
  __builtin_memcpy(&b, &a, 4);
  return b;
}
inline int __float_as_int(float a) {
  int b;
  __builtin_memcpy(&b, &a, 4);
  return b;
}
inline float __uint_as_float(unsigned a) { return __int_as_float((int)a); }
inline unsigned __float_as_uint(float a) { return (unsigned)__float_as_int(a); }
inline int __mul24(int a, int b) { return a * b; }
inline int __popc(unsigned a) { return __builtin_popcount(a); }
inline int __clz(int a) { return a ? __builtin_clz((unsigned)a) : 32; }
inline int __ffs(int a) { return __builtin_ffs(a); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return (unsigned)(((unsigned long long)a * b) >> 32);
}

#endif
