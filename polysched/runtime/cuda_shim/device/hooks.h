// What `-fsanitize=thread` makes the compiler call at every load and store.
#pragma once
#include "bulk.h"

#define PS_SHIM_READ(address, bytes, align) \
  if (ps::checking) ps::access<ps::Use::read>((uintptr_t)(address), bytes, align)
#define PS_SHIM_WRITE(address, bytes, align) \
  if (ps::checking) ps::access<ps::Use::write>((uintptr_t)(address), bytes, align)

#define PS_SHIM_PLAIN_HOOKS(n)                                                        \
  void __tsan_read##n(void* p) { PS_SHIM_READ(p, n, n); }                             \
  void __tsan_write##n(void* p) { PS_SHIM_WRITE(p, n, n); }                           \
  void __tsan_read_write##n(void* p) {                                                \
    PS_SHIM_READ(p, n, n);                                                            \
    PS_SHIM_WRITE(p, n, n);                                                           \
  }                                                                                   \
  void __tsan_unaligned_read##n(void* p) { PS_SHIM_READ(p, n, 1); }                   \
  void __tsan_unaligned_write##n(void* p) { PS_SHIM_WRITE(p, n, 1); }                 \
  void __tsan_unaligned_read_write##n(void* p) {                                      \
    PS_SHIM_READ(p, n, 1);                                                            \
    PS_SHIM_WRITE(p, n, 1);                                                           \
  }                                                                                   \
  void __tsan_volatile_read##n(void* p) { PS_SHIM_READ(p, n, n); }                    \
  void __tsan_volatile_write##n(void* p) { PS_SHIM_WRITE(p, n, n); }                  \
  void __tsan_unaligned_volatile_read##n(void* p) { PS_SHIM_READ(p, n, 1); }          \
  void __tsan_unaligned_volatile_write##n(void* p) { PS_SHIM_WRITE(p, n, 1); }

#define PS_SHIM_FETCH(bits, type, name, make)                                         \
  type __tsan_atomic##bits##_##name(volatile type* p, type x, int) {                  \
    ps_shim_atomic((const void*)p, bits / 8);                                         \
    type old = *p;                                                                    \
    *p = (type)(make);                                                                \
    return old;                                                                       \
  }
#define PS_SHIM_ATOMIC_HOOKS(bits, type)                                              \
  type __tsan_atomic##bits##_load(const volatile type* p, int) {                      \
    PS_SHIM_READ(p, bits / 8, bits / 8);                                              \
    return *p;                                                                        \
  }                                                                                   \
  void __tsan_atomic##bits##_store(volatile type* p, type x, int) {                   \
    PS_SHIM_WRITE(p, bits / 8, bits / 8);                                             \
    *p = x;                                                                           \
  }                                                                                   \
  PS_SHIM_FETCH(bits, type, exchange, x)                                              \
  PS_SHIM_FETCH(bits, type, fetch_add, old + x)                                       \
  PS_SHIM_FETCH(bits, type, fetch_sub, old - x)                                       \
  PS_SHIM_FETCH(bits, type, fetch_and, old & x)                                       \
  PS_SHIM_FETCH(bits, type, fetch_or, old | x)                                        \
  PS_SHIM_FETCH(bits, type, fetch_xor, old ^ x)                                       \
  PS_SHIM_FETCH(bits, type, fetch_nand, ~(old & x))                                   \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile type* p, type* expected, \
                                                    type x, int, int) {               \
    ps_shim_atomic((const void*)p, bits / 8);                                         \
    if (*p == *expected) return *p = x, 1;                                            \
    *expected = *p;                                                                   \
    return 0;                                                                         \
  }                                                                                   \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile type* p, type* expected,   \
                                                  type x, int a, int b) {             \
    return __tsan_atomic##bits##_compare_exchange_strong(p, expected, x, a, b);       \
  }                                                                                   \
  type __tsan_atomic##bits##_compare_exchange_val(volatile type* p, type expected,    \
                                                  type x, int a, int b) {             \
    __tsan_atomic##bits##_compare_exchange_strong(p, &expected, x, a, b);             \
    return expected;                                                                  \
  }

extern "C" {

void ps_shim_atomic(const void* address, size_t bytes) {
  if (ps::checking) ps::access<ps::Use::update>((uintptr_t)address, bytes, bytes);
}

void __tsan_init(void) { ps::is_instrumented = true; }
void __tsan_func_entry(void*) {}
void __tsan_func_exit(void) {}
void __tsan_ignore_thread_begin(void) {}
void __tsan_ignore_thread_end(void) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}

PS_SHIM_PLAIN_HOOKS(1)
PS_SHIM_PLAIN_HOOKS(2)
PS_SHIM_PLAIN_HOOKS(4)
PS_SHIM_PLAIN_HOOKS(8)
PS_SHIM_PLAIN_HOOKS(16)

void __tsan_read_range(void* p, size_t bytes) {
  if (bytes) PS_SHIM_READ(p, bytes, 1);
}
void __tsan_write_range(void* p, size_t bytes) {
  if (bytes) PS_SHIM_WRITE(p, bytes, 1);
}

PS_SHIM_ATOMIC_HOOKS(8, uint8_t)
PS_SHIM_ATOMIC_HOOKS(16, uint16_t)
PS_SHIM_ATOMIC_HOOKS(32, uint32_t)
PS_SHIM_ATOMIC_HOOKS(64, uint64_t)

void* __tsan_memcpy(void* to, const void* from, size_t bytes) {
  __tsan_read_range((void*)from, bytes);
  __tsan_write_range(to, bytes);
  return memcpy(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, size_t bytes) {
  __tsan_read_range((void*)from, bytes);
  __tsan_write_range(to, bytes);
  return memmove(to, from, bytes);
}
void* __tsan_memset(void* to, int value, size_t bytes) {
  __tsan_write_range(to, bytes);
  return memset(to, value, bytes);
}
}
