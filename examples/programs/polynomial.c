/* polynomial: products and values of polynomials, modulo a prime.
 *
 * Schoolbook product into c[i + j], the values of the product at many points by
 * Horner's rule from the highest coefficient down, and a running sum of those.
 *
 * Sizes   default  -DTINY
 * N          8000      13    coefficients of the first factor
 * M          7000       7    coefficients of the second factor
 * POINTS      500       5
 *
 * Set one with -DN=..., or at run time:  polynomial [n [m [points]]]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef N
#define N DEFAULT(8000, 13)
#endif
#ifndef M
#define M DEFAULT(7000, 7)
#endif
#ifndef POINTS
#define POINTS DEFAULT(500, 5)
#endif
#define PRIME 998244353

typedef uint64_t residue;

static void product(int n, int m, const residue *a, const residue *b, residue *c)
{
#pragma scop
    for (int k = 0; k < n + m - 1; k++)
        c[k] = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            c[i + j] = (c[i + j] + a[i] * b[j]) % PRIME;
#pragma endscop
}

static void evaluate(int terms, int points, const residue *c, const residue *x, residue *value)
{
#pragma scop
    for (int p = 0; p < points; p++) {
        value[p] = c[terms - 1];
        for (int k = terms - 2; k >= 0; k--)
            value[p] = (value[p] * x[p] + c[k]) % PRIME;
    }
    for (int p = 1; p < points; p++)
        value[p] = (value[p] + value[p - 1]) % PRIME;
#pragma endscop
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : N;
    int m = argc > 2 ? atoi(argv[2]) : M;
    int points = argc > 3 ? atoi(argv[3]) : POINTS;
    residue sum = 0;

    if (n < 1 || m < 1 || points < 1) {
        fprintf(stderr, "usage: polynomial [n [m [points]]]\n");
        return 1;
    }
    residue *a = malloc(n * sizeof *a);
    residue *b = malloc(m * sizeof *b);
    residue *c = malloc((n + m - 1) * sizeof *c);
    residue *x = malloc(points * sizeof *x);
    residue *value = malloc(points * sizeof *value);
    if (!a || !b || !c || !x || !value)
        return 1;
    for (int i = 0; i < n; i++)
        a[i] = (residue)i * 1000003 % PRIME + 1;
    for (int j = 0; j < m; j++)
        b[j] = (residue)j * 2000003 % PRIME + 7;
    for (int p = 0; p < points; p++)
        x[p] = (residue)p * 31 + 2;

    product(n, m, a, b, c);
    evaluate(n + m - 1, points, c, x, value);

    for (int k = 0; k < n + m - 1; k++)
        sum = (sum + c[k] * (residue)(k + 1)) % PRIME;
    for (int p = 0; p < points; p++)
        sum = (sum + value[p] * (residue)(p + 3)) % PRIME;
    printf("polynomial %llu\n", (unsigned long long)sum);
    free(a);
    free(b);
    free(c);
    free(x);
    free(value);
    return 0;
}
