/* rod: a heated rod, time steps alternating between two rows of one array.
 *
 * The row that is written and the one that is read are picked by t % 2.
 * Counters are declared at the top of the function, in the older style.
 *
 * Sizes   default  -DTINY
 * N         20000      13    points
 * STEPS      4000       7    time steps
 *
 * Set one with -DN=...
 */
#include <stdio.h>

#ifndef N
#ifdef TINY
#define N 13
#else
#define N 20000
#endif
#endif
#ifndef STEPS
#ifdef TINY
#define STEPS 7
#else
#define STEPS 4000
#endif
#endif

double rod[2][N];

void heat(void)
{
    int t, i;

#pragma scop
    for (t = 0; t < STEPS; t++)
        for (i = 1; i < N - 1; i++)
            rod[(t + 1) % 2][i] = 0.25 * rod[t % 2][i - 1]
                                  + 0.5 * rod[t % 2][i]
                                  + 0.25 * rod[t % 2][i + 1];
#pragma endscop
}

int main()
{
    int i;
    double sum = 0.0;

    for (i = 0; i < N; i++)
        rod[0][i] = rod[1][i] = 100.0 + i * 7 % 50;

    heat();

    for (i = 0; i < N; i++)
        sum += rod[STEPS % 2][i] * (1 + i % 10);
    printf("rod %.10e\n", sum);
    return 0;
}
