/* winograd: the inputs of a fast 3 x 3 convolution, transformed tile by tile.
 *
 * B^T d B for overlapping tiles of 4 x 4 numbers with B of zeros and ones, which are
 * known when the program is compiled; the results lie apart by their place in a tile.
 * Single precision, a private matrix for each tile.
 *
 * Sizes      default  -DTINY
 * CHANNELS        64       3
 * DOWN            56       3   tiles of a column
 * ACROSS          60       5   and of a row
 *
 * Set one with -DACROSS=...
 */
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef CHANNELS
#define CHANNELS DEFAULT(64, 3)
#endif
#ifndef DOWN
#define DOWN DEFAULT(56, 3)
#endif
#ifndef ACROSS
#define ACROSS DEFAULT(60, 5)
#endif

static float image[CHANNELS][2 * DOWN + 2][2 * ACROSS + 2];
static float tiles[4][4][CHANNELS][DOWN][ACROSS];
static const float turn[4][4] = {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}};

static void transform(void)
{
#pragma scop
    for (int c = 0; c < CHANNELS; c++)
        for (int y = 0; y < DOWN; y++)
            for (int x = 0; x < ACROSS; x++) {
                float half[4][4];
                for (int i = 0; i < 4; i++)
                    for (int j = 0; j < 4; j++) {
                        half[i][j] = 0.0f;
                        for (int k = 0; k < 4; k++)
                            half[i][j] += turn[i][k] * image[c][2 * y + k][2 * x + j];
                    }
                for (int i = 0; i < 4; i++)
                    for (int j = 0; j < 4; j++) {
                        float sum = 0.0f;
                        for (int k = 0; k < 4; k++)
                            sum += half[i][k] * turn[j][k];
                        tiles[i][j][c][y][x] = sum;
                    }
            }
#pragma endscop
}

int main(void)
{
    double sum = 0.0;

    for (int c = 0; c < CHANNELS; c++) {
        for (int y = 0; y < 2 * DOWN + 2; y++)
            for (int x = 0; x < 2 * ACROSS + 2; x++)
                image[c][y][x] = (float)((5 * c + 3 * y + 7 * x) % 16) / 16.0f;
        for (int i = 0; i < 16; i++)
            for (int y = 0; y < DOWN; y++)
                for (int x = 0; x < ACROSS; x++)
                    tiles[i / 4][i % 4][c][y][x] = 1.0f;
    }

    transform();

    for (int i = 0; i < 16; i++)
        for (int c = 0; c < CHANNELS; c++)
            for (int y = 0; y < DOWN; y++)
                for (int x = 0; x < ACROSS; x++)
                    sum += tiles[i / 4][i % 4][c][y][x] * (1 + (i + c + x) % 5);
    printf("winograd %.6e\n", sum);
    return 0;
}
