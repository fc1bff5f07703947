/* gesummv: sum of two matrix-vector products
 *
 *     y = alpha * A * x + beta * B * x
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * N        30     90     250   1300        2800
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
#define N PICK(30, 90, 250, 1300, 2800)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[N][N];
static real B[N][N];
static real tmp[N];
static real x[N];
static real y[N];

static void kernel_gesummv(real alpha, real beta)
{
#pragma scop
    for (int i = 0; i < N; i++) {
        tmp[i] = 0.0;
        y[i] = 0.0;
        for (int j = 0; j < N; j++) {
            tmp[i] = A[i][j] * x[j] + tmp[i];
            y[i] = B[i][j] * x[j] + y[i];
        }
        y[i] = alpha * tmp[i] + beta * y[i];
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++) {
        x[i] = (3 * i + 1) % 11 / 11.0;
        for (int j = 0; j < N; j++) {
            A[i][j] = (i + 2 * j) % 13 / 13.0;
            B[i][j] = (4 * i + 3 * j) % 17 / 17.0 - 0.3;
        }
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
    kernel_gesummv(1.5, 1.2);
    for (int i = 0; i < N; i++)
        emit(y[i]);
    printf("gesummv %.10e\n", checksum);
    return 0;
}
