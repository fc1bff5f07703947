"""Small C programs, printed for a device by a script and run on the CPU's stand-in."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import islpy as isl

from polysched.analysis import (
    Dependences,
    FloatingPoint,
    allow_reordering,
    coalesce_scalars,
    compute_dependences,
    infer_liveness,
    privatize,
    set_band_flags,
)
from polysched.codegen import PrintOptions, splice
from polysched.codegen.cuda import CudaText, print_cuda
from polysched.frontend import parse_c
from polysched.ir import Program, ScheduleTree, Scop, original_tree
from polysched.runtime import (
    SHIM_EXIT_STATUS,
    compile_kernels,
    compile_shim,
    link_shim_program,
    read_report,
    shim_environment,
)
from polysched.transform import apply_script, parse_script

FRAME = """\
#include <stdio.h>
#ifndef N
#define N 21
#endif
#define M (N + 5)
typedef %s T;
static T A[N][M], B[M][N], C[N][N], D[3][N][M], E[3][N][N], W[N][N];
static T value(int k) { return (T)(k * 7919 %% 101) / (T)16; }
static void kernel(int n, int m, T *X, T *Y, T *Z)
{
#pragma scop
  %s
#pragma endscop
}
int main(void)
{
  double total = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      A[i][j] = value(i * M + j);
      B[j][i] = value(i + 3 * j);
      for (int b = 0; b < 3; b++)
        D[b][i][j] = value(b + i * j);
    }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      C[i][j] = value(i - j + N);
      for (int b = 0; b < 3; b++)
        E[b][i][j] = value(b * i + j);
    }
  kernel(N, M, &A[0][0], &B[0][0], &C[0][0]);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      for (int b = 0; b < 3; b++)
        total += (C[i][j] + E[b][i][j]) * (1 + (i * 31 + j * 17 + b) %% 13);
  printf("%%.17g\\n", total);
  return 0;
}
"""


@dataclass(frozen=True)
class Prepared:
    """A program's region, ready for steps."""

    program: Program
    scop: Scop
    deps: Dependences
    tree: ScheduleTree

    @classmethod
    def of(
        cls,
        folder: Path,
        body: str,
        elem: str = "double",
        n: int = 21,
        fp: FloatingPoint = "strict",
        before: str = "",
    ) -> Prepared:
        """Of a region's body; `before` stands in front of the function around it."""
        head, kernel = (FRAME % (elem, body)).split("static void kernel")
        text = f"{head}{before}\nstatic void kernel{kernel}"
        return cls.of_text(folder, text, n, fp)

    @classmethod
    def of_text(
        cls, folder: Path, text: str, n: int, fp: FloatingPoint = "strict"
    ) -> Prepared:
        """Of a whole C file."""
        path = folder / "program.c"
        path.write_text(text)
        program = parse_c(path, flags=(f"-DN={n}",), cflags=())
        (scop,) = program.scops
        scop = coalesce_scalars(privatize(infer_liveness(scop)))
        deps = allow_reordering(compute_dependences(scop), scop, fp)
        tree = set_band_flags(original_tree(scop), deps)
        return cls(program, scop, deps, tree)

    def in_band(self, band: str) -> Prepared:
        """The program in another order: one band, given as isl writes it."""
        node = isl.Schedule.from_domain(self.scop.domain).get_root().child(0)
        node = node.insert_partial_schedule(isl.MultiUnionPwAff(band))
        tree = set_band_flags(ScheduleTree(node.get_schedule()), self.deps)
        return replace(self, tree=tree)

    def print(self, script: str) -> CudaText:
        tree = apply_script(self.tree, parse_script(script), self.deps)
        options = PrintOptions(original_text="")
        return print_cuda(self.scop, tree, options, deps=self.deps.validity)


@lru_cache(maxsize=1)
def shim_object() -> Path:
    """The stand-in's runtime, compiled once per process."""
    return compile_shim(Path(tempfile.mkdtemp()))


def outputs(
    folder: Path,
    body: str,
    script: str,
    elem: str = "double",
    n: int = 21,
    fp: FloatingPoint = "strict",
    band: str = "",
    before: str = "",
) -> tuple[str, str]:
    """What the original prints, and what the program with device code does."""
    prepared = Prepared.of(folder, body, elem, n, fp, before)
    if band:
        prepared = prepared.in_band(band)
    text = prepared.print(script)
    flags = ["-O1", "-ffp-contract=off", "-w", f"-DN={n}"]
    original = folder / "original"
    source = Path(prepared.program.path)
    subprocess.run(["gcc", *flags, source, "-o", original, "-lm"], check=True)
    device, host = folder / "device.cu", folder / "host.c"
    device.write_text(text.device)
    name = prepared.program.scops[0].name
    host.write_bytes(splice(prepared.program, {name: text.region}))
    subprocess.run(["gcc", *flags, "-c", host, "-o", folder / "host.o"], check=True)
    compile_kernels(device, folder / "device.o")
    objects = [folder / "device.o", folder / "host.o", shim_object()]
    program = link_shim_program(objects, folder / "program")
    ran = subprocess.run(
        [program],
        capture_output=True,
        text=True,
        env={**os.environ, **shim_environment(seed=n)},
    )
    assert not [f for f in read_report(ran.stderr) if f.is_error], ran.stderr
    assert ran.returncode == 0, ran.stderr
    expected = subprocess.run([original], capture_output=True, text=True, check=True)
    return expected.stdout, ran.stdout


def compile_host(folder: Path, given: Prepared, text: CudaText, n: int = 21) -> None:
    """The program's own part, to link with device code that is changed."""
    name = given.program.scops[0].name
    (folder / "host.c").write_bytes(splice(given.program, {name: text.region}))
    flags = ["-O1", "-w", f"-DN={n}", "-c", "host.c"]
    subprocess.run(["gcc", *flags], cwd=folder, check=True)


def run_device(folder: Path, device: str, seed: int) -> str:
    """What the stand-in reports of device code, or what the program prints."""
    (folder / "device.cu").write_text(device)
    compile_kernels(folder / "device.cu", folder / "device.o")
    objects = [folder / "device.o", folder / "host.o", shim_object()]
    done = subprocess.run(
        [link_shim_program(objects, folder / "program")],
        capture_output=True,
        text=True,
        env={**os.environ, **shim_environment(seed=seed)},
        check=False,
    )
    if done.returncode == SHIM_EXIT_STATUS:
        return next(f.kind for f in read_report(done.stderr) if f.is_error)
    return done.stdout
