"""Names in generated code: macros of headers would be replaced in it."""

from __future__ import annotations

from pathlib import Path

from polysched.analysis import prepare_scop
from polysched.codegen import identifiers
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.workflow.variant import print_region

HEADER = "#define sum 3\n#define t1 4\n#define s(x) (x)\n#undef t1\n"
SOURCE = """
#include "names.h"
void f(int n, double A[n][n], double x[n])
{
#pragma scop
    for (int i = 0; i < n; i++) {
        double s = 0;
        for (int j = 0; j < n; j++)
            s += A[i][j];
        x[i] = s;
    }
#pragma endscop
}
"""


def test_generated_names_are_no_macros_of_a_header(tmp_path: Path) -> None:
    (tmp_path / "names.h").write_text(HEADER)
    path = tmp_path / "names.c"
    path.write_text(SOURCE)
    program = parse_c(path)
    assert {"sum", "t1", "s"} <= program.macros
    scop = prepare_scop(program.scops[0])
    text = print_region(program, scop, original_tree(scop), ()).region
    assert "for (int" in text
    assert not identifiers(text) & {"sum", "t1"}
    alone = tmp_path / "alone.c"
    alone.write_text(SOURCE.replace('#include "names.h"', ""))
    text = print_region(parse_c(alone), scop, original_tree(scop), ()).region
    assert "t1" in identifiers(text)
