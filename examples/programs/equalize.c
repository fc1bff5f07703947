/* equalize: an image whose grey levels are spread evenly, and their histogram.
 *
 * Data decide which counter grows, and which level a pixel gets; the levels in
 * between are a running sum.
 *
 * Sizes     default  -DTINY
 * ROWS         2048      13
 * COLUMNS      2048      29
 *
 * Set one with -DROWS=...
 */
#include <stdint.h>
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef ROWS
#define ROWS DEFAULT(2048, 13)
#endif
#ifndef COLUMNS
#define COLUMNS DEFAULT(2048, 29)
#endif
#define LEVELS 256

static uint8_t image[ROWS][COLUMNS], even[ROWS][COLUMNS];
static int count[LEVELS], below[LEVELS + 1];

static void equalize(void)
{
#pragma scop
    for (int k = 0; k < LEVELS; k++)
        count[k] = 0;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            count[image[i][j]]++;
    below[0] = 0;
    for (int k = 0; k < LEVELS; k++)
        below[k + 1] = below[k] + count[k];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            even[i][j] = (long)(LEVELS - 1) * below[image[i][j]] / (ROWS * COLUMNS);
#pragma endscop
}

int main(void)
{
    unsigned long sum = 0, seed = 1;

    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) {
            seed = seed * 6364136223846793005ul + 1442695040888963407ul;
            image[i][j] = (seed >> 58) + (seed >> 40 & 63);
        }

    equalize();

    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            sum = sum * 31 + even[i][j];
    printf("equalize %lu\n", sum);
    return 0;
}
