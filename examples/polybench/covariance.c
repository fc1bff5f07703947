/* covariance: covariance matrix of M variables over N observations
 *
 *     mean[j]   = sum over i of data[i][j] / N
 *     cov[i][j] = sum over k of (data[k][i] - mean[i]) * (data[k][j] - mean[j]) / (N - 1)
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * M        28     80     240   1200        2600
 * N        32    100     260   1400        3000
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DN=17.  -DDUMP prints every result as well.
 * -DREAL=float changes the element type.
 *
 * A single observation has no covariance; with N < 2 the kernel is given the
 * count 2 so that it never divides by zero.
 */
#include <stdio.h>

#if defined(MINI)
#define PICK(mini, small, medium, large, xlarge) mini
#elif defined(SMALL)
#define PICK(mini, small, medium, large, xlarge) small
#elif defined(MEDIUM)
#define PICK(mini, small, medium, large, xlarge) medium
#elif defined(EXTRALARGE)
#define PICK(mini, small, medium, large, xlarge) xlarge
#else
#define PICK(mini, small, medium, large, xlarge) large
#endif

#ifndef M
#define M PICK(28, 80, 240, 1200, 2600)
#endif
#ifndef N
#define N PICK(32, 100, 260, 1400, 3000)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real data[N][M];
static real mean[M];
static real cov[M][M];

static void kernel_covariance(real float_n)
{
#pragma scop
    for (int j = 0; j < M; j++) {
        mean[j] = 0.0;
        for (int i = 0; i < N; i++)
            mean[j] += data[i][j];
        mean[j] /= float_n;
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < M; j++)
            data[i][j] -= mean[j];
    for (int i = 0; i < M; i++)
        for (int j = i; j < M; j++) {
            cov[i][j] = 0.0;
            for (int k = 0; k < N; k++)
                cov[i][j] += data[k][i] * data[k][j];
            cov[i][j] /= (float_n - 1.0);
            cov[j][i] = cov[i][j];
        }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < M; j++)
            data[i][j] = i * (j + 2) % 19 / 19.0 + (3 * i + j) % 4;
}

static double checksum;
static long position;

/* Adds one result, weighted by its position, to the checksum. */
static void emit(double value)
{
    checksum += value * (1 + position++ % 101);
#ifdef DUMP
    printf("%.17g\n", value);
#endif
}

int main(void)
{
    init();
    kernel_covariance(N > 1 ? N : 2);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++)
            emit(cov[i][j]);
    printf("covariance %.10e\n", checksum);
    return 0;
}
