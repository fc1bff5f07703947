/* warp: distance between two words and between two signals.
 *
 * The edit distance takes the minimum of three through a static inline function;
 * the time-warping distance of two signals is computed in a band around the
 * diagonal, with an if that keeps the points inside it.
 *
 * Sizes   default  -DTINY
 * N          3000      13    length of the first word and signal
 * M          2800      11    length of the second
 * BAND        400       4    half width of the band
 *
 * Set one with -DN=..., or at run time:  warp [n [m [band]]]
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
#define N DEFAULT(3000, 13)
#endif
#ifndef M
#define M DEFAULT(2800, 11)
#endif
#ifndef BAND
#define BAND DEFAULT(400, 4)
#endif

static inline unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static void edit(int n, int m, const short s[n], const short t[m], unsigned d[n + 1][m + 1])
{
#pragma scop
    for (int i = 0; i <= n; i++)
        d[i][0] = (unsigned)i;
    for (int j = 1; j <= m; j++)
        d[0][j] = (unsigned)j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++)
            d[i][j] = least(d[i - 1][j] + 1u, d[i][j - 1] + 1u,
                            d[i - 1][j - 1] + (s[i - 1] != t[j - 1]));
#pragma endscop
}

static void warp(int n, int m, int band, const double x[n], const double y[m], double w[n + 1][m + 1])
{
#pragma scop
    for (int i = 0; i <= n; i++)
        for (int j = 0; j <= m; j++)
            w[i][j] = 1.0e6;
    w[0][0] = 0.0;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++)
            if (i - j <= band && j - i <= band)
                w[i][j] = fabs(x[i - 1] - y[j - 1])
                          + smaller(w[i - 1][j - 1], smaller(w[i - 1][j], w[i][j - 1]));
#pragma endscop
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : N;
    int m = argc > 2 ? atoi(argv[2]) : M;
    int band = argc > 3 ? atoi(argv[3]) : BAND;
    unsigned long sum = 0;
    double length = 0.0;

    if (n < 1 || m < 1 || band < 0) {
        fprintf(stderr, "usage: warp [n [m [band]]]\n");
        return 1;
    }
    short *s = malloc(n * sizeof *s), *t = malloc(m * sizeof *t);
    double *x = malloc(n * sizeof *x), *y = malloc(m * sizeof *y);
    unsigned (*d)[m + 1] = malloc(sizeof(unsigned[n + 1][m + 1]));
    double (*w)[m + 1] = malloc(sizeof(double[n + 1][m + 1]));
    if (!s || !t || !x || !y || !d || !w)
        return 1;
    for (int i = 0; i < n; i++) {
        s[i] = (short)((i * 5 + i / 7) % 6);
        x[i] = (i * 3 % 50) / 50.0;
    }
    for (int j = 0; j < m; j++) {
        t[j] = (short)((j * 5 + j / 6) % 6);
        y[j] = (j * 3 % 47) / 47.0;
    }

    edit(n, m, s, t, d);
    warp(n, m, band, x, y, w);

    for (int i = 0; i <= n; i++)
        for (int j = 0; j <= m; j++) {
            sum += (unsigned long)d[i][j] * (unsigned long)(1 + (i + j) % 25);
            if (w[i][j] < 1.0e6)
                length += w[i][j] * (1 + (2 * i + j) % 21);
        }
    printf("warp %u %lu %.10e\n", d[n][m], sum, length);
    free(s);
    free(t);
    free(x);
    free(y);
    free(d);
    free(w);
    return 0;
}
