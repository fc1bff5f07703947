/* integral_image: sums over all rectangles of a picture, used for a box filter.
 *
 * table[i][j] is the sum of all samples above and to the left, built by prefix
 * sums along the rows and then down the columns.  The box filter takes four
 * corners of the table; windows are cut off at the edges.  A mask marks samples
 * brighter than their surroundings, and a counter counts them.
 * Samples are 16-bit unsigned, sums 64-bit.
 *
 * Sizes   default  -DTINY
 * H          2400      13    rows
 * W          3000      17    columns
 * RADIUS        4       2    half width of the window
 *
 * Set one with -DH=...
 */
#include <stdint.h>
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef H
#define H DEFAULT(2400, 13)
#endif
#ifndef W
#define W DEFAULT(3000, 17)
#endif
#ifndef RADIUS
#define RADIUS DEFAULT(4, 2)
#endif

typedef uint16_t sample;
typedef int64_t total;

static sample picture[H][W];
static total table[H + 1][W + 1];
static unsigned short mask[H][W];

static void accumulate(void)
{
#pragma scop
    for (int j = 0; j <= W; j++)
        table[0][j] = 0;
    for (int i = 1; i <= H; i++) {
        table[i][0] = 0;
        for (int j = 1; j <= W; j++)
            table[i][j] = table[i][j - 1] + (total)picture[i - 1][j - 1];
    }
    for (int i = 1; i <= H; i++)
        for (int j = 1; j <= W; j++)
            table[i][j] += table[i - 1][j];
#pragma endscop
}

static int mark(void)
{
    int bright = 0;

#pragma scop
    for (int i = RADIUS; i < H - RADIUS; i++)
        for (int j = RADIUS; j < W - RADIUS; j++) {
            total box = table[i + RADIUS + 1][j + RADIUS + 1] - table[i - RADIUS][j + RADIUS + 1]
                        - table[i + RADIUS + 1][j - RADIUS] + table[i - RADIUS][j - RADIUS];
            if ((total)picture[i][j] * ((2 * RADIUS + 1) * (2 * RADIUS + 1)) > box) {
                mask[i][j] = 1;
                bright++;
            }
        }
#pragma endscop
    return bright;
}

int main(void)
{
    long long sum = 0;

    for (int i = 0; i < H; i++)
        for (int j = 0; j < W; j++)
            picture[i][j] = (sample)((i * 7919 + j * 104729 % 4001 + i / 9 * (j / 7)) % 65536);

    accumulate();
    int bright = mark();

    for (int i = 0; i < H; i++)
        for (int j = 0; j < W; j++)
            sum += (1 + mask[i][j]) * (table[i + 1][j + 1] % 1009) + (mask[i][j] ? i + j : 0);
    printf("integral_image %lld %d\n", sum, bright);
    return 0;
}
