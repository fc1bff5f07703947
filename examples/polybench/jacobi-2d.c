/* jacobi-2d: five-point averaging on a square grid, two half steps per time step
 *
 *     B[i][j] = (A[i][j] + A[i][j-1] + A[i][j+1] + A[i+1][j] + A[i-1][j]) / 5
 *
 *     inside the grid, then the same from B back to A; the border stays fixed.
 *
 * Sizes   MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * TSTEPS    20     40     100    500        1000
 * N         30     90     250   1300        2800
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
#define N PICK(30, 90, 250, 1300, 2800)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[N][N];
static real B[N][N];

static void kernel_jacobi_2d(void)
{
#pragma scop
    for (int t = 0; t < TSTEPS; t++) {
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                B[i][j] = 0.2 * (A[i][j] + A[i][j - 1] + A[i][j + 1] + A[i + 1][j] + A[i - 1][j]);
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                A[i][j] = 0.2 * (B[i][j] + B[i][j - 1] + B[i][j + 1] + B[i + 1][j] + B[i - 1][j]);
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            A[i][j] = 1.0 + (5 * i + 3 * j) % 23 / 23.0;
            B[i][j] = 2.0 - (2 * i + 7 * j) % 19 / 19.0;
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
    kernel_jacobi_2d();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            emit(A[i][j]);
    printf("jacobi-2d %.10e\n", checksum);
    return 0;
}
