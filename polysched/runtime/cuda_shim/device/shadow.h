// The shadow of device and shared memory: bounds, initialisation, races.
#pragma once
#include "report.h"

namespace ps {

static Cell* new_cells(size_t n) {
  void* cells = mmap(nullptr, n * sizeof(Cell) + 1, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (cells == MAP_FAILED) {
    fprintf(stderr, "ps-shim: no memory for the shadow of %zu cells\n", n);
    stop();
  }
  return (Cell*)cells;
}

static size_t n_cells(const Region& r) {
  return (r.bytes + ((size_t)1 << r.shift) - 1) >> r.shift;
}

static void drop_cells(Region& r) {
  if (r.cells) munmap(r.cells, n_cells(r) * sizeof(Cell) + 1);
  r.cells = nullptr;
}

// Smaller cells, so that `bits` (an offset or size) is a multiple of one.
__attribute__((noinline)) static void refine(Region& r, size_t bits) {
  unsigned shift = (unsigned)__builtin_ctzll(bits | 8);
  if (shift >= r.shift) return;
  Region finer = r;
  finer.shift = shift;
  finer.cells = new_cells(n_cells(finer));
  size_t n = n_cells(finer);
  for (size_t k = 0; k < n; k++) finer.cells[k] = r.cells[k >> (r.shift - shift)];
  drop_cells(r);
  r = finer;
}

static inline Cell* cells_of(Region& r, size_t offset, size_t bytes) {
  size_t bits = offset + bytes == r.bytes ? offset : offset | bytes;
  if (__builtin_expect(bits & (((size_t)1 << r.shift) - 1), 0)) refine(r, bits);
  return r.cells + (offset >> r.shift);
}

static inline Cell* cells_end(Region& r, size_t offset, size_t bytes) {
  return r.cells + ((offset + bytes - 1) >> r.shift) + 1;
}

// From which stamp on accesses can meet: a block's own shared memory is new to it.
static inline uint32_t first_stamp(const Region& r) {
  return r.is_shared ? block_first : launch_first;
}

// Whether an access with this stamp (not before `first_stamp`) by that thread is
// unordered with `current`'s.
static inline bool is_unordered(uint32_t stamp, uint16_t thread) {
  if (stamp < block_first) return true;
  thread &= kThreadMask;
  const Thread& t = *current;
  if (thread == t.id) return false;
  if (__builtin_expect(thread >= kPhaseWriter, 0)) {
    unsigned k = thread - kPhaseWriter;
    return stamp >= t.block_phase && !(k < t.seen.size() && t.seen[k] >= stamp);
  }
  return stamp >= (thread >> 5 == t.id >> 5 ? t.warp_phase : t.block_phase);
}

[[noreturn]] __attribute__((noinline)) static void race(const char* kind, Region& r,
                                                        uintptr_t address,
                                                        size_t bytes, uint32_t stamp,
                                                        uint16_t thread) {
  Place place = {&r, address, bytes};
  bool other_block = stamp < block_first;
  static char words[160];
  snprintf(words, sizeof words, "%s of two threads%s", kind,
           other_block ? " of different blocks of one launch"
                       : " of a block without a barrier between");
  thread &= kThreadMask;
  if (thread >= kPhaseWriter) thread = phases[thread - kPhaseWriter].issuer;
  fault(other_block ? "block-race" : "race", words, &place, {block_of(stamp), thread});
}

static inline bool is_written(const Region& r, const Cell& c) {
  return r.is_shared ? c.write >= block_first : (c.flags & kWritten) != 0;
}

static void check_usable(Region& r, const Cell& c, uintptr_t address, size_t bytes,
                         bool needs_value) {
  Place place = {&r, address, bytes};
  if (c.flags & kPending)
    fault("unfinished-copy", "destination of an asynchronous copy used before its wait",
          &place, {block_of(c.write), (uint32_t)(c.writer & kThreadMask)});
  if (needs_value && !is_written(r, c))
    fault("uninitialised", r.is_shared ? "shared memory read before it was written"
                                       : "device memory read before it was written",
          &place);
}

static inline void read_cell(Region& r, Cell& c, uintptr_t address, size_t bytes) {
  if (__builtin_expect((c.flags & kPending) || !is_written(r, c), 0))
    check_usable(r, c, address, bytes, true);
  if (__builtin_expect(c.write >= first_stamp(r), 0) && is_unordered(c.write, c.writer))
    race("write and read", r, address, bytes, c.write, c.writer);
  uint16_t me = (uint16_t)current->id;
  if (c.reader != me || c.read < block_first) {
    // A reader of another block conflicts with every later write: keep it.
    if (!(c.other_read >= first_stamp(r) && c.other_read < block_first)) {
      c.other_read = c.read;
      c.other_reader = c.reader;
    }
    c.reader = me;
  }
  c.read = now;
}

static inline void check_readers(Region& r, Cell& c, uintptr_t address, size_t bytes) {
  if (c.read >= first_stamp(r) && is_unordered(c.read, c.reader))
    race("read and write", r, address, bytes, c.read, c.reader);
  if (c.other_read >= first_stamp(r) && is_unordered(c.other_read, c.other_reader))
    race("read and write", r, address, bytes, c.other_read, c.other_reader);
}

static inline void write_cell(Region& r, Cell& c, uintptr_t address, size_t bytes) {
  if (__builtin_expect((c.flags & kPending) != 0, 0))
    check_usable(r, c, address, bytes, false);
  if (__builtin_expect(c.n_sources != 0, 0)) {
    Place place = {&r, address, bytes};
    fault("source-written", "source of an unfinished asynchronous copy is written",
          &place);
  }
  if (c.write >= first_stamp(r) && is_unordered(c.write, c.writer))
    race("write and write", r, address, bytes, c.write, c.writer);
  check_readers(r, c, address, bytes);
  c.write = now;
  c.writer = (uint16_t)current->id;
  c.flags |= kWritten | kUnsaved;
}

static inline void update_cell(Region& r, Cell& c, uintptr_t address, size_t bytes) {
  check_usable(r, c, address, bytes, true);
  bool was_atomic = (c.writer & kAtomic) != 0;
  bool is_recent = c.write >= first_stamp(r);
  if (is_recent && !was_atomic && is_unordered(c.write, c.writer))
    race("write and atomic update", r, address, bytes, c.write, c.writer);
  check_readers(r, c, address, bytes);
  bool mine_plain = is_recent && !was_atomic && c.write >= current->block_phase;
  c.write = now;
  c.writer = (uint16_t)(current->id | (mine_plain ? 0 : kAtomic));
  c.flags |= kWritten | kUnsaved;
}

// The allocation that an address belongs to or misses by least.
static Region* nearest(uintptr_t address) {
  size_t unit = (address - arena_base) / kUnit;
  Region* before = unit_owner[unit];
  if (before && address - before->base < before->bytes) return before;
  size_t n_units = arena_bytes / kUnit;
  size_t gap = before ? address - (before->base + before->bytes) : (size_t)-1;
  for (size_t k = unit + 1; k < n_units && k < unit + 1024; k++) {
    if (!unit_owner[k] || unit_owner[k] == before) continue;
    return unit_owner[k]->base - address < gap ? unit_owner[k] : before;
  }
  return before;
}

[[noreturn]] __attribute__((noinline)) static void outside(uintptr_t address,
                                                           size_t bytes) {
  Region* r = nearest(address);
  Place place = {r, address, bytes};
  if (r && address - r->base < r->bytes && !r->is_live)
    fault("use-after-free", "device memory used after it was freed", &place);
  fault("out-of-bounds", "outside the device array nearest to it", &place);
}

static inline Region& device_region(uintptr_t address, size_t bytes) {
  Region* r = unit_owner[(address - arena_base) / kUnit];
  if (__builtin_expect(!r || !r->is_live || address - r->base >= r->bytes ||
                           bytes > r->bytes - (address - r->base), 0))
    outside(address, bytes);
  return *r;
}

// The block's dynamic shared memory ends where the launch said; an access stays within
// one static array. Between those is space that the compiler's text has not.
static inline void check_shared(uintptr_t address, size_t bytes) {
  size_t offset = address - dynamic_base;
  if (__builtin_expect(offset < kMaxShared && offset + bytes > launch.shared_bytes, 0)) {
    Place place = {&shared, address, bytes};
    fault("out-of-bounds", "beyond the dynamic shared memory of the launch", &place);
  }
  size_t first = address - shared_base, last = first + bytes - 1;
  if (last >= array_of_byte.size()) return;
  if (__builtin_expect(!array_of_byte[first] ||
                           array_of_byte[first] != array_of_byte[last], 0)) {
    Place place = {&shared, address, bytes};
    fault("out-of-bounds", "outside the shared array nearest to it", &place);
  }
}

enum class Use { read, write, update };

template <Use use>
static inline void touch(Region& r, uintptr_t address, size_t bytes) {
  size_t offset = address - r.base;
  Cell* c = cells_of(r, offset, bytes);
  Cell* end = cells_end(r, offset, bytes);
  for (; c < end; c++) {
    if (use == Use::read) read_cell(r, *c, address, bytes);
    if (use == Use::write) write_cell(r, *c, address, bytes);
    if (use == Use::update) update_cell(r, *c, address, bytes);
  }
}

static bool may_touch(uintptr_t address, bool writes);

[[noreturn]] __attribute__((noinline)) static void misaligned(uintptr_t address,
                                                              size_t bytes) {
  Region* r = is_device(address) ? nearest(address) : nullptr;
  if (address - shared_base < shared_bytes) r = &shared;
  Place place = {r, address, bytes};
  fault("misaligned", "address is not a multiple of the size of the access", &place);
}

// One access of kernel or host text; `align` is 1 where any address will do.
template <Use use>
static inline void access(uintptr_t address, size_t bytes, size_t align) {
  if (!in_kernel) {
    if (__builtin_expect(is_device(address), 0)) {
      Place place = {nearest(address), address, bytes};
      fault("host-access", "host code uses device memory", &place);
    }
    return;
  }
  bool is_shared = address - shared_base < shared_bytes;
  if (is_shared || is_device(address)) {
    if (__builtin_expect(address & (align - 1), 0)) misaligned(address, bytes);
    if (is_shared) {
      check_shared(address, bytes);
      touch<use>(shared, address, bytes);
    } else {
      touch<use>(device_region(address, bytes), address, bytes);
    }
    return;
  }
  if (__builtin_expect(address - stacks_base < stacks_bytes, 1)) return;
  if (!may_touch(address, use != Use::read)) {
    static char words[96];
    snprintf(words, sizeof words, "a kernel uses host memory at %p (%zu bytes)",
             (void*)address, bytes);
    fault("host-pointer", words);
  }
}

// Host copies: `mark` as written by the host, `check` that all was written.
static void mark_written(uintptr_t address, size_t bytes) {
  Region& r = device_region(address, bytes);
  Cell* c = cells_of(r, address - r.base, bytes);
  Cell* end = cells_end(r, address - r.base, bytes);
  for (; c < end; c++) c->flags = (uint8_t)((c->flags | kWritten) & ~kUnsaved);
}

static void check_written(uintptr_t address, size_t bytes, bool is_saved) {
  Region& r = device_region(address, bytes);
  size_t offset = address - r.base;
  Cell* first = cells_of(r, offset, bytes);
  Cell* end = cells_end(r, offset, bytes);
  for (Cell* c = first; c < end; c++) {
    if (!(c->flags & kWritten)) {
      Place place = {&r, address + ((size_t)(c - first) << r.shift),
                     (size_t)1 << r.shift};
      fault("uninitialised", "device memory is copied that was never written", &place);
    }
    if (is_saved) c->flags &= (uint8_t)~kUnsaved;
  }
}

}  // namespace ps
