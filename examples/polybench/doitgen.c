/* doitgen: multiresolution analysis kernel: the last index times a matrix
 *
 *     A[r][q][p] := sum over s of A[r][q][s] * C4[s][p]
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * NQ        8     20      40    140         220
 * NR       10     25      50    150         250
 * NP       12     30      60    160         270
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DNP=17.  -DDUMP prints every result as well.
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

#ifndef NQ
#define NQ PICK(8, 20, 40, 140, 220)
#endif
#ifndef NR
#define NR PICK(10, 25, 50, 150, 250)
#endif
#ifndef NP
#define NP PICK(12, 30, 60, 160, 270)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[NR][NQ][NP];
static real C4[NP][NP];
static real sum[NP];

static void kernel_doitgen(void)
{
#pragma scop
    for (int r = 0; r < NR; r++)
        for (int q = 0; q < NQ; q++) {
            for (int p = 0; p < NP; p++) {
                sum[p] = 0.0;
                for (int s = 0; s < NP; s++)
                    sum[p] += A[r][q][s] * C4[s][p];
            }
            for (int p = 0; p < NP; p++)
                A[r][q][p] = sum[p];
        }
#pragma endscop
}

static void init(void)
{
    for (int r = 0; r < NR; r++)
        for (int q = 0; q < NQ; q++)
            for (int p = 0; p < NP; p++)
                A[r][q][p] = (2 * r + 3 * q + 5 * p + 1) % 16 / 16.0;
    for (int s = 0; s < NP; s++)
        for (int p = 0; p < NP; p++)
            C4[s][p] = (s + 3 * p) % 14 / 14.0 - 0.25;
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
    kernel_doitgen();
    for (int r = 0; r < NR; r++)
        for (int q = 0; q < NQ; q++)
            for (int p = 0; p < NP; p++)
                emit(A[r][q][p]);
    printf("doitgen %.10e\n", checksum);
    return 0;
}
