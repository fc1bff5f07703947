"""Arrays of structures compute under every schedule what C computes."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.space import SpaceOptions, build_space
from tests.oracle.device_sweep import sweep_device
from tests.oracle.sweep import sweep, tiny_machine

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


@pytest.mark.long
@pytest.mark.cc
def test_every_schedule_computes_the_same(tmp_path: Path) -> None:
    path = tmp_path / "bodies.c"
    path.write_text(PROGRAM)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4))
    assert wrong == []
    assert n_run >= 8


MIXED = """\
#include <stdio.h>
#define N 23
struct cell { float t[3]; int kind; double mass; char on; struct cell *next; };
struct plain { int id; double w[2]; float z; };
typedef struct { int id; struct cell inside; short level; struct plain inner; } box;
static struct plain plain[N];
static struct cell cells[N], grid[N][N];
static box boxes[N];
static double weight[4][4], force[N];
static int members[N];

static void interact(int n) {
#pragma scop
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int j = 0; j < n; j++)
      if (cells[j].on)
        sum += weight[cells[i].kind][cells[j].kind] * cells[j].mass;
    force[i] = sum;
    cells[i].kind = (cells[i].kind + 1) % 4;
    cells[i].mass *= 0.5;
  }
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      cells[boxes[j].id].kind += 1;
      cells[members[j]].t[i % 3] += 0.25f * i;
      boxes[i].level++;
    }
#pragma endscop
}

static void smooth(struct cell *c, int n, int m) {
#pragma scop
  for (int t = 0; t < 3; t++)
    for (int i = 1; i < n; i++)
      for (int j = 1; j < m; j++) {
        struct cell old = c[i * m + j], up = c[(i - 1) * m + j];
        c[i * m + j].mass = 0.5 * (old.mass + up.mass) + old.kind;
        c[i * m + j].kind = up.kind + 1;
        c[i * m + j].t[1] += old.t[2] + c[i * m + j - 1].t[1];
      }
  for (int i = 0; i < n; i++) {
    boxes[i].inside.mass = c[i * m].mass, boxes[i].inside.kind = c[i * m].kind;
    boxes[i].inner = plain[i];
    plain[i] = (struct plain){.id = boxes[i].level, .w = {boxes[i].inner.w[1], 2}};
    boxes[i].inside.mass += boxes[i].inside.t[1];
  }
#pragma endscop
}

int main(void)
{
  for (int i = 0; i < N; i++) {
    cells[i].kind = i % 4, cells[i].mass = i, cells[i].on = i % 3 > 0;
    plain[i].id = i, plain[i].w[1] = 0.5 * i, plain[i].z = 3;
    cells[i].next = cells + i, boxes[i].id = i * 7 % N, members[i] = i * i % N;
    weight[i % 4][i / 4 % 4] = i;
    for (int j = 0; j < N; j++)
      grid[i][j].mass = i + j, grid[i][j].kind = i ^ j, grid[i][j].t[2] = j % 5;
  }
  interact(N), smooth(&grid[0][0], N, N);
  for (int i = 0; i < N; i++) {
    printf("%g %d %g %d %ld ", force[i], cells[i].kind, cells[i].mass, boxes[i].level,
           (long)(cells[i].next - cells));
    printf("%g %g %d %g ", cells[i].t[0], boxes[i].inside.mass,
           boxes[i].inside.kind, boxes[i].inside.t[1]);
    printf("%d %g %g %d %g %g %g\\n", boxes[i].inner.id, boxes[i].inner.w[1],
           boxes[i].inner.z, plain[i].id, plain[i].w[0], plain[i].w[1], plain[i].z);
    for (int j = 0; j < N; j++)
      printf("%g %d %g ", grid[i][j].mass, grid[i][j].kind, grid[i][j].t[1]);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_members_of_several_types(tmp_path: Path) -> None:
    """Sums are exact, in whatever order they are added up."""
    path = tmp_path / "cells.c"
    path.write_text(MIXED)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=6, limit=4, fp="reassociate"))
    assert wrong == []
    assert n_run >= 8


NESTED = """\
#include <stdio.h>
#define N 13
typedef struct { float b, a[2]; } stage;
typedef struct { int n; stage s[3]; double u[N][N], gain; } model;
struct track { double x[3], p[3][3]; short hits; };
static struct track tracks[N];
static double f[3][3];

static void filter(model *g, const float *in, float *out) {
#pragma scop
  for (int t = 0; t < 40; t++) {
    float x = in[t];
    for (int k = 0; k < 3; k++) {
      float y = g->s[k].b * x + g->s[k].a[0];
      g->s[k].a[0] = 0.5f * g->s[k].a[1] - 0.25f * y;
      g->s[k].a[1] = 0.125f * x - 0.5f * y;
      x = y;
    }
    out[t] = x * (float)g->gain;
  }
  for (int i = 1; i < g->n; i++)
    for (int j = 1; j < g->n; j++)
      g->u[i][j] = g->u[i - 1][j] + g->gain * g->u[i][j - 1];
#pragma endscop
}

static void predict(void) {
#pragma scop
  for (int t = 0; t < 4; t++)
    for (int n = 0; n < N; n++) {
      double q[3][3];
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
          q[i][j] = 0;
          for (int k = 0; k < 3; k++)
            q[i][j] += f[i][k] * tracks[n].p[k][j];
        }
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
          tracks[n].p[i][j] = q[i][j] + tracks[n].x[i];
      tracks[n].hits++;
    }
#pragma endscop
}

int main(void)
{
  static model m;
  static float in[40], out[40];
  m.n = N, m.gain = 0.5;
  for (int k = 0; k < 3; k++)
    m.s[k].b = 1.0f + k;
  for (int t = 0; t < 40; t++)
    in[t] = t % 7;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      m.u[i][j] = i - j, tracks[i].p[i % 3][j % 3] = i, f[i % 3][j % 3] = 0.25 * j;
  filter(&m, in, out), predict();
  for (int t = 0; t < 40; t++)
    printf("%g ", out[t]);
  for (int i = 0; i < N; i++) {
    printf("%d ", tracks[i].hits);
    for (int j = 0; j < N; j++)
      printf("%g %g\\n", m.u[i][j], tracks[i].p[i % 3][j % 3]);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_arrays_in_structures(tmp_path: Path) -> None:
    path = tmp_path / "tracks.c"
    path.write_text(NESTED)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=4, limit=4))
    assert wrong == []
    assert n_run >= 8


ROWS = """\
#include <stdio.h>
#define N 41
struct points { double *at[3]; int *label; };
struct groups { double mean[4][3], sum[4][3]; int count[4], largest; };
static double room[7][N];
static int labels[N];
static float q[9 * 70], x[9 * 70];

static void lloyd(struct points *p, struct groups *g, int n) {
#pragma scop
  for (int t = 0; t < 3; t++) {
    for (int k = 0; k < 4; k++) {
      g->count[k] = 0;
      for (int d = 0; d < 3; d++) g->sum[k][d] = 0;
    }
    for (int i = 0; i < n; i++) {
      double best = 1e30;
      int who = 0;
      for (int k = 0; k < 4; k++) {
        double dist = 0;
        for (int d = 0; d < 3; d++) {
          double e = p->at[d][i] - g->mean[k][d];
          dist += e * e;
        }
        if (dist < best) { best = dist; who = k; }
      }
      p->label[i] = who;
    }
    for (int i = 0; i < n; i++) {
      int k = p->label[i];
      g->count[k]++;
      for (int d = 0; d < 3; d++) g->sum[k][d] += p->at[d][i];
    }
    g->largest = g->count[0] + t;
    for (int k = 0; k < 4; k++)
      if (g->count[k] > 0)
        for (int d = 0; d < 3; d++) g->mean[k][d] = g->sum[k][d] / g->count[k];
  }
#pragma endscop
}

static void shift(struct points *to, struct points from, int n) {
#pragma scop
  for (int d = 0; d < 3; d++)
    for (int i = 1; i < n; i++) to->at[d][i] = from.at[d][i - 1] + 0.5 * to->at[d][i];
#pragma endscop
}

static void rotate(int n, int heads, int s, int dim) {
#pragma scop
  for (int t = 0; t < n; t++) {
    float sum = 0;
    for (int i = 0; i < dim; i++) sum += x[t * dim + i];
    for (int h = 0; h < heads; h++)
      for (int i = 0; i < s; i += 2) {
        q[t * dim + h * s + i] = x[t * dim + h * s + i] * sum - x[t * dim + h * s + 1];
        q[t * dim + h * s + i + 1] = q[t * dim + h * s + i] + t;
      }
  }
#pragma endscop
}

int main(void)
{
  struct groups g = {{{0}}};
  for (int turn = 0; turn < 4; turn++) {
    struct points p = {{room[0], room[1], room[2]}, labels};
    int one = turn == 1 ? 1 : 4, two = turn == 2 ? 3 : 5;
    struct points other = {{room[3], room[one], room[two]}, 0};
    for (int d = 0; d < 7; d++)
      for (int i = 0; i < N; i++) room[d][i] = (i * (d + 5) + turn) % 17;
    for (int k = 0; k < 4; k++)
      for (int d = 0; d < 3; d++) g.mean[k][d] = 4 * k + d;
    for (int i = 0; i < 9 * 70; i++) x[i] = i % 11, q[i] = 0;
    lloyd(&p, &g, N - turn);
    shift(&other, p, N - 2 * turn);
    rotate(7, turn == 3 ? 1 : 5, 8 - turn % 2, 40 + turn);
    for (int i = 0; i < N; i++) printf("%d ", labels[i]);
    for (int d = 0; d < 7; d++)
      for (int i = 0; i < N; i++) printf("%g ", room[d][i]);
    for (int k = 0; k < 4; k++)
      printf("%d %d %g ", g.count[k], g.largest, g.mean[k][1]);
    for (int i = 0; i < 9 * 70; i++) printf("%g ", q[i]);
  }
  return 0;
}
"""


@pytest.mark.long
@pytest.mark.cc
def test_rows_and_tables_in_structures(tmp_path: Path) -> None:
    """Pointers in a member, sums that data choose among members, rows in pairs."""
    path = tmp_path / "rows.c"
    path.write_text(ROWS)
    assert [s.name for s in parse_c(path).scops] == ["lloyd", "shift", "rotate"]
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=10, limit=5))
    assert wrong == []
    assert n_run >= 9


BY_VALUE = """\
#include <stdio.h>
typedef struct { double a[4][4]; } mat4;
static double out[50];
static double trace(mat4 m) {
  double s = 0;
  for (int k = 0; k < 4; k++)
    s += m.a[k][k];
  return s;
}
static void add(int n) {
  mat4 m = {{{1}}};
#pragma scop
  for (int t = 0; t < n; t++) {
    m.a[1][1] += t;
    out[t] = trace(m);
  }
#pragma endscop
}
int main(void) {
  add(50);
  for (int t = 0; t < 50; t++)
    printf("%g ", out[t]);
  return 0;
}
"""


@pytest.mark.cc
def test_a_structure_given_by_value_has_what_was_just_stored(tmp_path: Path) -> None:
    """Its array has a name of its own in the region, and so have its numbers."""
    path = tmp_path / "trace.c"
    path.write_text(BY_VALUE)
    n_run, wrong = sweep(path, [], SpaceOptions(seconds=4, limit=4))
    assert wrong == []
    assert n_run >= 2


DEVICE = """\
#include <stdio.h>
#define N 37
struct cell { int kind; double mass; float t[2]; };
static struct cell cells[N];
static double force[N];
static void interact(int n) {
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      WHAT += cells[i].kind * cells[j].mass + cells[j].t[1];
#pragma endscop
}
int main(void)
{
  for (int i = 0; i < N; i++)
    cells[i].kind = i % 4, cells[i].mass = i, cells[i].t[1] = 0.5f * i;
  interact(N);
  for (int i = 0; i < N; i++)
    printf("%g %g\\n", force[i], cells[i].t[0]);
  return 0;
}
"""


@pytest.mark.cc
def test_a_device_reads_members_of_several_types(tmp_path: Path) -> None:
    path = tmp_path / "cells.c"
    path.write_text(DEVICE.replace("WHAT", "force[i]"))
    n_run, wrong = sweep_device(path, [], SpaceOptions(limit=3))
    assert wrong == []
    assert n_run >= 2


def test_a_device_writes_no_members_of_several_types(tmp_path: Path) -> None:
    path = tmp_path / "cells.c"
    path.write_text(DEVICE.replace("WHAT", "cells[i].t[0]"))
    (scop,) = parse_c(path).scops
    space = build_space(scop, tiny_machine(), SpaceOptions(limit=3, target="cuda"))
    assert [s.script_text for s in space] == [""]  # the original order, no kernel
    assert any("structures of several types" in d.reason for d in space.dropped)
