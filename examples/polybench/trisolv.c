/* trisolv: solution of a lower triangular system L * x = b
 *
 *     x[i] = (b[i] - sum over j < i of L[i][j] * x[j]) / L[i][i]
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

static real L[N][N];
static real b[N];
static real x[N];

static void kernel_trisolv(void)
{
#pragma scop
    for (int i = 0; i < N; i++) {
        x[i] = b[i];
        for (int j = 0; j < i; j++)
            x[i] -= L[i][j] * x[j];
        x[i] = x[i] / L[i][i];
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++) {
        b[i] = 1.0 + (3 * i) % 10 / 10.0;
        x[i] = 0.0;
        for (int j = 0; j < N; j++)
            L[i][j] = j < i ? ((2 * i + 5 * j) % 9 - 4.0) / (real)N : 0.0;
        L[i][i] = 2.0 + i % 3;
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
    kernel_trisolv();
    for (int i = 0; i < N; i++)
        emit(x[i]);
    printf("trisolv %.10e\n", checksum);
    return 0;
}
