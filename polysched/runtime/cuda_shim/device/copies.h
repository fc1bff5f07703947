// Asynchronous copies: the data moves when the issuing thread waits, not before.
#pragma once
#include "fibers.h"

namespace ps {

static void check_copy(const Copy& c) {
  auto to = (uintptr_t)c.to, from = (uintptr_t)c.from;
  Place place = {nullptr, to, c.bytes};
  if (to - shared_base >= shared_bytes) {
    fault("bad-copy", "an asynchronous copy has to write to shared memory");
  }
  place.region = &shared;
  if (c.bytes != 4 && c.bytes != 8 && c.bytes != 16)
    fault("misaligned", "an asynchronous copy moves 4, 8 or 16 bytes", &place);
  if (to % c.bytes) misaligned(to, c.bytes);
  if (from % c.bytes) misaligned(from, c.bytes);
  if (c.zeros < c.bytes && !is_device(from))
    fault("host-pointer", "an asynchronous copy has to read device memory", &place);
}

static void begin_copy(const Copy& c) {
  auto to = (uintptr_t)c.to, from = (uintptr_t)c.from;
  unsigned n_read = c.bytes - c.zeros;
  if (n_read) {
    access<Use::read>(from, n_read, 1);
    Region& r = device_region(from, n_read);
    Cell* end = cells_end(r, from - r.base, n_read);
    for (Cell* s = cells_of(r, from - r.base, n_read); s < end; s++)
      if (s->n_sources < 255) s->n_sources++;
  }
  access<Use::write>(to, c.bytes, 1);
  Cell* end = cells_end(shared, to - shared_base, c.bytes);
  for (Cell* s = cells_of(shared, to - shared_base, c.bytes); s < end; s++)
    s->flags |= kPending;
}

// The data arrives, as a write by a thread or by the copies of a phase.
static void finish_copy(const Copy& c, uint16_t writer) {
  auto to = (uintptr_t)c.to, from = (uintptr_t)c.from;
  unsigned n_read = c.bytes - c.zeros;
  memcpy(c.to, c.from, n_read);
  memset(c.to + n_read, 0, c.zeros);
  if (!checking) return;
  if (n_read) {
    Region& r = device_region(from, n_read);
    Cell* end = cells_end(r, from - r.base, n_read);
    for (Cell* s = cells_of(r, from - r.base, n_read); s < end; s++)
      if (s->n_sources && s->n_sources < 255) s->n_sources--;
  }
  Cell* end = cells_end(shared, to - shared_base, c.bytes);
  for (Cell* s = cells_of(shared, to - shared_base, c.bytes); s < end; s++) {
    s->flags &= (uint8_t)~kPending;
    s->write = now;  // of a thread: others see it after the next barrier only
    s->writer = writer;
  }
}

}  // namespace ps

extern "C" {

void ps_shim_copy_async(void* to, const void* from, size_t bytes, size_t zeros) {
  ps::Thread& t = *ps::current;
  ps::Copy copy = {(unsigned char*)to, (const unsigned char*)from, (unsigned)bytes,
                   (unsigned)(zeros < bytes ? zeros : bytes), t.n_groups};
  ps::check_copy(copy);
  if (ps::checking) ps::begin_copy(copy);
  t.copies.push_back(copy);
}

void ps_shim_copy_commit(void) { ps::current->n_groups++; }

void ps_shim_copy_wait(size_t n_later) {
  ps::Thread& t = *ps::current;
  size_t n_done = 0;
  while (n_done < t.copies.size() && t.copies[n_done].group + n_later < t.n_groups)
    ps::finish_copy(t.copies[n_done++], (uint16_t)t.id);
  t.copies.erase(t.copies.begin(), t.copies.begin() + (ptrdiff_t)n_done);
}

// A tile of a matrix operation lies at a multiple of 32 bytes, its rows of 16.
void ps_shim_check_tile(const void* address, size_t stride_bytes) {
  if ((uintptr_t)address % 32) ps::misaligned((uintptr_t)address, 32);
  if (stride_bytes % 16) ps::misaligned((uintptr_t)address, stride_bytes);
}
}
