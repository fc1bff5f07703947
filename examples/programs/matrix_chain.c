/* matrix_chain: in which order to multiply a row of matrices.
 *
 * cost[i][j] is the least work for matrices i .. j.  The table is filled by
 * length; the last index is a variable computed inside the loops, and the
 * best split is kept by an if on the data.
 *
 * Sizes   default  -DTINY
 * COUNT       900      13    matrices
 *
 * Set it with -DCOUNT=...
 */
#include <stdint.h>
#include <stdio.h>

#ifndef COUNT
#ifdef TINY
#define COUNT 13
#else
#define COUNT 900
#endif
#endif

#if COUNT < 1
#error "there is at least one matrix"
#endif

typedef int64_t work;

static long side[COUNT + 1];
static work cost[COUNT][COUNT];
static int split[COUNT][COUNT];

static void plan(void)
{
#pragma scop
    for (int i = 0; i < COUNT; i++)
        cost[i][i] = 0;
    for (int length = 2; length <= COUNT; length++)
        for (int i = 0; i <= COUNT - length; i++) {
            int j = i + length - 1;
            cost[i][j] = INT64_MAX;
            for (int k = i; k < j; k++) {
                work w = cost[i][k] + cost[k + 1][j] + (work)side[i] * side[k + 1] * side[j + 1];
                if (w < cost[i][j]) {
                    cost[i][j] = w;
                    split[i][j] = k;
                }
            }
        }
#pragma endscop
}

int main(void)
{
    long long sum = 0;

    for (int i = 0; i <= COUNT; i++)
        side[i] = 5 + (i * 37 + i / 3) % 60;

    plan();

    for (int i = 0; i < COUNT; i++)
        for (int j = i; j < COUNT; j++)
            sum += cost[i][j] % 10007 * (1 + (i + j) % 9) + split[i][j];
    printf("matrix_chain %lld %lld\n", (long long)cost[0][COUNT - 1], sum);
    return 0;
}
