/* jacobi-1d: three-point averaging on a line, two half steps per time step
 *
 *     B[i] = 0.33333 * (A[i-1] + A[i] + A[i+1])
 *
 *     inside the line, then the same from B back to A; the ends stay fixed.
 *
 * Sizes   MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * TSTEPS    20     40     100    500        1000
 * N         30    120     400   2000        4000
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DN=17.  -DDUMP prints every result as well.
 * -DREAL=float changes the element type.
 */
#include <stdio.h>

#if defined(MINI)
#define PICK(mini, small, medium, large, xlarge) mini
#elif defined(SMALL)
#define PICK(mini, small, medium, large, xlarge) small
#elif defined(MEDIUM)
#define PICK(mini, small, medium, large, xlarge) medium
#elif defined(EXTRALARGE)
#define PICK(mini, small, medium, large, xlarge) xlarge
#else
#define PICK(mini, small, medium, large, xlarge) large
#endif

#ifndef TSTEPS
#define TSTEPS PICK(20, 40, 100, 500, 1000)
#endif
#ifndef N
#define N PICK(30, 120, 400, 2000, 4000)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[N];
static real B[N];

static void kernel_jacobi_1d(void)
{
#pragma scop
    for (int t = 0; t < TSTEPS; t++) {
        for (int i = 1; i < N - 1; i++)
            B[i] = 0.33333 * (A[i - 1] + A[i] + A[i + 1]);
        for (int i = 1; i < N - 1; i++)
            A[i] = 0.33333 * (B[i - 1] + B[i] + B[i + 1]);
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++) {
        A[i] = 1.0 + 7 * i % 23 / 23.0;
        B[i] = 2.0 - 5 * i % 19 / 19.0;
    }
}

static double checksum;
static long position;

/* Adds one result, weighted by its position, to the checksum. */
static void emit(double value)
{
    checksum += value * (1 + position++ % 101);
#ifdef DUMP
    printf("%.17g\n", value);
#endif
}

int main(void)
{
    init();
    kernel_jacobi_1d();
    for (int i = 0; i < N; i++)
        emit(A[i]);
    printf("jacobi-1d %.10e\n", checksum);
    return 0;
}
