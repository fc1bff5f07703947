// What was found, on stderr: one line of words, then key=value pairs. An error ends
// the process.
#pragma once
#include "symbols.h"

namespace ps {

// A thread of a block; thread kMaxThreads stands for none.
struct Party {
  uint32_t block, thread;
};
constexpr Party kNobody = {0, kMaxThreads};

struct Place {
  const Region* region;
  uintptr_t address;
  size_t bytes;
};

static void print_triple(const char* key, uint32_t number, dim3 extent) {
  fprintf(stderr, " %s=%u,%u,%u", key, number % extent.x,
          number / extent.x % extent.y, number / extent.x / extent.y);
}

static uint32_t block_of(uint32_t stamp) {
  uint32_t found = 0;
  size_t low = 0, high = launch.blocks.size();
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (launch.blocks[middle].first <= stamp) {
      found = launch.blocks[middle].second;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return found;
}

static Party self() {
  if (!in_kernel || !current) return kNobody;
  return {launch.blocks.back().second, current->id};
}

static void print_place(const Place& place) {
  const Region& r = *place.region;
  uintptr_t base = r.base;
  std::string name = r.name;
  if (r.is_shared && place.address - dynamic_base < kMaxShared) {
    base = dynamic_base;
    name = "ps_shared";
  } else if (r.is_shared) {
    name = static_name(place.address, &base);
  }
  auto offset = (long long)(place.address - base);
  auto element = (long long)(r.element_bytes ? r.element_bytes : place.bytes);
  if (element == 0) element = 1;
  long long index = offset / element;
  if (offset < 0 && offset % element) index--;
  fprintf(stderr, " array=%s byte=%lld element=%lld size=%zu", name.c_str(), offset,
          index, place.bytes);
}

[[noreturn]] static void stop() {
  fflush(stdout);
  fflush(stderr);
  _exit(kExitStatus);
}

[[noreturn]] static void fault(const char* kind, const char* words,
                               const Place* place = nullptr, Party other = kNobody) {
  fprintf(stderr, "ps-shim: error: %s: %s |", kind, words);
  if (in_kernel) fprintf(stderr, " kernel=%s", launch.name);
  if (place && place->region) print_place(*place);
  Party me = self();
  if (me.thread < kMaxThreads) {
    print_triple("block", me.block, launch.grid);
    print_triple("thread", me.thread, launch.block);
  }
  if (other.thread < kMaxThreads) {
    print_triple("other_block", other.block, launch.grid);
    print_triple("other_thread", other.thread, launch.block);
  }
  fprintf(stderr, "\n");
  stop();
}

static void warn(const char* kind, const char* words, const Region& region,
                 size_t bytes) {
  fprintf(stderr, "ps-shim: warning: %s: %s | array=%s size=%zu\n", kind, words,
          region.name.c_str(), bytes);
}

}  // namespace ps
