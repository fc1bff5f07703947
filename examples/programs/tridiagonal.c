/* tridiagonal: many systems of equations of three diagonals, by elimination.
 *
 * Each system is one chain of divisions forwards and one backwards; the systems
 * have nothing to do with each other.  First they are stored one behind the
 * other, then side by side; the backward loops count down.
 *
 * Sizes     default  -DTINY
 * SYSTEMS      2000      19
 * N             800       7    unknowns of each
 *
 * Set one with -DN=...
 */
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef SYSTEMS
#define SYSTEMS DEFAULT(2000, 19)
#endif
#ifndef N
#define N DEFAULT(800, 7)
#endif

static double below[SYSTEMS][N], diagonal[SYSTEMS][N], above[SYSTEMS][N];
static double right[SYSTEMS][N], x[SYSTEMS][N];
static double below_of[N][SYSTEMS], diagonal_of[N][SYSTEMS], above_of[N][SYSTEMS];
static double right_of[N][SYSTEMS], x_of[N][SYSTEMS];

static void solve_one_behind_the_other(void)
{
#pragma scop
    for (int s = 0; s < SYSTEMS; s++) {
        for (int i = 1; i < N; i++) {
            double factor = below[s][i] / diagonal[s][i - 1];
            diagonal[s][i] -= factor * above[s][i - 1];
            right[s][i] -= factor * right[s][i - 1];
        }
        x[s][N - 1] = right[s][N - 1] / diagonal[s][N - 1];
        for (int i = N - 2; i >= 0; i--)
            x[s][i] = (right[s][i] - above[s][i] * x[s][i + 1]) / diagonal[s][i];
    }
#pragma endscop
}

static void solve_side_by_side(void)
{
#pragma scop
    for (int s = 0; s < SYSTEMS; s++) {
        for (int i = 1; i < N; i++) {
            double factor = below_of[i][s] / diagonal_of[i - 1][s];
            diagonal_of[i][s] -= factor * above_of[i - 1][s];
            right_of[i][s] -= factor * right_of[i - 1][s];
        }
        x_of[N - 1][s] = right_of[N - 1][s] / diagonal_of[N - 1][s];
        for (int i = N - 2; i >= 0; i--)
            x_of[i][s] = (right_of[i][s] - above_of[i][s] * x_of[i + 1][s]) / diagonal_of[i][s];
    }
#pragma endscop
}

int main(void)
{
    double sum = 0.0;

    for (int s = 0; s < SYSTEMS; s++)
        for (int i = 0; i < N; i++) {
            below[s][i] = below_of[i][s] = -1.0 - (s + i) % 3 * 0.125;
            above[s][i] = above_of[i][s] = -1.0;
            diagonal[s][i] = diagonal_of[i][s] = 4.0 + s % 5 * 0.25;
            right[s][i] = right_of[i][s] = (3 * i + s) % 16 / 16.0;
        }

    solve_one_behind_the_other();
    solve_side_by_side();

    for (int s = 0; s < SYSTEMS; s++)
        for (int i = 0; i < N; i++)
            sum += x[s][i] * (1 + i % 7) - x_of[i][s] * (1 + s % 5);
    printf("tridiagonal %.9e\n", sum);
    return 0;
}
