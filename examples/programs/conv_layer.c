/* conv_layer: one layer of a small network on a batch of images.
 *
 * A 3 x 3 convolution with a border of zeros, a bias, the function max(x, 0),
 * and a 2 x 2 maximum that halves each image.  Single precision; the border is
 * handled by an if inside the kernel loops; the last scop reads at 2*y + dy.
 *
 * Sizes     default  -DTINY
 * BATCH           2       3    images
 * CHANNELS       24       5    channels of the input
 * FILTERS        32       7    channels of the output
 * HEIGHT         96      13    rows
 * WIDTH         100      11    columns
 *
 * Set one with -DBATCH=...
 */
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef BATCH
#define BATCH DEFAULT(2, 3)
#endif
#ifndef CHANNELS
#define CHANNELS DEFAULT(24, 5)
#endif
#ifndef FILTERS
#define FILTERS DEFAULT(32, 7)
#endif
#ifndef HEIGHT
#define HEIGHT DEFAULT(96, 13)
#endif
#ifndef WIDTH
#define WIDTH DEFAULT(100, 11)
#endif
#define K 3

typedef float image[HEIGHT][WIDTH];

static image input[BATCH][CHANNELS];
static image hidden[BATCH][FILTERS];
static float pooled[BATCH][FILTERS][HEIGHT / 2][WIDTH / 2];
static float weight[FILTERS][CHANNELS][K][K];
static float bias[FILTERS];

static void convolve(void)
{
#pragma scop
    for (int b = 0; b < BATCH; b++)
        for (int f = 0; f < FILTERS; f++)
            for (int y = 0; y < HEIGHT; y++)
                for (int x = 0; x < WIDTH; x++) {
                    hidden[b][f][y][x] = bias[f];
                    for (int c = 0; c < CHANNELS; c++)
                        for (int ky = 0; ky < K; ky++)
                            for (int kx = 0; kx < K; kx++)
                                if (y + ky >= 1 && y + ky <= HEIGHT && x + kx >= 1 && x + kx <= WIDTH)
                                    hidden[b][f][y][x] += weight[f][c][ky][kx]
                                                          * input[b][c][y + ky - 1][x + kx - 1];
                }
#pragma endscop
}

static void activate_and_pool(void)
{
#pragma scop
    for (int b = 0; b < BATCH; b++)
        for (int f = 0; f < FILTERS; f++) {
            for (int y = 0; y < HEIGHT; y++)
                for (int x = 0; x < WIDTH; x++)
                    hidden[b][f][y][x] = hidden[b][f][y][x] > 0.0f ? hidden[b][f][y][x] : 0.0f;
            for (int y = 0; y < HEIGHT / 2; y++)
                for (int x = 0; x < WIDTH / 2; x++) {
                    float best = 0.0f;
                    for (int dy = 0; dy < 2; dy++)
                        for (int dx = 0; dx < 2; dx++)
                            best = hidden[b][f][2 * y + dy][2 * x + dx] > best
                                   ? hidden[b][f][2 * y + dy][2 * x + dx] : best;
                    pooled[b][f][y][x] = best;
                }
        }
#pragma endscop
}

int main(void)
{
    double sum = 0.0;
    long count = 0;

    for (int b = 0; b < BATCH; b++)
        for (int c = 0; c < CHANNELS; c++)
            for (int y = 0; y < HEIGHT; y++)
                for (int x = 0; x < WIDTH; x++)
                    input[b][c][y][x] = (float)((b + 3 * c + 5 * y + 7 * x) % 32) / 32.0f;
    for (int f = 0; f < FILTERS; f++) {
        bias[f] = (float)(f % 4) / 8.0f;
        for (int c = 0; c < CHANNELS; c++)
            for (int ky = 0; ky < K; ky++)
                for (int kx = 0; kx < K; kx++)
                    weight[f][c][ky][kx] = (float)((7 * f + 5 * c + 3 * ky + kx) % 16 - 7) / 16.0f;
    }

    convolve();
    activate_and_pool();

    for (int b = 0; b < BATCH; b++)
        for (int f = 0; f < FILTERS; f++)
            for (int y = 0; y < HEIGHT / 2; y++)
                for (int x = 0; x < WIDTH / 2; x++)
                    sum += pooled[b][f][y][x] * (1 + count++ % 17);
    printf("conv_layer %.6e\n", sum);
    return 0;
}
