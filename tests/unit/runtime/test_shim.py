"""Correct CUDA programs pass on the CPU; every planted fault is found and named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from polysched.base import ToolchainError
from polysched.codegen.cuda.text import BULK_PRELUDE
from polysched.runtime import (
    SHIM_EXIT_STATUS,
    ShimFinding,
    compile_kernels,
    compile_shim,
    link_shim_program,
    read_report,
    run_tool,
    shim_environment,
)

pytestmark = pytest.mark.cc

PROGRAMS = Path(__file__).parent / "cuda"

FAULTS = [
    # program, planted fault, kind found, kernel, array
    ("gemm", "no-barrier", "race uninitialised", "gemm", "ps_shared As"),
    ("gemm", "no-second-barrier", "race", "gemm", "ps_shared As"),
    ("gemm", "past-end", "out-of-bounds block-race race", "gemm", "C"),
    ("gemm", "before-start", "out-of-bounds", "gemm", "C"),
    ("gemm", "no-load", "uninitialised", "gemm", "ps_shared"),
    ("gemm", "short-copy", "uninitialised", "gemm", "A"),
    ("gemm", "no-copy-in", "uninitialised", "gemm", "B"),
    ("gemm", "long-copy", "out-of-bounds", "", "B"),
    ("gemm", "swapped-copy", "bad-copy", "", "B"),
    ("gemm", "use-after-free", "use-after-free", "gemm", "B"),
    ("gemm", "host-pointer", "host-pointer", "gemm", ""),
    ("gemm", "host-access", "host-access", "", "C"),
    ("gemm", "hidden-host-access", "host-access", "", "C"),
    ("reduce", "no-atomic", "block-race", "reduce", "results"),
    ("reduce", "early-exit", "barrier-divergence", "reduce", ""),
    ("reduce", "two-barriers", "barrier-divergence", "reduce", ""),
    ("reduce", "mixed", "block-race", "reduce", "n_odd"),
    ("reduce", "lost-lane", "barrier-divergence", "reduce", ""),
    ("reduce", "no-warp-barrier", "race uninitialised", "reduce", "turned"),
    ("reduce", "past-parts", "out-of-bounds", "reduce", "parts"),
    ("pipeline", "no-wait", "unfinished-copy", "rows", "ps_shared"),
    ("pipeline", "late-wait", "unfinished-copy", "rows", "ps_shared"),
    ("pipeline", "no-barrier", "race unfinished-copy", "rows", "ps_shared"),
    ("pipeline", "no-drain", "undrained-copy", "rows", "ps_shared"),
    ("pipeline", "early-reuse", "race unfinished-copy", "rows", "ps_shared"),
    ("pipeline", "odd-size", "misaligned", "rows", "ps_shared"),
    ("pipeline", "odd-place", "misaligned", "rows", "ps_shared"),
    ("pipeline", "writes-source", "source-written", "rows", "in"),
    ("pipeline", "from-shared", "host-pointer", "rows", "ps_shared"),
    ("bulk", "no-wait", "unfinished-copy", "rows", "stage"),
    ("bulk", "wrong-phase", "unfinished-copy phase-stuck", "rows", "stage filled"),
    ("bulk", "late-phase", "phase-stuck", "rows", "filled"),
    ("bulk", "few-bytes", "wrong-bytes", "rows", "filled"),
    ("bulk", "many-bytes", "phase-stuck", "rows", "filled"),
    ("bulk", "no-arrival", "phase-stuck", "rows", "filled"),
    ("bulk", "two-arrivals", "phase-overflow", "rows", "filled"),
    ("bulk", "early-reuse", "race unfinished-copy", "rows", "stage"),
    ("bulk", "no-barrier", "race unfinished-copy", "rows", "stage"),
    ("bulk", "no-fence", "unfenced-copy", "rows", "stage"),
    ("bulk", "no-drain", "undrained-copy", "rows", "stage"),
    ("bulk", "odd-size", "misaligned", "rows", "stage"),
    ("bulk", "odd-place", "misaligned", "rows", "stage"),
    ("bulk", "past-end", "out-of-bounds", "rows", "in"),
    ("bulk", "writes-source", "source-written race", "rows", "in"),
    ("bulk", "no-begin", "uninitialised", "rows", "filled"),
    ("bulk", "no-first-barrier", "uninitialised race", "rows", "filled"),
    ("bulk", "one-waits", "race unfinished-copy uninitialised", "rows", "stage"),
    ("wavefront", "two-at-once", "block-race race", "diagonal", "A"),
    ("tensor", "lost-lane", "barrier-divergence", "kernel", ""),
    ("tensor", "odd-place", "misaligned", "kernel", "A"),
    ("tensor", "past-end", "out-of-bounds", "kernel", "A"),
    ("large_shared", "too-few-bytes", "out-of-bounds", "reverse", "ps_shared"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of all programs, checked."""
    directory = tmp_path_factory.mktemp("shim")
    runtime = compile_shim(directory)
    (directory / "cuda").mkdir()
    for part in PROGRAMS.iterdir():
        (directory / "cuda" / part.name).write_bytes(part.read_bytes())
    (directory / "cuda" / "bulk_prelude.h").write_text(BULK_PRELUDE)
    for source in (directory / "cuda").glob("*.cu"):
        kernels = compile_kernels(source, directory / f"{source.stem}.o")
        link_shim_program([kernels, runtime], directory / source.stem)
    return directory


def run(
    program: Path, fault: str = "", *, seed: int = 0, is_checked: bool = True
) -> tuple[int, tuple[ShimFinding, ...], str]:
    """Exit status, findings, and all that was written."""
    done = subprocess.run(
        [program, fault],
        env={**os.environ, **shim_environment(seed=seed, is_checked=is_checked)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, read_report(done.stderr), done.stdout + done.stderr


@pytest.mark.parametrize("is_checked", [True, False])
@pytest.mark.parametrize("name", [p.stem for p in sorted(PROGRAMS.glob("*.cu"))])
def test_correct_programs_pass_in_every_order(
    built: Path, name: str, is_checked: bool
) -> None:
    for seed in range(3):
        status, findings, said = run(built / name, seed=seed, is_checked=is_checked)
        assert (status, findings, said) == (0, (), "0 wrong\n")


@pytest.mark.parametrize(("name", "fault", "kinds", "kernel", "arrays"), FAULTS)
def test_planted_faults_are_found(
    built: Path, name: str, fault: str, kinds: str, kernel: str, arrays: str
) -> None:
    for seed in range(2):
        status, findings, said = run(built / name, fault, seed=seed)
        assert status == SHIM_EXIT_STATUS, said
        (found,) = findings
        assert found.is_error
        assert found.kind in kinds.split(), said
        assert found.kernel == kernel
        assert found.array in (arrays.split() or [""]), said
        assert (found.thread is not None) == (kernel != "")
        if found.kind == "race":
            assert found.block == found.other_block
            assert found.thread != found.other_thread
        if found.kind == "block-race":
            assert found.block != found.other_block


def test_offsets_are_those_of_the_access(built: Path) -> None:
    _, findings, _ = run(built / "gemm", "before-start")
    assert findings[0].element in range(-8, 0)
    assert findings[0].byte == 4 * findings[0].element
    _, findings, _ = run(built / "gemm", "long-copy")
    assert (findings[0].byte, findings[0].size_bytes) == (0, 6404)


def test_a_writer_that_read_last_still_meets_the_reader_before(built: Path) -> None:
    for seed in range(12):
        _, findings, said = run(built / "reduce", "two-readers", seed=seed)
        (found,) = findings
        assert (found.kind, found.array, found.block) == ("race", "parts", (2, 0, 0)), (
            said
        )


def test_missing_copy_back_and_leak_are_warned_of(built: Path) -> None:
    status, findings, said = run(built / "gemm", "no-copy-back")
    assert status == 1, said
    assert [(f.kind, f.array, f.is_error) for f in findings] == [
        ("never-copied-back", "C", False)
    ]
    status, findings, said = run(built / "gemm", "leak")
    assert status == 0, said
    assert [(f.kind, f.array, f.is_error) for f in findings] == [("leak", "B", False)]


def test_large_shared_memory_without_asking_is_an_error_of_the_launch(
    built: Path,
) -> None:
    status, findings, said = run(built / "large_shared", "no-opt-in")
    assert status == 3
    assert [f.kind for f in findings] == ["leak", "leak"]
    assert "cudaGetLastError(): invalid argument" in said


def test_uninstrumented_text_says_so(built: Path, tmp_path: Path) -> None:
    kernels = compile_kernels(
        PROGRAMS / "reduce.cu", tmp_path / "reduce.o", is_checked=False
    )
    link_shim_program([kernels, built / "ps_shim.o"], tmp_path / "reduce")
    status, findings, said = run(tmp_path / "reduce")
    assert status == 0, said
    assert [f.kind for f in findings] == ["not-instrumented"]
    assert run(tmp_path / "reduce", is_checked=False) == (0, (), "0 wrong\n")


def test_a_c_program_calls_kernels_of_another_file(built: Path, tmp_path: Path) -> None:
    (tmp_path / "out.cu").write_text(
        '#include "program.h"\n'
        "__global__ void twice(double *a) { a[threadIdx.x] *= 2; }\n"
        'extern "C" void ps_scop_twice(double *a, int n) {\n'
        "  double *d;\n"
        "  CHECK(cudaMalloc(&d, n * sizeof(double)));\n"
        "  CHECK(cudaMemcpy(d, a, n * sizeof(double), cudaMemcpyHostToDevice));\n"
        "  PS_LAUNCH(twice, 1, n, 0, d);\n"
        "  CHECK(cudaGetLastError());\n"
        "  CHECK(cudaMemcpy(a, d, n * sizeof(double), cudaMemcpyDeviceToHost));\n"
        "  CHECK(cudaFree(d));\n"
        "}\n"
    )
    (tmp_path / "program.h").write_bytes((PROGRAMS / "program.h").read_bytes())
    (tmp_path / "out.c").write_text(
        "#include <stdio.h>\n"
        "extern void ps_scop_twice(double *, int);\n"
        "int main(void) {\n"
        "  double a[3] = {1, 2, 3};\n"
        "  ps_scop_twice(a, 3);\n"
        '  printf("%g %g %g\\n", a[0], a[1], a[2]);\n'
        "  return 0;\n"
        "}\n"
    )
    kernels = compile_kernels(tmp_path / "out.cu", tmp_path / "out.o")
    link_shim_program(
        [kernels, built / "ps_shim.o"],
        tmp_path / "out",
        host_source=tmp_path / "out.c",
    )
    assert run(tmp_path / "out") == (0, (), "2 4 6\n")


def test_what_no_device_has_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "x.cu"
    source.write_text(
        "#include <cuda_runtime.h>\n"
        "__global__ void f(double *a) { atomicMax(a, 1.0); }\n"
    )
    with pytest.raises(ToolchainError, match="atomicMax"):
        compile_kernels(source, tmp_path / "x.o")


def test_a_compiler_without_instrumentation_is_named(tmp_path: Path) -> None:
    fake = tmp_path / "c++"
    fake.write_text(
        "#!/bin/sh\n"
        "echo \"error: '-fsanitize=thread' is not supported for this target\" >&2\n"
        'test "$1" = --version\n'
    )
    fake.chmod(0o755)
    assert run_tool((str(fake), "--version"), limit_seconds=9) == ""
    with pytest.raises(ToolchainError, match="cannot instrument loads and stores"):
        compile_kernels(PROGRAMS / "gemm.cu", tmp_path / "x.o", cxx=str(fake))


def test_reports_are_read_among_other_lines() -> None:
    found = read_report(
        "hello\n"
        "ps-shim: warning: leak: not freed | array=A size=80\n"
        "ps-shim: error: block-race: two writes | kernel=k<float, 4> array=B byte=-8 "
        "element=-1 size=8 block=1,0,0 thread=3,0,0 other_block=0,0,0 "
        "other_thread=2,1,0\n"
    )
    assert [f.kind for f in found] == ["leak", "block-race"]
    assert (found[0].array, found[0].size_bytes, found[0].thread) == ("A", 80, None)
    assert found[1].kernel == "k<float, 4>"
    assert (found[1].byte, found[1].block, found[1].other_thread) == (
        -8,
        (1, 0, 0),
        (2, 1, 0),
    )
    assert str(found[1]).startswith("block-race: two writes in kernel k<float, 4>, B")
