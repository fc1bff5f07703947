/* syrk: symmetric update of rank M, lower triangle only
 *
 *     C := beta * C + alpha * A * transpose(A)
 *
 *     C is N x N, A is N x M.
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * M        20     60     200   1000        2000
 * N        30     80     240   1200        2600
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
#define M PICK(20, 60, 200, 1000, 2000)
#endif
#ifndef N
#define N PICK(30, 80, 240, 1200, 2600)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[N][M];
static real C[N][N];

static void kernel_syrk(real alpha, real beta)
{
#pragma scop
    for (int i = 0; i < N; i++) {
        for (int j = 0; j <= i; j++)
            C[i][j] *= beta;
        for (int k = 0; k < M; k++)
            for (int j = 0; j <= i; j++)
                C[i][j] += alpha * A[i][k] * A[j][k];
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < M; k++)
            A[i][k] = (4 * i + 3 * k + 1) % 17 / 17.0 - 0.3;
        for (int j = 0; j < N; j++)
            C[i][j] = (i + j) % 10 / 10.0;
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
    kernel_syrk(1.5, 1.2);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            emit(C[i][j]);
    printf("syrk %.10e\n", checksum);
    return 0;
}
