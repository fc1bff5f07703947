/* depthwise: the two halves of a separable convolution, channels last.
 *
 * A 3 x 3 filter of its own for each channel, on an image that wraps around
 * sideways and repeats its edge rows, max(x, 0), then a mixture of all channels
 * at each point.  Single precision, sums in private scalars.
 *
 * Sizes      default  -DTINY
 * HEIGHT         112       5
 * WIDTH          112      11
 * CHANNELS        96       5
 * FILTERS         64       3
 *
 * Set one with -DWIDTH=...
 */
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef HEIGHT
#define HEIGHT DEFAULT(112, 5)
#endif
#ifndef WIDTH
#define WIDTH DEFAULT(112, 11)
#endif
#ifndef CHANNELS
#define CHANNELS DEFAULT(96, 5)
#endif
#ifndef FILTERS
#define FILTERS DEFAULT(64, 3)
#endif
#define CLAMP(v, last) ((v) < 0 ? 0 : (v) > (last) ? (last) : (v))

static float image[HEIGHT][WIDTH][CHANNELS], hidden[HEIGHT][WIDTH][CHANNELS];
static float out[HEIGHT][WIDTH][FILTERS];
static float filter[3][3][CHANNELS], mixture[CHANNELS][FILTERS], bias[FILTERS];

static void convolve(void)
{
#pragma scop
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            for (int c = 0; c < CHANNELS; c++) {
                float sum = 0.0f;
                for (int dy = 0; dy < 3; dy++)
                    for (int dx = 0; dx < 3; dx++)
                        sum += filter[dy][dx][c]
                               * image[CLAMP(y + dy - 1, HEIGHT - 1)][(x + dx + WIDTH - 1) % WIDTH][c];
                hidden[y][x][c] = sum > 0.0f ? sum : 0.0f;
            }
            for (int f = 0; f < FILTERS; f++) {
                float sum = bias[f];
                for (int c = 0; c < CHANNELS; c++)
                    sum += hidden[y][x][c] * mixture[c][f];
                out[y][x][f] = sum;
            }
        }
#pragma endscop
}

int main(void)
{
    double sum = 0.0;

    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < CHANNELS; c++)
                image[y][x][c] = (float)((7 * y + 3 * x + c) % 16) / 16.0f;
    for (int c = 0; c < CHANNELS; c++) {
        for (int d = 0; d < 9; d++)
            filter[d / 3][d % 3][c] = (float)((5 * d + c) % 8 - 3) / 8.0f;
        for (int f = 0; f < FILTERS; f++)
            mixture[c][f] = (float)((5 * c + 3 * f) % 16 - 8) / 16.0f;
    }
    for (int f = 0; f < FILTERS; f++)
        bias[f] = (float)(f % 4) / 8.0f;

    convolve();

    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int f = 0; f < FILTERS; f++)
                sum += out[y][x][f] * (1 + (x + f) % 5);
    printf("depthwise %.6e\n", sum);
    return 0;
}
