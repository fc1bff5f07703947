"""The text in front of device code that a harness builds: times of kernels and copies.

Generated device code is compiled unchanged behind it. It takes the place of launches,
``cudaMemcpy``, ``cudaMalloc`` and ``cudaFree`` by macros: kernels run from a launch to
the next of the others.
``POLYSCHED_DEVICE_TIMES`` names a text file with the seconds of kernels and of copies.
Programs for which ``POLYSCHED_DEVICE_TURN`` names one file have the device one after
the other, each from before its clock starts to its end.
"""

DEVICE_TIMES_H = r"""
#include <cuda_runtime.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>

static double ps_kernel_seconds, ps_copy_seconds;
static cudaEvent_t ps_first, ps_last;
static int ps_is_running, ps_has_events;

static double ps_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void ps_write_times(void)
{
    const char *path = getenv("POLYSCHED_DEVICE_TIMES");
    FILE *file;
    if (path && (file = fopen(path, "w"))) {
        fprintf(file, "%.9f %.9f\n", ps_kernel_seconds, ps_copy_seconds);
        fclose(file);
    }
}

/* Waits until no other program has the turn; it is given back when this one ends. */
static void ps_take_turn(void)
{
    const char *path = getenv("POLYSCHED_DEVICE_TURN");
    int file = path && *path ? open(path, O_CREAT | O_RDWR, 0666) : -1;
    if (file >= 0 && flock(file, LOCK_EX))
        perror(path);
}

/* The device is ready and the clock of kernels stands; outside of what is timed. */
extern "C" void polysched_warm_up(void)
{
    if (ps_has_events)
        return;
    ps_has_events = 1;
    cudaFree(0);
    ps_take_turn();
    cudaEventCreate(&ps_first);
    cudaEventCreate(&ps_last);
    atexit(ps_write_times);
}

static void ps_kernels_begin(void)
{
    if (!ps_is_running && ps_has_events)
        ps_is_running = cudaEventRecord(ps_first, 0) == cudaSuccess;
}

static void ps_kernels_end(void)
{
    float milliseconds = 0;
    if (!ps_is_running)
        return;
    cudaEventRecord(ps_last, 0);
    cudaEventSynchronize(ps_last);
    cudaEventElapsedTime(&milliseconds, ps_first, ps_last);
    ps_kernel_seconds += 1e-3 * milliseconds;
    ps_is_running = 0;
}

static cudaError_t ps_timed_copy(void *to, const void *from, size_t bytes,
                                 cudaMemcpyKind way)
{
    double began;
    cudaError_t status;
    ps_kernels_end();
    began = ps_clock();
    status = cudaMemcpy(to, from, bytes, way);
    ps_copy_seconds += ps_clock() - began;
    return status;
}

static cudaError_t ps_timed_malloc(void **pointer, size_t bytes)
{
    ps_kernels_end();
    return cudaMalloc(pointer, bytes);
}

static cudaError_t ps_timed_free(void *pointer)
{
    ps_kernels_end();
    return cudaFree(pointer);
}

#ifdef PS_SHIM
#undef PS_LAUNCH
#define PS_LAUNCH(kernel, grid, block, bytes, ...) \
    (ps_kernels_begin(),                           \
     ps_shim::launch(#kernel, kernel, grid, block, bytes, ##__VA_ARGS__))
#else
#define PS_LAUNCH(kernel, grid, block, bytes, ...)            \
    do {                                                      \
        ps_kernels_begin();                                   \
        kernel<<<(grid), (block), (bytes)>>>(__VA_ARGS__);    \
    } while (0)
#define PS_NAME(pointer, name) ((void)0)
#endif
#define cudaMemcpy ps_timed_copy
#define cudaMalloc ps_timed_malloc
#define cudaFree ps_timed_free
"""
