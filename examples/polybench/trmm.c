/* trmm: product with the transpose of a unit lower triangular matrix, in place
 *
 *     B := alpha * transpose(A) * B
 *
 *     A is M x M (only elements below its diagonal are read), B is M x N.
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

static real A[M][M];
static real B[M][N];

static void kernel_trmm(real alpha)
{
#pragma scop
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            for (int k = i + 1; k < M; k++)
                B[i][j] += A[k][i] * B[k][j];
            B[i][j] = alpha * B[i][j];
        }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < M; i++) {
        for (int k = 0; k < M; k++)
            A[i][k] = k < i ? (2 * i + 3 * k) % 15 / 15.0 - 0.4 : 1.0;
        for (int j = 0; j < N; j++)
            B[i][j] = (i + 6 * j + 1) % 18 / 18.0;
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
    kernel_trmm(1.5);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            emit(B[i][j]);
    printf("trmm %.10e\n", checksum);
    return 0;
}
