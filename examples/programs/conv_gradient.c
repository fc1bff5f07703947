/* conv_gradient: what a convolution's filters and inputs have to do with its error.
 *
 * The backward pass of a 3 x 3 convolution: `weights` sums over a batch and all points
 * for each tap, in a private scalar; `data` scatters every point of the error over the
 * inputs that it came from.  Single precision, order of the sums as written.
 *
 * Sizes      default  -DTINY
 * BATCH            4       2
 * CHANNELS        16       3
 * FILTERS         24       2
 * HEIGHT          32       5
 * WIDTH           36       7
 *
 * Set one with -DWIDTH=...
 */
#include <stdio.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef BATCH
#define BATCH DEFAULT(4, 2)
#endif
#ifndef CHANNELS
#define CHANNELS DEFAULT(16, 3)
#endif
#ifndef FILTERS
#define FILTERS DEFAULT(24, 2)
#endif
#ifndef HEIGHT
#define HEIGHT DEFAULT(32, 5)
#endif
#ifndef WIDTH
#define WIDTH DEFAULT(36, 7)
#endif

static float in[BATCH][CHANNELS][HEIGHT + 2][WIDTH + 2];
static float in_error[BATCH][CHANNELS][HEIGHT + 2][WIDTH + 2];
static float error[BATCH][FILTERS][HEIGHT][WIDTH];
static float filter[FILTERS][CHANNELS][3][3], filter_error[FILTERS][CHANNELS][3][3];

static void weights(void)
{
#pragma scop
    for (int f = 0; f < FILTERS; f++)
        for (int c = 0; c < CHANNELS; c++)
            for (int a = 0; a < 3; a++)
                for (int b = 0; b < 3; b++) {
                    float sum = 0.0f;
                    for (int n = 0; n < BATCH; n++)
                        for (int y = 0; y < HEIGHT; y++)
                            for (int x = 0; x < WIDTH; x++)
                                sum += error[n][f][y][x] * in[n][c][y + a][x + b];
                    filter_error[f][c][a][b] = sum;
                }
#pragma endscop
}

static void data(void)
{
#pragma scop
    for (int n = 0; n < BATCH; n++)
        for (int f = 0; f < FILTERS; f++)
            for (int c = 0; c < CHANNELS; c++)
                for (int y = 0; y < HEIGHT; y++)
                    for (int x = 0; x < WIDTH; x++)
                        for (int a = 0; a < 3; a++)
                            for (int b = 0; b < 3; b++)
                                in_error[n][c][y + a][x + b] += filter[f][c][a][b] * error[n][f][y][x];
#pragma endscop
}

int main(void)
{
    double filters = 0.0, inputs = 0.0;

    for (int n = 0; n < BATCH; n++)
        for (int y = 0; y < HEIGHT + 2; y++)
            for (int x = 0; x < WIDTH + 2; x++) {
                for (int c = 0; c < CHANNELS; c++) {
                    in[n][c][y][x] = (float)((3 * n + 5 * c + 7 * y + x) % 16 - 8) / 16.0f;
                    in_error[n][c][y][x] = 0.0f;
                }
                for (int f = 0; f < FILTERS && y < HEIGHT && x < WIDTH; f++)
                    error[n][f][y][x] = (float)((n + 3 * f + 5 * y + 7 * x) % 13 - 6) / 16.0f;
            }
    for (int f = 0; f < FILTERS; f++)
        for (int c = 0; c < CHANNELS; c++)
            for (int d = 0; d < 9; d++)
                filter[f][c][d / 3][d % 3] = (float)((5 * f + 3 * c + d) % 9 - 4) / 8.0f;

    weights();
    data();

    for (int f = 0; f < FILTERS; f++)
        for (int c = 0; c < CHANNELS; c++)
            for (int d = 0; d < 9; d++)
                filters += filter_error[f][c][d / 3][d % 3] * (1 + (f + c + d) % 5);
    for (int n = 0; n < BATCH; n++)
        for (int c = 0; c < CHANNELS; c++)
            for (int y = 0; y < HEIGHT + 2; y++)
                for (int x = 0; x < WIDTH + 2; x++)
                    inputs += in_error[n][c][y][x] * (1 + (c + y + x) % 5);
    printf("conv_gradient %.6e %.6e\n", filters, inputs);
    return 0;
}
