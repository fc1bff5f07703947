/* fdtd-2d: finite differences in time for a two-dimensional electromagnetic field
 *
 *     ey -= 0.5 * (hz - hz one row up),   ex -= 0.5 * (hz - hz one column left),
 *     hz -= 0.7 * (difference of ex along j + difference of ey along i)
 *
 *     with row 0 of ey driven by the source fict[t].
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * TMAX     20     40     100    500        1000
 * NX       20     60     200   1000        2000
 * NY       30     80     240   1200        2600
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DNY=17.  -DDUMP prints every result as well.
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

#ifndef TMAX
#define TMAX PICK(20, 40, 100, 500, 1000)
#endif
#ifndef NX
#define NX PICK(20, 60, 200, 1000, 2000)
#endif
#ifndef NY
#define NY PICK(30, 80, 240, 1200, 2600)
#endif
#if NX < 1
#error "NX must be at least 1"
#endif

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

static real ex[NX][NY];
static real ey[NX][NY];
static real hz[NX][NY];
static real fict[TMAX];

static void kernel_fdtd_2d(void)
{
#pragma scop
    for (int t = 0; t < TMAX; t++) {
        for (int j = 0; j < NY; j++)
            ey[0][j] = fict[t];
        for (int i = 1; i < NX; i++)
            for (int j = 0; j < NY; j++)
                ey[i][j] = ey[i][j] - 0.5 * (hz[i][j] - hz[i - 1][j]);
        for (int i = 0; i < NX; i++)
            for (int j = 1; j < NY; j++)
                ex[i][j] = ex[i][j] - 0.5 * (hz[i][j] - hz[i][j - 1]);
        for (int i = 0; i < NX - 1; i++)
            for (int j = 0; j < NY - 1; j++)
                hz[i][j] = hz[i][j] - 0.7 * (ex[i][j + 1] - ex[i][j] + ey[i + 1][j] - ey[i][j]);
    }
#pragma endscop
}

static void init(void)
{
    for (int t = 0; t < TMAX; t++)
        fict[t] = 1.0 + t % 20 / 10.0;
    for (int i = 0; i < NX; i++)
        for (int j = 0; j < NY; j++) {
            ex[i][j] = 1.0 + (2 * i + 3 * j) % 31 / 31.0;
            ey[i][j] = 2.0 - (5 * i + j) % 29 / 29.0;
            hz[i][j] = 0.5 + (i + 4 * j) % 27 / 27.0;
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
    kernel_fdtd_2d();
    for (int i = 0; i < NX; i++)
        for (int j = 0; j < NY; j++)
            emit(ex[i][j]);
    for (int i = 0; i < NX; i++)
        for (int j = 0; j < NY; j++)
            emit(ey[i][j]);
    for (int i = 0; i < NX; i++)
        for (int j = 0; j < NY; j++)
            emit(hz[i][j]);
    printf("fdtd-2d %.10e\n", checksum);
    return 0;
}
