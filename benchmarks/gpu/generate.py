"""Device files for the programs of this folder, many shapes each.

Needs polysched, no GPU: ``python benchmarks/gpu/generate.py build/gpu``. The folder it
fills is all that ``run.py`` needs.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from polysched.analysis import (
    allow_reordering,
    coalesce_scalars,
    compute_dependences,
    infer_liveness,
    privatize,
    set_band_flags,
)
from polysched.base import PolyschedError
from polysched.codegen import PrintOptions, splice
from polysched.codegen.cuda import print_cuda
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import apply_script, parse_script

HERE = Path(__file__).resolve().parent
BYTES = {"float": 4, "double": 8}
MERGE = "merge(band=0); merge(band=0); "


@dataclass(frozen=True)
class Job:
    """One variant of one program.

    Attributes
    ----------
    case : str
        Program, sizes and element type.
    kind : str
        What the variant stands for.
    program : str
        File name without suffix.
    defines : tuple of str
        Macros it is compiled with.
    script : str
        Steps from the source order.
    flops, n_bytes : float
        Work of one entry of the region, and least traffic of one that sweeps arrays
        once per sweep.
    """

    case: str
    kind: str
    program: str
    defines: tuple[str, ...]
    script: str
    flops: float
    n_bytes: float


def matmul_jobs(elem: str, n: int) -> Iterator[Job]:
    """Every tile shape that fits, one-level tiles, and one thread per result."""
    case = f"{elem} matmul {n}"
    defines = (f"-DELEM={elem}", f"-DN={n}", "-DREPS=6")
    flops, n_bytes = 2.0 * n**3, 4.0 * n * n * BYTES[elem]

    def job(kind: str, script: str) -> Job:
        text = MERGE + script
        return Job(case, kind, "matmul", defines, text, flops, n_bytes)

    yield job("one thread per result", "launch(band=0, tile=[8,32], threads=[8,32])")
    yield job(
        "one-level tiles",
        "contract(band=0, tile=[32,32,32], threads=[16,32], runs=[1,1], stages=1)",
    )
    run = 16 // BYTES[elem]
    limit = 128 if elem == "float" else 64
    for rows, columns in ((128, 128), (64, 128), (128, 256), (256, 128)):
        for ty, tx in ((8, 16), (16, 16), (8, 32)):
            held = rows * columns // (ty * tx)
            if not 16 <= held <= limit or columns % (tx * run):
                continue
            for depth in (8, 16, 32):
                for stages in (1, 2, 3, 4) if depth == 16 else (1, 2):
                    shared = (rows * (depth + run) + columns * depth) * stages
                    if shared * BYTES[elem] > 220 << 10 or depth * stages > 64:
                        continue
                    yield job(
                        "tiled",
                        f"contract(band=0, tile=[{rows},{columns},{depth}], "
                        f"threads=[{ty},{tx}], runs=[1,{run}], stages={stages})",
                    )


def tensor_jobs(n: int) -> Iterator[Job]:
    """Products of doubles in tensor cores, which add terms in another order."""
    defines = ("-DELEM=double", f"-DN={n}", "-DREPS=6")
    for (rows, columns), (ty, tx), depth, stages in product(
        ((128, 128), (128, 64), (64, 128), (128, 256)),
        ((2, 2), (4, 2), (2, 4), (4, 4)),
        (8, 16, 32),
        (1, 2, 3, 4),
    ):
        held = rows * columns // (32 * ty * tx)
        shared = (rows * (depth + 4) + depth * (columns + 4)) * 8 * stages
        rarely = stages == 1 and depth != 16
        if not 32 <= held <= 96 or shared > 200 << 10 or rarely:
            continue
        script = (
            f"contract(band=0, tile=[{rows},{columns},{depth}], threads=[{ty},{tx}], "
            f"runs=[{rows // ty},{columns // tx}], stages={stages}, tensor=true)"
        )
        yield Job(
            f"double matmul {n}", "tensor cores", "matmul", defines, MERGE + script,
            2.0 * n**3, 32.0 * n * n,
        )  # fmt: skip


def sweep_jobs(program: str, elem: str, n: int, steps: int, dims: int) -> Iterator[Job]:
    """Stencils, one launch per sweep, several block shapes."""
    case = f"{elem} {program} {n}, {steps} steps"
    defines = (f"-DELEM={elem}", f"-DN={n}", f"-DSTEPS={steps}", "-DREPS=3")
    n_bytes = 2.0 * steps * 2 * n**dims * BYTES[elem]
    flops = 2.0 * steps * n**dims * (5 if dims == 2 else 15)
    shapes = {
        2: (
            ("8,32", "8,32"), ("4,64", "4,64"), ("2,128", "2,128"), ("8,64", "4,64"),
            ("16,64", "4,64"), ("4,256", "1,256"), ("8,256", "1,256"),
            ("16,256", "1,256"), ("8,128", "1,128"), ("16,128", "2,128"),
        ),
        3: (
            ("1,8,32", "1,8,32"), ("4,4,32", "4,4,32"), ("4,8,32", "1,8,32"),
            ("8,8,32", "2,8,32"), ("8,4,64", "1,4,64"), ("16,8,32", "1,8,32"),
            ("8,2,128", "1,2,128"), ("16,4,64", "1,4,64"), ("8,8,64", "1,4,64"),
            ("32,4,64", "1,4,64"),
        ),
    }  # fmt: skip
    merge = "merge(band={0}); " * (dims - 1)
    paths = ("0.0.1.0", "0.0.0.0")
    for tile, threads in shapes[dims]:
        script = ""
        for path in paths:
            script += merge.format(path)
            script += f"launch(band={path}, tile=[{tile}], threads=[{threads}]); "
        yield Job(case, "sweeps", program, defines, script, flops, n_bytes)


def conv_jobs() -> Iterator[Job]:
    """A convolution: results of a block are channels by columns of one row."""
    batch, channels, size = 32, 128, 56
    case = f"float conv2d {batch} x {channels} x {size} x {size}, 3 x 3"
    defines = ("-DREPS=6",)
    flops = 2.0 * batch * channels * channels * size * size * 9
    n_bytes = 4.0 * (3 * batch * channels * size * size + channels * channels * 9)
    merge = "merge(band=0); " * 3
    yield Job(
        case, "one thread per result", "conv2d", defines,
        merge + "launch(band=0, tile=[1,1,4,64], threads=[1,1,4,64])", flops, n_bytes,
    )  # fmt: skip
    for rows, columns, ty, tx, depth, stages in (
        (64, 64, 8, 16, 8, 2), (64, 64, 8, 8, 8, 2), (128, 64, 16, 8, 4, 3),
        (128, 56, 16, 7, 4, 3), (128, 56, 16, 14, 4, 3), (64, 56, 8, 14, 8, 2),
        (64, 56, 8, 7, 8, 1), (128, 56, 16, 7, 4, 1), (128, 56, 16, 7, 8, 2),
        (128, 56, 8, 14, 4, 3), (64, 56, 8, 7, 4, 3),
    ):  # fmt: skip
        yield Job(
            case, "tiled", "conv2d", defines,
            merge + "order(band=0, members=[0,2,1,3]); "
            f"contract(band=0, tile=[1,1,{rows},{columns},{depth},3,3], "
            f"threads=[1,1,{ty},{tx}], runs=[1,1,1,4], stages={stages})",
            flops, n_bytes,
        )  # fmt: skip


def sum_jobs(elem: str, n: int) -> Iterator[Job]:
    """Sums along rows: who adds them up, and in how many kernels."""
    case = f"{elem} two sums of {n} rows"
    defines = (f"-DELEM={elem}", f"-DN={n}", "-DREPS=6")
    flops, n_bytes = 4.0 * n * n, float(n * n * BYTES[elem])

    def job(kind: str, script: str) -> Job:
        text = f"merge(band=0); {script}"
        return Job(case, kind, "rowsums", defines, text, flops, n_bytes)

    def share(band: str, tile: str, threads: str, arrays: str) -> str:
        return (
            f"launch_sum(band={band}, tile=[{tile}], threads=[{threads}], "
            f"arrays=[{arrays}], parts=[32,1])"
        )

    yield job("one thread per row", "launch(band=0, tile=[128], threads=[128])")
    apart = "distribute(band=0, member=0, statements=[0, 1]); "
    for tile, threads in (
        ("1,0", "1,32"), ("4,0", "4,32"), ("1,0", "1,64"), ("1,0", "1,128"),
        ("2,0", "2,128"), ("1,0", "1,256"), ("1,0", "1,512"), ("1,4096", "1,256"),
        ("8,0", "8,16"),
    ):  # fmt: skip
        yield job("threads share rows", share("0", tile, threads, "y,z"))
        yield job(
            "threads share rows, a kernel for each sum",
            apart
            + share("0.1.0", tile, threads, "z")
            + "; "
            + share("0.0.0", tile, threads, "y"),
        )


def all_jobs() -> Iterator[Job]:
    """Everything that is measured."""
    yield from matmul_jobs("float", 4096)
    yield from matmul_jobs("double", 4096)
    yield from tensor_jobs(4096)
    for elem in ("float", "double"):
        yield from sweep_jobs("jacobi2d", elem, 8192, 32, 2)
        yield from sweep_jobs("heat3d", elem, 384, 16, 3)
    yield from conv_jobs()
    for elem in ("float", "double"):
        yield from sum_jobs(elem, 8192)


def write(job: Job, name: str, folder: Path) -> None:
    """The device file of a job, and the program that calls it."""
    program = parse_c(HERE / "programs" / f"{job.program}.c", flags=job.defines)
    (scop,) = program.scops
    scop = coalesce_scalars(privatize(infer_liveness(scop)))
    reorders = "tensor=true" in job.script or "launch_sum" in job.script
    fp = "reassociate" if reorders else "strict"
    deps = allow_reordering(compute_dependences(scop), scop, fp)
    tree = set_band_flags(original_tree(scop), deps)
    tree = apply_script(tree, parse_script(job.script), deps)
    options = PrintOptions(header=(f"{job.case}, {job.kind}: {job.script}",))
    text = print_cuda(scop, tree, options, deps=deps.validity)
    (folder / f"{name}.cu").write_text(text.device)
    calling = splice(program, {program.scops[0].name: text.region})
    (folder / f"{name}.c").write_bytes(calling)


def main() -> None:
    """Fill a folder."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/gpu")
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    for number, job in enumerate(all_jobs()):
        name = f"v{number:03d}"
        if only not in f"{job.case} {job.kind}":
            continue
        try:
            write(job, name, folder)
        except PolyschedError as error:
            sys.stderr.write(f"{name} {job.case} {job.script}: {error}\n")
            continue
        listed.append({"name": name, **job.__dict__})
    (folder / "jobs.json").write_text(json.dumps(listed, indent=1))
    for extra in ("timed.h", "run.py", "reference.py"):
        shutil.copy(HERE / extra, folder / extra)
    sys.stdout.write(f"{len(listed)} variants in {folder}\n")


if __name__ == "__main__":
    main()
