/* small_products: many products of matrices with six rows and columns.
 *
 * As elements of a mesh or joints of a robot have them.  The number is known when the
 * program runs, the arrays are pointers, the sum is a private scalar.
 *
 * Sizes      default  -DTINY
 * NUMBER      200000       7
 *
 * Set it with -DNUMBER=... or as the first argument.
 */
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef NUMBER
#define NUMBER DEFAULT(200000, 7)
#endif
#define ROWS 6

static void multiply(int n, float a[n][ROWS][ROWS], float b[n][ROWS][ROWS], float c[n][ROWS][ROWS])
{
#pragma scop
    for (int m = 0; m < n; m++)
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < ROWS; j++) {
                float sum = 0.0f;
                for (int k = 0; k < ROWS; k++)
                    sum += a[m][i][k] * b[m][k][j];
                c[m][i][j] = sum;
            }
#pragma endscop
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : NUMBER;
    size_t bytes = sizeof(float[ROWS][ROWS]) * (n > 0 ? n : 1);
    float (*a)[ROWS][ROWS] = malloc(bytes), (*b)[ROWS][ROWS] = malloc(bytes), (*c)[ROWS][ROWS] = malloc(bytes);
    double sum = 0.0;

    for (int m = 0; m < n; m++)
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < ROWS; j++) {
                a[m][i][j] = (float)((m + 2 * i + j) % 9 - 3) / 8.0f;
                b[m][i][j] = (float)((m + i + 3 * j) % 7 - 3) / 8.0f;
                c[m][i][j] = 1.0f;
            }

    multiply(n, a, b, c);

    for (int m = 0; m < n; m++)
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < ROWS; j++)
                sum += c[m][i][j] * (1 + (m + i + j) % 5);
    printf("small_products %.9e\n", sum);
    free(a);
    free(b);
    free(c);
    return 0;
}
