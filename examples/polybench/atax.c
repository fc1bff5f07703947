/* atax: a matrix applied, then its transpose
 *
 *     y = transpose(A) * (A * x)
 *
 *     A is M x N.
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * M        38    116     390   1900        1800
 * N        42    124     410   2100        2200
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

#ifndef M
#define M PICK(38, 116, 390, 1900, 1800)
#endif
#ifndef N
#define N PICK(42, 124, 410, 2100, 2200)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[M][N];
static real x[N];
static real y[N];
static real tmp[M];

static void kernel_atax(void)
{
#pragma scop
    for (int i = 0; i < N; i++)
        y[i] = 0;
    for (int i = 0; i < M; i++) {
        tmp[i] = 0.0;
        for (int j = 0; j < N; j++)
            tmp[i] = tmp[i] + A[i][j] * x[j];
        for (int j = 0; j < N; j++)
            y[j] = y[j] + A[i][j] * tmp[i];
    }
#pragma endscop
}

static void init(void)
{
    for (int j = 0; j < N; j++)
        x[j] = 1.0 + j % 8 / 8.0;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            A[i][j] = (4 * i + 3 * j) % 25 / 25.0 - 0.4;
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
    kernel_atax();
    for (int i = 0; i < N; i++)
        emit(y[i]);
    printf("atax %.10e\n", checksum);
    return 0;
}
