/* adi: alternating direction implicit steps for the heat equation on a square
 *
 *     Each time step solves one tridiagonal system per column, from u into v, and
 *     then one per row, from v back into u: a forward pass builds the factors p
 *     and q, a backward pass substitutes.  The border value is 1.
 *
 * Sizes   MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * TSTEPS    20     40     100    500        1000
 * N         20     60     200   1000        2000
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

#ifndef TSTEPS
#define TSTEPS PICK(20, 40, 100, 500, 1000)
#endif
#ifndef N
#define N PICK(20, 60, 200, 1000, 2000)
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real u[N][N];
static real v[N][N];
static real p[N][N];
static real q[N][N];

static void kernel_adi(void)
{
    real dx, dy, dt, b1, b2, mul1, mul2;
    real a, b, c, d, e, f;

#pragma scop
    dx = 1.0 / (real)N;
    dy = 1.0 / (real)N;
    dt = 1.0 / (real)TSTEPS;
    b1 = 2.0;
    b2 = 1.0;
    mul1 = b1 * dt / (dx * dx);
    mul2 = b2 * dt / (dy * dy);
    a = -mul1 / 2.0;
    b = 1.0 + mul1;
    c = a;
    d = -mul2 / 2.0;
    e = 1.0 + mul2;
    f = d;

    for (int t = 1; t <= TSTEPS; t++) {
        for (int i = 1; i < N - 1; i++) {
            v[0][i] = 1.0;
            p[i][0] = 0.0;
            q[i][0] = v[0][i];
            for (int j = 1; j < N - 1; j++) {
                p[i][j] = -c / (a * p[i][j - 1] + b);
                q[i][j] = (-d * u[j][i - 1] + (1.0 + 2.0 * d) * u[j][i] - f * u[j][i + 1]
                           - a * q[i][j - 1]) / (a * p[i][j - 1] + b);
            }
            v[N - 1][i] = 1.0;
            for (int j = N - 2; j >= 1; j--)
                v[j][i] = p[i][j] * v[j + 1][i] + q[i][j];
        }
        for (int i = 1; i < N - 1; i++) {
            u[i][0] = 1.0;
            p[i][0] = 0.0;
            q[i][0] = u[i][0];
            for (int j = 1; j < N - 1; j++) {
                p[i][j] = -f / (d * p[i][j - 1] + e);
                q[i][j] = (-a * v[i - 1][j] + (1.0 + 2.0 * a) * v[i][j] - c * v[i + 1][j]
                           - d * q[i][j - 1]) / (d * p[i][j - 1] + e);
            }
            u[i][N - 1] = 1.0;
            for (int j = N - 2; j >= 1; j--)
                u[i][j] = p[i][j] * u[i][j + 1] + q[i][j];
        }
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            u[i][j] = 1.0 + (3 * i + 2 * j) % 21 / 21.0;
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
    kernel_adi();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            emit(u[i][j]);
    printf("adi %.10e\n", checksum);
    return 0;
}
