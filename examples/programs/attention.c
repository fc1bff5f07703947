/* attention: every query gathers the values of all keys, weighted by likeness.
 *
 * For each head the scores of all pairs of a query and a key, the weights they turn
 * into (exponentials over their row's sum, the largest score taken off first), and
 * the weighted sums of the values.  One scop, single precision, a table of scores
 * between two matrix products, scalars private to a row, expf.
 *
 * Sizes   default  -DTINY
 * HEADS         8       2
 * LENGTH     1024      19
 * WIDTH        64       5
 *
 * Set one with -DLENGTH=..., or at run time:  attention [heads [length [width]]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef HEADS
#define HEADS DEFAULT(8, 2)
#endif
#ifndef LENGTH
#define LENGTH DEFAULT(1024, 19)
#endif
#ifndef WIDTH
#define WIDTH DEFAULT(64, 5)
#endif

static void attend(int heads, int length, int width,
                   float query[heads][length][width],
                   float key[heads][length][width],
                   float value[heads][length][width],
                   float score[heads][length][length],
                   float out[heads][length][width])
{
    const float scale = 1.0f / sqrtf((float)width);

#pragma scop
    for (int h = 0; h < heads; h++) {
        for (int q = 0; q < length; q++)
            for (int k = 0; k < length; k++) {
                score[h][q][k] = 0.0f;
                for (int d = 0; d < width; d++)
                    score[h][q][k] += query[h][q][d] * key[h][k][d];
            }

        for (int q = 0; q < length; q++) {
            float top = score[h][q][0];
            float total = 0.0f;
            for (int k = 1; k < length; k++)
                top = score[h][q][k] > top ? score[h][q][k] : top;
            for (int k = 0; k < length; k++) {
                score[h][q][k] = expf(scale * (score[h][q][k] - top));
                total += score[h][q][k];
            }
            for (int k = 0; k < length; k++)
                score[h][q][k] /= total;
        }

        for (int q = 0; q < length; q++)
            for (int d = 0; d < width; d++) {
                out[h][q][d] = 0.0f;
                for (int k = 0; k < length; k++)
                    out[h][q][d] += score[h][q][k] * value[h][k][d];
            }
    }
#pragma endscop
}

static int size(int argc, char **argv, int n, int usual)
{
    int given = n < argc ? atoi(argv[n]) : usual;
    if (given < 0 || given > 1 << 20) {
        fprintf(stderr, "attention: a size of %d is out of range\n", given);
        exit(1);
    }
    return given;
}

static float *table(size_t n)
{
    float *t = malloc((n ? n : 1) * sizeof(float));
    if (!t) {
        fprintf(stderr, "attention: out of memory\n");
        exit(1);
    }
    return t;
}

int main(int argc, char **argv)
{
    int heads = size(argc, argv, 1, HEADS);
    int length = size(argc, argv, 2, LENGTH);
    int width = size(argc, argv, 3, WIDTH);
    size_t n = (size_t)heads * length * width;
    size_t n_scores = (size_t)heads * length * length;
    float *query = table(n), *key = table(n), *value = table(n), *out = table(n);
    float *score = table(n_scores);
    double sum = 0.0;

    for (size_t i = 0; i < n; i++) {
        query[i] = (float)(i * 37 % 101) / 101.0f - 0.5f;
        key[i] = (float)(i * 53 % 97) / 97.0f - 0.5f;
        value[i] = (float)(i * 17 % 89) / 89.0f;
    }
    attend(heads, length, width, (void *)query, (void *)key, (void *)value,
           (void *)score, (void *)out);
    for (size_t i = 0; i < n; i++)
        sum += out[i] * (double)(1 + i % 7);
    printf("attention %.5e\n", sum);
    free(query);
    free(key);
    free(value);
    free(score);
    free(out);
    return 0;
}
