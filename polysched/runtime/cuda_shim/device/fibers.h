// Threads of a block as fibers that share one host thread.
#pragma once
#include "shadow.h"

#if !defined(__x86_64__) && !defined(__aarch64__)
#define PS_SHIM_UCONTEXT 1  // elsewhere, and wherever it is asked for: slow
#endif
#ifdef PS_SHIM_UCONTEXT
#include <ucontext.h>
#endif

namespace ps {
static void run_thread();
static void* scheduler_pointer = nullptr;
}  // namespace ps

#if defined(PS_SHIM_UCONTEXT)
// A context lies at the top of its fiber's stack; the scheduler's is static.
static void ps_shim_switch(void** save, void* next) {
  static ucontext_t scheduler;
  bool leaves_scheduler = save == &ps::scheduler_pointer;
  ucontext_t* here = leaves_scheduler ? &scheduler : (ucontext_t*)*save;
  if (leaves_scheduler) *save = &scheduler;
  swapcontext(here, (ucontext_t*)next);
}
#elif defined(__x86_64__)
extern "C" void ps_shim_switch(void** save, void* next);
asm(R"(
.text
.p2align 4
.hidden ps_shim_switch
.globl ps_shim_switch
.type ps_shim_switch, @function
ps_shim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size ps_shim_switch, .-ps_shim_switch
)");
#elif defined(__aarch64__)
extern "C" void ps_shim_switch(void** save, void* next);
asm(R"(
.text
.p2align 4
.hidden ps_shim_switch
.globl ps_shim_switch
.type ps_shim_switch, %function
ps_shim_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size ps_shim_switch, .-ps_shim_switch
)");
#endif

namespace ps {

static std::vector<unsigned char*> free_stacks;
static size_t n_stacks = 0;

static unsigned char* take_stack() {
  if (!free_stacks.empty()) {
    unsigned char* stack = free_stacks.back();
    free_stacks.pop_back();
    return stack;
  }
  auto* stack = (unsigned char*)stacks_base + n_stacks++ * kStack;
  if (mprotect(stack + 4096, kStack - 4096, PROT_READ | PROT_WRITE) != 0)
    fault("no-memory", "no memory for the stack of a thread");
  return stack;
}

// A stack on which the first switch enters run_thread.
static void* prepare_stack(unsigned char* stack) {
  unsigned char* top = stack + kStack;
#if defined(PS_SHIM_UCONTEXT)
  auto* context = (ucontext_t*)(top - (sizeof(ucontext_t) + 63) / 64 * 64);
  getcontext(context);
  context->uc_stack.ss_sp = stack + 4096;
  context->uc_stack.ss_size = (size_t)((unsigned char*)context - stack) - 4096;
  context->uc_link = nullptr;
  makecontext(context, (void (*)())run_thread, 0);
  return context;
#elif defined(__x86_64__)
  void** words = (void**)top - 10;
  memset(words, 0, 80);
  words[6] = (void*)run_thread;  // below it lie the six saved registers
  return words;
#elif defined(__aarch64__)
  void** words = (void**)(top - 160);
  memset(words, 0, 160);
  words[11] = (void*)run_thread;
  return words;
#endif
}

static void leave() { ps_shim_switch(&current->stack_pointer, scheduler_pointer); }

static void enter(Thread& t) {
  if (t.status == Status::fresh) {
    t.stack = take_stack();
    t.stack_pointer = prepare_stack(t.stack);
    t.status = Status::ready;
  }
  current = &t;
  PS_SHIM_SET(thread, t.index);
  ps_shim_switch(&scheduler_pointer, t.stack_pointer);
  if (t.status == Status::done) free_stacks.push_back(t.stack);
}

// Where every fiber begins and ends.
static void run_thread() {
  launch.start(launch.kernel, launch.arguments);
  Thread& t = *current;
  if (!t.copies.empty()) {
    const Copy& c = t.copies.front();
    Place place = {&shared, (uintptr_t)c.to, c.bytes};
    fault("undrained-copy", "a thread ends with an asynchronous copy under way",
          &place);
  }
  t.status = Status::done;
  leave();
  __builtin_unreachable();
}

[[noreturn]] static void diverged(const Thread& a, const Thread& b) {
  auto where = [](const Thread& t, char* text, size_t size) {
    if (t.status == Status::done)
      snprintf(text, size, "has ended");
    else
      snprintf(text, size, "waits at the %s of line %u",
               t.status == Status::at_barrier ? "barrier" : "warp operation", t.line);
  };
  static char words[200], first[64], second[64];
  where(a, first, sizeof first);
  where(b, second, sizeof second);
  snprintf(words, sizeof words, "a thread %s while another %s", first, second);
  current = const_cast<Thread*>(&a);
  fault("barrier-divergence", words, nullptr, {self().block, b.id});
}

static void release_barrier() {
  unsigned n = launch.n_threads;
  Thread& first = threads[0];
  int n_true = 0;
  for (unsigned k = 0; k < n; k++) {
    Thread& t = threads[k];
    if (t.status != Status::at_barrier || first.status != Status::at_barrier ||
        t.line != first.line || t.barrier_kind != first.barrier_kind) {
      bool waits = first.status != Status::done;
      diverged(waits ? first : t, waits ? t : first);
    }
    n_true += t.offered != 0;
  }
  now++;
  int kind = first.barrier_kind;
  int result = kind == 2 ? n_true == (int)n : kind == 3 ? n_true > 0 : n_true;
  for (unsigned k = 0; k < n; k++) {
    threads[k].status = Status::ready;
    threads[k].block_phase = threads[k].warp_phase = now;
    threads[k].received = (unsigned long long)result;
  }
}

// ---- phases of bulk copies ----

static bool is_at_end(const Phase& p) {
  return p.has_arrival && p.copied_bytes == p.expected_bytes;
}

// Whether the phase that a thread waits for has ended, or may.
static bool has_ended(const Thread& t) {
  const Phase& p = phases[t.awaited];
  return p.number % 2 != t.parity || is_at_end(p);
}

[[noreturn]] static void stuck(Thread& t) {
  const Phase& p = phases[t.awaited];
  static char words[160];
  snprintf(words, sizeof words,
           "a thread waits for a phase that never ends: %zu bytes copied of %zu, %s",
           p.copied_bytes, p.expected_bytes,
           p.has_arrival ? "arrived at" : "nobody arrived");
  current = &t;
  Place place = {&shared, (uintptr_t)p.barrier, 8};
  fault("phase-stuck", words, &place);
}

static void check_drained() {
  for (const Phase& p : phases) {
    if (p.copies.empty()) continue;
    Place place = {&shared, (uintptr_t)p.copies.front().to, p.copies.front().bytes};
    fault("undrained-copy", "a block ends with a bulk copy under way", &place);
  }
}

// Runs every thread until it waits or ends; in another order each time.
static void run_block(uint32_t number) {
  unsigned n = launch.n_threads;
  static uint16_t order[kMaxThreads];
  uint3 place = {number % launch.grid.x, number / launch.grid.x % launch.grid.y,
                 number / launch.grid.x / launch.grid.y};
  PS_SHIM_SET(block, place);
  block_first = ++now;
  launch.blocks.push_back({now, number});
  memset(ps_shared, 0xff, launch.shared_bytes);
  for (unsigned k = 0; k < n; k++) {
    Thread& t = threads[k];
    order[k] = (uint16_t)k;
    t.id = k;
    t.index = {k % launch.block.x, k / launch.block.x % launch.block.y,
               k / launch.block.x / launch.block.y};
    t.status = Status::fresh;
    t.block_phase = t.warp_phase = now;
    t.n_groups = 0;
    t.fenced = 0;
    t.seen.clear();
  }
  phases.clear();
  for (;;) {
    shuffle(order, n);
    bool progress = true;
    while (progress) {
      progress = false;
      for (unsigned k = 0; k < n; k++) {
        Thread& t = threads[order[k]];
        if (t.status == Status::at_phase && has_ended(t)) t.status = Status::ready;
        if (t.status > Status::ready) continue;
        enter(t);
        progress = true;
      }
    }
    unsigned n_done = 0;
    for (unsigned k = 0; k < n; k++) {
      if (threads[k].status == Status::at_phase) stuck(threads[k]);
      n_done += threads[k].status == Status::done;
    }
    if (n_done == n) return check_drained();
    release_barrier();
  }
}

// ---- warps ----

static Thread* warp_of(const Thread& t) { return threads + (t.id & ~31u); }

static unsigned warp_lanes(const Thread& t) {
  unsigned n = launch.n_threads - (t.id & ~31u);
  return n >= 32 ? ~0u : (1u << n) - 1;
}

// Waits for the lanes of `mask`; true in the one lane that arrives last.
static bool meet(unsigned mask, unsigned line, bool orders_memory) {
  Thread& t = *current;
  mask &= warp_lanes(t);
  if (!(mask >> (t.id & 31) & 1))
    fault("barrier-divergence", "a thread calls a warp operation whose mask omits it");
  t.mask = mask;
  t.line = line;
  t.orders_memory = orders_memory;
  t.status = Status::at_warp;
  Thread* warp = warp_of(t);
  for (unsigned lane = 0; lane < 32; lane++) {
    if (!(mask >> lane & 1)) continue;
    Thread& o = warp[lane];
    if (o.status == Status::done) diverged(t, o);
    if (o.status == Status::at_warp && (o.line != line || o.mask != mask))
      diverged(t, o);
    if (o.status != Status::at_warp) {
      leave();
      return false;
    }
  }
  return true;
}

static void release_warp() {
  Thread& t = *current;
  Thread* warp = warp_of(t);
  if (t.orders_memory) now++;
  std::vector<uint32_t> seen(phases.size());
  for (unsigned lane = 0; lane < 32; lane++) {
    if (!(t.mask >> lane & 1)) continue;
    const std::vector<uint32_t>& own = warp[lane].seen;
    for (size_t k = 0; k < own.size(); k++) seen[k] = own[k] > seen[k] ? own[k] : seen[k];
  }
  for (unsigned lane = 0; lane < 32; lane++) {
    if (!(t.mask >> lane & 1)) continue;
    warp[lane].status = Status::ready;
    if (!t.orders_memory) continue;
    warp[lane].warp_phase = now;
    warp[lane].seen = seen;
  }
}

}  // namespace ps

extern "C" {

int ps_shim_barrier(unsigned line, int kind, int predicate) {
  ps::Thread& t = *ps::current;
  t.line = line;
  t.barrier_kind = kind;
  t.offered = (unsigned long long)predicate;
  t.status = ps::Status::at_barrier;
  ps::leave();
  return (int)t.received;
}

void ps_shim_warp_barrier(unsigned mask, unsigned line) {
  if (ps::meet(mask, line, true)) ps::release_warp();
}

unsigned ps_shim_lane(void) { return ps::current->id & 31; }

unsigned ps_shim_active(unsigned mask) { return mask & ps::warp_lanes(*ps::current); }

unsigned long long ps_shim_exchange(unsigned mask, unsigned long long value,
                                    unsigned lane, unsigned line) {
  ps::Thread& t = *ps::current;
  t.offered = value;
  // What a lane outside the mask holds is undefined: all ones, no number.
  t.received = lane;
  if (ps::meet(mask, line, false)) {
    ps::Thread* warp = ps::warp_of(t);
    unsigned long long values[32];
    for (unsigned k = 0; k < 32; k++)
      values[k] = t.mask >> k & 1 ? warp[k].offered : ~0ull;
    for (unsigned k = 0; k < 32; k++)
      if (t.mask >> k & 1)
        warp[k].received = warp[k].received < 32 ? values[warp[k].received] : ~0ull;
    ps::release_warp();
  }
  return t.received;
}

unsigned ps_shim_ballot(unsigned mask, int predicate, unsigned line) {
  ps::Thread& t = *ps::current;
  t.offered = (unsigned long long)predicate;
  if (ps::meet(mask, line, false)) {
    ps::Thread* warp = ps::warp_of(t);
    unsigned votes = 0;
    for (unsigned k = 0; k < 32; k++)
      if (t.mask >> k & 1 && warp[k].offered) votes |= 1u << k;
    for (unsigned k = 0; k < 32; k++)
      if (t.mask >> k & 1) warp[k].received = votes;
    ps::release_warp();
  }
  return (unsigned)t.received;
}

int ps_shim_gather(unsigned line, void* mine, void** all) {
  ps::Thread& t = *ps::current;
  if (ps::warp_lanes(t) != ~0u)
    ps::fault("barrier-divergence", "a matrix operation needs 32 lanes in the warp");
  t.offered = (unsigned long long)(uintptr_t)mine;
  if (!ps::meet(~0u, line, false)) return 0;
  for (unsigned k = 0; k < 32; k++)
    all[k] = (void*)(uintptr_t)ps::warp_of(t)[k].offered;
  return 1;
}

void ps_shim_dismiss(void) { ps::release_warp(); }
}
