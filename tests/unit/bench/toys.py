"""A suite of two small programs, and peers that are shell scripts on the PATH."""

from __future__ import annotations

from pathlib import Path

PRODUCT = """\
#include <stdio.h>
#ifndef N
#ifdef SMALL
#define N 30
#else
#define N 40
#endif
#endif
static double A[N][N], x[N], y[N];
int main(void)
{
  for (int i = 0; i < N; i++) {
    x[i] = i % 7;
    for (int j = 0; j < N; j++)
      A[i][j] = (3 * i + j) % 11 / 11.0;
  }
#pragma scop
  for (int i = 0; i < N; i++) {
    y[i] = 0.0;
    for (int j = 0; j < N; j++)
      y[i] += A[i][j] * x[j];
  }
#pragma endscop
  double sum = 0;
  for (int i = 0; i < N; i++)
    sum += y[i] * (i + 1);
  printf("%.12g\\n", sum);
  return 0;
}
"""
TWICE = """\
#include <stdio.h>
#define N 50
static int a[N];
int main(void)
{
#pragma scop
  for (int i = 0; i < N; i++)
    a[i] += i;
#pragma endscop
#pragma scop
  for (int i = 1; i < N; i++)
    a[i] += a[i - 1];
#pragma endscop
  printf("%d\\n", a[N - 1]);
  return 0;
}
"""
PAUSE_SECONDS = 0.03
SIDECAR = """\
import numpy as np


def inputs(N):
    i = np.arange(N)
    return {"A": (3 * i[:, None] + i) % 11 / 11.0, "x": i % 7.0}


def kernel(A, x):
    return {"y": A @ x}
"""
# By mode: a slow program, one that dies, and a translator that dies itself.
_POLYCC = f"""\
#!/bin/sh
case "$*" in
  --version) echo "toy 1.2"; exit 0;;
  *--nofuse*) kill -SEGV $$;;
  *--maxfuse*) into='abort();';;
  *--nounrolljam*) into='for (;;) usleep(1000000);';;
  *) into='usleep({int(PAUSE_SECONDS * 1e6)});';;
esac
into="extern void abort(void); extern int usleep(unsigned); $into"
while [ $# -gt 0 ]; do
  case "$1" in -o) out="$2"; shift;; *.c) in="$1";; esac
  shift
done
sed "s/#pragma scop/{{ $into }}/" "$in" > "$out"
"""
# Wrong with tiles; without, wrong if compiled with -ffast-math.
_PPCG = """\
#!/bin/sh
mode=other
while [ $# -gt 0 ]; do
  case "$1" in
    -o) out="$2"; shift;;
    --tile) mode=tile;;
    *.c) in="$1";;
  esac
  shift
done
case $mode in
  tile) sed 's/+= A/-= A/' "$in" > "$out";;
  *) cat > "$out" <<END
#ifdef __FAST_MATH__
#define START 1.0
#else
#define START 0.0
#endif
END
     sed 's/y\\[i\\] = 0.0/y[i] = START/' "$in" >> "$out";;
esac
"""


def write_suite(directory: Path) -> Path:
    """``product.c`` with one region and a sidecar, ``twice.c`` with two."""
    (directory / "numpy").mkdir(parents=True)
    (directory / "product.c").write_text(PRODUCT)
    (directory / "twice.c").write_text(TWICE)
    (directory / "numpy" / "product.py").write_text(SIDECAR)
    return directory


def write_peers(directory: Path) -> Path:
    """``polycc`` and ``ppcg``."""
    directory.mkdir(parents=True)
    for name, text in (("polycc", _POLYCC), ("ppcg", _PPCG)):
        path = directory / name
        path.write_text(text)
        path.chmod(0o755)
    return directory
