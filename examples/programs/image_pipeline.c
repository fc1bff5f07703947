/* image_pipeline: blur along x, blur along y, sharpen, threshold.
 *
 * Pixels are bytes; sums are int and are cast back.  At the edges the nearest
 * pixel is used, written with a macro that clamps the subscript.
 *
 * Sizes   default  -DTINY
 * ROWS       1400      13
 * COLS       1800      11
 *
 * Set one with -DROWS=..., or at run time:  image_pipeline [rows [cols]]
 */
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef ROWS
#define ROWS DEFAULT(1400, 13)
#endif
#ifndef COLS
#define COLS DEFAULT(1800, 11)
#endif

#define BEFORE(k) ((k) > 0 ? (k) - 1 : 0)
#define AFTER(k, n) ((k) < (n) - 1 ? (k) + 1 : (n) - 1)

typedef unsigned char pixel;

static void blur_x(int rows, int cols, pixel in[rows][cols], unsigned short out[rows][cols])
{
#pragma scop
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++)
            out[y][x] = (unsigned short)(in[y][BEFORE(x)] + 2 * in[y][x] + in[y][AFTER(x, cols)]);
#pragma endscop
}

static void blur_y(int rows, int cols, unsigned short in[rows][cols], pixel out[rows][cols])
{
#pragma scop
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++)
            out[y][x] = (pixel)((in[BEFORE(y)][x] + 2 * in[y][x] + in[AFTER(y, rows)][x] + 8) / 16);
#pragma endscop
}

static void sharpen(int rows, int cols, pixel in[rows][cols], pixel soft[rows][cols],
                    pixel out[rows][cols], int threshold)
{
#pragma scop
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++) {
            int v = 2 * in[y][x] - soft[y][x];
            v = v < 0 ? 0 : v;
            v = v > 255 ? 255 : v;
            out[y][x] = (pixel)v;
            if (out[y][x] > threshold)
                out[y][x] = 255;
        }
#pragma endscop
}

int main(int argc, char **argv)
{
    int rows = argc > 1 ? atoi(argv[1]) : ROWS;
    int cols = argc > 2 ? atoi(argv[2]) : COLS;
    unsigned long sum = 0;

    if (rows < 1 || cols < 1) {
        fprintf(stderr, "usage: image_pipeline [rows [cols]]\n");
        return 1;
    }
    pixel (*in)[cols] = malloc(sizeof(pixel[rows][cols]));
    pixel (*soft)[cols] = malloc(sizeof(pixel[rows][cols]));
    pixel (*out)[cols] = malloc(sizeof(pixel[rows][cols]));
    unsigned short (*half)[cols] = malloc(sizeof(unsigned short[rows][cols]));
    if (!in || !soft || !out || !half)
        return 1;
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++)
            in[y][x] = (pixel)((x * x / 16 + 3 * y + x * y % 29) % 256);

    for (int pass = 0; pass < 8; pass++) {
        blur_x(rows, cols, in, half);
        blur_y(rows, cols, half, soft);
        sharpen(rows, cols, in, soft, out, 240 - pass);
        pixel (*swap)[cols] = in;
        in = soft;
        soft = swap;
    }

    for (int y = 0; y < rows; y++)
        for (int x = 0; x < cols; x++)
            sum += (unsigned long)out[y][x] * (unsigned long)(1 + (y + 2 * x) % 31);
    printf("image_pipeline %lu\n", sum);
    free(in);
    free(soft);
    free(out);
    free(half);
    return 0;
}
