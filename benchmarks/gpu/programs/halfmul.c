/* C += A * B, square: factors of two bytes, sums in float. -DELEM=_Float16 -DN=4096
   -DREPS=6; -DELEM=__bf16 -DBITS=7 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef ELEM
#define ELEM _Float16
#endif
#ifndef N
#define N 4096
#endif
#ifndef REPS
#define REPS 6
#endif

#ifndef BITS
#define BITS 10
#endif
#ifndef LIMIT
#define LIMIT 1e-4
#endif

static ELEM A[N][N], B[N][N];
static float C[N][N];

static void multiply(void)
{
#pragma scop
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < N; k++)
        C[i][j] += (float)A[i][k] * (float)B[k][j];
#pragma endscop
}

static double error_of(int i, int j, double before, double after)
{
  double sum = before;
  for (int k = 0; k < N; k++)
    sum += (double)A[i][k] * (double)B[k][j];
  return fabs(after - sum) / (1 + fabs(sum));
}

int main(void)
{
  unsigned x = 1;
  double worst = 0;
  const unsigned last = (1u << BITS) - 1;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      x = x * 1664525u + 1013904223u;
      A[i][j] = (ELEM)((float)(x >> 16 & last) / (last + 1));
      B[i][j] = (ELEM)((float)(x >> 9 & last) / (last + 1) - 0.5f);
      C[i][j] = (float)(i % 7);
    }
  multiply();
  for (int n = 0; n < 256; n++) {
    int i = (n * 977) % N, j = (n * 1361 + 5) % N;
    double e = error_of(i, j, i % 7, C[i][j]);
    worst = e > worst ? e : worst;
  }
  for (int n = 1; n < REPS; n++)
    multiply();
  printf("error %.3g %s\n", worst, worst < LIMIT ? "equal" : "WRONG");
  return worst < LIMIT ? 0 : 1;
}
