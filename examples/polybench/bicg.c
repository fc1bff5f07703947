/* bicg: the two matrix-vector products of the BiCG method
 *
 *     s = transpose(A) * r,   q = A * p
 *
 *     A is N x M.
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * M        38    116     390   1900        1800
 * N        42    124     410   2100        2200
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
#define M PICK(38, 116, 390, 1900, 1800)
#endif
#ifndef N
#define N PICK(42, 124, 410, 2100, 2200)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[N][M];
static real r[N];
static real q[N];
static real p[M];
static real s[M];

static void kernel_bicg(void)
{
#pragma scop
    for (int i = 0; i < M; i++)
        s[i] = 0;
    for (int i = 0; i < N; i++) {
        q[i] = 0.0;
        for (int j = 0; j < M; j++) {
            s[j] = s[j] + r[i] * A[i][j];
            q[i] = q[i] + A[i][j] * p[j];
        }
    }
#pragma endscop
}

static void init(void)
{
    for (int j = 0; j < M; j++)
        p[j] = (2 * j + 1) % 9 / 9.0;
    for (int i = 0; i < N; i++) {
        r[i] = (5 * i + 2) % 12 / 12.0;
        for (int j = 0; j < M; j++)
            A[i][j] = (6 * i + 5 * j + 1) % 27 / 27.0 - 0.3;
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
    kernel_bicg();
    for (int i = 0; i < M; i++)
        emit(s[i]);
    for (int i = 0; i < N; i++)
        emit(q[i]);
    printf("bicg %.10e\n", checksum);
    return 0;
}
