/* neighbours: smoothing in space over all 27 neighbours, step by step.
 *
 * Two arrays, the second is copied back; weights by distance.
 *
 * Sizes   default  -DTINY
 * N           100       6    points along each axis
 * STEPS        12       2    steps
 *
 * Set one with -DN=...
 */
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef N
#define N DEFAULT(100, 6)
#endif
#ifndef STEPS
#define STEPS DEFAULT(12, 2)
#endif

typedef double space[N][N][N];

static space now, next;

static void smooth(void)
{
#pragma scop
    for (int t = 0; t < STEPS; t++) {
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                for (int k = 1; k < N - 1; k++)
                    next[i][j][k] = 0.46 * now[i][j][k]
                        + 0.05 * (now[i - 1][j][k] + now[i + 1][j][k] + now[i][j - 1][k]
                                  + now[i][j + 1][k] + now[i][j][k - 1] + now[i][j][k + 1])
                        + 0.0125 * (now[i - 1][j - 1][k] + now[i - 1][j + 1][k] + now[i + 1][j - 1][k]
                                    + now[i + 1][j + 1][k] + now[i - 1][j][k - 1] + now[i - 1][j][k + 1]
                                    + now[i + 1][j][k - 1] + now[i + 1][j][k + 1] + now[i][j - 1][k - 1]
                                    + now[i][j - 1][k + 1] + now[i][j + 1][k - 1] + now[i][j + 1][k + 1])
                        + 0.01 * (now[i - 1][j - 1][k - 1] + now[i - 1][j - 1][k + 1]
                                  + now[i - 1][j + 1][k - 1] + now[i - 1][j + 1][k + 1]
                                  + now[i + 1][j - 1][k - 1] + now[i + 1][j - 1][k + 1]
                                  + now[i + 1][j + 1][k - 1] + now[i + 1][j + 1][k + 1]);
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                for (int k = 1; k < N - 1; k++)
                    now[i][j][k] = next[i][j][k];
    }
#pragma endscop
}

int main(void)
{
    double sum = 0.0;

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++)
                now[i][j][k] = (double)((3 * i + 5 * j + 7 * k) % 23) / 16.0;
    smooth();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++)
                sum += now[i][j][k] * (1 + (i + j + k) % 3);
    printf("neighbours %.6e\n", sum);
    return 0;
}
