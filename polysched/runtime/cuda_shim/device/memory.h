// Device memory: a reserved range of addresses, closed to the host between calls.
#pragma once
#include "hooks.h"

extern "C" {
// Where the linker puts `__constant__` variables, if there are any.
extern char __start_ps_constant[] __attribute__((weak));
extern char __stop_ps_constant[] __attribute__((weak));
}

namespace ps {

constexpr unsigned kMaxClosings = 100;  // afterwards device memory stays open

static std::vector<Region*> regions;
static size_t arena_used = kUnit;
static bool is_open = true;
static unsigned n_closings = 0;
static std::vector<std::pair<uintptr_t, uintptr_t>> readonly_ranges;

static bool may_touch(uintptr_t address, bool writes) {
  if (writes) return false;
  if (address - (uintptr_t)launch.arguments < launch.arguments_bytes) return true;
  if (address >= (uintptr_t)__start_ps_constant &&
      address < (uintptr_t)__stop_ps_constant)
    return true;
  for (auto& range : readonly_ranges)
    if (address >= range.first && address < range.second) return true;
  return false;
}

static int find_segments(dl_phdr_info* info, size_t, void*) {
  for (int k = 0; k < info->dlpi_phnum; k++) {
    const auto& p = info->dlpi_phdr[k];
    uintptr_t start = info->dlpi_addr + p.p_vaddr;
    if (p.p_type == PT_LOAD && !(p.p_flags & PF_W))
      readonly_ranges.push_back({start, start + p.p_memsz});
    if (p.p_type != PT_TLS || !info->dlpi_tls_data) continue;
    auto tls = (uintptr_t)info->dlpi_tls_data;
    if (dynamic_base - tls < p.p_memsz) {  // the module that holds the shared memory
      shared_base = tls;
      shared_bytes = p.p_memsz;
    }
  }
  return 0;
}

static void* reserve(size_t bytes) {
  void* found = mmap(nullptr, bytes, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return found == MAP_FAILED ? nullptr : found;
}

static void reserve_all() {
  size_t bytes = (size_t)64 << 30;
  void* arena = nullptr;
  while (bytes > ((size_t)1 << 28) && !(arena = reserve(bytes))) bytes /= 2;
  stacks_bytes = kMaxThreads * kStack;
  void* stacks = reserve(stacks_bytes);
  unit_owner = (Region**)mmap(nullptr, bytes / kUnit * sizeof(Region*),
                              PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!arena || !stacks || unit_owner == MAP_FAILED) {
    fprintf(stderr, "ps-shim: cannot reserve address space\n");
    stop();
  }
  arena_base = (uintptr_t)arena;
  arena_bytes = bytes;
  stacks_base = (uintptr_t)stacks;
}

static void start_shared() {
  dynamic_base = (uintptr_t)ps_shared;
  readonly_ranges.clear();
  dl_iterate_phdr(find_segments, nullptr);
  if (!shared_base) {
    shared_base = dynamic_base;
    shared_bytes = kMaxShared;
  }
  if (shared.cells && shared.base == shared_base) return;
  drop_cells(shared);
  shared.base = shared_base;
  shared.bytes = shared_bytes;
  shared.shift = 3;
  shared.name = "shared";
  shared.is_shared = shared.is_live = true;
  shared.cells = new_cells(n_cells(shared));
  find_static_arrays();
}

// Kernels and copies may use device memory while it is open, host code never.
static void settle_memory(bool for_device) {
  if (!checking || for_device == is_open) return;
  if (!for_device && ++n_closings > kMaxClosings) return;
  mprotect((void*)arena_base, arena_used,
           for_device ? PROT_READ | PROT_WRITE : PROT_NONE);
  is_open = for_device;
}

static Region* find_region(const void* pointer) {
  auto address = (uintptr_t)pointer;
  if (!is_device(address)) return nullptr;
  Region* r = unit_owner[(address - arena_base) / kUnit];
  return r && address - r->base < r->bytes ? r : nullptr;
}

// A new allocation with unused addresses behind it; null when there are none left.
static Region* allocate(size_t bytes) {
  size_t n_units = (bytes + kUnit - 1) / kUnit;
  size_t n_guards = n_units < 256 ? n_units : 256;
  size_t span = (n_units + n_guards) * kUnit;
  if (bytes > arena_bytes || arena_used + span > arena_bytes) return nullptr;
  auto* r = new Region;
  r->base = arena_base + arena_used;
  r->bytes = bytes;
  r->is_live = true;
  char name[32];
  snprintf(name, sizeof name, "allocation%zu", regions.size());
  r->name = name;
  size_t writable = checking ? span : (bytes + 4095) / 4096 * 4096;
  if (!checking || is_open)
    mprotect((void*)r->base, writable, PROT_READ | PROT_WRITE);
  if (checking)
    r->cells = new_cells(n_cells(*r));
  else
    memset((void*)r->base, 0xff, bytes);
  for (size_t k = 0; k < n_units + n_guards; k++)
    unit_owner[arena_used / kUnit + k] = r;
  arena_used += span;
  regions.push_back(r);
  return r;
}

// What kernels wrote and no copy took back, in bytes.
static size_t unsaved_bytes(const Region& r) {
  size_t n = 0;
  if (!r.cells) return 0;
  for (size_t k = 0; k < n_cells(r); k++) n += (r.cells[k].flags & kUnsaved) != 0;
  return n << r.shift;
}

static void release(Region& r) {
  size_t unsaved = unsaved_bytes(r);
  if (unsaved)
    warn("never-copied-back", "results of kernels are freed that were never copied",
         r, unsaved);
  drop_cells(r);
  r.is_live = false;
  size_t pages = (r.bytes + 4095) / 4096 * 4096;
  madvise((void*)r.base, pages, MADV_DONTNEED);
  if (!checking) mprotect((void*)r.base, pages, PROT_NONE);
}

static void report_leaks() {
  for (Region* r : regions) {
    if (!r->is_live) continue;
    warn("leak", "device memory is not freed at exit", *r, r->bytes);
    size_t unsaved = unsaved_bytes(*r);
    if (unsaved)
      warn("never-copied-back", "results of kernels were never copied", *r, unsaved);
  }
}

static struct sigaction former_action;

static void on_fault(int signal, siginfo_t* info, void*) {
  auto address = (uintptr_t)info->si_addr;
  Place place = {nullptr, address, 1};
  if (is_device(address)) {
    place.region = nearest(address);
    if (!in_kernel) fault("host-access", "host code uses device memory", &place);
    outside(address, 1);
  }
  if (address - stacks_base < stacks_bytes)
    fault("stack-overflow", "the local variables of a thread need too much memory");
  if (in_kernel) {
    static char words[80];
    snprintf(words, sizeof words, "a kernel uses host memory at %p", (void*)address);
    fault("host-pointer", words);
  }
  sigaction(signal, &former_action, nullptr);  // happens again, there
}

static void start_up() {
  static bool is_started = false;
  if (is_started) return;
  is_started = true;
  const char* seed = getenv("PS_SHIM_SEED");
  random_state = 0x9e3779b97f4a7c15ull * (1 + (seed ? strtoull(seed, nullptr, 10) : 0));
  if (!random_state) random_state = 1;
  const char* check = getenv("PS_SHIM_CHECK");
  checking = !(check && strcmp(check, "0") == 0);
  if (checking && !is_instrumented) {
    fprintf(stderr, "ps-shim: warning: not-instrumented: compiled without "
                    "-fsanitize=thread, so loads and stores are not checked |\n");
    checking = false;
  }
  reserve_all();
  static char handler_stack[65536];
  stack_t stack = {};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof handler_stack;
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, &former_action);
  atexit(report_leaks);
}

}  // namespace ps
