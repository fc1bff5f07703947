/* transpose: a matrix turned over in place, out of place, and made symmetric.
 *
 * Triangular loops, a swap through a temporary declared in the loop, and loops
 * that run downwards to a strict bound.
 *
 * Sizes   default  -DTINY
 * N          3000      13    rows of the square matrix
 * M          2000       7    columns of the other matrix
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
#define N DEFAULT(3000, 13)
#endif
#ifndef M
#define M DEFAULT(2000, 7)
#endif

double square[N][N];
double wide[M][N];
double tall[N][M];

static void swap_halves(void)
{
#pragma scop
    for (int i = N - 1; i > 0; i--)
        for (int j = 0; j < i; j++) {
            double keep = square[i][j];
            square[i][j] = square[j][i];
            square[j][i] = keep;
        }
#pragma endscop
}

static void turn(void)
{
#pragma scop
    for (int i = 0; i < N; i++)
        for (int j = 0; j < M; j++)
            tall[i][j] = wide[j][i];
#pragma endscop
}

static void symmetrise(void)
{
#pragma scop
    for (int i = 0; i < N; i++)
        for (int j = i; j < N; j++) {
            square[i][j] = 0.5 * (square[i][j] + square[j][i]);
            square[j][i] = square[i][j];
        }
#pragma endscop
}

int main(void)
{
    double first = 0.0, second = 0.0, third = 0.0;

    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            square[i][j] = (5 * i + 11 * j) % 32 / 32.0 + (i < j);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            wide[i][j] = (7 * i + 3 * j) % 64 / 64.0;

    swap_halves();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            first += square[i][j] * (1 + (i + 3 * j) % 7);
    turn();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < M; j++)
            second += tall[i][j] * (1 + (2 * i + j) % 9);
    symmetrise();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            third += square[i][j] * (1 + (i + 3 * j) % 7);
    printf("transpose %.10e %.10e %.10e\n", first, second, third);
    return 0;
}
