/* gramschmidt: QR factors by modified Gram-Schmidt
 *
 *     A = Q * R,  the columns of Q orthonormal, R upper triangular
 *
 *     A is M x N; step k normalises column k and takes it out of the later ones.
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * M        20     60     200   1000        2000
 * N        30     80     240   1200        2600
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DN=17.  -DDUMP prints every result as well.
 * -DREAL=float changes the element type.  Link with -lm.
 *
 * Only min(M, N) columns can be independent.  What the kernel leaves in the
 * further rows of R and columns of Q is rounding noise (or 0/0), so the
 * results counted and printed are those of the first min(M, N).
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

static real A[M][N];
static real Q[M][N];
static real R[N][N];

static void kernel_gramschmidt(void)
{
    real nrm;

#pragma scop
    for (int k = 0; k < N; k++) {
        nrm = 0.0;
        for (int i = 0; i < M; i++)
            nrm += A[i][k] * A[i][k];
        R[k][k] = sqrt(nrm);
        for (int i = 0; i < M; i++)
            Q[i][k] = A[i][k] / R[k][k];
        for (int j = k + 1; j < N; j++) {
            R[k][j] = 0.0;
            for (int i = 0; i < M; i++)
                R[k][j] += Q[i][k] * A[i][j];
            for (int i = 0; i < M; i++)
                A[i][j] = A[i][j] - Q[i][k] * R[k][j];
        }
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            A[i][j] = ((3 * i + 5 * j) % 11 - 4.5) / (real)M + (i == j ? 2.0 : 0.0);
            Q[i][j] = 0.0;
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            R[i][j] = 0.0;
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
    kernel_gramschmidt();
    int rank = M < N ? M : N;

    for (int i = 0; i < rank; i++)
        for (int j = 0; j < N; j++)
            emit(R[i][j]);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < rank; j++)
            emit(Q[i][j]);
    printf("gramschmidt %.10e\n", checksum);
    return 0;
}
