/* layer_norm: normalises the rows of a table, then turns each into weights.
 *
 * First scop: every row is shifted and scaled to mean 0 and deviation 1, then
 * multiplied by a gain and moved by an offset.  Second scop: the exponential of
 * each element over the sum of its row, with the largest element taken off
 * first.  Single precision, scalars private to a row, sqrtf and expf.
 *
 * Sizes   default  -DTINY
 * ROWS       4000      13
 * WIDTH      2048       7
 *
 * Set one with -DROWS=..., or at run time:  layer_norm [rows [width]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef ROWS
#define ROWS DEFAULT(4000, 13)
#endif
#ifndef WIDTH
#define WIDTH DEFAULT(2048, 7)
#endif

static void normalise(int rows, int width, float x[rows][width], float gain[width], float offset[width])
{
    const float eps = 1e-5f;

#pragma scop
    for (int r = 0; r < rows; r++) {
        float mean = 0.0f;
        for (int c = 0; c < width; c++)
            mean += x[r][c];
        mean /= (float)width;

        float var = 0.0f;
        for (int c = 0; c < width; c++)
            var += (x[r][c] - mean) * (x[r][c] - mean);
        var /= (float)width;

        float scale = 1.0f / sqrtf(var + eps);
        for (int c = 0; c < width; c++)
            x[r][c] = (x[r][c] - mean) * scale * gain[c] + offset[c];
    }
#pragma endscop
}

static void softmax(int rows, int width, float x[rows][width], float p[rows][width])
{
#pragma scop
    for (int r = 0; r < rows; r++) {
        float top = x[r][0];
        float total = 0.0f;
        for (int c = 1; c < width; c++)
            top = x[r][c] > top ? x[r][c] : top;
        for (int c = 0; c < width; c++) {
            p[r][c] = expf(x[r][c] - top);
            total += p[r][c];
        }
        for (int c = 0; c < width; c++)
            p[r][c] /= total;
    }
#pragma endscop
}

int main(int argc, char *argv[])
{
    int rows = argc > 1 ? atoi(argv[1]) : ROWS;
    int width = argc > 2 ? atoi(argv[2]) : WIDTH;
    double sum = 0.0;

    if (rows < 1 || width < 1) {
        fprintf(stderr, "usage: layer_norm [rows [width]]\n");
        return 1;
    }
    float (*x)[width] = malloc(sizeof(float[rows][width]));
    float (*p)[width] = malloc(sizeof(float[rows][width]));
    float *gain = malloc(width * sizeof *gain);
    float *offset = malloc(width * sizeof *offset);
    if (!x || !p || !gain || !offset)
        return 1;
    for (int c = 0; c < width; c++) {
        gain[c] = 0.5f + (float)(c % 8) / 8.0f;
        offset[c] = (float)(c % 3) / 4.0f;
    }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < width; c++)
            x[r][c] = (float)((11 * r + 7 * c) % 64) / 16.0f - 2.0f;

    normalise(rows, width, x, gain, offset);
    softmax(rows, width, x, p);

    for (int r = 0; r < rows; r++)
        for (int c = 0; c < width; c++)
            sum += p[r][c] * (1 + (r + 5 * c) % 23);
    printf("layer_norm %.5e\n", sum);
    free(x);
    free(p);
    free(gain);
    free(offset);
    return 0;
}
