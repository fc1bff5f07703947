"""What is taken of a region that is refused as a whole, and what is said about it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.cc

HEAD = """\
#include <math.h>
#include <stdio.h>
double A[99][99], B[99][99];
void f(int n, double tol) {
double diff;
"""
SWEEP = """\
    for (int i = 1; i < 98; i++)
      for (int j = 1; j < 98; j++)
        B[i][j] = 0.5 * (A[i - 1][j] + A[i + 1][j]);"""


def region(body: str, behind: str = "") -> str:
    return f"{HEAD}#pragma scop\n{body}\n#pragma endscop\n{behind}\n}}\n"


def lines_of(program) -> list[str]:
    """The text of each SCoP's region, with blanks at its ends gone."""
    regions = [scop.region for scop in program.scops]
    return [program.source[r.start : r.end].decode().strip() for r in regions]


CONVERGE = f"""\
  do {{
    diff = 0;
{SWEEP}
    for (int i = 1; i < 98; i++)
      for (int j = 1; j < 98; j++) {{
        diff = fmax(diff, fabs(A[i][j] - B[i][j]));
        A[i][j] = B[i][j];
      }}
    n++;
  }} while (diff > tol && n < 1000);"""


def test_what_a_loop_repeats_until_data_end_it(parse):
    program = parse(region(CONVERGE))
    (scop,) = program.scops
    assert (scop.name, scop.region.line, scop.region.end_line) == ("f", 9, 16)
    assert [s.text.split(" ")[0] for s in scop.statements] == [
        "B[i][j]",
        "diff",
        "A[i][j]",
    ]
    (text,) = lines_of(program)
    assert text.startswith("for")
    assert text.endswith("}")
    assert all(a.live_out for a in scop.arrays)


def test_the_refusal_says_which_lines_are_taken(parse):
    (refusal,) = parse(region(CONVERGE)).refusals
    assert refusal.parts == ((9, 16),)
    assert refusal.where.line == 7
    assert "do-while" in refusal.message
    assert refusal.hint == "lines 9 to 16 are a scop of their own"


def test_around_and_in_what_is_refused(parse):
    body = f"""\
{SWEEP}
    printf("%g", B[1][1]);
    for (int t = 0; t < n; t++) {{
{SWEEP}
      printf("%d", t);
{SWEEP}
    }}
{SWEEP}"""
    program = parse(region(body))
    assert lines_of(program) == [SWEEP.strip()] * 4
    assert [s.name for s in program.scops] == ["f", "f.2", "f.3", "f.4"]
    (refusal,) = program.refusals
    assert refusal.parts == ((7, 9), (12, 14), (16, 18), (20, 22))
    assert refusal.hint == (
        "lines 7 to 9, 12 to 14, 16 to 18 and 20 to 22 are scops of their own"
    )


def test_regions_behind_count_on(parse):
    text = region(CONVERGE, f"#pragma scop\n{SWEEP}\n#pragma endscop")
    assert [s.name for s in parse(text).scops] == ["f", "f.2"]
    none = region("goto end;\nend: ;", f"#pragma scop\n{SWEEP}\n#pragma endscop")
    program = parse(none)
    assert [s.name for s in program.scops] == ["f.2"]
    assert [r.parts for r in program.refusals] == [()]


def test_declarations_stay_with_what_stands_behind(parse):
    body = f"""\
  for (int t = 0; t < n; t++) {{
    double sum = 0;
{SWEEP}
    for (int i = 0; i < 99; i++)
      sum += B[i][1];
    if (sum < tol) return;
  }}"""
    program = parse(region(body))
    (scop,) = program.scops
    assert (scop.region.line, scop.region.end_line) == (9, 13)
    assert scop.array("sum").live_out


def test_both_branches(parse):
    body = f"""\
  if (sizeof(A) == printf("x")) {{
{SWEEP}
  }} else if (n) {{
    n = 3;
{SWEEP}
  }}"""
    assert len(parse(region(body)).scops) == 2


def test_functions_with_loops_count_as_loops(parse):
    before = f"static void sweep(void) {{\n{SWEEP}\n}}\n"
    body = "  while (B[3][3] > tol) {\n    A[0][0] = 1;\n    sweep();\n  }"
    program = parse(region(body).replace("void f(", before + "void f("))
    assert lines_of(program) == ["sweep();"]


@pytest.mark.parametrize(
    "body",
    [
        "while (B[0][0] > tol) { for (int i = 0; i < 99; i++) A[i][0] = 2; n++; }",
        "while (B[0][0] > tol)\nfor (int i = 0; i < 99; i++)\nA[n++][i] = n;",
        'for (int i = 0; i < 99; i++) {\nA[i][0] = 1;\nputs("");\n}',
    ],
)
def test_loops_that_share_lines_and_lone_statements_are_no_parts(parse, body):
    program = parse(region(body))
    assert not program.scops
    assert [r.parts for r in program.refusals] == [()]


def test_macros_that_begin_blocks(parse):
    before = (
        "#define REPEAT while (B[0][0] > tol) {\n#define LOOP(i) for (; i < 9; i++)"
    )
    body = "REPEAT\nLOOP(n)\nA[n][0] = B[n][1] + 1;\n}"
    program = parse(f"{before}\n{region(body)}")
    assert not program.scops  # no brace in front of the loop
    assert [r.parts for r in program.refusals] == [()]


def test_conditionals_of_the_preprocessor_stay_whole(parse):
    cut = f'#if 1\n{SWEEP}\n#endif\n{SWEEP}\nputs("");\n'
    inside = f'{SWEEP}\n#if 1\n{SWEEP}\n#else\nn = 1;\n#endif\nputs("");\n'
    assert not parse(region(cut)).scops  # it would begin behind #if
    assert len(parse(region(inside)).scops) == 1
    assert not parse(region(cut.replace("#endif", "#else\nn++;\n#endif"))).scops


def test_programs_that_are_wrong_have_no_parts(parse):
    body = f"for (int t = 0; t < n; t++) {{\n{SWEEP}\nA[tol][t] = 1;\n}}"
    program = parse(region(body))
    assert not program.scops
    assert [r.message for r in program.refusals] == ["a subscript must be an integer"]
