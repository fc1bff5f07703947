/* widest_path: for every pair of nodes the way with the widest bottleneck.
 *
 * Floyd's loops with a minimum and a maximum, and a scalar that is declared inside;
 * row and column k are read while all others are written.
 *
 * Sizes   default  -DTINY
 * N           500       9    nodes
 *
 * Set it with -DN=..., or at run time:  widest_path [n]
 */
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef N
#define N DEFAULT(500, 9)
#endif

static void widen(int n, float width[n][n])
{
#pragma scop
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                float through = width[i][k] < width[k][j] ? width[i][k] : width[k][j];
                width[i][j] = width[i][j] > through ? width[i][j] : through;
            }
#pragma endscop
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : N;
    float (*width)[n > 0 ? n : 1] = malloc(sizeof(float[n > 0 ? n : 1][n > 0 ? n : 1]));
    double sum = 0.0;

    if (n <= 0 || !width)
        return 1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            width[i][j] = (float)((i * 17 + j * 5) % 103);
    widen(n, width);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            sum += width[i][j] * (1 + (i + 3 * j) % 7);
    printf("widest_path %.6e\n", sum);
    free(width);
    return 0;
}
