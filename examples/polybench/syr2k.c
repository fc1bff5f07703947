/* syr2k: symmetric update of rank 2M, lower triangle only
 *
 *     C := beta * C + alpha * (A * transpose(B) + B * transpose(A))
 *
 *     C is N x N, A and B are N x M.
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
static real B[N][M];
static real C[N][N];

static void kernel_syr2k(real alpha, real beta)
{
#pragma scop
    for (int i = 0; i < N; i++) {
        for (int j = 0; j <= i; j++)
            C[i][j] *= beta;
        for (int k = 0; k < M; k++)
            for (int j = 0; j <= i; j++)
                C[i][j] += A[j][k] * alpha * B[i][k] + B[j][k] * alpha * A[i][k];
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < M; k++) {
            A[i][k] = (2 * i + 5 * k + 1) % 14 / 14.0 - 0.25;
            B[i][k] = (3 * i + k + 2) % 16 / 16.0;
        }
        for (int j = 0; j < N; j++)
            C[i][j] = (i + j) % 12 / 12.0;
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
    kernel_syr2k(1.5, 1.2);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            emit(C[i][j]);
    printf("syr2k %.10e\n", checksum);
    return 0;
}
