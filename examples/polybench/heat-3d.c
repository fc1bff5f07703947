/* heat-3d: heat equation on a cube, two half steps per time step
 *
 *     B = A + 0.125 * (second differences of A along i, j and k)
 *
 *     inside the cube, then the same from B back to A; the border stays fixed.
 *
 * Sizes   MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * TSTEPS    20     40     100    500        1000
 * N         10     20      40    120         200
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
#define N PICK(10, 20, 40, 120, 200)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[N][N][N];
static real B[N][N][N];

static void kernel_heat_3d(void)
{
#pragma scop
    for (int t = 1; t <= TSTEPS; t++) {
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                for (int k = 1; k < N - 1; k++)
                    B[i][j][k] = 0.125 * (A[i + 1][j][k] - 2.0 * A[i][j][k] + A[i - 1][j][k])
                                 + 0.125 * (A[i][j + 1][k] - 2.0 * A[i][j][k] + A[i][j - 1][k])
                                 + 0.125 * (A[i][j][k + 1] - 2.0 * A[i][j][k] + A[i][j][k - 1])
                                 + A[i][j][k];
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                for (int k = 1; k < N - 1; k++)
                    A[i][j][k] = 0.125 * (B[i + 1][j][k] - 2.0 * B[i][j][k] + B[i - 1][j][k])
                                 + 0.125 * (B[i][j + 1][k] - 2.0 * B[i][j][k] + B[i][j - 1][k])
                                 + 0.125 * (B[i][j][k + 1] - 2.0 * B[i][j][k] + B[i][j][k - 1])
                                 + B[i][j][k];
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++) {
                A[i][j][k] = 10.0 + (3 * i + 5 * j + 7 * k) % 32 / 8.0;
                B[i][j][k] = A[i][j][k];
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
    kernel_heat_3d();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++)
                emit(A[i][j][k]);
    printf("heat-3d %.10e\n", checksum);
    return 0;
}
