/* floyd-warshall: lengths of the shortest paths between all pairs of N nodes
 *
 *     path[i][j] := min(path[i][j], path[i][k] + path[k][j])   for k = 0 .. N-1
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * N        60    180     500   2800        5600
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DN=17.  -DDUMP prints every result as well.
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
#define N PICK(60, 180, 500, 2800, 5600)
#endif

static int path[N][N];

static void kernel_floyd_warshall(void)
{
#pragma scop
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                path[i][j] = path[i][j] < path[i][k] + path[k][j]
                             ? path[i][j] : path[i][k] + path[k][j];
#pragma endscop
}

static void init(void)
{
    /* Three pairs in seven have an edge; 9999 stands for "none". */
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            path[i][j] = i == j ? 0 : (2 * i + 3 * j) % 7 < 3 ? 1 + (11 * i + 5 * j) % 97 : 9999;
}

static long long checksum;
static long position;

/* Adds one result, weighted by its position, to the checksum. */
static void emit(int value)
{
    checksum += (long long)value * (1 + position++ % 101);
#ifdef DUMP
    printf("%d\n", value);
#endif
}

int main(void)
{
    init();
    kernel_floyd_warshall();
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            emit(path[i][j]);
    printf("floyd-warshall %lld\n", checksum);
    return 0;
}
