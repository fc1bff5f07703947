/* 3mm: three matrix products
 *
 *     E = A * B,   F = C * D,   G = E * F
 *
 *     A is NI x NK, B is NK x NJ, C is NJ x NM, D is NM x NL, G is NI x NL.
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * NI       16     40     180    800        1600
 * NJ       18     50     190    900        1800
 * NK       20     60     200   1000        2000
 * NL       22     70     210   1100        2200
 * NM       24     80     220   1200        2400
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DNM=17.  -DDUMP prints every result as well.
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

#ifndef NI
#define NI PICK(16, 40, 180, 800, 1600)
#endif
#ifndef NJ
#define NJ PICK(18, 50, 190, 900, 1800)
#endif
#ifndef NK
#define NK PICK(20, 60, 200, 1000, 2000)
#endif
#ifndef NL
#define NL PICK(22, 70, 210, 1100, 2200)
#endif
#ifndef NM
#define NM PICK(24, 80, 220, 1200, 2400)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[NI][NK];
static real B[NK][NJ];
static real C[NJ][NM];
static real D[NM][NL];
static real E[NI][NJ];
static real F[NJ][NL];
static real G[NI][NL];

static void kernel_3mm(void)
{
#pragma scop
    for (int i = 0; i < NI; i++)
        for (int j = 0; j < NJ; j++) {
            E[i][j] = 0.0;
            for (int k = 0; k < NK; k++)
                E[i][j] += A[i][k] * B[k][j];
        }
    for (int i = 0; i < NJ; i++)
        for (int j = 0; j < NL; j++) {
            F[i][j] = 0.0;
            for (int k = 0; k < NM; k++)
                F[i][j] += C[i][k] * D[k][j];
        }
    for (int i = 0; i < NI; i++)
        for (int j = 0; j < NL; j++) {
            G[i][j] = 0.0;
            for (int k = 0; k < NJ; k++)
                G[i][j] += E[i][k] * F[k][j];
        }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < NI; i++)
        for (int k = 0; k < NK; k++)
            A[i][k] = (i + 2 * k + 1) % 9 / 9.0;
    for (int k = 0; k < NK; k++)
        for (int j = 0; j < NJ; j++)
            B[k][j] = (3 * k + j + 2) % 11 / 11.0 - 0.3;
    for (int j = 0; j < NJ; j++)
        for (int m = 0; m < NM; m++)
            C[j][m] = (j + 5 * m + 3) % 13 / 13.0;
    for (int m = 0; m < NM; m++)
        for (int l = 0; l < NL; l++)
            D[m][l] = (7 * m + 2 * l + 4) % 15 / 15.0 - 0.35;
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
    kernel_3mm();
    for (int i = 0; i < NI; i++)
        for (int j = 0; j < NL; j++)
            emit(G[i][j]);
    printf("3mm %.10e\n", checksum);
    return 0;
}
