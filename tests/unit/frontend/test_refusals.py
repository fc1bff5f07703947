"""What is refused: one clear error each, at its place; the rest is still read."""

import pytest

from polysched.base import FrontendError, NotAffineError, UnsupportedSyntaxError

pytestmark = pytest.mark.cc

LOOP = "for (int i = 0; i < n; i++)"
BEFORE = """\
#include <stdlib.h>
#include <stdio.h>
struct point { double x; int k : 3; } p[9];
volatile double v; long double ld[9]; double **rows, *lines[9];
struct point **marks;
double A[9][9]; int counter; int gi;
double impure(double a) { counter++; return a; }
double half(double a) { return a / 2; }
double deep(double a) { return impure(a); }
double pointed(double *a) { return *a; }
double loops(double a) { return a > 0 ? loops(a - 1) : 0; }
"""
# text of the scop, the text that the caret points at, words of the message
CASES = {
    "while": (
        "while (n > 0) { x[n] = 0; n -= m; }", "while",
        "found a while loop that writes 'x' at places that change",
    ),
    "do": (
        "do { n--; x[n] = 0; } while (n);", "do", "found a do-while loop that writes",
    ),
    "goto": ("{ goto out; }", "goto", "found a goto"),
    "label": ("out: x[0] = 1;", "out", "found a label"),
    "break": (f"{LOOP} {{ x[i] = 1; if (i > 3) break; }}", "break",
        "found a break in a loop that writes 'x' at places that change",
    ),
    "break of a loop around": (
        "x[0] = m; if (x[1] > 3) break; x[2] = 1;", "break", "found a break inside",
    ),
    "break on data": (
        f"{LOOP} {{ if (k[i]) break; x[i] = 1; }}", "k[i]",
        "are not affine, and it writes 'x'",
    ),
    "bound on data beside a break": (
        "for (int i = 0; i < k[i]; i++) { if (i > m) break; x[i] = 1; }", "k[i]",
        "the bounds or step of this loop are not affine",
    ),
    "return": (f"{LOOP} return;", "return", "found a return"),
    "case that goes on": (
        f"{LOOP} switch (i) {{ case 1: x[i] = 1; case 2: x[i] = 2; }}", "case 1",
        "goes on into the next",
    ),
    "break inside a case": (
        f"{LOOP} switch (i) {{ case 1: if (m) break; x[i] = 1; }}", "break",
        "found a break inside a case",
    ),
    "statement before cases": (
        f"{LOOP} switch (i) {{ x[i] = 2; case 1: x[i] = 1; }}", "x[i] = 2",
        "in front of the cases",
    ),
    "assembly": (f'{LOOP} asm volatile("nop");', "asm", "inline assembly"),
    "call statement": (f'{LOOP} printf("x");', "printf", "a call of 'printf'"),
    "unknown call": (f"{LOOP} x[i] = rand();", "rand", "'rand', which is not known"),
    "impure function": (f"{LOOP} x[i] = impure(1);", "impure", "uses 'counter'"),
    "impure below": (f"{LOOP} x[i] = deep(1);", "deep", "calls 'impure', which uses"),
    "pointer function": (
        f"{LOOP} x[i] = m ? pointed(y) : 0;", "pointed", "takes a pointer",
    ),
    "recursive function": (f"{LOOP} x[i] = loops(2);", "loops", "calls itself"),
    "struct": (f"{LOOP} x[i] = p[i].x;", "p[i]", "it has bit fields"),
    "volatile": (f"{LOOP} x[i] = v;", "v;", "'v' is volatile"),
    "long double": (f"{LOOP} x[i] = ld[i];", "ld[i]", "an array of long double"),
    "long double literal": (f"{LOOP} x[i] = 1.0L;", "1.0L", "found a long double"),
    "rows of structures": (
        f"{LOOP} x[i] = marks[i][i].x;", "marks", "is a pointer to pointers",
    ),
    "rows set in the scop": (
        f"double *own[9]; {LOOP} x[i] = own[i][i];", "own[i]", "an array of pointers",
    ),
    "row moved": (f"{LOOP} rows[i] = rows[i + 1];", "rows[i + 1]", "used with 1"),
    "rows exchanged": (
        f"{LOOP} {{ double *t = rows[i]; rows[i] = lines[i]; lines[i] = t; }}",
        "lines[i]", "used with 1",
    ),
    "rows that data choose": (
        f"{LOOP} x[i] = rows[k[i]][i];", "k[i]", "data say which elements of 'rows'",
    ),
    "elements of rows that data choose": (
        f"{LOOP} rows[i][k[i]] = 0;", "rows[i]", "data say which elements of 'rows'",
    ),
    "rows that data ask for": (
        f"{LOOP} if (k[i]) lines[i][0] = 1;", "lines[i][0] = 1",
        "data say whether rows of 'lines', which lie behind pointers, are looked up",
    ),
    "rows in a loop that data end": (
        f"{LOOP} {{ double s = 0; while (s < x[i]) s += lines[i][0]; y[i] = s; }}",
        "lines[i][0]; y", "data say whether rows of 'lines'",
    ),
    "pointer to a row of pointers": (
        f"{LOOP} {{ double *e = rows; e[i] = 0; }}", "*e", "points into 'rows'",
    ),
    "pointer that hides a pure function": (
        f"{LOOP} x[i] = half(x[i]);", "half", "through the pointer 'half'",
    ),
    "pointer that hides a function of math.h": (
        f"{LOOP} x[i] = sin(x[i]);", "sin", "through the pointer 'sin'",
    ),
    "pointer arithmetic": (f"{LOOP} *(i - x) = 0;", "i - x", "pointer arithmetic"),
    "address": (f"{LOOP} x[i] = &x[i] - y;", "x[i] - y", "the address"),
    "pointer moved": (
        f"double *row = x; {LOOP} {{ row[i] = 0; row = y; }}", "row = y",
        "'row' is assigned to",
    ),
    "pointer to an unknown place": (
        f"{LOOP} {{ double *e = x[i] > 3 ? x : y; e[i] = 0; }}", "*e",
        "not set to a place",
    ),
    "pointer to nothing": (
        f"{LOOP} {{ double *e; e[i] = 0; }}", "*e", "not set to a place",
    ),
    "pointer to another type": (
        f"{LOOP} {{ int *e = x; e[i] = 0; }}", "*e", "points into 'x', a pointer of d",
    ),
    "pointer from data": (
        f"{LOOP} {{ double *e = x + k[i]; k[i] = 1; *e = 0; }}", "*e",
        "place is read from 'k', which the scop writes",
    ),
    "pointer out of its row": (
        "double *all = A[0]; for (int i = 0; i < 81; i++) all[i] = 0;", "all[i]",
        "leaves its row",
    ),
    "pointer assignment": (f"{LOOP} x = 0;", "x = 0", "'x' is assigned to"),
    "whole array": (f"{LOOP} x[i] = y;", "y;", "'y' is used without a subscript"),
    "too few subscripts": (f"{LOOP} A[i] = 0;", "A[i]", "with 2 subscripts"),
    "assignment inside": (f"{LOOP} x[i] = 1 + (y[i] = 2);", "y[i]", "an assignment"),
    "increment inside": (f"{LOOP} x[i] = y[m++] * m;", "m++", "'++' inside"),
    "comma": (f"{LOOP} x[i] = (1, 2);", "1, 2", "a comma expression"),
    "undeclared": (f"{LOOP} x[i] = nothing;", "nothing", "'nothing' is not declared"),
    "expression": (f"{LOOP} x[i];", "x[i]", "an expression statement"),
    "square": (f"{LOOP} x[i * i] = 0;", "i * i", "multiplies two values that both"),
    "remainder by iterator": (f"{LOOP} x[7 % i] = 0;", "7 % i", "not a constant"),
    "row overrun": (
        f"{LOOP} for (int j = 0; j <= n; j++) x[i * n + j] = 0;", "x[i", "may leave",
    ),
    "pitches disagree": (
        f"{LOOP} for (int j = 0; j < n; j++) x[i * n + j] = x[i * m + j];", "x[i * m",
        "fit no array dimensions",
    ),
    "data bound": (
        "for (int i = 0; i < k[0]; i++) x[i] = 0;", "k[0]", "are not affine, and it",
    ),
    "changing bound": (f"{LOOP} {{ x[i] = n = 3; }}", "n; i++", "are not affine"),
    "data bound in a data if": (
        "if (x[0] > 0) for (int i = 0; i < k[0]; i++) x[i] = 0;", "k[0]",
        "are not affine",
    ),
    "while in a data if": (
        "if (x[0] > 0) while (n) x[n--] = 0;", "while", "places that change",
    ),
    "array in a while loop": (
        "while (n) { double b[2]; b[0] = n--; x[0] = b[0]; }", "b[", "no plain scalar",
    ),
    "step by variable": ("for (int i = 0; i < n; i += m) ;", "m)", "is not a constant"),
    "step by factor": (
        "for (int i = 1; i < n; i *= 2) x[i] = 0;", "i *=", "are not affine, and it",
    ),
    "step zero": ("for (int i = 1; i < n; i += 0) ;", "i +=", "never advances"),
    "no step": ("for (int i = 1; i < n; ) ;", "for", "without a step"),
    "step in a condition, and in the body": (
        "for (int i = n; i-- > 0;) { x[i] = 0; i--; }", "i-- > 0",
        "found '--' inside an expression",
    ),
    "no condition": (
        "for (int i = 1; ; i++) x[i] = 0;", "for", "without a condition that writes",
    ),
    "no start": ("for (; n; n /= 2) x[n] = 0;", "for", "without a start value that"),
    "two iterators": (
        "for (int i = 0, j = 1; i < n; i++, j *= 2) x[j] = 0;", "i < n",
        "are not affine",
    ),
    "second iterator changed": (
        "for (int i = 0, j = 1; i < n; i++, j++) { x[j] = 0; j++; }", "j = 1",
        "'j' is changed inside the loop",
    ),
    "second iterator from data": (
        "for (int i = 0, j = k[0]; i < n; i++, j++) x[j] = 0;", "k[0]",
        "are not affine, and it",
    ),
    "wrong way": (
        "for (int i = 0; i < n; i--) x[i] = 0;", "i < n", "no last iteration",
    ),
    "unsigned wrap": (
        "for (unsigned i = 9; i >= 0; i--) x[i] = 0;", "i >= 0",
        "never falls below zero",
    ),
    "unsigned wrap past an end": (
        "for (unsigned i = n - 1; i <= n; i--) x[i] = 0;", "i <= n",
        "never falls below zero",
    ),
    "unsigned wrap in steps": (
        "for (unsigned i = n - 1; i < n; i -= 2) x[i] = 0;", "i < n",
        "never falls below zero",
    ),
    "unsigned wrap below a wider end": (
        "for (unsigned i = n - 1; i < 8ul; i--) x[i] = 0;", "i < 8ul",
        "never falls below zero",
    ),
    "float iterator": ("for (double d = 0; d < n; d++) ;", "d = 0", "not an integer"),
    "global iterator": (
        "for (gi = 0; gi < n; gi++) x[gi] = 0;", "for", "is a global variable",
    ),
    "iterator changed": (
        f"{LOOP} {{ x[i] = 0; i += 2; }}", "i += 2", "'i' is changed; the loop writes",
    ),
    "iterator reused": (
        f"{LOOP} for (i = 0; i < 3; i++) x[i] = 0;", "for (i", "a loop around this one",
    ),
    "iterator outside": (
        "int j; for (j = 0; j != n; j++) x[j] = 0; x[j] = 1;", "j] = 1",
        "read outside its loop",
    ),
    "used behind": ("double late = 1; x[0] = late;", "late = 1", "used behind it"),
    "used behind, set by a call": (
        "double late = pointed(x); x[0] = late;", "late = pointed", "used behind it",
    ),
    "used behind, of a size that changes": (
        "int len = n; len /= 2; for (int i = 0; i < len; i++) x[i] = 0;"
        " int late = len / 2; for (int i = 0; i < late; i++) x[i] = 1;",
        "late = len", "used behind it",
    ),
    "static": (f"{LOOP} {{ static double s; s = 1; }}", "s;", "a static declaration"),
    "isl word": ("for (int i = 0; i < max; i++) x[i] = 0;", "max", "a word of isl's"),
    "empty": ("", "", "the scop is empty"),
}  # fmt: skip


def program_text(body):
    return (
        f"{BEFORE}void f(int n, int m, int max, double *x, double *y, int *k, "
        "double (*half)(double), double (*sin)(double))\n{\n"
        f"#pragma scop\n{body}\n#pragma endscop\n"
        "#pragma scop\n  x[0] = 2;\n#pragma endscop\n  (void)late;\n}\n"
    )


@pytest.mark.parametrize("case", CASES)
def test_refusal_names_place_and_reason(parse, case):
    body, pointed, words = CASES[case]
    program = parse(program_text(body))
    assert [s.name for s in program.scops] == ["f.2"]
    (error,) = program.refusals
    assert isinstance(error, FrontendError)
    assert words in error.message
    assert error.message == error.message.strip().rstrip(".")
    line = BEFORE.count("\n") + (4 if body else 3)
    assert (error.where.file.endswith("case.c"), error.where.line) == (True, line)
    if body:
        assert error.where.text == body
        assert body[error.where.column - 1 :].startswith(pointed)


def test_kinds_of_errors(parse):
    kinds = {"square": NotAffineError, "return": UnsupportedSyntaxError}
    for case, kind in kinds.items():
        assert isinstance(parse(program_text(CASES[case][0])).refusals[0], kind)


def test_iterator_read_after_the_scop(parse):
    program = parse(
        """
        int f(int n, double *x)
        {
            int i, j;
        #pragma scop
            for (i = 0; i < n; i++) x[i] = 0;
        #pragma endscop
        #pragma scop
            for (j = 0; j < n; j++) x[j] = 0;
        #pragma endscop
            for (j = 0; j < n; j++) x[j] += 1;
            return i;
        }
        """
    )
    assert [s.name for s in program.scops] == ["f.2"]
    assert "'i' is read after the scop" in program.refusals[0].message


PRAGMAS = {
    "missing end": (
        "void f(double *x) {\n#pragma scop\nx[0] = 1;\n}\n", 2,
        "without a #pragma endscop",
    ),
    "second start": (
        "void f(double *x) {\n#pragma scop\nx[0] = 1;\n#pragma scop\nx[0] = 1;\n"
        "#pragma endscop\n}\n", 2, "without a #pragma endscop",
    ),
    "stray end": (
        "void f(double *x) {\nx[0] = 1;\n#pragma endscop\n}\n", 3,
        "without a #pragma scop",
    ),
    "different blocks": (
        "void f(double *x) {\n{\n#pragma scop\nx[0] = 1;\n}\n#pragma endscop\n}\n", 3,
        "in the same block",
    ),
    "outside of functions": (
        "#pragma scop\nint x;\n#pragma endscop\n", 1, "in the same block",
    ),
    "shared line": (
        'void f(double *x) {\nint i; _Pragma("scop") x[0] = 1;\n'
        "#pragma endscop\n}\n", 2,
        "shares its line",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PRAGMAS)
def test_pragmas_out_of_place(parse, case):
    text, line, words = PRAGMAS[case]
    error = parse(text).refusals[0]
    assert words in error.message
    assert error.where.line == line


def test_scop_in_an_included_file(parse, tmp_path):
    (tmp_path / "part.h").write_text(
        "static void g(double *x) {\n#pragma scop\nx[0] = 1;\n#pragma endscop\n}\n"
    )
    program = parse(
        '#include "part.h"\nvoid f(double *x) {\n#pragma scop\nx[0] = 1;\n'
        "#pragma endscop\n}\n"
    )
    assert [s.name for s in program.scops] == ["f"]
    assert "in an included file" in program.refusals[0].message
    assert program.refusals[0].where.file.endswith("part.h")


STRUCTURES = (
    "typedef struct { double *data; int n; } grid;\n"
    "struct outer { struct { double *deep, z; } in; };\n"
)
# text of the scop, words of the message, words of the hint
ADVICE = {
    "levels": (
        "for (int s = 1; s < n; s *= 2) for (int i = s; i < n; i++) x[i] += x[i - s];",
        "writes 'x' at places that change", "put #pragma scop behind line 11, around",
    ),
    "levels downwards": (
        "for (int s = n; s > 1; s = s / 2) for (int i = 0; i < s; i++) x[i] += y[s];",
        "writes 'x' at places that change", "around what is done for one s",
    ),
    "step of any size": (
        "for (int i = 0; i < n; i += gi) for (int j = 0; j < 4; j++) x[i + j] = 0;",
        "step of the loop over 'i' is not a constant", "for (b = 0; b < n / s; b++)",
    ),
    "member of a structure that changes": (
        f"{LOOP} {{ o.in.deep[i] = 0; o = o; }}", "o.in.deep is a pointer",
        "double *deep = o.in.",
    ),
    "cast": (f"{LOOP} ((double *)v)[i] = 0;", "cast to another", "in front of"),
    "cast pointer": (
        "double *e = (double *)v; e[0] = 1;", "'e' is not set", "convert it in front",
    ),
    "choice": (
        "double *e = x[0] > 3 ? x : y; e[0] = 1;", "'e' is not set", "both branches",
    ),
    "allocation": (
        "double *e = malloc(8 * n); e[0] = 1;", "'e' is not set", "call malloc in",
    ),
    "member pointer": (
        "double *e = all[n].data; e[0] = 1;", "'e' is not set",
        "an array of its own",
    ),
    "exchange": (
        f"{LOOP} {{ x[i] = y[i]; x = y; }}", "'x' is assigned to",
        "an exchange, t = a; a = b; b = t;, at the end of a loop",
    ),
    "release": ("free(x);", "a call of 'free'", "allocate and free memory outside"),
    "output": (f'{LOOP} printf("x");', "a call of 'printf'", "print it behind"),
    "own function": (
        f"{LOOP} set(i);", "the call of 'set' in line", "return at their end",
    ),
    "own function in a choice": (
        f"{LOOP} switch (i) {{ case 1: set(i); }}", "a call of 'set'",
        "write what set does",
    ),
    "other function": (f"{LOOP} other(i);", "a call of 'other'", "a scop holds for"),
    "return": (f"{LOOP} if (x[i] > 1) return;", "a return", "leave the loop"),
    "float": (
        "for (float t = 0; t < 1; t += 0.5f) x[0] += t;", "'t' is not an integer",
        "count with an integer",
    ),
    "wrong direction": (
        "for (int i = 0; i < n; i--) x[i] = 0;", "no last iteration", "i > END with",
    ),
    "loop over a pointer": (
        "for (double *e = x; e < x + n; e++) *e = 1;", "found a pointer, 'e'",
        "count with an integer",
    ),
    "function that reads the file": (
        f"{LOOP} x[i] = stepwise(i);", "uses 'gi'", "or only choose what they return",
    ),
    "bound that changes": (
        f"{LOOP} x[i] = 0;\nn = n - x[0]; {LOOP} y[i] = x[i];",
        "'n' changes inside the scop, at line 12", "a scop may begin inside",
    ),
    "until it converges": (
        f"double e = 1; while (e > 1) {{ e = 0; {LOOP} {{ y[i] = x[i]; e += y[i]; }}"
        f" {LOOP} x[i] = y[i]; }}",
        "found a while loop that writes 'y'", "put the pragmas around what it repeats",
    ),
    "complex": (f"{LOOP} x[i] = 1.0i;", "found a complex", "z[i][0]"),
    "complex array": (f"{LOOP} x[i] = c[i];", "double _Complex", "z[i][0]"),
    "member of an element": (
        f"{LOOP} x[i] = all[i].data[0];", "all[i].data is a", "copy what it points to",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ADVICE)
def test_says_what_to_do(parse, case):
    body, message, hint = ADVICE[case]
    program = parse(
        "#include <stdlib.h>\n#include <stdio.h>\n" + STRUCTURES + "int gi;\n"
        "void set(int i) { static int at; gi = at + i; }\nvoid other(int i);\n"
        "double stepwise(int i) { i += gi; return i; }\nvoid f(int n, double *x, "
        "double *y, void *v, grid *g, struct outer o, double _Complex *c,"
        f"grid *all) {{\n#pragma scop\n{body}\n"
        "#pragma endscop\n}\n"
    )
    (refusal,) = program.refusals
    assert message in refusal.message
    assert hint in refusal.hint
    assert refusal.where.line >= (6 if case == "own function" else 9)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (" + ".join(["x[i]"] * 2000), "too many terms"),
        ("(" * 1000 + "1" + ")" * 1000, "nested too deeply"),
    ],
)
def test_what_is_too_deep_is_refused(parse, value, reason):
    program = parse(
        "void f(int n, double *x)\n{\n#pragma scop\n"
        f"  for (int i = 0; i < n; i++)\n    x[i] = {value};\n#pragma endscop\n}}\n"
    )
    (refusal,) = program.refusals
    assert reason in refusal.message
