/* deriche: Deriche recursive filter, smoothing an image along both directions
 *
 *     Every row is filtered forwards (yf) and backwards (yb) by a second-order
 *     recursion and the two are added; then every column of the result likewise.
 *     The coefficients a1 .. a8, b1, b2 follow from the width alpha.
 *
 * Sizes  MINI  SMALL  MEDIUM  LARGE  EXTRALARGE
 * W        64    192     720   4096        7680
 * H        64    128     480   2160        4320
 *
 * Take a set of sizes with -DMINI ... -DEXTRALARGE (LARGE if none is named),
 * or set single ones, as in -DH=17.  -DDUMP prints every result as well.
 * -DREAL=double changes the element type.  Link with -lm.
 */
#include <math.h>
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

#ifndef W
#define W PICK(64, 192, 720, 4096, 7680)
#endif
#ifndef H
#define H PICK(64, 128, 480, 2160, 4320)
#endif

#ifndef REAL
#define REAL float
#endif
typedef REAL real;

static real image_in[W][H];
static real image_out[W][H];
static real yf[W][H];
static real yb[W][H];

static void kernel_deriche(real alpha)
{
    real xm1, tm1, ym1, ym2;
    real xp1, xp2, tp1, tp2, yp1, yp2;
    real k, a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, c1, c2;

#pragma scop
    k = (1.0f - expf(-alpha)) * (1.0f - expf(-alpha))
        / (1.0f + 2.0f * alpha * expf(-alpha) - expf(2.0f * alpha));
    a1 = a5 = k;
    a2 = a6 = k * expf(-alpha) * (alpha - 1.0f);
    a3 = a7 = k * expf(-alpha) * (alpha + 1.0f);
    a4 = a8 = -k * expf(-2.0f * alpha);
    b1 = powf(2.0f, -alpha);
    b2 = -expf(-2.0f * alpha);
    c1 = c2 = 1;

    for (int i = 0; i < W; i++) {
        ym1 = 0.0f;
        ym2 = 0.0f;
        xm1 = 0.0f;
        for (int j = 0; j < H; j++) {
            yf[i][j] = a1 * image_in[i][j] + a2 * xm1 + b1 * ym1 + b2 * ym2;
            xm1 = image_in[i][j];
            ym2 = ym1;
            ym1 = yf[i][j];
        }
    }
    for (int i = 0; i < W; i++) {
        yp1 = 0.0f;
        yp2 = 0.0f;
        xp1 = 0.0f;
        xp2 = 0.0f;
        for (int j = H - 1; j >= 0; j--) {
            yb[i][j] = a3 * xp1 + a4 * xp2 + b1 * yp1 + b2 * yp2;
            xp2 = xp1;
            xp1 = image_in[i][j];
            yp2 = yp1;
            yp1 = yb[i][j];
        }
    }
    for (int i = 0; i < W; i++)
        for (int j = 0; j < H; j++)
            image_out[i][j] = c1 * (yf[i][j] + yb[i][j]);

    for (int j = 0; j < H; j++) {
        tm1 = 0.0f;
        ym1 = 0.0f;
        ym2 = 0.0f;
        for (int i = 0; i < W; i++) {
            yf[i][j] = a5 * image_out[i][j] + a6 * tm1 + b1 * ym1 + b2 * ym2;
            tm1 = image_out[i][j];
            ym2 = ym1;
            ym1 = yf[i][j];
        }
    }
    for (int j = 0; j < H; j++) {
        tp1 = 0.0f;
        tp2 = 0.0f;
        yp1 = 0.0f;
        yp2 = 0.0f;
        for (int i = W - 1; i >= 0; i--) {
            yb[i][j] = a7 * tp1 + a8 * tp2 + b1 * yp1 + b2 * yp2;
            tp2 = tp1;
            tp1 = image_out[i][j];
            yp2 = yp1;
            yp1 = yb[i][j];
        }
    }
    for (int i = 0; i < W; i++)
        for (int j = 0; j < H; j++)
            image_out[i][j] = c2 * (yf[i][j] + yb[i][j]);
#pragma endscop
}

static void init(void)
{
    for (int i = 0; i < W; i++)
        for (int j = 0; j < H; j++)
            image_in[i][j] = (1 + (37 * i + 91 * j) % 255) / 256.0f;
}

static double checksum;
static long position;

/* Adds one result, weighted by its position, to the checksum. */
static void emit(double value)
{
    checksum += value * (1 + position++ % 101);
#ifdef DUMP
    printf("%.17g\n", value);
#endif
}

int main(void)
{
    init();
    kernel_deriche(0.25f);
    for (int i = 0; i < W; i++)
        for (int j = 0; j < H; j++)
            emit(image_out[i][j]);
    printf("deriche %.10e\n", checksum);
    return 0;
}
