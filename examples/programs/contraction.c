/* contraction: products of arrays with four indices, as in quantum chemistry.
 *
 *     W[i][j][a][b] = sum over k of C[a][k] * V[i][j][k][b]     (one index at a time)
 *     R[i][j][a][b] += sum over k, c of T[i][k][a][c] * W[k][j][c][b]
 *
 * The intermediate W is a static array local to the function.
 *
 * Sizes   default  -DTINY
 * O            18       5    range of i, j, k in T
 * P            26       7    range of a, b, c
 *
 * Set one with -DO=...
 */
#include <stdio.h>

#ifndef O
#ifdef TINY
#define O 5
#else
#define O 18
#endif
#endif
#ifndef P
#ifdef TINY
#define P 7
#else
#define P 26
#endif
#endif

static double C[P][P];
static double V[O][O][P][P];
static double T[O][O][P][P];
static double R[O][O][P][P];

static void contract(void)
{
    static double W[O][O][P][P];
    int i, j, k, a, b, c;

#pragma scop
    for (i = 0; i < O; i++)
        for (j = 0; j < O; j++)
            for (a = 0; a < P; a++)
                for (b = 0; b < P; b++)
                    W[i][j][a][b] = 0.0;
    for (i = 0; i < O; i++)
        for (j = 0; j < O; j++)
            for (k = 0; k < P; k++)
                for (a = 0; a < P; a++)
                    for (b = 0; b < P; b++)
                        W[i][j][a][b] += C[a][k] * V[i][j][k][b];

    for (i = 0; i < O; i++)
        for (j = 0; j < O; j++)
            for (a = 0; a < P; a++)
                for (b = 0; b < P; b++)
                    for (k = 0; k < O; k++)
                        for (c = 0; c < P; c++)
                            R[i][j][a][b] += T[i][k][a][c] * W[k][j][c][b];
#pragma endscop
}

int main(void)
{
    int i, j, a, b;
    double sum = 0.0;

    for (a = 0; a < P; a++)
        for (b = 0; b < P; b++)
            C[a][b] = (a == b) + (2 * a + 3 * b) % 7 / 14.0;
    for (i = 0; i < O; i++)
        for (j = 0; j < O; j++)
            for (a = 0; a < P; a++)
                for (b = 0; b < P; b++) {
                    V[i][j][a][b] = (i + 2 * j + 3 * a + 5 * b) % 11 / 11.0 - 0.25;
                    T[i][j][a][b] = (3 * i + j + 4 * a + 2 * b) % 13 / 13.0 - 0.5;
                    R[i][j][a][b] = (i + j + a + b) % 3;
                }

    contract();

    for (i = 0; i < O; i++)
        for (j = 0; j < O; j++)
            for (a = 0; a < P; a++)
                for (b = 0; b < P; b++)
                    sum += R[i][j][a][b] * (1 + (i + 3 * j + 5 * a + 7 * b) % 29);
    printf("contraction %.10e\n", sum);
    return 0;
}
