"""PPCG's kernels in the GPU benchmark: a command that poses as ppcg."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from polysched.base import PolyschedError

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "gpu"
MODULES = ("generate", "job", "ppcg", "suite")

PPCG = """#!/bin/sh
# notes what it is asked for, and makes two files of its own
echo "$*" > {0}/asked
for source; do :; done
name=$(basename $source .c)
cat > ${{name}}_kernel.cu << END
#include "${{name}}_kernel.hu"
__global__ void kernel0(float *A, int c0) {{ A[c0] += 1; }}
__global__ void kernel1() {{}}
END
cat > ${{name}}_host.cu << END
#include <stdio.h>
#include "${{name}}_kernel.hu"
int main(void)
{{
  kernel0 <<<k0_dimGrid, k0_dimBlock>>> (dev_A,
      (c0 + 1));
  kernel1 <<<k1_dimGrid, k1_dimBlock>>> ();
  return 0;
}}
END
"""


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The scripts of the benchmark, which import each other by their names alone."""
    monkeypatch.syspath_prepend(BENCHMARK)
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]


@pytest.fixture
def pose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ppcg ahead of all others on the PATH."""
    command = tmp_path / "ppcg"
    command.write_text(PPCG.format(tmp_path))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return command


def case(
    modules: dict[str, ModuleType], program: str, *defines: str, original: str = ""
) -> Any:
    make = modules["job"].Job
    return make(program, "tiled", program, defines, "", 1.0, 1.0, original=original)


def test_both_files_become_one_with_launches_that_are_timed(
    modules: dict[str, ModuleType], pose: Path
) -> None:
    ppcg = modules["ppcg"]
    (one,) = ppcg.jobs_of(case(modules, "rowsums", "-DELEM=float", "-DFAST"))
    assert (one.kind, one.script) == ("PPCG", "")
    ppcg.write(one, "v1", pose.parent)
    asked = (pose.parent / "asked").read_text().split()
    source = str(BENCHMARK / "programs" / "rowsums.c")
    assert asked == ["--target=cuda", "-DELEM=float", "-DFAST", source]
    text = (pose.parent / "v1.cu").read_text()
    assert "#define ELEM float\n#define FAST 1\n" in text
    assert "PS_LAUNCH(kernel0, k0_dimGrid, k0_dimBlock, 0, dev_A," in text
    assert "PS_LAUNCH(kernel1, k1_dimGrid, k1_dimBlock, 0, );" in text
    assert "<<<" not in text
    assert ".hu" not in text
    assert text.index("__global__") < text.index("int main")
    assert (pose.parent / "v1.c").read_text().startswith("/*")


@pytest.mark.parametrize(
    ("program", "defines", "original", "is_product"),
    [
        ("matmul", ("-DELEM=double", "-DN=64"), "", True),
        ("heat3d", ("-DELEM=float",), "", False),
        ("gemm", ("-DMINI",), "gemm.c", True),
        ("atax", ("-DMINI",), "atax.c", False),
    ],
)
def test_products_are_tried_with_larger_tiles(
    modules: dict[str, ModuleType],
    pose: Path,
    program: str,
    defines: tuple[str, ...],
    original: str,
    is_product: bool,
) -> None:
    jobs = modules["ppcg"].jobs_of(case(modules, program, *defines, original=original))
    kinds = [(job.kind, "tile[64,64,16]" in job.script) for job in jobs]
    wanted = [("PPCG", False), ("PPCG (tuned)", True)]
    assert kinds == wanted[: 1 + is_product]


def test_options_are_given_as_the_job_says_them(
    modules: dict[str, ModuleType], pose: Path
) -> None:
    ppcg = modules["ppcg"]
    _, tuned = ppcg.jobs_of(case(modules, "matmul"))
    ppcg.write(tuned, "v1", pose.parent)
    asked = (pose.parent / "asked").read_text()
    assert "--sizes={kernel[i]->tile[64,64,16]; kernel[i]->block[16,16]} /" in asked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo no scop >&2; exit 1", "PPCG fails: no scop"),
        ("exit 0", "PPCG fails"),
        ("touch atax_kernel.cu atax_host.cu", "PPCG makes no kernel"),
        ("exec sleep 5", "PPCG takes more than"),
    ],
)
def test_what_fails_is_said(
    modules: dict[str, ModuleType],
    pose: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    said: str,
) -> None:
    ppcg = modules["ppcg"]
    pose.write_text(f"#!/bin/sh\n{text}\n")
    if "sleep" in text:
        monkeypatch.setattr(ppcg, "SECONDS", 0.2)
    one, *_ = ppcg.jobs_of(case(modules, "atax", "-DMINI", original="atax.c"))
    with pytest.raises(PolyschedError, match=said):
        ppcg.write(one, "v1", pose.parent)
    assert not (pose.parent / "v1.cu").exists()


def test_without_ppcg_there_is_none_of_it_and_a_line_says_so(
    modules: dict[str, ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("ppcg") is None
    assert list(modules["ppcg"].jobs_of(case(modules, "matmul"))) == []
    monkeypatch.setattr(modules["generate"], "all_jobs", lambda: iter(()))
    monkeypatch.setattr(sys, "argv", ["generate.py", str(tmp_path), "none of them"])
    modules["generate"].main()
    said = capsys.readouterr().out
    assert "no ppcg on the PATH" in said
    assert "0 variants" in said
