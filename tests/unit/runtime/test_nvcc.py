"""NVIDIA's compiler is found, asked, and understood."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from polysched.base import ToolchainError
from polysched.runtime import KernelResources, Nvcc, Toolchain
from polysched.runtime.ptxas import read_resources, read_symbol

needs_nvcc = pytest.mark.nvcc

SCALE = """
template <typename T> __global__ void scale(T *a, int n)
{
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    a[i] *= 2;
}
template __global__ void scale<double>(double *, int);
"""

REPORT = """
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_ZN1n4tileEPf' for 'sm_80'
ptxas info    : Function properties for _ZN1n4tileEPf
    16 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads
ptxas info    : Used 255 registers, used 2 barriers, 33792 bytes smem, 360 bytes cmem[0]
ptxas info    : Compile time = 1.116 ms
ptxas info    : Function properties for _Z1ff
    40 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
ptxas info    : Compiling entry function 'plain' for 'sm_90'
ptxas info    : Function properties for plain
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 10 registers, used 0 barriers
"""


@pytest.fixture(scope="module")
def nvcc() -> Nvcc:
    return Nvcc.locate()


def fake(folder: Path, *, release: str = "12.8", body: str = "exit 0") -> str:
    """A compiler that says which it is and then runs `body`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "nvcc"
    path.write_text(
        "#!/bin/sh\ncase $1 in\n"
        f"--version) echo 'Cuda compilation tools, release {release}, V1'; exit;;\n"
        "--list-gpu-code) printf 'sm_75\\nsm_90\\nsm_100\\n'; exit;;\n"
        f"esac\n{body}\n"
    )
    path.chmod(0o755)
    return str(path)


def test_report_is_read() -> None:
    tile, plain = read_resources(REPORT)
    assert tile == KernelResources(
        name="n::tile",
        symbol="_ZN1n4tileEPf",
        architecture="sm_80",
        n_registers=255,
        stack_bytes=16,
        spill_store_bytes=12,
        spill_load_bytes=8,
        shared_bytes=33792,
        n_barriers=2,
    )
    assert tile.has_spills
    assert (plain.name, plain.n_registers, plain.has_spills) == ("plain", 10, False)


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("_ZL6smoothPd", "smooth"),
        ("_ZN4heat4stepIdLi3EEEvPT_", "heat::step"),
        ("_ZN20_GLOBAL__N__7d1b_4_k1kEv", "(anonymous)::k"),
        ("_ZTV3abc", "_ZTV3abc"),
        ("kernel0", "kernel0"),
    ],
)
def test_symbols_are_read(symbol: str, name: str) -> None:
    assert read_symbol(symbol) == name


def test_found_on_the_path_before_the_toolkits_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fake(tmp_path / "path", release="12.8")
    second = fake(tmp_path / "home" / "bin", release="13.1")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    assert Nvcc.locate().path == first
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    found = Nvcc.locate()
    assert (found.path, found.version, found.release) == (second, (13, 1), "13.1")
    assert found.architectures == ("sm_75", "sm_90", "sm_100")


def test_found_in_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = fake(tmp_path / "nvidia" / "cu99" / "bin")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("CUDA_HOME", "CUDA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        shutil, "which", lambda name: name if name.startswith(str(tmp_path)) else None
    )
    assert Nvcc.locate().path == wheel


def test_absent_compiler_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="cannot find the compiler") as caught:
        Nvcc.locate(str(tmp_path / "nvcc"))
    assert "nvidia-cuda-nvcc" in str(caught.value.hint)


def test_other_program_is_not_taken_for_the_compiler() -> None:
    with pytest.raises(ToolchainError, match="does not say which release"):
        Nvcc.locate("true")


@pytest.mark.parametrize(
    ("architecture", "hint"), [("sm_70", "older releases"), ("sm_200", "newer")]
)
def test_architecture_that_it_does_not_know_is_refused(
    tmp_path: Path, architecture: str, hint: str
) -> None:
    old = Nvcc.locate(fake(tmp_path))
    message = f"nvcc 12.8 makes no code for {architecture}; it knows sm_75, sm_90, sm_1"
    with pytest.raises(ToolchainError, match=message) as caught:
        old.compile(tmp_path / "k.cu", architectures=["sm_90", architecture])
    assert str(caught.value.hint).startswith(hint)


def test_variants_of_a_known_architecture_are_known(tmp_path: Path) -> None:
    nvcc = Nvcc.locate(fake(tmp_path))
    assert nvcc.knows("sm_90a")
    assert not nvcc.knows("sm_80a")


def test_cubin_is_for_one_architecture(tmp_path: Path) -> None:
    nvcc = Nvcc.locate(fake(tmp_path))
    with pytest.raises(ToolchainError, match="a cubin is for one architecture, found"):
        nvcc.compile(tmp_path / "k", architectures=("sm_75", "sm_90"), form="cubin")
    with pytest.raises(ToolchainError, match="needs an architecture"):
        nvcc.compile(tmp_path / "k", architectures=())


def test_assemblers_error_names_the_kernel(tmp_path: Path) -> None:
    said = "ptxas error   : Entry function '_Z4tilePf' uses too much shared data"
    nvcc = Nvcc.locate(fake(tmp_path, body=f'echo "{said}" >&2; exit 255'))
    with pytest.raises(ToolchainError, match="kernels: Entry function 'tile' uses too"):
        nvcc.compile(tmp_path / "k.cu", architectures=["sm_90"])


def test_host_compilers_error_has_its_line(tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text("int a;\nint b = oops;\n")
    body = f"echo '{source}:2:9: error: oops was not declared' >&2; exit 1"
    nvcc = Nvcc.locate(fake(tmp_path, body=body))
    with pytest.raises(ToolchainError, match="oops was not declared") as caught:
        nvcc.compile(source, architectures=["sm_90"])
    assert caught.value.where is not None
    assert (caught.value.where.line, caught.value.where.column) == (2, 9)
    assert caught.value.where.text == "int b = oops;"


@needs_nvcc
def test_object_for_two_architectures(nvcc: Nvcc, tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(SCALE)
    code = nvcc.compile(source, architectures=("sm_80", "sm_90"))
    assert code.path == tmp_path / "k.o"
    assert [r.architecture for r in code.resources] == ["sm_80", "sm_90"]
    assert {r.name for r in code.resources} == {"scale"}
    assert all(0 < r.n_registers <= 32 for r in code.resources)
    assert not any(r.has_spills for r in code.resources)


@needs_nvcc
def test_registers_that_are_not_allowed_are_spilled(nvcc: Nvcc, tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    lines = [f"  double v{k} = a[{k} * n + t];" for k in range(48)]
    sums = [f"  a[{k} * n + t] = v{k} * v{(k + 7) % 48};" for k in range(48)]
    body = "\n".join([*lines, "  __syncthreads();", *sums])
    source.write_text(
        "__global__ void wide(double *a, int n) {\n"
        f"  __shared__ float s[256]; int t = threadIdx.x; s[t] = a[t];\n{body}\n"
        "  a[t] += s[255 - t];\n}\n"
    )
    code = nvcc.compile(source, architectures=["sm_90"], form="cubin", max_registers=32)
    (wide,) = code.resources
    assert (wide.n_registers, wide.shared_bytes, wide.n_barriers) == (32, 1024, 1)
    assert wide.has_spills
    free = nvcc.compile(source, architectures=["sm_90"], form="cubin").resources[0]
    assert free.n_registers > 96
    assert not free.has_spills


@needs_nvcc
def test_ptx_is_text_for_the_architecture(nvcc: Nvcc, tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(SCALE)
    code = nvcc.compile(source, architectures=["sm_90"], form="ptx")
    assert ".target sm_90" in code.path.read_text()
    assert code.resources == ()


@needs_nvcc
def test_error_has_the_kernels_line(nvcc: Nvcc, tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text("__global__ void k(float *a)\n{\n  a[0] = b;\n}\n")
    with pytest.raises(ToolchainError, match='identifier "b" is undefined') as caught:
        nvcc.compile(source, architectures=["sm_90"])
    where = caught.value.where
    assert where is not None
    assert (where.file, where.line, where.text) == (str(source), 3, "  a[0] = b;")


@needs_nvcc
def test_too_much_shared_memory_is_an_error(nvcc: Nvcc, tmp_path: Path) -> None:
    source = tmp_path / "k.cu"
    source.write_text(
        "__global__ void k(double *a) {\n  __shared__ double s[100000];\n"
        "  s[threadIdx.x] = a[0]; __syncthreads(); a[0] = s[a[1] > 0];\n}\n"
    )
    with pytest.raises(ToolchainError, match=r"kernels: .*'k' uses too much shared"):
        nvcc.compile(source, architectures=["sm_90"])


@needs_nvcc
@pytest.mark.cc
def test_program_of_c_and_kernels_runs(nvcc: Nvcc, tmp_path: Path) -> None:
    """Without a driver the program says so itself, which is what it is asked for."""
    main_c, kernels = tmp_path / "main.c", tmp_path / "k.cu"
    main_c.write_text(
        "#include <math.h>\nint n_devices(void);\n"
        "int main(int n, char **v) { (void)v; return n_devices() < 0 || sqrt(n) < 0; }"
    )
    kernels.write_text(
        SCALE + 'extern "C" int n_devices(void) {\n'
        "  int n = 0;\n  return cudaGetDeviceCount(&n) == cudaSuccess ? n : 0;\n}\n"
    )
    program, device = nvcc.build_program(
        main_c,
        kernels,
        tmp_path / "program",
        architectures=["sm_90"],
        toolchain=Toolchain(libs=("-lm", "-Wl,--as-needed")),
    )
    assert [r.name for r in device.resources] == ["scale"]
    assert subprocess.run([program], check=False, timeout=60).returncode == 0
