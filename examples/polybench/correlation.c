/* correlation: correlation matrix of M variables over N observations
 *
 *     mean[j]    = sum over i of data[i][j] / N
 *     stddev[j]  = sqrt(sum over i of (data[i][j] - mean[j])^2 / N), 1 if at most eps
 *     corr[i][j] = sum over k of z[k][i] * z[k][j],
 *                  z[k][j] = (data[k][j] - mean[j]) / (sqrt(N) * stddev[j])
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * M        28     80     240   1200        2600
 * N        32    100     260   1400        3000
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DN=17.  -DDUMP prints every result as well.
 * -DREAL=float changes the element type.  Link with -lm.
 */
#include <math.h>
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
#if M < 1
#error "M must be at least 1"
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real data[N][M];
static real mean[M];
static real stddev[M];
static real corr[M][M];

static void kernel_correlation(real float_n)
{
    real eps = 0.1;

#pragma scop
    for (int j = 0; j < M; j++) {
        mean[j] = 0.0;
        for (int i = 0; i < N; i++)
            mean[j] += data[i][j];
        mean[j] /= float_n;
    }
    for (int j = 0; j < M; j++) {
        stddev[j] = 0.0;
        for (int i = 0; i < N; i++)
            stddev[j] += (data[i][j] - mean[j]) * (data[i][j] - mean[j]);
        stddev[j] /= float_n;
        stddev[j] = sqrt(stddev[j]);
        stddev[j] = stddev[j] <= eps ? 1.0 : stddev[j];
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < M; j++) {
            data[i][j] -= mean[j];
            data[i][j] /= sqrt(float_n) * stddev[j];
        }
    for (int i = 0; i < M - 1; i++) {
        corr[i][i] = 1.0;
        for (int j = i + 1; j < M; j++) {
            corr[i][j] = 0.0;
            for (int k = 0; k < N; k++)
                corr[i][j] += data[k][i] * data[k][j];
            corr[j][i] = corr[i][j];
        }
    }
    corr[M - 1][M - 1] = 1.0;
#pragma endscop
}

static void init(void)
{
    /* The columns with j % 23 == 20 are constant: their deviation is zero. */
    for (int i = 0; i < N; i++)
        for (int j = 0; j < M; j++)
            data[i][j] = i * (j + 3) % 23 / 23.0 + (j % 23 == 20 ? 0 : (i + j) % 5);
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
    kernel_correlation(N);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++)
            emit(corr[i][j]);
    printf("correlation %.10e\n", checksum);
    return 0;
}
