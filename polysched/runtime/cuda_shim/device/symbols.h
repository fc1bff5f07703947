// Names of the static shared arrays of kernels, from the program's own symbol table.
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

static bool find_symbol(const char* file, size_t offset, std::string* name,
                        size_t* start) {
  auto* header = (const ElfW(Ehdr)*)file;
  auto* sections = (const ElfW(Shdr)*)(file + header->e_shoff);
  for (int k = 0; k < header->e_shnum; k++) {
    if (sections[k].sh_type != SHT_SYMTAB) continue;
    auto* symbols = (const ElfW(Sym)*)(file + sections[k].sh_offset);
    const char* strings = file + sections[sections[k].sh_link].sh_offset;
    for (size_t n = 0; n < sections[k].sh_size / sizeof *symbols; n++) {
      const auto& s = symbols[n];
      if (ELF64_ST_TYPE(s.st_info) != STT_TLS || offset - s.st_value >= s.st_size)
        continue;
      *name = short_name(strings + s.st_name);
      *start = s.st_value;
      return true;
    }
  }
  return false;
}

// The array that holds a shared address, and its start; "shared" if the program has
// no symbols or the address lies between arrays.
static std::string static_name(uintptr_t address, uintptr_t* base) {
  std::string name = "shared";
  *base = shared_base;
  int descriptor = open("/proc/self/exe", O_RDONLY);
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) != 0) return name;
  void* file = mmap(nullptr, (size_t)status.st_size, PROT_READ, MAP_PRIVATE,
                    descriptor, 0);
  if (file == MAP_FAILED) return name;
  size_t start = 0;
  if (find_symbol((const char*)file, address - shared_base, &name, &start))
    *base = shared_base + start;
  return name;
}

}  // namespace ps
