/* A sum along every row and one along every column, terms in order.
 * -DELEM=float|double -DN=8192 -DREPS=6 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef ELEM
#define ELEM double
#endif
#ifndef N
#define N 8192
#endif
#ifndef REPS
#define REPS 6
#endif

static ELEM A[N][N], x[N], y[N], z[N];

static void add_up(void)
{
#pragma scop
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      y[i] += A[i][j] * x[j];
  for (int j = 0; j < N; j++)
    for (int i = 0; i < N; i++)
      z[j] += A[i][j] * x[i];
#pragma endscop
}

static double error_at(int i)
{
  double row = 0, column = 0, e, f;
  for (int j = 0; j < N; j++) {
    row += (double)A[i][j] * x[j];
    column += (double)A[j][i] * x[j];
  }
  e = fabs(y[i] - row) / row;
  f = fabs(z[i] - column) / column;
  return e > f ? e : f;
}

int main(void)
{
  double worst = 0, limit = sizeof(ELEM) == 4 ? 1e-3 : 1e-12;
  unsigned s = 1;
  for (int i = 0; i < N; i++) {
    x[i] = (ELEM)(i % 7 + 1) / 8;
    for (int j = 0; j < N; j++) {
      s = s * 1664525u + 1013904223u;
      A[i][j] = (ELEM)(s >> 16 & 1023) / 1024;
    }
  }
  add_up();
  for (int i = 0; i < N; i += 61) {
    double e = error_at(i);
    worst = e > worst ? e : worst;
  }
  for (int n = 1; n < REPS; n++)
    add_up();
  printf("error %.3g %s\n", worst, worst < limit ? "equal" : "WRONG");
  return worst < limit ? 0 : 1;
}
