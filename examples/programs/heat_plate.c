/* heat_plate: heat flow in an insulated plate, then its mean and its energy.
 *
 * A point outside the plate takes the value of the nearest point inside, which
 * is written here with conditional expressions in the innermost loop.  Two
 * functions hold a scop each; arrays are variable-length parameters.
 *
 * Sizes   default  -DTINY
 * N           900      13    rows
 * M          1100       7    columns
 * STEPS        40       5    time steps
 *
 * Set one with -DN=..., or at run time:  heat_plate [n [m [steps]]]
 */
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef N
#define N DEFAULT(900, 13)
#endif
#ifndef M
#define M DEFAULT(1100, 7)
#endif
#ifndef STEPS
#define STEPS DEFAULT(40, 5)
#endif

static void diffuse(int n, int m, int steps, double rate, double T[n][m], double S[n][m])
{
#pragma scop
    for (int t = 0; t < steps; t++) {
        for (int i = 0; i < n; i++)
            for (int j = 0; j < m; j++) {
                double up = i > 0 ? T[i - 1][j] : T[i][j];
                double down = i < n - 1 ? T[i + 1][j] : T[i][j];
                double left = j > 0 ? T[i][j - 1] : T[i][j];
                double right = j < m - 1 ? T[i][j + 1] : T[i][j];
                S[i][j] = T[i][j] + rate * (up + down + left + right - 4.0 * T[i][j]);
            }
        for (int i = 0; i < n; i++)
            for (int j = 0; j < m; j++)
                T[i][j] = S[i][j];
    }
#pragma endscop
}

static void measure(int n, int m, double T[n][m], double row[n], double result[2])
{
    double mean = 0.0;
    double energy = 0.0;

#pragma scop
    for (int i = 0; i < n; i++) {
        row[i] = 0.0;
        for (int j = 0; j < m; j++)
            row[i] += T[i][j];
        mean += row[i];
    }
    mean /= n * m;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            energy += (T[i][j] - mean) * (T[i][j] - mean);
#pragma endscop
    result[0] = mean;
    result[1] = energy;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : N;
    int m = argc > 2 ? atoi(argv[2]) : M;
    int steps = argc > 3 ? atoi(argv[3]) : STEPS;
    double result[2];
    double checksum = 0.0;

    if (n < 1 || m < 1 || steps < 0) {
        fprintf(stderr, "usage: heat_plate [rows [columns [steps]]]\n");
        return 1;
    }

    double (*T)[m] = malloc(sizeof(double[n][m]));
    double (*S)[m] = malloc(sizeof(double[n][m]));
    double *row = malloc(n * sizeof *row);
    if (!T || !S || !row)
        return 1;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            T[i][j] = 20.0 + (i * 37 + j * 11) % 60;

    diffuse(n, m, steps, 0.2, T, S);
    measure(n, m, T, row, result);

    for (int i = 0; i < n; i++)
        checksum += row[i] * (1 + i % 7);
    printf("heat_plate %.10e %.10e %.10e\n", checksum, result[0], result[1]);
    free(T);
    free(S);
    free(row);
    return 0;
}
