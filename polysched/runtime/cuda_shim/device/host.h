// The host interface: allocation, copies, launches, streams, events, properties.
#pragma once
#include "memory.h"

namespace ps {

static cudaError_t last_error = cudaSuccess;
static std::map<const void*, size_t> dynamic_limits;

static cudaError_t answer(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

static bool reads_device(cudaMemcpyKind kind, const void* from) {
  if (kind == cudaMemcpyDefault) return is_device((uintptr_t)from);
  return kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
}

static bool writes_device(cudaMemcpyKind kind, const void* to) {
  if (kind == cudaMemcpyDefault) return is_device((uintptr_t)to);
  return kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
}

// The pointers of a copy have to be what its kind says; bounds count on the device.
static void check_side(const void* pointer, size_t bytes, bool is_on_device) {
  Place place = {nullptr, (uintptr_t)pointer, bytes};
  bool found = is_device((uintptr_t)pointer);
  if (found) place.region = nearest((uintptr_t)pointer);
  if (found != is_on_device)
    fault("bad-copy", found ? "a copy takes a device pointer for a host pointer"
                            : "a copy takes a host pointer for a device pointer",
          &place);
  if (is_on_device) device_region((uintptr_t)pointer, bytes);
}

static void copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  bool reads = reads_device(kind, from), writes = writes_device(kind, to);
  check_side(from, bytes, reads);
  check_side(to, bytes, writes);
  if (checking && reads) check_written((uintptr_t)from, bytes, !writes);
  memmove(to, from, bytes);
  if (checking && writes) mark_written((uintptr_t)to, bytes);
}

static cudaError_t check_launch(const void* kernel, dim3 grid, dim3 block,
                                size_t bytes) {
  size_t n_threads = (size_t)block.x * block.y * block.z;
  if (!n_threads || !grid.x || !grid.y || !grid.z) return cudaErrorInvalidConfiguration;
  if (block.x > 1024 || block.y > 1024 || block.z > 64 || n_threads > kMaxThreads)
    return cudaErrorInvalidConfiguration;
  if (grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    return cudaErrorInvalidConfiguration;
  auto limit = dynamic_limits.find(kernel);
  if (bytes > (limit == dynamic_limits.end() ? kPlainShared : limit->second))
    return cudaErrorInvalidValue;
  return cudaSuccess;
}

static void run_grid() {
  size_t n = (size_t)launch.grid.x * launch.grid.y * launch.grid.z;
  std::vector<uint32_t> order(n);
  for (size_t k = 0; k < n; k++) order[k] = (uint32_t)k;
  shuffle(order.data(), (uint32_t)n);
  for (uint32_t number : order) run_block(number);
}

static double seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};
static const ErrorText error_texts[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorInvalidDevicePointer, "cudaErrorInvalidDevicePointer",
     "invalid device pointer"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle",
     "invalid resource handle"},
};

}  // namespace ps

struct ps_shim_event {
  double seconds;
};
struct ps_shim_stream {
  unsigned flags;
};

extern "C" {

cudaError_t ps_shim_malloc(void** pointer, size_t bytes) {
  ps::start_up();
  if (!pointer) return ps::answer(cudaErrorInvalidValue);
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  ps::Region* r = ps::allocate(bytes);
  if (!r) return ps::answer(cudaErrorMemoryAllocation);
  *pointer = (void*)r->base;
  return cudaSuccess;
}

cudaError_t ps_shim_malloc_host(void** pointer, size_t bytes) {
  *pointer = malloc(bytes);
  return *pointer || !bytes ? cudaSuccess : ps::answer(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void* pointer) {
  free(pointer);
  return cudaSuccess;
}

cudaError_t cudaFree(void* pointer) {
  if (!pointer) return cudaSuccess;
  ps::start_up();
  ps::Region* r = ps::find_region(pointer);
  if (!r || r->base != (uintptr_t)pointer) return ps::answer(cudaErrorInvalidValue);
  ps::Place place = {r, r->base, r->bytes};
  if (!r->is_live) ps::fault("use-after-free", "device memory is freed twice", &place);
  ps::release(*r);
  return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t) { return cudaFree(pointer); }

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return cudaMemcpy2D(to, bytes, from, bytes, bytes, 1, kind);
}

cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from,
                         size_t from_pitch, size_t width, size_t height,
                         cudaMemcpyKind kind) {
  ps::start_up();
  if (!width || !height) return cudaSuccess;
  if (width > to_pitch || width > from_pitch) return ps::answer(cudaErrorInvalidValue);
  ps::settle_memory(true);
  for (size_t k = 0; k < height; k++)
    ps::copy((char*)to + k * to_pitch, (const char*)from + k * from_pitch, width, kind);
  ps::settle_memory(false);
  return cudaSuccess;
}

cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  return cudaMemset2D(to, bytes, value, bytes, 1);
}

cudaError_t cudaMemset2D(void* to, size_t pitch, int value, size_t width,
                         size_t height) {
  ps::start_up();
  if (!width || !height) return cudaSuccess;
  if (width > pitch) return ps::answer(cudaErrorInvalidValue);
  ps::settle_memory(true);
  for (size_t k = 0; k < height; k++) {
    char* row = (char*)to + k * pitch;
    ps::check_side(row, width, true);
    memset(row, value, width);
    if (ps::checking) ps::mark_written((uintptr_t)row, width);
  }
  ps::settle_memory(false);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  ps::start_up();
  *total_bytes = ps::arena_bytes;
  *free_bytes = ps::arena_bytes - ps::arena_used;
  return cudaSuccess;
}

cudaError_t ps_shim_set_attribute(const void* kernel, cudaFuncAttribute what,
                                  int value) {
  if (what == cudaFuncAttributePreferredSharedMemoryCarveout) return cudaSuccess;
  if (what != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
      (size_t)value > ps::kMaxShared)
    return ps::answer(cudaErrorInvalidValue);
  ps::dynamic_limits[kernel] = (size_t)value;
  return cudaSuccess;
}

cudaError_t ps_shim_launch(const char* name, const void* kernel, dim3 grid, dim3 block,
                           size_t bytes, void (*start)(const void*, void*),
                           void* arguments, size_t arguments_bytes) {
  ps::start_up();
  cudaError_t error = ps::check_launch(kernel, grid, block, bytes);
  if (error != cudaSuccess) return ps::answer(error);
  ps::Launch& l = ps::launch;
  l.name = name;
  l.kernel = kernel;
  l.start = start;
  l.arguments = arguments;
  l.arguments_bytes = arguments_bytes;
  l.shared_bytes = bytes;
  l.n_threads = block.x * block.y * block.z;
  l.grid = grid;
  l.block = block;
  PS_SHIM_SET(block_shape, block);
  PS_SHIM_SET(grid_shape, grid);
  l.blocks.clear();
  ps::start_shared();
  ps::launch_first = ++ps::now;
  ps::settle_memory(true);
  ps::in_kernel = true;
  ps::run_grid();
  ps::in_kernel = false;
  ps::current = nullptr;
  ps::settle_memory(false);
  return cudaSuccess;
}

void ps_shim_name(const void* pointer, const char* name, size_t element_bytes) {
  ps::Region* r = ps::find_region(pointer);
  if (!r) return;
  r->name = name;
  r->element_bytes = element_bytes > 1 ? element_bytes : 0;
}

cudaError_t cudaGetLastError(void) {
  cudaError_t error = ps::last_error;
  ps::last_error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError(void) { return ps::last_error; }

const char* cudaGetErrorString(cudaError_t error) {
  for (const auto& e : ps::error_texts)
    if (e.error == error) return e.text;
  return "unrecognized error code";
}
const char* cudaGetErrorName(cudaError_t error) {
  for (const auto& e : ps::error_texts)
    if (e.error == error) return e.name;
  return "unrecognized error code";
}

cudaError_t cudaDeviceSynchronize(void) { return cudaSuccess; }
cudaError_t cudaDeviceReset(void) { return cudaSuccess; }
cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess : ps::answer(cudaErrorInvalidDevice);
}
cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
  if (device != 0) return ps::answer(cudaErrorInvalidDevice);
  memset(p, 0, sizeof *p);
  snprintf(p->name, sizeof p->name, "CPU shim with the limits of an H100");
  p->totalGlobalMem = (size_t)64 << 30;
  p->totalConstMem = 65536;
  p->sharedMemPerBlock = ps::kPlainShared;
  p->sharedMemPerBlockOptin = ps::kMaxShared;
  p->sharedMemPerMultiprocessor = 233472;
  p->regsPerBlock = p->regsPerMultiprocessor = 65536;
  p->warpSize = 32;
  p->maxThreadsPerBlock = p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
  p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 0x7fffffff;
  p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->major = 9;
  p->multiProcessorCount = 132;
  p->maxThreadsPerMultiProcessor = 2048;
  p->maxBlocksPerMultiProcessor = 32;
  p->l2CacheSize = 50 << 20;
  p->clockRate = 1980000;
  p->memoryClockRate = 2619000;
  p->memoryBusWidth = 5120;
  p->concurrentKernels = 1;
  p->asyncEngineCount = 3;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp p;
  cudaError_t error = cudaGetDeviceProperties(&p, device);
  if (error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: *value = p.maxThreadsPerBlock; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = (int)p.sharedMemPerBlock; break;
    case cudaDevAttrWarpSize: *value = p.warpSize; break;
    case cudaDevAttrMultiProcessorCount: *value = p.multiProcessorCount; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = p.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrComputeCapabilityMajor: *value = p.major; break;
    case cudaDevAttrComputeCapabilityMinor: *value = p.minor; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = (int)p.sharedMemPerMultiprocessor;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = (int)p.sharedMemPerBlockOptin;
      break;
    default: return ps::answer(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return *stream = new ps_shim_stream{0}, cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return *stream = new ps_shim_stream{flags}, cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return delete stream, cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) {
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return *event = new ps_shim_event{-1}, cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return cudaEventCreate(event);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  return event->seconds = ps::seconds(), cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start,
                                 cudaEvent_t stop) {
  if (start->seconds < 0 || stop->seconds < 0)
    return ps::answer(cudaErrorInvalidResourceHandle);
  *milliseconds = (float)(1e3 * (stop->seconds - start->seconds));
  return cudaSuccess;
}
}
