"""Whole files: preprocessing, flags, system headers, extensions, regions, errors."""

import pytest

from polysched.base import FrontendError, ToolchainError
from polysched.frontend import parse_c

pytestmark = pytest.mark.cc

GOOD = """\
double A[10];
int main(void)
{
#pragma scop
    for (int i = 0; i < SIZE; i++)
        A[i] = 2 * A[i];
#pragma endscop
    return 0;
}
"""


def test_region_holds_the_bytes_between_the_pragmas(parse, tmp_path):
    text = "/* \u00e4\u00f6\u00fc */\n" + GOOD
    program = parse(text, flags=["-DSIZE=10"])
    region = program.scops[0].region
    inside = program.source[region.start : region.end].decode()
    assert inside.startswith("#pragma scop\n")
    assert inside.endswith("#pragma endscop\n")
    assert (region.line, region.end_line, region.indent) == (5, 8, "    ")
    assert program.source == (tmp_path / "case.c").read_bytes()
    assert program.has_main
    assert program.flags == ("-DSIZE=10",)


def test_names_count_the_scops_of_a_function(parse):
    scop = "#pragma scop\nx[0] = 1;\n#pragma endscop\n"
    program = parse(
        f"void f(double *x) {{\n{scop}{scop}}}\nvoid g(double *x) {{\n{scop}}}\n"
    )
    assert [(s.name, s.function) for s in program.scops] == [
        ("f", "f"), ("f.2", "f"), ("g", "g"),
    ]  # fmt: skip
    assert not program.has_main


def test_pragma_operator_and_foreign_pragmas(parse):
    program = parse(
        """
        #define BEGIN _Pragma("scop")
        #define END _Pragma("endscop")
        void f(double *x)
        {
            BEGIN
        #pragma omp parallel for
            for (int i = 0; i < 9; i++)
                x[i] = 1;
            END
        }
        """
    )
    assert program.refusals == ()
    assert program.scops[0].region.indent == "    "


def test_places_are_those_of_the_source_behind_macros(parse):
    program = parse(
        """\
        #define N (100 + 200 + 300)
        #define GET(a, i) ((a)[(i)])
        void f(double *x)
        {
        #pragma scop
            for (int i = 0; i < N; i++) x[i] = GET(x, i) + GET(x, i * i);
        #pragma endscop
        }
        """
    )
    where = program.refusals[0].where
    assert where.line == 6
    assert where.text[where.column - 1 :].startswith("i * i")


def test_macros_of_system_headers_are_kept(parse):
    program = parse(
        """
        #include <float.h>
        #include <limits.h>
        #include <stddef.h>
        #include <math.h>
        #include <stdint.h>
        void f(int64_t *x, double *y, size_t n)
        {
        #pragma scop
            for (size_t i = 0; i < n; i++) {
                x[i] = INT64_MAX - INT_MIN;
                y[i] = y[i] > INFINITY ? NAN : DBL_MAX + FLT_EPSILON;
            }
        #pragma endscop
        }
        """
    )
    assert program.refusals == ()
    assert program.scops[0].array("x").type.name == "long"


def test_every_assignment_of_a_line_is_shown_alone(parse):
    program = parse(
        """
        #include <math.h>
        void f(int n, double *restrict x, double *restrict y)
        {
        #pragma scop
            for (int i = 0; i < n; i++) {
                double a = fmax(x[i], 1), b = a * a;
                y[i] = a, x[i] = b;
            }
        #pragma endscop
        }
        """
    )
    assert [s.text for s in program.scops[0].statements] == [
        "a = fmax(x[i], 1);",
        "b = a * a;",
        "y[i] = a;",
        "x[i] = b;",
    ]


def test_statement_text_is_the_users(parse):
    program = parse(
        """
        #define TWICE(a) (2 * (a))
        void f(double *x, double *y)
        {
        #pragma scop
            for (int i = 0; i < 9; i++) {
                x[i] = TWICE(y[i])   /* twice */
                       + 1;
                if (x[i] > 0) y[i] = 1;
                else { y[i] = 2; }
                if (i > 2) x[i] = 3; else x[i] = 4;
            }
        #pragma endscop
        }
        """
    )
    assert [s.text for s in program.scops[0].statements] == [
        "x[i] = TWICE(y[i]) + 1;",
        "if (x[i] > 0) y[i] = 1; else { y[i] = 2; }",
        "x[i] = 3;",
        "x[i] = 4;",
    ]
    assert program.scops[0].statements[0].where.line == 7


def test_compiler_extensions_do_not_disturb(parse):
    program = parse(
        """
        #include <pthread.h>
        #include <stdarg.h>
        #include <stdio.h>
        #include <time.h>
        #define LARGER(a, b) ({ __typeof__(a) p = (a); p > (b) ? p : (b); })
        typedef double quad __attribute__((vector_size(32)));
        static __thread int per_thread;
        static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        double A[9] __attribute__((aligned(64)));
        static inline __attribute__((cold)) int g(int a) { return LARGER(a, 3); }
        static void say(const char *form, ...)
        {
            va_list list;
            va_start(list, form);
            int first = va_arg(list, int);
            vfprintf(stderr, form, list);
            va_end(list);
            asm volatile("" ::: "memory");
        }
        static int kind(int c) { switch (c) { case '0' ... '9': return 1; } return 0; }
        int lut[9] = { [0 ... 8] = 3 };
        void f(double *__restrict x)
        {
            struct timespec ts;
            clock_t begin = clock();
        #pragma scop
            for (int i = 0; i < 9; i++) x[i] = A[i];
        #pragma endscop
        }
        """
    )
    assert program.refusals == ()
    assert len(program.scops) == 1


def test_function_that_only_the_compiler_understands(parse):
    program = parse(
        """
        void f(double *x)
        {
        #pragma scop
            x[0] = 1;
        #pragma endscop
            switch (x[0] > 1) { case 0 ... 4: x[1] = 1; }
        }
        void g(double *x)
        {
        #pragma scop
            x[0] = 1;
        #pragma endscop
        }
        """
    )
    assert [s.name for s in program.scops] == ["g"]
    (error,) = program.refusals
    assert "the C parser does not take this" in error.message
    assert error.where.line == 7


def test_vector_types_are_not_taken_for_numbers(parse):
    program = parse(
        """
        typedef double quad __attribute__((vector_size(32)));
        void f(quad *x)
        {
        #pragma scop
            for (int i = 0; i < 9; i++) x[i] = x[i + 1];
        #pragma endscop
        }
        """
    )
    assert "'x' is a pointer of" in program.refusals[0].message


def test_syntax_error_is_the_compilers(parse):
    with pytest.raises(FrontendError, match="expected") as caught:
        parse(GOOD.replace("A[i];", "A[i]"), flags=["-DSIZE=10"])
    assert caught.value.where.line == 6


def test_missing_header(parse):
    with pytest.raises(FrontendError, match=r"nothere\.h") as caught:
        parse('#include "nothere.h"\n' + GOOD)
    assert (caught.value.where.line, caught.value.where.column) == (1, 10)


def test_unknown_flag(parse):
    with pytest.raises(ToolchainError, match="unrecognized"):
        parse(GOOD, flags=["--no-such-flag"])


def test_missing_compiler(parse):
    with pytest.raises(ToolchainError, match="cannot be started"):
        parse(GOOD, cc="no-such-compiler")


def test_undefined_macro_is_an_undeclared_name(parse):
    (error,) = parse(GOOD).refusals
    assert error.message == "'SIZE' is not declared"


def test_no_scop(parse):
    with pytest.raises(FrontendError, match="has no #pragma scop"):
        parse("int main(void) { return 0; }\n")


def test_unreadable_files(tmp_path):
    with pytest.raises(FrontendError, match="no such file"):
        parse_c(tmp_path / "nothing.c")
    with pytest.raises(FrontendError, match="is a directory"):
        parse_c(tmp_path)
    (tmp_path / "object.c").write_bytes(b"\x7fELF\0\0")
    with pytest.raises(FrontendError, match="not a text file"):
        parse_c(tmp_path / "object.c")


def test_pure_names_and_return_types(parse):
    text = """
    #include <stdlib.h>
    #include <math.h>
    float blend(float a, float b);
    void f(double *x, float *y)
    {
    #pragma scop
        for (int i = 0; i < 9; i++) {
            x[i] = sqrt(y[i]) + abs(i - 3);
            y[i] = blend(sqrtf(y[i]), 2) + atoi("7");
        }
    #pragma endscop
    }
    """
    assert "--pure blend" in parse(text).refusals[0].hint
    text = text.replace('atoi("7")', "0")
    scop = parse(text, pure=["blend"]).scops[0]
    assert scop.statement("S1").body[0].value.dtype.name == "float"


def test_simple_functions_are_inlined_and_others_called(parse):
    program = parse(
        """
        static double half(double a) { return a / 2; }
        static double sum(double a)
        {
            double s = 0;
            for (int k = 0; k < 3; k++) s += a;
            return s;
        }
        void f(double *x)
        {
        #pragma scop
            for (int i = 0; i < 9; i++) { x[i] = half(x[i]); x[i] = sum(x[i]); }
        #pragma endscop
        }
        """
    )
    first, second = (s.body[0].value for s in program.scops[0].statements)
    assert type(first).__name__ == "Binary"
    assert (type(second).__name__, second.name) == ("Call", "sum")
