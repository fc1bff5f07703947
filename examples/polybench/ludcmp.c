/* ludcmp: linear system A * x = b through LU factors without pivoting
 *
 *     A = L * U in place,  then  L * y = b  forwards and  U * x = y  backwards
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

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real A[N][N];
static real b[N];
static real x[N];
static real y[N];

static void kernel_ludcmp(void)
{
    real w;

#pragma scop
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            w = A[i][j];
            for (int k = 0; k < j; k++)
                w -= A[i][k] * A[k][j];
            A[i][j] = w / A[j][j];
        }
        for (int j = i; j < N; j++) {
            w = A[i][j];
            for (int k = 0; k < i; k++)
                w -= A[i][k] * A[k][j];
            A[i][j] = w;
        }
    }
    for (int i = 0; i < N; i++) {
        w = b[i];
        for (int j = 0; j < i; j++)
            w -= A[i][j] * y[j];
        y[i] = w;
    }
    for (int i = N - 1; i >= 0; i--) {
        w = y[i];
        for (int j = i + 1; j < N; j++)
            w -= A[i][j] * x[j];
        x[i] = w / A[i][i];
    }
#pragma endscop
}

static void init(void)
{
    /* Each diagonal element exceeds the rest of its row: no pivoting needed. */
    for (int i = 0; i < N; i++) {
        b[i] = 1.0 + 3 * i % 8 / 4.0;
        x[i] = 0.0;
        y[i] = 0.0;
        for (int j = 0; j < N; j++)
            A[i][j] = (1 + (5 * i + 2 * j) % 13) / (14.0 * N);
        A[i][i] = 1.5 + i % 4;
    }
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
    kernel_ludcmp();
    for (int i = 0; i < N; i++)
        emit(x[i]);
    printf("ludcmp %.10e\n", checksum);
    return 0;
}
