"""Which of the user's options shape the harness."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.base import RunError
from polysched.runtime import DeviceTools, Nvcc, RunOptions, Toolchain, Workbench
from polysched.workflow import parse

PROGRAM = """\
static int a[8];
int main(void)
{
#pragma scop
  for (int i = 0; i < 8; i++)
    a[i] = i;
#pragma endscop
  return 0;
}
"""
# Takes an LLVM option only behind its -mllvm, as clang does.
STRICT_CC = """\
#!/bin/sh
words=
while [ $# -gt 0 ]; do
  case "$1" in
    -mllvm) shift; case "$1" in -polly) ;; *) exit 1;; esac;;
    *) words="$words $1";;
  esac
  shift
done
exec gcc $words
"""


@pytest.mark.cc
def test_llvm_options_are_not_torn_from_their_word(tmp_path):
    source, compiler = tmp_path / "a.c", tmp_path / "cc"
    source.write_text(PROGRAM)
    compiler.write_text(STRICT_CC)
    compiler.chmod(0o755)
    program = parse(source)
    bench = Workbench(
        program,
        program.scops[0],
        toolchain=Toolchain(cc=str(compiler), cflags=("-O1", "-mllvm", "-polly")),
        directory=Path(tmp_path / "bench"),
    )
    binary = bench.build("plain", None)
    assert bench.execute(binary, timeout_seconds=10.0).n_calls == 1


@pytest.mark.parametrize("device", ["gpu", "cpu", "none"])
def test_addresses_are_not_limited_where_a_driver_reserves_them(
    tmp_path, monkeypatch, device
):
    """The driver of a GPU maps the memory of all processors: no program would start."""
    source = tmp_path / "a.c"
    source.write_text(PROGRAM)
    program = parse(source)
    nvcc = Nvcc("nvcc", (13, 0), ("sm_90",))
    tools = {"gpu": DeviceTools(nvcc, architecture="sm_90"), "cpu": DeviceTools()}
    bench = Workbench(
        program,
        program.scops[0],
        toolchain=Toolchain(),
        directory=tmp_path / "bench",
        options=RunOptions(memory_bytes=1 << 30),
        device=tools.get(device),
    )
    asked = []

    def run_child(command, **limits):
        asked.append(limits)
        raise OSError(2, "not to be run", command[0])

    monkeypatch.setattr("polysched.runtime.workbench.run_child", run_child)
    with pytest.raises(RunError, match="not to be run"):
        bench.execute(tmp_path / "program", timeout_seconds=10.0)
    assert asked[0]["memory_bytes"] == 1 << 30
    assert (asked[0]["space_bytes"] is None) == (device == "gpu")
