/* cholesky: Cholesky factor of a symmetric positive definite matrix
 *
 *     A = L * transpose(L);  L replaces the lower triangle of A.
 *
 *     L[i][j] = (A[i][j] - sum over k < j of L[i][k] * L[j][k]) / L[j][j],  j < i
 *     L[i][i] = sqrt(A[i][i] - sum over k < i of L[i][k] * L[i][k])
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * N        40    120     400   2000        4000
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DN=17.  -DDUMP prints every result as well.
 * -DREAL=float changes the element type.  Link with -lm.
 */
#include <math.h>
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

static void kernel_cholesky(void)
{
#pragma scop
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++)
                A[i][j] -= A[i][k] * A[j][k];
            A[i][j] /= A[j][j];
        }
        for (int k = 0; k < i; k++)
            A[i][i] -= A[i][k] * A[i][k];
        A[i][i] = sqrt(A[i][i]);
    }
#pragma endscop
}

static void init(void)
{
    /* Symmetric, and each diagonal element exceeds the rest of its row. */
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++)
            A[i][j] = (1 + (i + j) % 7 + (i > j ? i - j : j - i) % 5) / (11.0 * N);
        A[i][i] = 1.25 + i % 4;
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
    kernel_cholesky();
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++)
            emit(A[i][j]);
    printf("cholesky %.10e\n", checksum);
    return 0;
}
