/* gemm: matrix product with update
 *
 *     C := beta * C + alpha * A * B
 *
 *     A is NI x NK, B is NK x NJ, C is NI x NJ.
 *
 * A complete program to start from.  It needs only a C compiler:
 *
 *     gcc -O2 gemm.c -o gemm && ./gemm
 *
 * and prints one line, the name of the kernel and a checksum of C.  The part to
 * be transformed stands between "#pragma scop" and "#pragma endscop"; whatever
 * is done to its loops, the checksum has to stay the same (up to rounding, where
 * the order of a sum changes).
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * NI       20     60     200   1000        2000
 * NJ       25     70     220   1100        2300
 * NK       30     80     240   1200        2600
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DNK=17.  -DDUMP prints every result as well.
 * -DREAL=float changes the element type.
 */
#include <stdio.h>

/* PICK takes, out of five values, the one for the chosen set of sizes. */
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

#ifndef NI
#define NI PICK(20, 60, 200, 1000, 2000)
#endif
#ifndef NJ
#define NJ PICK(25, 70, 220, 1100, 2300)
#endif
#ifndef NK
#define NK PICK(30, 80, 240, 1200, 2600)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[NI][NK];
static real B[NK][NJ];
static real C[NI][NJ];

/* The kernel.  Row i of C is first scaled, then the NK rows of B are added to
 * it, each times one element of A.  All bounds and subscripts are affine in the
 * loop counters, which is what makes the region a scop. */
static void kernel_gemm(real alpha, real beta)
{
#pragma scop
    for (int i = 0; i < NI; i++) {
        for (int j = 0; j < NJ; j++)
            C[i][j] *= beta;                        /* first statement  */
        for (int k = 0; k < NK; k++)
            for (int j = 0; j < NJ; j++)
                C[i][j] += alpha * A[i][k] * B[k][j];   /* second statement */
    }
#pragma endscop
}

/* Any values will do; these are small, varied, and the same in every run. */
static void init(void)
{
    for (int i = 0; i < NI; i++)
        for (int k = 0; k < NK; k++)
            A[i][k] = (3 * i + 5 * k + 1) % 17 / 17.0;
    for (int k = 0; k < NK; k++)
        for (int j = 0; j < NJ; j++)
            B[k][j] = (7 * k + 2 * j + 3) % 19 / 19.0 - 0.25;
    for (int i = 0; i < NI; i++)
        for (int j = 0; j < NJ; j++)
            C[i][j] = (i + 4 * j) % 13 / 13.0;
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
    kernel_gemm(1.5, 1.2);
    for (int i = 0; i < NI; i++)
        for (int j = 0; j < NJ; j++)
            emit(C[i][j]);
    printf("gemm %.10e\n", checksum);
    return 0;
}
