/* Two seven-point sweeps per step. -DELEM=float|double -DN=384 -DSTEPS=16 -DREPS=3 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef ELEM
#define ELEM float
#endif
#ifndef N
#define N 384
#endif
#ifndef STEPS
#define STEPS 16
#endif
#ifndef REPS
#define REPS 3
#endif

static ELEM A[N][N][N], B[N][N][N];

#define HEAT(X)                                                              \
  ((ELEM)0.125 * (X[i + 1][j][k] - (ELEM)2 * X[i][j][k] + X[i - 1][j][k]) +  \
   (ELEM)0.125 * (X[i][j + 1][k] - (ELEM)2 * X[i][j][k] + X[i][j - 1][k]) +  \
   (ELEM)0.125 * (X[i][j][k + 1] - (ELEM)2 * X[i][j][k] + X[i][j][k - 1]) +  \
   X[i][j][k])

static double start(int i, int j, int k)
{
  return (double)((i * 131 + j * 31 + k * 7) % 1024) / 1024;
}

static void diffuse(void)
{
#pragma scop
  for (int t = 0; t < STEPS; t++) {
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        for (int k = 1; k < N - 1; k++)
          B[i][j][k] = HEAT(A);
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        for (int k = 1; k < N - 1; k++)
          A[i][j][k] = HEAT(B);
  }
#pragma endscop
}

/* the same around one point, from a window that the steps cannot leave */
static double error_at(int row, int column, int depth)
{
  enum { R = 2 * STEPS + 1, W = 2 * R + 1 };
  static double now[W][W][W], next[W][W][W];
  for (int a = 0; a < W; a++)
    for (int b = 0; b < W; b++)
      for (int c = 0; c < W; c++)
        next[a][b][c] = now[a][b][c] =
          start(a + row - R, b + column - R, c + depth - R);
  for (int t = 0; t < 2 * STEPS; t++) {
    for (int i = 1; i < W - 1; i++)
      for (int j = 1; j < W - 1; j++)
        for (int k = 1; k < W - 1; k++)
          next[i][j][k] =
            0.125 * (now[i + 1][j][k] - 2 * now[i][j][k] + now[i - 1][j][k]) +
            0.125 * (now[i][j + 1][k] - 2 * now[i][j][k] + now[i][j - 1][k]) +
            0.125 * (now[i][j][k + 1] - 2 * now[i][j][k] + now[i][j][k - 1]) +
            now[i][j][k];
    for (int i = 1; i < W - 1; i++)
      for (int j = 1; j < W - 1; j++)
        for (int k = 1; k < W - 1; k++)
          now[i][j][k] = next[i][j][k];
  }
  return fabs(now[R][R][R] - (double)A[row][column][depth]);
}

int main(void)
{
  double worst = 0, limit = sizeof(ELEM) == 4 ? 1e-5 : 1e-13;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < N; k++)
        B[i][j][k] = A[i][j][k] = (ELEM)start(i, j, k);
  diffuse();
  for (int n = 0; n < 2; n++) {
    double e = error_at(N / 2 - 7 * n, N / 3 + 11 * n, N / 2 + 5 * n);
    worst = e > worst ? e : worst;
  }
  for (int n = 1; n < REPS; n++)
    diffuse();
  printf("error %.3g %s\n", worst, worst < limit ? "equal" : "WRONG");
  return worst < limit ? 0 : 1;
}
