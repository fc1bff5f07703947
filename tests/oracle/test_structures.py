"""Arrays of structures compute under every schedule what C computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.space import SpaceOptions
from tests.oracle.sweep import sweep

PROGRAM = """\
#include <stdio.h>
#include <math.h>
#define N 19
typedef struct { double x, y, z; } vec3;
struct body { vec3 at, v; double m; };
struct pixel { unsigned char rgb[3]; };
static vec3 pos[N], force[N], total;
static struct body all[N];
static struct pixel in[N][N + 1], out[N][N + 1];

static void attract(void) {
#pragma scop
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      if (i == j) continue;
      vec3 d = {pos[j].x - pos[i].x, pos[j].y - pos[i].y, pos[j].z - pos[i].z};
      double r = d.x * d.x + d.y * d.y + d.z * d.z + 0.01, s = 1 / (r * sqrt(r));
      force[i].x += s * d.x; force[i].y += s * d.y; force[i].z += s * d.z;
    }
  for (int i = 0; i < N; i++)
    total.x += force[i].x, total.z = total.z + force[i].y;
#pragma endscop
}

static void move(struct body *restrict bodies, int n, double dt) {
#pragma scop
  for (int i = 0; i < n; i++) {
    struct body *b = &bodies[i];
    vec3 old = b->v;
    b->v.x += dt * b->m; b->v.y -= dt; (*b).v.z *= 0.5;
    b->at.x += dt * old.x; b->at.y += dt * bodies[i].v.y; b->at.z += dt * old.z;
    pos[i] = b->at;
  }
#pragma endscop
}

static void shift(struct pixel *image, int n, int m) {
#pragma scop
  for (int i = 1; i < n; i++) {
    struct pixel *here = image + i * m;
    for (int j = 0; j < m; j++)
      switch (j % 3) {
      case 1: here[j].rgb[0] = here[j - m].rgb[2] / 2; break;
      case 2: if (here[j].rgb[1] > 90) continue; here[j].rgb[1] += 7; break;
      default: here[j] = here[j - m];
      }
  }
#pragma endscop
}

static void blur(void) {
#pragma scop
  for (int i = 1; i < N - 1; i++)
    for (int j = 1; j < N; j++)
      for (int c = 0; c < 3; c++)
        out[i][j].rgb[c] = (in[i - 1][j].rgb[c] + in[i + 1][j].rgb[c]
                            + in[i][j - 1].rgb[c] + in[i][j + 1].rgb[2 - c]) / 4;
#pragma endscop
}

int main(void)
{
  for (int i = 0; i < N; i++) {
    pos[i].x = i % 7; pos[i].y = i % 5 * 0.5; pos[i].z = i * 0.1;
    all[i].m = i % 3; all[i].v = pos[i]; all[i].at.x = 1;
    for (int j = 0; j <= N; j++)
      for (int c = 0; c < 3; c++)
        in[i][j].rgb[c] = i * j + 7 * c;
  }
  attract(), move(all, N, 0.1), blur(), shift(&in[0][0], N, N + 1);
  printf("%.17g %.17g %.17g\\n", total.x, total.y, total.z);
  for (int i = 0; i < N; i++) {
    printf("%.17g %.17g %.17g\\n", force[i].x, pos[i].y, all[i].v.z);
    for (int j = 0; j <= N; j++)
      printf("%d %d %d ", out[i][j].rgb[0], out[i][j].rgb[1], in[i][j].rgb[2]);
  }
  return 0;
}
"""


@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "bodies.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4))
    assert wrong == []
    assert n_run >= 8
