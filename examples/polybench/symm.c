/* symm: product with a symmetric matrix of which the lower triangle is stored
 *
 *     C := beta * C + alpha * A * B
 *
 *     A is M x M (elements above its diagonal are never read), B and C are M x N.
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
static real C[M][N];

static void kernel_symm(real alpha, real beta)
{
    real temp2;

#pragma scop
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            temp2 = 0;
            for (int k = 0; k < i; k++) {
                C[k][j] += alpha * B[i][j] * A[i][k];
                temp2 += B[k][j] * A[i][k];
            }
            C[i][j] = beta * C[i][j] + alpha * B[i][j] * A[i][i] + alpha * temp2;
        }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < M; i++) {
        for (int k = 0; k < M; k++)
            A[i][k] = k <= i ? (3 * i + 2 * k + 1) % 15 / 15.0 - 0.3 : -100.0;
        for (int j = 0; j < N; j++) {
            B[i][j] = (i + 4 * j + 2) % 13 / 13.0;
            C[i][j] = (5 * i + 3 * j) % 11 / 11.0;
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
    kernel_symm(1.5, 1.2);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            emit(C[i][j]);
    printf("symm %.10e\n", checksum);
    return 0;
}
