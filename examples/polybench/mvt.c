/* mvt: a matrix and its transpose, each times a vector
 *
 *     x1 := x1 + A * y1,   x2 := x2 + transpose(A) * y2
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * N        40    120     400   2000        4000
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

#ifndef N
#define N PICK(40, 120, 400, 2000, 4000)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[N][N];
static real x1[N], x2[N];
static real y_1[N], y_2[N];

static void kernel_mvt(void)
{
#pragma scop
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            x1[i] = x1[i] + A[i][j] * y_1[j];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            x2[i] = x2[i] + A[j][i] * y_2[j];
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++) {
        x1[i] = i % 10 / 10.0;
        x2[i] = (3 * i + 1) % 10 / 10.0;
        y_1[i] = (7 * i + 2) % 12 / 12.0;
        y_2[i] = (5 * i + 3) % 14 / 14.0 - 0.2;
        for (int j = 0; j < N; j++)
            A[i][j] = (2 * i + 9 * j) % 21 / 21.0 - 0.25;
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
    kernel_mvt();
    for (int i = 0; i < N; i++)
        emit(x1[i]);
    for (int i = 0; i < N; i++)
        emit(x2[i]);
    printf("mvt %.10e\n", checksum);
    return 0;
}
