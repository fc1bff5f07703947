"""Which of the user's options shape the harness."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.runtime import Toolchain, Workbench
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
