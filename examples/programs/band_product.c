/* band_product: a band matrix, stored by diagonals, times a dense one.
 *
 * Bounds with a choice at both ends; rows of the band are shifted in storage.
 *
 * Sizes   default  -DTINY
 * N         20000      13    rows
 * M            60       5    columns of the dense matrix
 * BELOW        20       3    diagonals below the main one
 * ABOVE        13       2    and above it
 *
 * Set one with -DN=..., or at run time:  band_product [n [m [below [above]]]]
 */
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef N
#define N DEFAULT(20000, 13)
#endif
#ifndef M
#define M DEFAULT(60, 5)
#endif
#ifndef BELOW
#define BELOW DEFAULT(20, 3)
#endif
#ifndef ABOVE
#define ABOVE DEFAULT(13, 2)
#endif

static void multiply(int n, int m, int below, int above, double band[n][below + above + 1],
                     double b[n][m], double c[n][m])
{
#pragma scop
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            c[i][j] = 0.0;
    for (int i = 0; i < n; i++)
        for (int k = i > below ? i - below : 0; k <= (i + above < n ? i + above : n - 1); k++)
            for (int j = 0; j < m; j++)
                c[i][j] += band[i][k - i + below] * b[k][j];
#pragma endscop
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : N, m = argc > 2 ? atoi(argv[2]) : M;
    int below = argc > 3 ? atoi(argv[3]) : BELOW, above = argc > 4 ? atoi(argv[4]) : ABOVE;
    double sum = 0.0;

    if (n <= 0 || m <= 0 || below < 0 || above < 0)
        return 1;
    double (*band)[below + above + 1] = malloc(sizeof(double[n][below + above + 1]));
    double (*b)[m] = malloc(sizeof(double[n][m])), (*c)[m] = malloc(sizeof(double[n][m]));
    if (!band || !b || !c)
        return 1;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k <= below + above; k++)
            band[i][k] = (double)((i * 7 + k * 3) % 31) / 32.0;
        for (int j = 0; j < m; j++)
            b[i][j] = (double)((i * 5 + j) % 29) / 32.0;
    }
    multiply(n, m, below, above, band, b, c);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            sum += c[i][j] * (1 + (i + j) % 3);
    printf("band_product %.6e\n", sum);
    free(band);
    free(b);
    free(c);
    return 0;
}
