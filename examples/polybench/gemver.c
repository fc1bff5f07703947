/* gemver: two rank-one updates of a matrix and two products with it
 *
 *     A := A + u1 * transpose(v1) + u2 * transpose(v2)
 *     x := x + beta * transpose(A) * y + z
 *     w := w + alpha * A * x
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
static real u1[N], v1[N], u2[N], v2[N];
static real w[N], x[N], y[N], z[N];

static void kernel_gemver(real alpha, real beta)
{
#pragma scop
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            A[i][j] = A[i][j] + u1[i] * v1[j] + u2[i] * v2[j];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            x[i] = x[i] + beta * A[j][i] * y[j];
    for (int i = 0; i < N; i++)
        x[i] = x[i] + z[i];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            w[i] = w[i] + alpha * A[i][j] * x[j];
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++) {
        u1[i] = (i + 1) % 10 / 10.0;
        v1[i] = (3 * i + 2) % 12 / 12.0;
        u2[i] = (5 * i + 1) % 14 / 14.0;
        v2[i] = (2 * i + 5) % 18 / 18.0 - 0.5;
        y[i] = (4 * i + 3) % 9 / 9.0 - 0.4;
        z[i] = (7 * i) % 8 / 8.0;
        x[i] = 0.0;
        w[i] = 0.0;
        for (int j = 0; j < N; j++)
            A[i][j] = (3 * i + 7 * j) % 15 / 15.0;
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
    kernel_gemver(1.5, 1.2);
    for (int i = 0; i < N; i++)
        emit(w[i]);
    printf("gemver %.10e\n", checksum);
    return 0;
}
