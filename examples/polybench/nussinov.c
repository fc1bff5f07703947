/* nussinov: RNA folding by dynamic programming (Nussinov)
 *
 *     table[i][j] is the largest number of pairs in the bases i .. j: the best of
 *         table[i][j-1],  table[i+1][j],
 *         table[i+1][j-1] + (1 if bases i and j match and are not neighbours),
 *         table[i][k] + table[k+1][j]  for i < k < j.
 *
 *     Bases are 0 .. 3 and two of them match when they add up to 3.
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * N        60    180     500   2500        5500
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
#define N PICK(60, 180, 500, 2500, 5500)
#endif

typedef char base;

#define MATCH(a, b) ((a) + (b) == 3 ? 1 : 0)
#define MAX(a, b) ((a) >= (b) ? (a) : (b))

static base seq[N];
static int table[N][N];

static void kernel_nussinov(void)
{
#pragma scop
    for (int i = N - 1; i >= 0; i--) {
        for (int j = i + 1; j < N; j++) {
            if (j - 1 >= 0)
                table[i][j] = MAX(table[i][j], table[i][j - 1]);
            if (i + 1 < N)
                table[i][j] = MAX(table[i][j], table[i + 1][j]);
            if (j - 1 >= 0 && i + 1 < N) {
                if (i < j - 1)
                    table[i][j] = MAX(table[i][j], table[i + 1][j - 1] + MATCH(seq[i], seq[j]));
                else
                    table[i][j] = MAX(table[i][j], table[i + 1][j - 1]);
            }
            for (int k = i + 1; k < j; k++)
                table[i][j] = MAX(table[i][j], table[i][k] + table[k + 1][j]);
        }
    }
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < N; i++) {
        seq[i] = (base)((5 * i + i / 3 + i / 7) % 4);
        for (int j = 0; j < N; j++)
            table[i][j] = 0;
    }
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
    kernel_nussinov();
    for (int i = 0; i < N; i++)
        for (int j = i; j < N; j++)
            emit(table[i][j]);
    printf("nussinov %lld\n", checksum);
    return 0;
}
