/* redblack: red-black Gauss-Seidel for the Poisson equation on a square.
 *
 * Points with i + j even are updated first, then the others; each colour takes
 * two loop nests with steps of two.  The defect is summed at the end.
 *
 * Sizes   default  -DTINY
 * N          1200      13    points along a side
 * ROUNDS       50       5    sweeps over both colours
 *
 * Set one with -DN=..., or at run time:  redblack [n [rounds]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef N
#define N DEFAULT(1200, 13)
#endif
#ifndef ROUNDS
#define ROUNDS DEFAULT(50, 5)
#endif

static void sweep(int n, int rounds, double u[n][n], double f[n][n])
{
    int r, i, j;

#pragma scop
    for (r = 1; r <= rounds; r++) {
        for (i = 1; i < n - 1; i += 2)
            for (j = 1; j < n - 1; j += 2)
                u[i][j] = 0.25 * (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1] - f[i][j]);
        for (i = 2; i < n - 1; i += 2)
            for (j = 2; j < n - 1; j += 2)
                u[i][j] = 0.25 * (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1] - f[i][j]);

        for (i = 1; i < n - 1; i += 2)
            for (j = 2; j < n - 1; j += 2)
                u[i][j] = 0.25 * (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1] - f[i][j]);
        for (i = 2; i < n - 1; i += 2)
            for (j = 1; j < n - 1; j += 2)
                u[i][j] = 0.25 * (u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1] - f[i][j]);
    }
#pragma endscop
}

static double defect(int n, double u[n][n], double f[n][n])
{
    int i, j;
    double total = 0.0;

#pragma scop
    for (i = 1; i <= n - 2; ++i)
        for (j = 1; j <= n - 2; ++j)
            total += fabs(u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1]
                          - 4.0 * u[i][j] - f[i][j]);
#pragma endscop
    return total;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : N;
    int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
    int i, j;
    double sum = 0.0;

    if (n < 1) {
        fprintf(stderr, "usage: redblack [points [rounds]]\n");
        return 1;
    }
    double (*u)[n] = malloc(sizeof(double[n][n]));
    double (*f)[n] = malloc(sizeof(double[n][n]));
    if (!u || !f)
        return 1;
    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++) {
            u[i][j] = (3 * i + 7 * j) % 20 / 20.0;
            f[i][j] = (i + 2 * j) % 9 / 90.0;
        }

    sweep(n, rounds, u, f);

    for (i = 0; i < n; i++)
        for (j = 0; j < n; j++)
            sum += u[i][j] * (1 + (i + j) % 13);
    printf("redblack %.10e %.10e\n", sum, defect(n, u, f));
    free(u);
    free(f);
    return 0;
}
