/* half_attention: attention on numbers of two bytes, sums in single precision.
 *
 * Queries, keys, values and results are halves (_Float16: 11 bits); products of two are
 * exact in single precision, in which they are summed.  The largest score of a row is
 * taken off first; weights are rounded to halves before they multiply the values, as
 * networks that are trained on such numbers do.  One scop, one level of casts around
 * every element, two matrix products with conversions, a narrowing store.
 *
 * Needs a compiler with _Float16 (gcc 12, clang 15).
 *
 * Sizes   default  -DTINY
 * HEADS         8       2
 * LENGTH     1024      19
 * WIDTH        64       5
 *
 * Set one with -DLENGTH=..., or at run time:  half_attention [heads [length [width]]]
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

typedef _Float16 half;

static void attend(int heads, int length, int width,
                   half query[heads][length][width], half key[heads][length][width],
                   half value[heads][length][width],
                   float score[heads][length][length],
                   half weight[heads][length][length],
                   float sum[heads][length][width], half out[heads][length][width])
{
    const float scale = 1.0f / sqrtf((float)width);

#pragma scop
    for (int h = 0; h < heads; h++) {
        for (int q = 0; q < length; q++)
            for (int k = 0; k < length; k++) {
                score[h][q][k] = 0.0f;
                for (int d = 0; d < width; d++)
                    score[h][q][k] += (float)query[h][q][d] * (float)key[h][k][d];
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
                weight[h][q][k] = (half)(score[h][q][k] / total);
        }

        for (int q = 0; q < length; q++)
            for (int d = 0; d < width; d++) {
                sum[h][q][d] = 0.0f;
                for (int k = 0; k < length; k++)
                    sum[h][q][d] += (float)weight[h][q][k] * (float)value[h][k][d];
                out[h][q][d] = (half)sum[h][q][d];
            }
    }
#pragma endscop
}

static int size(int argc, char **argv, int n, int usual)
{
    int given = n < argc ? atoi(argv[n]) : usual;
    if (given < 0 || given > 1 << 20) {
        fprintf(stderr, "half_attention: a size of %d is out of range\n", given);
        exit(1);
    }
    return given;
}

static void *table(size_t n, size_t bytes)
{
    void *t = malloc((n ? n : 1) * bytes);
    if (!t) {
        fprintf(stderr, "half_attention: out of memory\n");
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
    half *query = table(n, sizeof(half)), *key = table(n, sizeof(half));
    half *value = table(n, sizeof(half)), *out = table(n, sizeof(half));
    half *weight = table(n_scores, sizeof(half));
    float *score = table(n_scores, sizeof(float)), *sums = table(n, sizeof(float));
    double sum = 0.0;

    for (size_t i = 0; i < n; i++) {
        query[i] = (half)((float)(i * 37 % 101) / 101.0f - 0.5f);
        key[i] = (half)((float)(i * 53 % 97) / 97.0f - 0.5f);
        value[i] = (half)((float)(i * 17 % 89) / 89.0f);
    }
    attend(heads, length, width, (void *)query, (void *)key, (void *)value,
           (void *)score, (void *)weight, (void *)sums, (void *)out);
    for (size_t i = 0; i < n; i++)
        sum += (double)out[i] * (double)(1 + i % 7);
    printf("half_attention %.5e\n", sum);
    free(query);
    free(key);
    free(value);
    free(score);
    free(weight);
    free(sums);
    free(out);
    return 0;
}
