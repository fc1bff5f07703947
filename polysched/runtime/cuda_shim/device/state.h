// What the parts of the shim's runtime share. One host thread runs everything.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#define PS_SHIM_DEVICE
#include "../ps_host.h"

namespace ps {

constexpr int kExitStatus = 97;
constexpr unsigned kMaxThreads = 1024;
constexpr size_t kMaxShared = 232448;  // bytes a block may opt in to, as on H100
constexpr size_t kPlainShared = 49152;
constexpr size_t kUnit = 65536;        // allocations start at multiples
constexpr size_t kStack = 262144;      // of one thread, lowest page unmapped

// When a cell (granule) of memory was last written and read. Stamps are values of
// one clock that advances at every block start, barrier and warp barrier, so a stamp
// alone tells launch, block and phase.
struct Cell {
  uint32_t write, read, other_read;
  uint16_t writer, reader, other_reader;  // thread in block; kAtomic in writer
  uint8_t flags, n_sources;               // n_sources: unfinished copies from here
};
constexpr uint16_t kAtomic = 0x8000;
constexpr uint16_t kThreadMask = 0x7fff;
constexpr uint16_t kPhaseWriter = kMaxThreads;  // and above: copies of a phase
enum CellFlags : uint8_t { kWritten = 1, kPending = 2, kUnsaved = 4 };

// An allocation, or the shared memory of a block. A cell covers 1 << shift bytes,
// halved when an access needs it.
struct Region {
  uintptr_t base = 0;
  size_t bytes = 0;
  unsigned shift = 3;
  Cell* cells = nullptr;
  std::string name;
  size_t element_bytes = 0;
  bool is_live = false, is_shared = false;
};

// One asynchronous copy; what it will store is read when it is waited for.
struct Copy {
  unsigned char* to;
  const unsigned char* from;
  unsigned bytes, zeros, group;
};

// A barrier in shared memory whose phases end when the one arrival has come and bulk
// copies have brought the bytes that it announced. Copies move their data when the
// first thread finds the phase at its end, not before.
struct Phase {
  const void* barrier;
  unsigned number = 0;  // of phases that ended
  bool has_arrival = false;
  size_t expected_bytes = 0, copied_bytes = 0;
  uint16_t issuer = 0;  // of the last copy
  std::vector<Copy> copies;
};

enum class Status : uint8_t { fresh, ready, at_barrier, at_warp, at_phase, done };

struct Thread {
  void* stack_pointer = nullptr;
  unsigned char* stack = nullptr;
  unsigned id = 0;
  uint3 index = {0, 0, 0};
  Status status = Status::fresh;
  int barrier_kind = 0;
  unsigned line = 0, mask = 0;
  bool orders_memory = false;
  uint32_t block_phase = 0, warp_phase = 0;
  unsigned long long offered = 0, received = 0;  // of a shuffle
  unsigned n_groups = 0;
  std::vector<Copy> copies;
  unsigned awaited = 0, parity = 0;  // which phase, while `at_phase`
  uint32_t fenced = 0;               // when it last told bulk copies of other accesses
  std::vector<uint32_t> seen;        // by phase: when it last found one at its end
};

struct Launch {
  const char* name = "";
  const void* kernel = nullptr;
  void (*start)(const void*, void*) = nullptr;
  void* arguments = nullptr;
  size_t arguments_bytes = 0, shared_bytes = 0;
  unsigned n_threads = 0;
  dim3 grid, block;
  std::vector<std::pair<uint32_t, uint32_t>> blocks;  // first stamp, block number
};

// Hot state, read by every instrumented access.
static bool checking = true;
static bool is_instrumented = false;  // set by the constructor of instrumented text
static bool in_kernel = false;
static Thread* current = nullptr;
static uint32_t now = 1, launch_first = 1, block_first = 1;
static uintptr_t arena_base = 0, shared_base = 0, dynamic_base = 0, stacks_base = 0;
static size_t arena_bytes = 0, shared_bytes = 0, stacks_bytes = 0;
static Region** unit_owner = nullptr;

static Region shared;
static Launch launch;
static Thread threads[kMaxThreads];
static std::vector<Phase> phases;  // of the block, in order of their beginning
static uint64_t random_state = 1;

static inline uint32_t random_below(uint32_t n) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)(((random_state >> 32) * n) >> 32);
}

template <typename T>
static void shuffle(T* items, uint32_t n) {
  for (uint32_t i = n; i > 1; i--) std::swap(items[i - 1], items[random_below(i)]);
}

static inline bool is_device(uintptr_t address) {
  return address - arena_base < arena_bytes;
}

}  // namespace ps

extern "C" {
// Shown to kernels as constants.
#define PS_SHIM_INDEX(name) unsigned ps_shim_##name##_x, ps_shim_##name##_y, \
                                     ps_shim_##name##_z
PS_SHIM_INDEX(thread);
PS_SHIM_INDEX(block);
PS_SHIM_INDEX(block_shape);
PS_SHIM_INDEX(grid_shape);
#define PS_SHIM_SET(name, value)       \
  (ps_shim_##name##_x = (value).x,     \
   ps_shim_##name##_y = (value).y,     \
   ps_shim_##name##_z = (value).z)
}
extern thread_local unsigned char ps_shared[];
