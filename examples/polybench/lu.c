/* lu: LU factors of a matrix without pivoting
 *
 *     A = L * U;  U and L (whose diagonal of ones is not stored) replace A.
 *
 *     A[i][j] = (A[i][j] - sum over k < j of A[i][k] * A[k][j]) / A[j][j],  j < i
 *     A[i][j] =  A[i][j] - sum over k < i of A[i][k] * A[k][j],             j >= i
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

static void kernel_lu(void)
{
#pragma scop
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++)
                A[i][j] -= A[i][k] * A[k][j];
            A[i][j] /= A[j][j];
        }
        for (int j = i; j < N; j++)
            for (int k = 0; k < i; k++)
                A[i][j] -= A[i][k] * A[k][j];
    }
#pragma endscop
}

static void init(void)
{
    /* Each diagonal element exceeds the rest of its row: no pivoting needed. */
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++)
            A[i][j] = (1 + (3 * i + 4 * j) % 11) / (12.0 * N);
        A[i][i] = 1.5 + i % 3;
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
    kernel_lu();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            emit(A[i][j]);
    printf("lu %.10e\n", checksum);
    return 0;
}
