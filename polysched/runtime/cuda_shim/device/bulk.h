// Bulk copies: rows of bytes that a phase of a barrier in shared memory waits for.
#pragma once
#include "copies.h"

namespace ps {

static uintptr_t check_barrier(const void* barrier) {
  auto address = (uintptr_t)barrier;
  if (address - shared_base >= shared_bytes)
    fault("bad-copy", "the barrier of a bulk copy has to be in shared memory");
  if (address % 8) misaligned(address, 8);
  return address;
}

static unsigned find_phase(const void* barrier) {
  uintptr_t address = check_barrier(barrier);
  if (checking) access<Use::read>(address, 8, 8);
  for (unsigned k = 0; k < phases.size(); k++)
    if (phases[k].barrier == barrier) return k;
  Place place = {&shared, address, 8};
  fault("uninitialised", "a barrier is used that has not begun", &place);
}

static void end_phase(unsigned k) {
  Phase& p = phases[k];
  now++;
  for (const Copy& c : p.copies) finish_copy(c, (uint16_t)(kPhaseWriter + k));
  p.copies.clear();
  p.number++;
  p.has_arrival = false;
  p.expected_bytes = p.copied_bytes = 0;
}

static void check_bytes(const Phase& p) {
  if (!p.has_arrival || p.copied_bytes <= p.expected_bytes) return;
  static char words[120];
  snprintf(words, sizeof words, "copies of %zu bytes in a phase that expects %zu",
           p.copied_bytes, p.expected_bytes);
  Place place = {&shared, (uintptr_t)p.barrier, 8};
  fault("wrong-bytes", words, &place);
}

static void check_bulk(const Copy& c) {
  auto to = (uintptr_t)c.to, from = (uintptr_t)c.from;
  Place place = {&shared, to, c.bytes};
  if (to - shared_base >= shared_bytes)
    fault("bad-copy", "a bulk copy has to write to shared memory");
  if (!c.bytes || c.bytes % 16)
    fault("misaligned", "a bulk copy moves a multiple of 16 bytes", &place);
  if (to % 16) misaligned(to, 16);
  if (from % 16) misaligned(from, 16);
  if (!is_device(from))
    fault("host-pointer", "a bulk copy has to read device memory", &place);
}

// Whoever begins a copy has to tell it of what threads wrote there before.
static void check_fenced(const Copy& c) {
  const Thread& t = *current;
  auto to = (uintptr_t)c.to;
  Cell* end = cells_end(shared, to - shared_base, c.bytes);
  for (Cell* s = cells_of(shared, to - shared_base, c.bytes); s < end; s++) {
    bool is_written = s->write >= block_first && s->writer < kPhaseWriter;
    if (!is_written || t.fenced >= t.block_phase) continue;
    Place place = {&shared, to, c.bytes};
    fault("unfenced-copy", "a bulk copy to where threads wrote, without a fence before it",
          &place);
  }
}

}  // namespace ps

extern "C" {

void ps_phase_begin(unsigned long long* barrier) {
  uintptr_t address = ps::check_barrier(barrier);
  ps::Place place = {&ps::shared, address, 8};
  if (ps::checking) ps::access<ps::Use::write>(address, 8, 8);
  for (const ps::Phase& p : ps::phases)
    if (p.barrier == barrier)
      ps::fault("phase-overflow", "a barrier begins a second time", &place);
  ps::phases.push_back({barrier});
}

void ps_phase_expect(unsigned long long* barrier, unsigned n_bytes) {
  unsigned k = ps::find_phase(barrier);
  ps::Phase& p = ps::phases[k];
  ps::Place place = {&ps::shared, (uintptr_t)barrier, 8};
  if (p.has_arrival)
    ps::fault("phase-overflow", "a second arrival in a phase that nobody saw end", &place);
  p.has_arrival = true;
  p.expected_bytes = n_bytes;
  ps::check_bytes(p);
  if (p.copies.empty() && ps::is_at_end(p)) ps::end_phase(k);
}

void ps_phase_wait(unsigned long long* barrier, unsigned parity) {
  ps::Thread& t = *ps::current;
  unsigned k = t.awaited = ps::find_phase(barrier);
  t.parity = parity;
  while (!ps::has_ended(t)) {
    t.status = ps::Status::at_phase;
    ps::leave();
  }
  if (ps::phases[k].number % 2 == parity) ps::end_phase(k);
  if (t.seen.size() <= k) t.seen.resize(k + 1);
  t.seen[k] = ps::now;
}

void ps_bulk_fence(void) { ps::current->fenced = ps::now; }

void ps_bulk_copy(void* to, const void* from, unsigned n_bytes,
                  unsigned long long* barrier) {
  ps::Phase& p = ps::phases[ps::find_phase(barrier)];
  ps::Copy copy = {(unsigned char*)to, (const unsigned char*)from, n_bytes, 0, 0};
  ps::check_bulk(copy);
  if (ps::checking) {
    ps::check_fenced(copy);
    ps::begin_copy(copy);
  }
  p.copied_bytes += n_bytes;
  p.issuer = (uint16_t)ps::current->id;
  p.copies.push_back(copy);
  ps::check_bytes(p);
}
}
