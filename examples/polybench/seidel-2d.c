/* seidel-2d: nine-point Gauss-Seidel averaging in place
 *
 *     A[i][j] = (sum of the 3 x 3 block around A[i][j]) / 9
 *
 *     row by row inside the grid, TSTEPS times; the border stays fixed.
 *
 * Sizes   MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * TSTEPS    20     40     100    500        1000
 * N         40    120     400   2000        4000
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
#define N PICK(40, 120, 400, 2000, 4000)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[N][N];

static void kernel_seidel_2d(void)
{
#pragma scop
    for (int t = 0; t <= TSTEPS - 1; t++)
        for (int i = 1; i <= N - 2; i++)
            for (int j = 1; j <= N - 2; j++)
                A[i][j] = (A[i - 1][j - 1] + A[i - 1][j] + A[i - 1][j + 1]
                           + A[i][j - 1] + A[i][j] + A[i][j + 1]
                           + A[i + 1][j - 1] + A[i + 1][j] + A[i + 1][j + 1]) / 9.0;
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            A[i][j] = 1.0 + (7 * i + 4 * j + 2) % 29 / 29.0;
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
    kernel_seidel_2d();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            emit(A[i][j]);
    printf("seidel-2d %.10e\n", checksum);
    return 0;
}
