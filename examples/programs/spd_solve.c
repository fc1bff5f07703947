/* spd_solve: solves A x = b, A symmetric positive definite, by Cholesky factors.
 *
 * The matrix is a plain pointer with a row pitch of its own, a[i * lda + j], as
 * in many numerical libraries.  The factors, the forward and the backward
 * substitution (whose loops count down) are one function each.
 *
 * Sizes   default  -DTINY
 * N           900      13    unknowns
 * LDA       N + 4   N + 4    doubles from one row to the next, at least N
 *
 * Set one with -DN=..., or at run time:  spd_solve [n [lda]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef N
#ifdef TINY
#define N 13
#else
#define N 900
#endif
#endif

static void factor(int n, int lda, double *a)
{
#pragma scop
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < j; k++)
            a[j * lda + j] -= a[j * lda + k] * a[j * lda + k];
        a[j * lda + j] = sqrt(a[j * lda + j]);
        for (int i = j + 1; i < n; i++) {
            for (int k = 0; k < j; k++)
                a[i * lda + j] -= a[i * lda + k] * a[j * lda + k];
            a[i * lda + j] /= a[j * lda + j];
        }
    }
#pragma endscop
}

static void forward(int n, int lda, const double *a, const double *b, double *y)
{
#pragma scop
    for (int i = 0; i < n; i++) {
        y[i] = b[i];
        for (int j = 0; j < i; j++)
            y[i] -= a[i * lda + j] * y[j];
        y[i] /= a[i * lda + i];
    }
#pragma endscop
}

static void backward(int n, int lda, const double *a, const double *y, double *x)
{
#pragma scop
    for (int i = n - 1; i >= 0; i--) {
        x[i] = y[i];
        for (int j = n - 1; j > i; j--)
            x[i] -= a[j * lda + i] * x[j];
        x[i] /= a[i * lda + i];
    }
#pragma endscop
}

/* Symmetric; every diagonal element exceeds the sum of the rest of its row. */
static double element(int n, int i, int j)
{
    int lo = i < j ? i : j, hi = i < j ? j : i;

    return i == j ? 1.5 + i % 5 : (1 + (2 * lo + 3 * hi) % 10) / (12.0 * n);
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : N;
#ifdef LDA
    int lda = argc > 2 ? atoi(argv[2]) : LDA;
#else
    int lda = argc > 2 ? atoi(argv[2]) : n + 4;
#endif
    double sum = 0.0, worst = 0.0;

    if (n < 1 || lda < n) {
        fprintf(stderr, "usage: spd_solve [unknowns [pitch]]\n");
        return 1;
    }
    double *a = calloc((size_t)n * lda, sizeof *a);
    double *b = malloc(n * sizeof *b);
    double *y = malloc(n * sizeof *y);
    double *x = malloc(n * sizeof *x);
    if (!a || !b || !y || !x)
        return 1;
    for (int i = 0; i < n; i++) {
        b[i] = 1.0 + i % 6;
        for (int j = 0; j < n; j++)
            a[i * lda + j] = element(n, i, j);
    }

    factor(n, lda, a);
    forward(n, lda, a, b, y);
    backward(n, lda, a, y, x);

    for (int i = 0; i < n; i++) {
        double r = b[i];
        for (int j = 0; j < n; j++)
            r -= element(n, i, j) * x[j];
        if (fabs(r) > worst)
            worst = fabs(r);
        sum += x[i] * (1 + i % 9);
    }
    printf("spd_solve %.10e %s\n", sum, worst < 1e-9 ? "solved" : "NOT SOLVED");
    free(a);
    free(b);
    free(y);
    free(x);
    return 0;
}
