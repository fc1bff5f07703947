/* durbin: Levinson-Durbin recursion for the Yule-Walker equations T * y = -r
 *
 *     T is the symmetric Toeplitz matrix with first row 1, r[0], ..., r[N-2].
 *     Step k extends the solution of size k to size k + 1.
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * N        40    120     400   2000        4000
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DN=17.  -DDUMP prints every result as well.
 * -DREAL=float changes the element type.
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

#ifndef N
#define N PICK(40, 120, 400, 2000, 4000)
#endif
#if N < 1
#error "N must be at least 1"
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real r[N];
static real y[N];

static void kernel_durbin(void)
{
    real z[N];
    real alpha, beta, sum;

#pragma scop
    y[0] = -r[0];
    beta = 1.0;
    alpha = -r[0];
    for (int k = 1; k < N; k++) {
        beta = (1 - alpha * alpha) * beta;
        sum = 0.0;
        for (int i = 0; i < k; i++)
            sum += r[k - i - 1] * y[i];
        alpha = -(r[k] + sum) / beta;
        for (int i = 0; i < k; i++)
            z[i] = y[i] + alpha * y[k - i - 1];
        for (int i = 0; i < k; i++)
            y[i] = z[i];
        y[k] = alpha;
    }
#pragma endscop
}

static void init(void)
{
    /* 1, 1/2, 1/3, ... falls and is convex, so T is positive definite. */
    for (int i = 0; i < N; i++)
        r[i] = 1.0 / (i + 2);
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
    kernel_durbin();
    for (int i = 0; i < N; i++)
        emit(y[i]);
    printf("durbin %.10e\n", checksum);
    return 0;
}
