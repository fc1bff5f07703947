// Vector types, dim3 and the built-in variables of a kernel.
#ifndef PS_SHIM_TYPES
#define PS_SHIM_TYPES

#if defined(__clang__)
// clang would copy a structure through memcpy, which is not instrumented; as one
// vector the copy is one access of the right size and alignment.
#define PS_SHIM_VECTOR(name, type, bytes, parameters, members, start)              \
  struct alignas(bytes) name {                                                      \
    typedef type Bits __attribute__((vector_size(bytes), may_alias));               \
    type members;                                                                   \
    name() = default;                                                               \
    name parameters start {}                                                        \
    name(const name& o) { *(Bits*)(void*)this = *(const Bits*)(const void*)&o; }    \
    name& operator=(const name& o) {                                                \
      *(Bits*)(void*)this = *(const Bits*)(const void*)&o;                          \
      return *this;                                                                 \
    }                                                                               \
  };
#else
#define PS_SHIM_VECTOR(name, type, bytes, parameters, members, start) \
  struct alignas(bytes) name {                                         \
    type members;                                                      \
  };
#endif

#define PS_SHIM_COMMA ,
#define PS_SHIM_VECTORS(stem, type)                                                   \
  PS_SHIM_VECTOR(stem##2, type, 2 * sizeof(type), (type a PS_SHIM_COMMA type b),      \
                 x PS_SHIM_COMMA y, : x(a) PS_SHIM_COMMA y(b))                        \
  PS_SHIM_VECTOR(stem##4, type, (sizeof(type) > 4 ? 16 : 4 * sizeof(type)),           \
                 (type a PS_SHIM_COMMA type b PS_SHIM_COMMA type c PS_SHIM_COMMA      \
                      type d),                                                        \
                 x PS_SHIM_COMMA y PS_SHIM_COMMA z PS_SHIM_COMMA w,                   \
                 : x(a) PS_SHIM_COMMA y(b) PS_SHIM_COMMA z(c) PS_SHIM_COMMA w(d))     \
  inline stem##2 make_##stem##2(type x, type y) { return stem##2{x, y}; }             \
  inline stem##4 make_##stem##4(type x, type y, type z, type w) {                     \
    return stem##4{x, y, z, w};                                                       \
  }

PS_SHIM_VECTORS(float, float)
PS_SHIM_VECTORS(int, int)
PS_SHIM_VECTORS(uint, unsigned)
PS_SHIM_VECTORS(char, signed char)
PS_SHIM_VECTORS(uchar, unsigned char)
PS_SHIM_VECTORS(short, short)
PS_SHIM_VECTORS(ushort, unsigned short)
#define PS_SHIM_PAIR(name, type)                                                    \
  PS_SHIM_VECTOR(name, type, 16, (type a PS_SHIM_COMMA type b), x PS_SHIM_COMMA y,  \
                 : x(a) PS_SHIM_COMMA y(b))                                         \
  inline name make_##name(type x, type y) { return name{x, y}; }

PS_SHIM_PAIR(double2, double)
PS_SHIM_PAIR(long2, long)
PS_SHIM_PAIR(ulong2, unsigned long)
PS_SHIM_PAIR(longlong2, long long)
PS_SHIM_PAIR(ulonglong2, unsigned long long)

struct uint3 {
  unsigned x, y, z;
};
struct int3 {
  int x, y, z;
};
struct float3 {
  float x, y, z;
};
struct double3 {
  double x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return uint3{x, y, z}; }
};

#ifndef PS_SHIM_DEVICE
// Indices of thread and block, shape of block and grid: set whenever a fiber goes on.
// Constant scalars, so that reading them is not instrumented.
#define PS_SHIM_INDEX(name)                                                       \
  extern "C" const unsigned ps_shim_##name##_x, ps_shim_##name##_y,               \
      ps_shim_##name##_z;                                                         \
  inline __attribute__((always_inline)) uint3 ps_shim_##name() {                  \
    return uint3{ps_shim_##name##_x, ps_shim_##name##_y, ps_shim_##name##_z};     \
  }
PS_SHIM_INDEX(thread)
PS_SHIM_INDEX(block)
PS_SHIM_INDEX(block_shape)
PS_SHIM_INDEX(grid_shape)
#define threadIdx (ps_shim_thread())
#define blockIdx (ps_shim_block())
#define blockDim (ps_shim_block_shape())
#define gridDim (ps_shim_grid_shape())
static constexpr int warpSize = 32;
#endif

#endif
