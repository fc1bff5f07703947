/* wave_membrane: waves on a membrane held along two edges, free along the others.
 *
 * Three time levels rotate through u[t % 3].  All points are visited by the same
 * two loops; a chain of if / else tells the edges from the inside.  Sizes are
 * enumeration constants.
 *
 * Sizes   default  -DTINY
 * SIZE        700      13    points along a side
 * STEPS       100       7    time steps
 *
 * Set one with -DSIZE=...
 */
#include <stdio.h>

#ifndef SIZE
#ifdef TINY
#define SIZE 13
#else
#define SIZE 700
#endif
#endif
#ifndef STEPS
#ifdef TINY
#define STEPS 7
#else
#define STEPS 100
#endif
#endif

enum {
    NX = SIZE,
    NY = SIZE + 3,
    LEVELS = 3
};

static double u[LEVELS][NX][NY];

static void propagate(double c2)
{
#pragma scop
    for (int t = 0; t < STEPS; t++)
        for (int x = 0; x < NX; x++)
            for (int y = 0; y < NY; y++) {
                if (x == 0 || x == NX - 1)
                    u[(t + 2) % 3][x][y] = 0.0;
                else if (y == 0)
                    u[(t + 2) % 3][x][y] = u[(t + 1) % 3][x][1];
                else if (y == NY - 1)
                    u[(t + 2) % 3][x][y] = u[(t + 1) % 3][x][NY - 2];
                else
                    u[(t + 2) % 3][x][y] = 2.0 * u[(t + 1) % 3][x][y] - u[t % 3][x][y]
                        + c2 * (u[(t + 1) % 3][x - 1][y] + u[(t + 1) % 3][x + 1][y]
                                + u[(t + 1) % 3][x][y - 1] + u[(t + 1) % 3][x][y + 1]
                                - 4.0 * u[(t + 1) % 3][x][y]);
            }
#pragma endscop
}

int main(void)
{
    double sum = 0.0;

    for (int x = 1; x < NX - 1; x++)
        for (int y = 0; y < NY; y++) {
            u[0][x][y] = ((5 * x + 3 * y) % 17 - 8) / 8.0;
            u[1][x][y] = 0.95 * u[0][x][y];
        }

    propagate(0.24);

    for (int x = 0; x < NX; x++)
        for (int y = 0; y < NY; y++)
            sum += u[(STEPS + 1) % 3][x][y] * (1 + (3 * x + y) % 11);
    printf("wave_membrane %.10e\n", sum);
    return 0;
}
