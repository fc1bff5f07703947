/* Two five-point sweeps per step. -DELEM=float|double -DN=8192 -DSTEPS=32 -DREPS=3 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef ELEM
#define ELEM float
#endif
#ifndef N
#define N 8192
#endif
#ifndef STEPS
#define STEPS 32
#endif
#ifndef REPS
#define REPS 3
#endif

static ELEM A[N][N], B[N][N];

static void fill(void)
{
  unsigned x = 1;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      x = x * 1664525u + 1013904223u;
      B[i][j] = A[i][j] = (ELEM)(x >> 16 & 1023) / 1024;
    }
}

static void relax(void)
{
#pragma scop
  for (int t = 0; t < STEPS; t++) {
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        B[i][j] = (ELEM)0.2 * (A[i][j] + A[i][j - 1] + A[i][j + 1] + A[i + 1][j] +
                               A[i - 1][j]);
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        A[i][j] = (ELEM)0.2 * (B[i][j] + B[i][j - 1] + B[i][j + 1] + B[i + 1][j] +
                               B[i - 1][j]);
  }
#pragma endscop
}

/* the same around one point, from a window that the steps cannot leave */
static double error_at(int row, int column)
{
  enum { R = 2 * STEPS + 1, W = 2 * R + 1 };
  static double now[W][W], next[W][W];
  unsigned x = 1;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      int a = i - row + R, b = j - column + R;
      x = x * 1664525u + 1013904223u;
      if (a >= 0 && a < W && b >= 0 && b < W)
        next[a][b] = now[a][b] = (double)(x >> 16 & 1023) / 1024;
    }
  for (int t = 0; t < 2 * STEPS; t++) {
    for (int a = 1; a < W - 1; a++)
      for (int b = 1; b < W - 1; b++)
        next[a][b] = 0.2 * (now[a][b] + now[a][b - 1] + now[a][b + 1] +
                            now[a + 1][b] + now[a - 1][b]);
    for (int a = 1; a < W - 1; a++)
      for (int b = 1; b < W - 1; b++)
        now[a][b] = next[a][b];
  }
  return fabs(now[R][R] - (double)A[row][column]);
}

int main(void)
{
  double worst = 0, limit = sizeof(ELEM) == 4 ? 1e-5 : 1e-13;
  fill();
  relax();
  for (int n = 0; n < 4; n++) {
    double e = error_at(N / 2 - 300 * n - n, N / 3 + 411 * n);
    worst = e > worst ? e : worst;
  }
  for (int n = 1; n < REPS; n++)
    relax();
  printf("error %.3g %s\n", worst, worst < limit ? "equal" : "WRONG");
  return worst < limit ? 0 : 1;
}
