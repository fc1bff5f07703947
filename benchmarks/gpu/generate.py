"""Device files for the programs of this folder, many shapes each.

Needs polysched, no GPU: ``python benchmarks/gpu/generate.py build/gpu``. The folder it
fills is all that ``run.py`` needs.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import ppcg
from job import GPU, HERE, Job, source_of
from suite import choices, suite_jobs, write_choice

from polysched.analysis import (
    FloatingPoint,
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
from polysched.cost.gpu import (
    Contraction,
    TileShape,
    contraction_work,
    predict_kernel,
)
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.transform import apply_script, parse_script

BYTES = {"half": 2, "float": 4, "double": 8}
MERGE = "merge(band=0); merge(band=0); "
N_BULK = 6  # of the best shapes, with copies of rows
_CONTRACT = re.compile(
    r"tile=\[(\d+),(\d+),(\d+)\], threads=\[(\d+),(\d+)\], runs=\[\d+,(\d+)\], "
    r"stages=(\d+)"
)


def predict(script: str, elem: str, n: int) -> float:
    """What the model expects of the shape of a product."""
    found = _CONTRACT.search(script)
    assert found is not None
    rows, columns, depth, ty, tx, run, stages = map(int, found.groups())
    shape = TileShape(
        rows, columns, depth, rows // ty, columns // tx,
        n_stages=stages, vector_elements=run,
    )  # fmt: skip
    problem = Contraction(n, n, n, element_bytes=BYTES[elem])
    return predict_kernel(contraction_work(problem, shape, GPU), GPU).seconds


def matmul_jobs(elem: str, n: int) -> Iterator[Job]:
    """Every tile shape that fits, one-level tiles, and one thread per result.

    The shapes come as the model ranks them, those without a pipeline and those that
    copy rows in bulk in turns of their own.
    """
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
    tiled = [
        replace(job(kind, script), predicted_seconds=predict(script, elem, n))
        for kind, script in _tiles(elem)
    ]
    tiled.sort(key=lambda one: (one.predicted_seconds, one.script))
    yield from tiled
    for one in [t for t in tiled if t.kind == "tiled"][:N_BULK]:
        script = one.script.removesuffix(")") + ", bulk=true)"
        yield replace(one, kind="tiled (bulk)", script=script)


def _tiles(elem: str) -> Iterator[tuple[str, str]]:
    """Steps of all shapes, and their kind."""
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
                    yield (
                        "tiled (one stage)" if stages == 1 else "tiled",
                        f"contract(band=0, tile=[{rows},{columns},{depth}], "
                        f"threads=[{ty},{tx}], runs=[1,{run}], stages={stages})",
                    )


# rows and columns of a block, and warps along them
TENSOR_SHAPES = {
    "half": (
        ((128, 128), (2, 2)), ((128, 256), (2, 4)), ((256, 128), (4, 2)),
        ((128, 128), (2, 4)), ((128, 256), (4, 2)), ((64, 128), (2, 2)),
    ),
    "double": (
        ((128, 64), (2, 2)), ((64, 128), (2, 2)), ((128, 128), (2, 4)),
        ((128, 128), (4, 2)), ((128, 64), (4, 2)), ((64, 64), (2, 2)),
    ),
    "float": (
        ((128, 128), (2, 2)), ((128, 256), (2, 4)), ((256, 128), (4, 2)),
        ((128, 128), (2, 4)), ((128, 128), (4, 2)), ((128, 64), (2, 2)),
    ),
}  # fmt: skip
# terms of a tile, and stages
TENSOR_PIPELINES = {
    "half": ((32, 3), (32, 4), (64, 2), (64, 3)),
    "double": ((16, 3), (16, 4), (8, 4), (32, 2)),
    "float": ((16, 3), (16, 4), (32, 2), (32, 3)),
}


def tensor_jobs(elem: str, n: int) -> Iterator[Job]:
    """Products in tensor cores, which add terms in another order and round floats.

    Halves are added up in float.
    """
    program, results = "matmul", elem
    case, defines = f"{elem} matmul {n}", (f"-DELEM={elem}", f"-DN={n}", "-DREPS=6")
    if elem == "float":
        case, defines = f"tf32 matmul {n}", (*defines, "-DBITS=15", "-DLIMIT=2e-2")
    if elem == "half":
        program, results = "halfmul", "float"
        defines = ("-DELEM=_Float16", f"-DN={n}", "-DREPS=6")
    moved = 2.0 * (BYTES[elem] + BYTES[results]) * n * n
    for ((rows, columns), (ty, tx)), (depth, stages) in product(
        TENSOR_SHAPES[elem], TENSOR_PIPELINES[elem]
    ):
        script = (
            f"contract(band=0, tile=[{rows},{columns},{depth}], threads=[{ty},{tx}], "
            f"runs=[{rows // ty},{columns // tx}], stages={stages}, tensor=true)"
        )
        yield Job(
            case, "tensor cores", program, defines, MERGE + script,
            2.0 * n**3, moved,
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
    runs = {
        2: (("16,256", "4,64"), ("4,256", "4,64"), ("32,128", "8,32")),
        3: (("8,8,128", "1,8,32"), ("4,8,128", "1,8,32"), ("8,4,256", "1,4,64")),
    }
    merge = "merge(band={0}); " * (dims - 1)

    def job(kind: str, tile: str, threads: str, run: str = "") -> Job:
        script = ""
        for path in ("0.0.1.0", "0.0.0.0"):
            script += merge.format(path)
            script += f"launch(band={path}, tile=[{tile}], threads=[{threads}]{run}); "
        return Job(case, kind, program, defines, script, flops, n_bytes)

    for tile, threads in runs[dims]:
        yield job("sweeps (vectors)", tile, threads, f", run={16 // BYTES[elem]}")
    for tile, threads in shapes[dims]:
        yield job("sweeps", tile, threads)


def overlap_jobs(
    program: str, elem: str, n: int, steps: int, dims: int
) -> Iterator[Job]:
    """Stencils, several sweeps per launch, tiles overlapping; sweeps beside them.

    Sweeps that are left are launched one by one, in runs of neighbours.
    """
    sweep, *others = sweep_jobs(program, elem, n, steps, dims)
    yield sweep
    yield next(job for job in others if job.kind == "sweeps")
    run = 16 // BYTES[elem]
    shapes: dict[tuple[int, str], tuple[tuple[int, str, str, str], ...]] = {
        (2, "float"): (
            (3, "128,504", "128", "4"), (7, "256,496", "128", "4"),
            (7, "256,1008", "256", "4"), (7, "512,1008", "256", "4"),
            (7, "272,496", "128", "4"), (7, "256,496", "256", "2"),
            (9, "256,1000", "256", "4"),
        ),
        (2, "double"): (
            (3, "128,504", "256", "2"), (7, "256,240", "128", "2"),
            (7, "256,496", "256", "2"), (7, "512,496", "256", "2"),
            (9, "256,492", "256", "2"), (5, "128,244", "128", "2"),
        ),
        (3, "float"): (
            (3, "192,18,128", "12,34", "2,4"), (3, "192,18,128", "24,34", "1,4"),
            (3, "192,36,64", "21,18", "2,4"), (3, "128,18,64", "12,18", "2,4"),
            (3, "128,18,64", "12,36", "2,2"), (3, "48,26,128", "16,34", "2,4"),
        ),
        (3, "double"): (
            (3, "384,18,64", "12,36", "2,2"), (3, "128,18,32", "12,20", "2,2"),
            (3, "192,18,64", "24,36", "1,2"), (3, "96,26,32", "16,20", "2,2"),
        ),
    }  # fmt: skip
    tile, threads = ("16,256", "4,64") if dims == 2 else ("8,8,128", "1,8,32")
    rest = "".join(
        f"launch(band=0.1.0.0.{k}.0, tile=[{tile}], threads=[{threads}], run={run}); "
        for k in (1, 0)
    )
    for sweeps, size, counts, runs in shapes[dims, elem]:
        script = (
            f"overlap(band=0, sweeps={sweeps}, tile=[{size}], threads=[{counts}], "
            f"runs=[{runs}]); "
        )
        yield replace(sweep, kind="overlapped tiles", script=script + rest)


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


def ordered_jobs(elem: str, n: int) -> Iterator[Job]:
    """Sums whose terms keep their order: read by each thread, or copied ahead."""
    case = f"{elem} sums in order of {n} rows and columns"
    defines = (f"-DELEM={elem}", f"-DN={n}", "-DREPS=6")
    flops, n_bytes = 4.0 * n * n, 2.0 * n * n * BYTES[elem]
    merged = "merge(band=0.1.0); merge(band=0.0.0); "

    def job(kind: str, step: str, *options: str) -> Job:
        both = (f"{step}(band=0.{k}.0, {', '.join(options)})" for k in (1, 0))
        text = merged + "; ".join(both)
        return Job(case, kind, "inorder", defines, text, flops, n_bytes)

    yield job("one thread per sum", "launch", "tile=[128]", "threads=[128]")
    for results, terms, stages in (
        (32, 128, 4), (32, 64, 4), (64, 64, 4), (64, 64, 3), (128, 32, 4),
        (32, 256, 3), (64, 128, 2),
    ):  # fmt: skip
        depth = terms * 4 // BYTES[elem]
        shape = f"tile=[{results},{depth}]", f"threads=[{results}]", "runs=[1]"
        yield job("terms copied ahead", "contract", *shape, f"stages={stages}")


def transpose_jobs(elem: str, n: int) -> Iterator[Job]:
    """From rows to columns, each thread for itself or through shared memory."""
    case = f"{elem} transpose {n}"
    defines = (f"-DELEM={elem}", f"-DN={n}", "-DREPS=6")
    n_bytes = 2.0 * n * n * BYTES[elem]

    def job(kind: str, script: str) -> Job:
        text = f"merge(band=0); order(band=0, members=[1, 0]); {script}"
        return Job(case, kind, "transpose", defines, text, 0.0, n_bytes)

    for tile, threads in (("8,32", "8,32"), ("4,256", "1,256")):
        plain = f"launch(band=0, tile=[{tile}], threads=[{threads}])"
        yield job("one thread per element", plain)
    run = 16 // BYTES[elem]
    for tile, threads, runs in (
        ("32,32", "8,32", f"{run},1"), ("64,32", "8,32", f"{run},1"),
        ("32,32", "8,32", "1,1"), ("64,64", "8,32", f"{run},1"),
    ):  # fmt: skip
        shape = f"tile=[{tile}], threads=[{threads}], runs=[{runs}]"
        yield job("squares", f"contract(band=0, {shape})")


def weigh(job: Job) -> Job:
    """The job with its weight: most is asked of products and sweeps of floats."""
    is_float = job.case.startswith("float")
    if job.program == "matmul" and job.kind.startswith("tiled"):
        return replace(job, weight=5 if is_float and job.kind == "tiled" else 2)
    if job.program in ("jacobi2d", "heat3d"):
        return replace(job, weight=3 if is_float else 2)
    return job


def all_jobs() -> Iterator[Job]:
    """Everything that is measured."""
    yield from map(weigh, _all_jobs())


def _all_jobs() -> Iterator[Job]:
    yield from matmul_jobs("float", 4096)
    yield from matmul_jobs("double", 4096)
    yield from tensor_jobs("double", 4096)
    yield from tensor_jobs("float", 4096)
    yield from tensor_jobs("half", 4096)
    for elem in ("float", "double"):
        yield from sweep_jobs("jacobi2d", elem, 8192, 32, 2)
        yield from sweep_jobs("heat3d", elem, 384, 16, 3)
        yield from overlap_jobs("jacobi2d", elem, 8192, 64, 2)
        yield from overlap_jobs("heat3d", elem, 384, 32, 3)
    yield from conv_jobs()
    for elem in ("float", "double"):
        yield from sum_jobs(elem, 8192)
        yield from ordered_jobs(elem, 8192)
        yield from transpose_jobs(elem, 8192)


def all_files(only: str) -> Iterator[tuple[Job, Callable[[str, Path], None]]]:
    """Every variant, and what writes its files under a name to a folder."""
    cases: dict[str, Job] = {}
    for job in all_jobs():
        cases.setdefault(job.case, replace(job, predicted_seconds=None, weight=2))
        yield job, partial(write, job)
    for case in (*cases.values(), *suite_jobs()):
        if only in f"{case.case} our choice":
            for job, variant in choices(case):
                yield job, partial(write_choice, variant)
        for job in ppcg.jobs_of(case):
            yield job, partial(ppcg.write, job)


def write(job: Job, name: str, folder: Path) -> None:
    """The device file of a job, and the program that calls it."""
    program = parse_c(HERE / "programs" / f"{job.program}.c", flags=job.defines)
    (scop,) = program.scops
    scop = coalesce_scalars(privatize(infer_liveness(scop)))
    reorders = "tensor=true" in job.script or "launch_sum" in job.script
    fp: FloatingPoint = "reassociate" if reorders else "strict"
    fp = "tf32" if job.case.startswith("tf32") else fp
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
    for number, (job, write_files) in enumerate(all_files(only)):
        name = f"v{number:03d}"
        if only not in f"{job.case} {job.kind}":
            continue
        try:
            write_files(name, folder)
        except PolyschedError as error:
            told = f"{name} {job.case} {job.kind} {job.script}"
            sys.stderr.write(f"{told}: {error}\n")
            continue
        listed.append({"name": name, **job.__dict__})
        if job.original:
            shutil.copy(source_of(job), folder / job.original)
    (folder / "jobs.json").write_text(json.dumps(listed, indent=1))
    for extra in ("timed.h", "run.py", "summary.py", "reference.py", "reference.cu"):
        shutil.copy(HERE / extra, folder / extra)
    if ppcg.find() is None:
        sys.stdout.write("no ppcg on the PATH: none of its kernels beside ours\n")
    sys.stdout.write(f"{len(listed)} variants in {folder}\n")


if __name__ == "__main__":
    main()
