/* 2mm: two matrix products in a row
 *
 *     D := alpha * A * B * C + beta * D,   through  tmp = alpha * A * B
 *
 *     A is NI x NK, B is NK x NJ, C is NJ x NL, D is NI x NL.
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * NI       16     40     180    800        1600
 * NJ       18     50     190    900        1800
 * NK       22     70     210   1100        2200
 * NL       24     80     220   1200        2400
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DNL=17.  -DDUMP prints every result as well.
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
#define NK PICK(22, 70, 210, 1100, 2200)
#endif
#ifndef NL
#define NL PICK(24, 80, 220, 1200, 2400)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[NI][NK];
static real B[NK][NJ];
static real C[NJ][NL];
static real D[NI][NL];
static real tmp[NI][NJ];

static void kernel_2mm(real alpha, real beta)
{
#pragma scop
    for (int i = 0; i < NI; i++)
        for (int j = 0; j < NJ; j++) {
            tmp[i][j] = 0.0;
            for (int k = 0; k < NK; k++)
                tmp[i][j] += alpha * A[i][k] * B[k][j];
        }
    for (int i = 0; i < NI; i++)
        for (int j = 0; j < NL; j++) {
            D[i][j] *= beta;
            for (int k = 0; k < NJ; k++)
                D[i][j] += tmp[i][k] * C[k][j];
        }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < NI; i++)
        for (int k = 0; k < NK; k++)
            A[i][k] = (2 * i + 3 * k + 1) % 11 / 11.0;
    for (int k = 0; k < NK; k++)
        for (int j = 0; j < NJ; j++)
            B[k][j] = (5 * k + j + 2) % 13 / 13.0 - 0.3;
    for (int j = 0; j < NJ; j++)
        for (int l = 0; l < NL; l++)
            C[j][l] = (j + 6 * l + 3) % 17 / 17.0 - 0.4;
    for (int i = 0; i < NI; i++)
        for (int l = 0; l < NL; l++)
            D[i][l] = (4 * i + l) % 7 / 7.0;
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
    kernel_2mm(1.5, 1.2);
    for (int i = 0; i < NI; i++)
        for (int j = 0; j < NL; j++)
            emit(D[i][j]);
    printf("2mm %.10e\n", checksum);
    return 0;
}
