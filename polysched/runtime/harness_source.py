"""The C text of the harness: timers and dump, linked to the user's program.

Only a few declarations inside a block enter the user's own file. Three files are
written when ``POLYSCHED_DUMP`` names a path P: ``P.data`` (bytes of the elements),
``P.rows`` (for each run of consecutive elements its length and first subscripts, as
64-bit integers) and ``P.toc`` (what lies where, as text; its last line is ``end``, so
that a truncated dump is noticed). ``POLYSCHED_TIMES`` names a text file with the number
of calls and the seconds inside the region.
"""

HARNESS_C = r"""
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define MAX_DIMS 16
#define BUFFER_BYTES (1 << 20)

static double total_seconds;
static struct timespec entered;
static unsigned long long n_calls, n_bytes, limit_bytes;
static FILE *data_file, *rows_file, *toc_file;
static int is_open, has_failed;

static int array_id, n_dims, is_cut;
static unsigned long long element_bytes, array_bytes, n_rows;

static FILE *open_part(const char *path, const char *suffix)
{
    char name[4096];
    FILE *file;
    snprintf(name, sizeof name, "%s.%s", path, suffix);
    file = fopen(name, "wb");
    if (!file)
        has_failed = 1;
    else
        setvbuf(file, NULL, _IOFBF, BUFFER_BYTES);
    return file;
}

static void put(const void *bytes, size_t size, FILE *file)
{
    if (size && fwrite(bytes, 1, size, file) != size)
        has_failed = 1;
}

__attribute__((constructor)) static void polysched_start(void)
{
    const char *parent = getenv("POLYSCHED_PARENT");
    const char *path = getenv("POLYSCHED_DUMP");
    const char *limit = getenv("POLYSCHED_DUMP_BYTES");
#ifdef __linux__
    if (parent) { /* die with the tuner, even if it is killed */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != (pid_t)atol(parent))
            raise(SIGKILL);
    }
#else
    (void)parent;
#endif
    limit_bytes = limit ? strtoull(limit, NULL, 10) : 512ull << 20;
    if (!path)
        return;
    data_file = open_part(path, "data");
    rows_file = open_part(path, "rows");
    toc_file = open_part(path, "toc");
    is_open = !has_failed;
}

__attribute__((destructor)) static void polysched_stop(void)
{
    const char *path = getenv("POLYSCHED_TIMES");
    FILE *file;
    if (path && (file = fopen(path, "w"))) {
        fprintf(file, "%llu %.9f\n", n_calls, total_seconds);
        fclose(file);
    }
    if (!is_open)
        return;
    if (fclose(data_file) || fclose(rows_file))
        has_failed = 1;
    fprintf(toc_file, has_failed ? "failed\n" : "end %llu\n", n_calls);
    fclose(toc_file);
    is_open = 0;
}

/* there where the program has device code */
extern void polysched_warm_up(void) __attribute__((weak));

void polysched_begin(void)
{
    if (polysched_warm_up)
        polysched_warm_up();
    clock_gettime(CLOCK_MONOTONIC, &entered);
}

/* Whether the next call's results are to be dumped: calls 1, 2, 4, 8, ... */
int polysched_is_wanted(void)
{
    return is_open && ((n_calls + 1) & n_calls) == 0;
}

/* Whether this call's results are. */
int polysched_end(void)
{
    struct timespec left;
    clock_gettime(CLOCK_MONOTONIC, &left);
    total_seconds += (double)(left.tv_sec - entered.tv_sec)
                   + 1e-9 * (double)(left.tv_nsec - entered.tv_nsec);
    n_calls++;
    return is_open && (n_calls & (n_calls - 1)) == 0;
}

void polysched_parameter(int number, long long value)
{
    fprintf(toc_file, "parameter %llu %d %lld\n", n_calls, number, value);
}

void polysched_array(int id, unsigned long size, int dims)
{
    array_id = id;
    element_bytes = size;
    n_dims = dims;
    array_bytes = n_rows = 0;
    is_cut = 0;
}

/* `count` elements from `first` on; the subscripts of the first follow. */
void polysched_row(const void *first, long count, ...)
{
    int64_t row[1 + MAX_DIMS];
    size_t head = (size_t)(1 + n_dims) * sizeof row[0];
    unsigned long long size = (unsigned long long)count * element_bytes;
    va_list rest;
    int k;
    if (count <= 0)
        return;
    if (n_bytes + size + head > limit_bytes) {
        is_cut = 1;
        return;
    }
    row[0] = count;
    va_start(rest, count);
    for (k = 0; k < n_dims; k++)
        row[1 + k] = va_arg(rest, long);
    va_end(rest);
    put(row, head, rows_file);
    put(first, size, data_file);
    n_bytes += size + head;
    array_bytes += size;
    n_rows++;
}

void polysched_array_end(void)
{
    fprintf(toc_file, "array %llu %d %llu %d %llu %llu %d\n", n_calls, array_id,
            element_bytes, n_dims, n_rows, array_bytes, is_cut);
}

/* For generated drivers: memory with seeded values, numbers no compiler can see. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

long long polysched_integer(long long value)
{
    static volatile long long hidden;
    hidden = value;
    return hidden;
}

double polysched_real(double value)
{
    static volatile double hidden;
    hidden = value;
    return hidden;
}

#ifdef POLYSCHED_BLOCKS
#ifdef __GLIBC__
/* Blocks of the heap, by their begins: how large an array is that a pointer leads to.
   All begin as zeros, so that elements that nobody sets compare equal. */
#define MAX_BLOCKS (1u << 18)
#define SMALLEST 16

extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static struct block { char *first; size_t size; } blocks[MAX_BLOCKS];
static char removed;
static int blocks_lock;

static struct block *slot_of(const char *first, int is_new)
{
    size_t k = ((uintptr_t)first >> 4) * 0x9e3779b97f4a7c15ull >> 20;
    unsigned n;
    for (n = 0; n < MAX_BLOCKS; n++) {
        struct block *b = &blocks[(k + n) % MAX_BLOCKS];
        if (b->first == first || (is_new && (!b->first || b->first == &removed)))
            return b;
        if (!b->first)
            break;
    }
    return NULL;
}

static void note(void *memory, size_t size, int is_new)
{
    struct block *b;
    if (!memory || (is_new && size < SMALLEST))
        return;
    while (__atomic_test_and_set(&blocks_lock, __ATOMIC_ACQUIRE))
        ;
    b = slot_of(memory, is_new);
    if (b) {
        b->first = is_new ? (char *)memory : &removed;
        b->size = size;
    }
    __atomic_clear(&blocks_lock, __ATOMIC_RELEASE);
}

void *malloc(size_t size)
{
    void *memory = __libc_calloc(1, size);
    note(memory, size, 1);
    return memory;
}

void *calloc(size_t count, size_t size)
{
    void *memory = __libc_calloc(count, size);
    note(memory, count * size, 1);
    return memory;
}

void *realloc(void *old, size_t size)
{
    void *memory;
    note(old, 0, 0);
    memory = __libc_realloc(old, size);
    note(memory, size, 1);
    return memory;
}

void *memalign(size_t alignment, size_t size)
{
    void *memory = __libc_memalign(alignment, size);
    if (memory)
        memset(memory, 0, size);
    note(memory, size, 1);
    return memory;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    void *memory = memalign(alignment, size);
    if (!memory)
        return 12; /* ENOMEM */
    *result = memory;
    return 0;
}

void free(void *memory)
{
    note(memory, 0, 0);
    __libc_free(memory);
}

#endif

/* Rows of so many bytes from a place to the end of its block. */
long polysched_block_rows(const void *place, unsigned long row_bytes, const char *name)
{
#ifdef __GLIBC__
    const char *at = place;
    unsigned k;
    for (k = 0; k < MAX_BLOCKS; k++) {
        const struct block *b = &blocks[k];
        if (b->first && b->first <= at && at < b->first + b->size)
            return (long)((size_t)(b->first + b->size - at) / row_bytes);
    }
#endif
    fprintf(stderr,
            "polysched: nobody knows how large %s is, which is written where data say: "
            "results cannot be compared; declare it with its size, or let it be a "
            "block of the heap\n",
            name);
    abort();
}
#endif

static void *allocated(unsigned long count, unsigned long size)
{
    void *memory = NULL;
    if (size && count > ((size_t)-1 >> 1) / size)
        memory = NULL;
    else if (posix_memalign(&memory, 64, count * size + 64))
        memory = NULL;
    if (!memory) {
        fprintf(stderr, "cannot allocate %lu elements of %lu bytes\n", count, size);
        exit(97);
    }
    return memory;
}

/* kind: 0 integer, 1 the first half of a float, 2 one of 16 bits, 4 float, 8 double;
   halves are cut off, not rounded; integers are small, reals lie in [1/4, 5/4). */
void *polysched_filled(unsigned long count, unsigned long size, int kind,
                       unsigned long seed)
{
    uint64_t state = seed;
    unsigned long k;
    unsigned char *bytes = allocated(count, size);
    for (k = 0; k < count; k++) {
        uint64_t bits = next(&state);
        double real = 0.25 + (double)(bits >> 11) / 9007199254740992.0;
        float single = (float)real;
        uint32_t word;
        uint16_t half;
        memcpy(&word, &single, sizeof word);
        half = (uint16_t)(kind == 1 ? word >> 16 : (word >> 13) - (112u << 10));
        if (kind == 8)
            memcpy(bytes + k * size, &real, sizeof real);
        else if (kind == 1 || kind == 2)
            memcpy(bytes + k * size, &half, sizeof half);
        else if (kind == 4)
            memcpy(bytes + k * size, &single, sizeof single);
        else {
            memset(bytes + k * size, 0, size);
            bytes[k * size] = (unsigned char)(bits % 8 + 1);
        }
    }
    return bytes;
}

/* Pointers to so many rows of such numbers. */
void *polysched_rows(unsigned long n_rows, unsigned long count, unsigned long size,
                     int kind, unsigned long seed)
{
    void **rows = allocated(n_rows, sizeof *rows);
    unsigned char *bytes = polysched_filled(n_rows * count, size, kind, seed);
    unsigned long k;
    for (k = 0; k < n_rows; k++)
        rows[k] = bytes + k * count * size;
    return rows;
}

/* Integers from low to high: indices of another array's elements. */
void *polysched_places(unsigned long count, unsigned long size, long long low,
                       long long high, unsigned long seed)
{
    uint64_t state = seed;
    unsigned long k;
    unsigned char *bytes = allocated(count, size);
    for (k = 0; k < count; k++) {
        uint64_t place = (uint64_t)low + next(&state) % ((uint64_t)(high - low) + 1);
        memcpy(bytes + k * size, &place, size);
    }
    return bytes;
}
"""
