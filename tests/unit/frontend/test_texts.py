"""Pieces that need no compiler: literals, columns, line markers, types, cleaning."""

import pytest

from polysched.frontend.cleaning import needed_typedefs, strip_extensions
from polysched.frontend.declarations import scalar_from_words
from polysched.frontend.literals import LongDoubleError, fold, read_literal
from polysched.frontend.preprocess import split_lines
from polysched.frontend.source import source_column
from polysched.ir import Binary, Const, types

LITERALS = {
    "7": (7, types.INT), "7u": (7, types.UINT), "7L": (7, types.LONG),
    "7ULL": (7, types.ULLONG), "010": (8, types.INT), "0x1F": (31, types.INT),
    "0b11": (3, types.INT), "2147483648": (2147483648, types.LONG),
    "0xFFFFFFFF": (4294967295, types.UINT), "1.5": (1.5, types.DOUBLE),
    "1.5f": (1.5, types.FLOAT), "1e3": (1000.0, types.DOUBLE),
    ".5F": (0.5, types.FLOAT),
    "0x1p3": (8.0, types.DOUBLE), "0x1p-1f": (0.5, types.FLOAT),
}  # fmt: skip


@pytest.mark.parametrize("text", LITERALS)
def test_numbers(text):
    assert read_literal("number", text) == Const(*LITERALS[text], text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a'", 97),
        (r"'\n'", 10),
        (r"'\0'", 0),
        (r"'\x41'", 65),
        (r"'\\'", 92),
        (r"'\377'", -1),
    ],
)
def test_characters(text, value):
    assert read_literal("char", text) == Const(value, types.INT, text)


def test_long_double_literal():
    with pytest.raises(LongDoubleError):
        read_literal("number", "1.0L")


@pytest.mark.parametrize(
    ("op", "left", "right", "value"),
    [("/", "-7", "2", -3), ("%", "-7", "2", -1), ("*", "65536", "65536", 0),
     ("-", "0u", "1u", 4294967295), ("/", "1", "0", None), ("<<", "1", "4", 16),
     ("<", "-1", "1u", 0), ("/", "-4", "2u", 2147483646)],
)  # fmt: skip
def test_folding_is_that_of_c(op, left, right, value):
    def constant(text):
        found = read_literal("number", text.lstrip("-"))
        sign = -1 if text.startswith("-") else 1
        return Const(sign * found.value, found.type, text)

    assert fold(Binary(op, constant(left), constant(right))) == value


@pytest.mark.parametrize(
    ("words", "expected"),
    [("unsigned", types.UINT), ("long int long unsigned", types.ULLONG),
     ("signed char", types.SCHAR), ("short int", types.SHORT), ("signed", types.INT),
     ("char", types.CHAR), ("long double", None), ("double", types.DOUBLE)],
)  # fmt: skip
def test_type_words_in_any_order(words, expected):
    assert scalar_from_words(words.split()) == expected


@pytest.mark.parametrize(
    ("source", "expanded", "column", "expected"),
    [
        ("a = b + c;", "a = b + c;", 9, 9),
        ("a = N + c;", "a = (1 + 2) + c;", 15, 9),
        ("a = N + c;", "a = (1 + 2) + c;", 6, 5),
        ("x = F(i * i);", "x = ((i * i) + 1);", 7, 7),
    ],
)
def test_columns_are_found_behind_macros(source, expanded, column, expected):
    assert source_column(source, expanded, column) == expected


def test_system_lines_are_dropped_but_not_the_users_uses_of_their_macros():
    text = "\n".join(
        [
            '# 1 "a.c"', '# 1 "/usr/include/x.h" 1 3 4', "typedef long big;",
            '# 2 "a.c" 2', "big k =", '# 2 "a.c" 3 4', "        7", '# 2 "a.c"',
            "         ;", "int l;",
        ]
    )  # fmt: skip
    found = split_lines(text, "a.c")
    assert [(s.text.strip(), s.number) for s in found.lines if s.text] == [
        ("big k =", 2), ("7", 2), (";", 2), ("int l;", 3),
    ]  # fmt: skip
    assert found.system_text == "typedef long big;"
    assert found.merged_lines()["a.c", 2] == "big k = 7;"


def test_names_of_macros_are_known_and_their_lines_empty():
    text = "\n".join(
        [
            '# 0 "<built-in>"', "#define unix 1", '# 1 "a.c"', "#define A 3",
            '# 1 "/usr/include/x.h" 1 3 4', "#define F(x) x", "int q;", "#undef A",
            '# 2 "a.c" 2', "int k;",
        ]
    )  # fmt: skip
    found = split_lines(text, "a.c")
    assert found.macros == {"unix", "A", "F"}
    assert [(s.text, s.number) for s in found.lines] == [("", 1), ("int k;", 2)]
    assert found.system_text.split() == ["int", "q;"]


def test_only_mentioned_system_types_are_declared():
    system = (
        "typedef unsigned long __s; typedef __s size_t; typedef struct q {int a;} q;"
    )
    text = needed_typedefs("size_t n; q *p;", system + " typedef int unused;")
    assert "typedef unsigned long __s; typedef __s size_t;" in text
    assert "__opaque_type q;" in text
    assert "unused" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int a __attribute__((aligned(8)));", "int a ;"),
        ("double *__restrict p;", "double *restrict p;"),
        ("f(\"__attribute__((x))\");", "f(\"__attribute__((x))\");"),
        ("int f(void) __asm__(\"g\");", "int f(void) ;"),
        ("{ asm volatile(\"nop\"); }", "{ __asm__statement() ; }"),
        ("[[nodiscard]] int f(void);", "int f(void);"),
        ("k = __builtin_va_arg(ap, long);", "k = (*(long*)0) ;"),
    ],
)  # fmt: skip
def test_extensions(text, expected):
    assert " ".join(strip_extensions(text).split()) == expected
