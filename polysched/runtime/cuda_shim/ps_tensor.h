// Products in tensor cores as generated text calls them, which defines them itself
// where there is a device: see docs/techniques/.
#ifndef PS_SHIM_TENSOR
#define PS_SHIM_TENSOR

extern "C" {
// Waits for all lanes of the warp; in one of them true, with what each lane gave.
// The others go on when that one calls `ps_shim_dismiss`.
int ps_shim_gather(unsigned line, void* mine, void** all);
void ps_shim_dismiss(void);
}

// To the nearest number of 10 bits of mantissa, ties away from zero.
PS_SHIM_PLAIN inline float ps_round(float value) {
  if (value != value) return __uint_as_float(0x7fffffffu);
  return __uint_as_float((__float_as_uint(value) + 0x1000) & 0xffffe000u);
}

namespace ps_shim {
// What the multiplier sees of a factor: of a float the upper 19 bits.
inline double factor(double value) { return value; }
inline float factor(float value) {
  return __uint_as_float(__float_as_uint(value) & 0xffffe000u);
}

// Four squares of 8 x 8 elements of two bytes: what each lane read of its row goes to
// the lanes that a device gives it to.
template <typename T>
PS_SHIM_PLAIN inline void exchange(T* to, const T (&row)[8], bool is_turned,
                                   unsigned line) {
  struct Parts {
    T* to;
    const T* row;
  } mine = {to, row};
  void* all[32];
  if (!ps_shim_gather(line, &mine, all)) return;
  for (int lane = 0; lane < 32; lane++)
    for (int n = 0; n < 8; n++) {
      int g = lane / 4, pair = lane % 4 * 2 + n % 2;
      int from = n / 2 * 8 + (is_turned ? pair : g);
      ((Parts*)all[lane])->to[n] = ((Parts*)all[from])->row[is_turned ? g : pair];
    }
  ps_shim_dismiss();
}

// 16 x 8 results and 16 exact terms of two bytes, likewise.
template <typename T>
PS_SHIM_PLAIN inline void multiply(float (&sums)[4], const T (&left)[8],
                                   const T (&right)[4], unsigned line) {
  struct Parts {
    float* sums;
    const T *left, *right;
  } mine = {sums, left, right};
  void* all[32];
  if (!ps_shim_gather(line, &mine, all)) return;
  for (int row = 0; row < 16; row++)
    for (int column = 0; column < 8; column++) {
      Parts* own = (Parts*)all[row % 8 * 4 + column / 2];
      float& sum = own->sums[row / 8 * 2 + column % 2];
      for (int term = 0; term < 16; term++) {
        int lane = term % 8 / 2, inside = term / 8 * 2;
        T a = ((Parts*)all[row % 8 * 4 + lane])
                  ->left[(inside + row / 8) * 2 + term % 2];
        T b = ((Parts*)all[column * 4 + lane])->right[inside + term % 2];
        sum += (float)a * (float)b;
      }
    }
  ps_shim_dismiss();
}

// 16 x 8 results and 8 terms, with the places that a device gives its lanes.
template <typename T>
PS_SHIM_PLAIN inline void multiply(T (&sums)[4], const T (&left)[4],
                                   const T (&right)[2], unsigned line) {
  struct Parts {
    T* sums;
    const T *left, *right;
  } mine = {sums, left, right};
  void* all[32];
  if (!ps_shim_gather(line, &mine, all)) return;
  for (int row = 0; row < 16; row++)
    for (int column = 0; column < 8; column++) {
      Parts* own = (Parts*)all[row % 8 * 4 + column / 2];
      T& sum = own->sums[row / 8 * 2 + column % 2];
      for (int term = 0; term < 8; term++) {
        T a = ((Parts*)all[row % 8 * 4 + term % 4])->left[term / 4 * 2 + row / 8];
        T b = ((Parts*)all[column * 4 + term % 4])->right[term / 4];
        sum += factor(a) * factor(b);
      }
    }
  ps_shim_dismiss();
}
}  // namespace ps_shim

template <typename T>
PS_SHIM_PLAIN inline void ps_multiply(T (&sums)[4], const T (&left)[4],
                                      const T (&right)[2],
                                      unsigned line = __builtin_LINE()) {
  ps_shim::multiply(sums, left, right, line);
}

template <typename T>
inline void ps_load_square(T* to, const T* from, unsigned line = __builtin_LINE()) {
  struct alignas(16) Row {
    T values[8];
  } row = *(const Row*)from;  // a read of 16 bytes that is checked
  ps_shim::exchange(to, row.values, false, line);
}

template <typename T>
inline void ps_load_turned(T* to, const T* from, unsigned line = __builtin_LINE()) {
  struct alignas(16) Row {
    T values[8];
  } row = *(const Row*)from;
  ps_shim::exchange(to, row.values, true, line);
}

template <typename T>
PS_SHIM_PLAIN inline void ps_multiply(float (&sums)[4], const T (&left)[8],
                                      const T (&right)[4],
                                      unsigned line = __builtin_LINE()) {
  ps_shim::multiply(sums, left, right, line);
}

#endif
