/* A 3 x 3 convolution, NCHW. -DELEM=float -DBATCH=32 -DCHANNELS=128 -DSIZE=56 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef ELEM
#define ELEM float
#endif
#ifndef BATCH
#define BATCH 32
#endif
#ifndef CHANNELS
#define CHANNELS 128
#endif
#ifndef SIZE
#define SIZE 56
#endif
#ifndef REPS
#define REPS 6
#endif

static ELEM in[BATCH][CHANNELS][SIZE + 2][SIZE + 2];
static ELEM weight[CHANNELS][CHANNELS][3][3];
static ELEM out[BATCH][CHANNELS][SIZE][SIZE];

static void convolve(void)
{
#pragma scop
  for (int n = 0; n < BATCH; n++)
    for (int k = 0; k < CHANNELS; k++)
      for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
          for (int c = 0; c < CHANNELS; c++)
            for (int r = 0; r < 3; r++)
              for (int s = 0; s < 3; s++)
                out[n][k][y][x] += in[n][c][y + r][x + s] * weight[k][c][r][s];
#pragma endscop
}

int main(void)
{
  unsigned u = 1;
  double worst = 0, limit = sizeof(ELEM) == 4 ? 1e-4 : 1e-12;
  ELEM *i = &in[0][0][0][0], *w = &weight[0][0][0][0], *o = &out[0][0][0][0];
  for (size_t n = 0; n < sizeof(in) / sizeof(*i); n++) {
    u = u * 1664525u + 1013904223u;
    i[n] = (ELEM)(u >> 16 & 1023) / 1024;
  }
  for (size_t n = 0; n < sizeof(weight) / sizeof(*w); n++) {
    u = u * 1664525u + 1013904223u;
    w[n] = (ELEM)(u >> 16 & 1023) / 1024 - (ELEM)0.5;
  }
  for (size_t n = 0; n < sizeof(out) / sizeof(*o); n++)
    o[n] = 0;
  convolve();
  for (int m = 0; m < 256; m++) {
    int n = m % BATCH, k = m * 37 % CHANNELS, y = m * 11 % SIZE, x = m * 29 % SIZE;
    double sum = 0;
    for (int c = 0; c < CHANNELS; c++)
      for (int r = 0; r < 3; r++)
        for (int s = 0; s < 3; s++)
          sum += (double)in[n][c][y + r][x + s] * weight[k][c][r][s];
    double e = fabs(sum - out[n][k][y][x]) / (1 + fabs(sum));
    worst = e > worst ? e : worst;
  }
  for (int n = 1; n < REPS; n++)
    convolve();
  printf("error %.3g %s\n", worst, worst < limit ? "equal" : "WRONG");
  return worst < limit ? 0 : 1;
}
