"""What is written for a region names the macros that it rests on."""

import pytest

pytestmark = pytest.mark.cc

FILE = """
#include <limits.h>
{head}
static double x[400], y[20][20];
{between}
void f(int n, double s)
{{
#pragma scop
  {body}
#pragma endscop
}}
"""
LOOP = "for (int i = 0; i < {end}; i++) x[i] = {value};"
CASES = {
    "a bound": ("#define N 30", "", LOOP.format(end="N", value="1"), ["N == 30"]),
    "one behind another": (
        "#define K 4\n#define N (2 * K)\n#define UNUSED 9",
        "",
        LOOP.format(end="N - 1", value="1"),
        ["N == (2 * 4)", "K == 4"],
    ),
    "one of a macro with arguments": (
        "#define TWO(a, b) b\n#define N TWO(3, 8)\n#define AT(i, j) ((i) * N + j)",
        "",
        "for (int i = 0; i < 8; i++) x[AT(i, 0)] = 1;",
        ["N == 8"],
    ),
    "an enumerator's": (
        "#define N 12",
        "enum { FIRST = 3, LAST = N };",
        LOOP.format(end="LAST", value="1"),
        ["N == 12"],
    ),
    "a constant's": (
        "#define N 12",
        "static const int last = N;",
        LOOP.format(end="last", value="1"),
        ["N == 12"],
    ),
    "a called function's": (
        "#define SCALE 2.5",
        "static double scaled(double v)\n{\n  double w = v;\n  return w * SCALE;\n}",
        LOOP.format(end="n", value="scaled(s)"),
        ["SCALE == 2.5"],
    ),
    "an array's extent and type": (
        "#define REAL float\n#define M 50\n#define OTHER 3",
        "static int other[OTHER];\nstatic REAL z[M] = {OTHER};",
        "for (int i = 0; i < n; i++) z[i] = s;",
        ["REAL is float", "M == 50"],
    ),
    "constants of many forms": (
        "#define A 1 | 4\n#define B ((long)7)\n#define C -0x1fL\n#define D .5e-3f",
        "",
        LOOP.format(end="n", value="s * D + (A) + B - C"),
        ["D == .5e-3f", "A == 1 | 4", "B == ((long)7)", "C == -0x1fL"],
    ),
    "no constants": (
        "#define PLUS 1 +\n#define WHAT s\n#define AND",
        "",
        LOOP.format(end="n", value="PLUS WHAT AND"),
        [],
    ),
    "of the system": ("", "", LOOP.format(end="n", value="INT_MAX"), []),
    "a size that callers give": (
        "#define N 30",
        "static int g = N;\nvoid set(int k) { g = k; }",
        "for (int i = 0; i < g; i++) x[i] = 1;",
        [],
    ),
    "conditions in the region": (
        "#define FAST\n#define LEVEL 2",
        "",
        "for (int i = 0; i < n; i++) {\n#if defined(FAST) && LEVEL > 1\n"
        "    x[i] = 1;\n#endif\n#ifdef EXACT\n    x[i] += 1;\n#endif\n  }",
        ["LEVEL == 2", "FAST is defined", "EXACT is undefined"],
    ),
}


def _said(use):
    if use.kind == "number":
        return f"{use.name} == {use.text}"
    return f"{use.name} is {use.text or use.kind}"


@pytest.mark.parametrize("case", CASES)
def test_macros_of_a_region(parse, case):
    head, between, body, expected = CASES[case]
    program = parse(FILE.format(head=head, between=between, body=body))
    assert not program.refusals
    assert [_said(u) for u in program.macro_uses.get("f", ())] == expected


def test_macros_are_what_they_are_at_the_region(parse):
    program = parse(
        "double x[9];\n#define N 4\nvoid f(void)\n{\n#pragma scop\n"
        "for (int i = 0; i < N; i++) x[i] = 1;\n#pragma endscop\n#undef N\n"
        "#define N 7\n#pragma scop\nfor (int i = 0; i < N; i++) x[i] = 2;\n"
        "#pragma endscop\n}\n"
    )
    values = {name: [u.text for u in uses] for name, uses in program.macro_uses.items()}
    assert values == {"f": ["4"], "f.2": ["7"]}


def test_words_of_the_language_are_no_macros(parse):
    program = parse(
        "#define int long long\nint x[9];\nvoid f(void)\n{\n#pragma scop\n"
        "for (int i = 0; i < 9; i++) x[i] = 1;\n#pragma endscop\n}\n"
    )
    (refusal,) = program.refusals
    assert "'int' is a macro" in refusal.message


@pytest.mark.parametrize(
    ("before", "inside", "line", "what"),
    [
        ("#ifdef X\n#pragma omp parallel\n#else", "#endif\n", 9, "begins in front"),
        ("#define Y", "#ifdef Y\n", 7, "goes on behind"),
    ],
)
def test_a_region_takes_no_half_of_a_condition(parse, before, inside, line, what):
    end = "#pragma endscop" + ("\n#endif" if what == "goes on behind" else "")
    program = parse(
        f"int x[9];\nvoid f(void)\n{{\n  int i;\n{before}\n#pragma scop\n{inside}"
        f"for (i = 0; i < 9; i++) x[i] = 1;\n{end}\n}}\n"
    )
    (refusal,) = program.refusals
    assert what in refusal.message
    assert refusal.where.line == line


def test_a_file_that_is_too_deep_for_its_macros_is_refused_as_such(parse):
    terms = " + ".join(["x[i]"] * 3000)
    program = parse(
        "#define N 4\nint x[9];\nvoid f(void)\n{\n#pragma scop\n"
        f"for (int i = 0; i < N; i++) x[i] = {terms};\n#pragma endscop\n}}\n"
    )
    (refusal,) = program.refusals
    assert "nested too deeply" in refusal.message
    assert program.macro_uses == {}
