/* batched_matmul: many small matrix products, C[b] = A[b] * B[b] + C[b].
 *
 * The function sees three restrict pointers into which the batches are packed
 * one after the other, all subscripts written out by hand.
 *
 * Sizes   default  -DTINY
 * COUNT       300       5    products
 * ROWS         64      13    rows of A and C
 * COLS         72       7    columns of B and C
 * DEPTH        80      11    columns of A, rows of B
 *
 * Set one with -DROWS=..., or at run time:
 *     batched_matmul [count [rows [cols [depth]]]]
 */
#include <stdio.h>
#include <stdlib.h>

#ifdef TINY
#define DEFAULT(usual, tiny) tiny
#else
#define DEFAULT(usual, tiny) usual
#endif
#ifndef COUNT
#define COUNT DEFAULT(300, 5)
#endif
#ifndef ROWS
#define ROWS DEFAULT(64, 13)
#endif
#ifndef COLS
#define COLS DEFAULT(72, 7)
#endif
#ifndef DEPTH
#define DEPTH DEFAULT(80, 11)
#endif

void multiply(int count, int rows, int cols, int depth,
              const float *restrict A, const float *restrict B, float *restrict C)
{
#pragma scop
    for (int b = 0; b < count; b++)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < cols; j++)
                for (int k = 0; k < depth; k++)
                    C[b * rows * cols + i * cols + j] += A[b * rows * depth + i * depth + k]
                                                         * B[b * depth * cols + k * cols + j];
#pragma endscop
}

static float *fill(size_t length, int factor, int modulus)
{
    float *data = malloc((length + 1) * sizeof *data);

    if (!data)
        exit(1);
    for (size_t i = 0; i < length; i++)
        data[i] = (float)((int)(i % 100003) * factor % modulus) / (float)modulus;
    return data;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : COUNT;
    int rows = argc > 2 ? atoi(argv[2]) : ROWS;
    int cols = argc > 3 ? atoi(argv[3]) : COLS;
    int depth = argc > 4 ? atoi(argv[4]) : DEPTH;
    double sum = 0.0;

    if (count < 0 || rows < 0 || cols < 0 || depth < 0) {
        fprintf(stderr, "usage: batched_matmul [count [rows [cols [depth]]]]\n");
        return 1;
    }
    float *A = fill((size_t)count * rows * depth, 7, 31);
    float *B = fill((size_t)count * depth * cols, 5, 37);
    float *C = fill((size_t)count * rows * cols, 3, 29);

    multiply(count, rows, cols, depth, A, B, C);

    for (size_t i = 0; i < (size_t)count * rows * cols; i++)
        sum += C[i] * (double)(1 + i % 19);
    printf("batched_matmul %.6e\n", sum);
    free(A);
    free(B);
    free(C);
    return 0;
}
