// Tensor cores: fragments of a warp. Which lane holds which element is our own choice,
// as it is a device's.
#ifndef PS_SHIM_MMA
#define PS_SHIM_MMA

#include "cuda_bf16.h"
#include "cuda_fp16.h"

extern "C" {
void ps_shim_check_tile(const void* address, size_t stride_bytes);
}

namespace nvcuda {
namespace wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };
namespace precision {
struct tf32 {};
}  // namespace precision

template <typename T>
struct storage {
  typedef T type;
};
template <>
struct storage<precision::tf32> {
  typedef float type;
};

template <typename Use, int m, int n, int k>
struct extent;
template <int m, int n, int k>
struct extent<matrix_a, m, n, k> {
  enum { rows = m, columns = k };
};
template <int m, int n, int k>
struct extent<matrix_b, m, n, k> {
  enum { rows = k, columns = n };
};
template <int m, int n, int k>
struct extent<accumulator, m, n, k> {
  enum { rows = m, columns = n };
};

template <typename T, int m, int n, int k>
constexpr bool has_shape() {
  if (std::is_same_v<T, double>) return m == 8 && n == 8 && k == 4;
  if (std::is_same_v<T, precision::tf32>) return m == 16 && n == 16 && k == 8;
  bool wide = (m == 16 && n == 16) || (m == 32 && n == 8) || (m == 8 && n == 32);
  return wide && k == 16;
}

template <typename Use, int m, int n, int k, typename T, typename Layout = void>
struct fragment {
  typedef typename storage<T>::type element_type;
  enum {
    rows = extent<Use, m, n, k>::rows,
    columns = extent<Use, m, n, k>::columns,
    num_elements = rows * columns / 32
  };
  static_assert(std::is_same_v<Use, accumulator> || has_shape<T, m, n, k>(),
                "no device multiplies matrices of this type and shape");
  element_type x[num_elements];
};

template <typename F, typename T>
void fill_fragment(F& fragment, T value) {
  for (auto& x : fragment.x) x = (typename F::element_type)value;
}

inline float __float_to_tf32(float a) { return ps_round(a); }

template <typename F, typename T>
void load_tile(F& fragment, const T* address, unsigned stride, bool by_columns) {
  for (int e = 0; e < F::num_elements; e++) {
    unsigned place = (unsigned)e * 32 + ps_shim_lane();
    unsigned row = place / F::columns, column = place % F::columns;
    fragment.x[e] = address[by_columns ? column * stride + row : row * stride + column];
  }
}

template <typename Use, int m, int n, int k, typename T, typename Layout>
void load_matrix_sync(fragment<Use, m, n, k, T, Layout>& fragment,
                      const typename storage<T>::type* address, unsigned stride,
                      unsigned line = __builtin_LINE()) {
  void* all[32];
  if (ps_shim_gather(line, nullptr, all)) ps_shim_dismiss();
  ps_shim_check_tile(address, stride * sizeof *address);
  load_tile(fragment, address, stride, std::is_same_v<Layout, col_major>);
}

template <int m, int n, int k, typename T>
void load_matrix_sync(fragment<accumulator, m, n, k, T>& fragment, const T* address,
                      unsigned stride, layout_t layout,
                      unsigned line = __builtin_LINE()) {
  void* all[32];
  if (ps_shim_gather(line, nullptr, all)) ps_shim_dismiss();
  ps_shim_check_tile(address, stride * sizeof *address);
  load_tile(fragment, address, stride, layout == mem_col_major);
}

template <int m, int n, int k, typename T>
void store_matrix_sync(T* address, const fragment<accumulator, m, n, k, T>& fragment,
                       unsigned stride, layout_t layout,
                       unsigned line = __builtin_LINE()) {
  void* all[32];
  if (ps_shim_gather(line, nullptr, all)) ps_shim_dismiss();
  ps_shim_check_tile(address, stride * sizeof *address);
  for (int e = 0; e < fragment.num_elements; e++) {
    unsigned place = (unsigned)e * 32 + ps_shim_lane();
    unsigned row = place / n, column = place % n;
    address[layout == mem_col_major ? column * stride + row : row * stride + column] =
        fragment.x[e];
  }
}

// What the multiplier sees of an operand: of tf32, the upper 19 bits.
template <typename T>
PS_SHIM_PLAIN auto operand(typename storage<T>::type value) {
  if constexpr (std::is_same_v<T, double>)
    return value;
  else if constexpr (std::is_same_v<T, precision::tf32>)
    return __uint_as_float(__float_as_uint(value) & 0xffffe000u);
  else
    return (float)value;
}

template <int m, int n, int k, typename T, typename LayoutA, typename LayoutB,
          typename C>
PS_SHIM_PLAIN void mma_sync(fragment<accumulator, m, n, k, C>& d,
                            const fragment<matrix_a, m, n, k, T, LayoutA>& a,
                            const fragment<matrix_b, m, n, k, T, LayoutB>& b,
                            const fragment<accumulator, m, n, k, C>& c,
                            unsigned line = __builtin_LINE()) {
  struct Parts {
    decltype(&d) to;
    decltype(&a) left;
    decltype(&b) right;
    decltype(&c) old;
  } mine = {&d, &a, &b, &c};
  void* all[32];
  if (!ps_shim_gather(line, &mine, all)) return;
  C sums[m][n];
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      auto part = [&](int place) { return (Parts*)all[place % 32]; };
      auto sum = operand<std::conditional_t<std::is_same_v<C, double>, C, float>>(
          part(i * n + j)->old->x[(i * n + j) / 32]);
      for (int l = 0; l < k; l++)
        sum += operand<T>(part(i * k + l)->left->x[(i * k + l) / 32]) *
               operand<T>(part(l * n + j)->right->x[(l * n + j) / 32]);
      sums[i][j] = (C)sum;
    }
  for (int place = 0; place < m * n; place++)
    ((Parts*)all[place % 32])->to->x[place / 32] = sums[place / n][place % n];
  ps_shim_dismiss();
}

}  // namespace wmma
}  // namespace nvcuda

#endif
