/* Rows become columns. -DELEM=float|double -DN=8192 -DREPS=6 */
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

static ELEM A[N][N], B[N][N];

static void turn(void)
{
#pragma scop
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      B[j][i] = A[i][j];
#pragma endscop
}

int main(void)
{
  long wrong = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      A[i][j] = (ELEM)((i * 31 + j * 17) % 4093);
  for (int n = 0; n < REPS; n++)
    turn();
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      wrong += B[j][i] != A[i][j];
  printf("%ld wrong %s\n", wrong, wrong ? "WRONG" : "equal");
  return wrong != 0;
}
