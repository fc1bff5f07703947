// Static shared arrays of kernels, from the program's own symbol table.
#pragma once
#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "state.h"

namespace ps {

// The last part of a name, without the kernel it belongs to.
static std::string short_name(const char* symbol) {
  char* full = abi::__cxa_demangle(symbol, nullptr, nullptr, nullptr);
  std::string name = full ? full : symbol;
  free(full);
  size_t colon = name.rfind("::");
  return colon == std::string::npos ? name : name.substr(colon + 2);
}

// A static array of some kernel: where it lies in the shared range.
struct StaticArray {
  size_t start, bytes;
  std::string name;
};

static std::vector<StaticArray> read_static_arrays() {
  std::vector<StaticArray> found;
  int descriptor = open("/proc/self/exe", O_RDONLY);
  struct stat status;
  if (descriptor < 0) return found;
  void* mapped = MAP_FAILED;
  if (fstat(descriptor, &status) == 0)
    mapped = mmap(nullptr, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  close(descriptor);
  if (mapped == MAP_FAILED) return found;
  auto* file = (const char*)mapped;
  auto* header = (const ElfW(Ehdr)*)file;
  auto* sections = (const ElfW(Shdr)*)(file + header->e_shoff);
  for (int k = 0; k < header->e_shnum; k++) {
    if (sections[k].sh_type != SHT_SYMTAB) continue;
    auto* symbols = (const ElfW(Sym)*)(file + sections[k].sh_offset);
    const char* strings = file + sections[sections[k].sh_link].sh_offset;
    for (size_t n = 0; n < sections[k].sh_size / sizeof *symbols; n++) {
      const auto& s = symbols[n];
      if (ELF64_ST_TYPE(s.st_info) == STT_TLS && s.st_shndx != SHN_UNDEF && s.st_size)
        found.push_back({s.st_value, s.st_size, short_name(strings + s.st_name)});
    }
  }
  munmap(mapped, (size_t)status.st_size);
  return found;
}

// For each byte of shared memory the number of its array, 0 between arrays; empty if
// the program has no symbols.
static std::vector<StaticArray> static_arrays;
static std::vector<uint16_t> array_of_byte;

static void find_static_arrays() {
  static_arrays = read_static_arrays();
  array_of_byte.assign(static_arrays.empty() ? 0 : shared_bytes, 0);
  for (size_t k = 0; k < static_arrays.size(); k++) {
    const StaticArray& a = static_arrays[k];
    for (size_t n = a.start; n < a.start + a.bytes && n < array_of_byte.size(); n++)
      array_of_byte[n] = (uint16_t)(k + 1);
  }
}

// The array nearest to a shared address, and its start; "shared" if there is none.
static std::string static_name(uintptr_t address, uintptr_t* base) {
  size_t offset = address - shared_base;
  const StaticArray* nearest = nullptr;
  for (const StaticArray& a : static_arrays)
    if (a.start <= offset && (!nearest || a.start > nearest->start)) nearest = &a;
  *base = shared_base + (nearest ? nearest->start : 0);
  return nearest ? nearest->name : "shared";
}

}  // namespace ps
