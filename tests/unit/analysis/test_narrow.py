"""Private integers get the shortest type that holds all that they may hold."""

from __future__ import annotations

import numpy as np
import pytest

from polysched.analysis import computed_bytes, infer_liveness, prepare_scop
from polysched.frontend import parse_c
from polysched.interp import interpret, random_inputs
from polysched.ir import Scop

HEAD = """static unsigned char a[40], b[40];
int abs(int);
static signed char c[40]; static short d[40]; static int e[40];
void f(int n) {
#pragma scop
"""


def prepared(body: str, directory) -> tuple[Scop, Scop]:
    path = directory / "case.c"
    loop = f"for (int x = 9; x < 31; x++) {{ {body} }}"
    path.write_text(f"{HEAD}{loop}\n#pragma endscop\n}}\n")
    (scop,) = parse_c(path).scops
    return scop, prepare_scop(scop)


def type_of(scop: Scop, name: str = "s") -> str:
    (found,) = (a.type.name for a in scop.arrays if a.base == name and a.is_private)
    return str(found)


def window(term: str, n: int = 9, start: int = 0, use: str = "s / 81") -> str:
    sums = f"for (int i = 0; i < {n}; i++) s += {term};"
    return f"int s = {start}; {sums} b[x] = {use};"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (window("a[x - i]"), "unsigned short"),
        (window("a[x - i]", n=1), "unsigned char"),
        (window("a[x - i]", start=-1), "short"),
        (window("c[x - i]"), "short"),
        (window("2 * a[x - i] - c[x - i]"), "short"),
        (window("a[x - i] > 7"), "unsigned char"),
        (window("a[x - i] > 7", start=250), "unsigned short"),
        (window("-a[x - i]", n=9), "short"),
        ("int s = 0; for (int i = 0; i < 9; i++) s -= a[x - i]; "
         "b[x] = -s / 9;", "short"),
        ("int s = 255; for (int i = 0; i < 9; i++) s = a[x - i] < s ? a[x - i] : s; "
         "b[x] = s / 2;", "unsigned char"),
        ("int s = a[x] - a[x - 1]; b[x] = s < 0 ? -s : s;", "short"),
        ("int s = (a[x] + a[x - 1] + 1) / 2; b[x] = s < 9 ? 9 : s;", "unsigned char"),
        ("int s = (c[x] - a[x]) / 4; b[x] = s < 9 ? 9 : s;", "signed char"),
        ("int s = (c[x] - a[x]) >> 1; b[x] = s < 9 ? 9 : s;", "short"),
    ],
)  # fmt: skip
def test_sums_of_bytes_are_short(body: str, expected: str, tmp_path) -> None:
    plain, narrow = prepared(body, tmp_path)
    assert type_of(narrow) == expected
    given = random_inputs(infer_liveness(plain), {"n": 9}, seed=4)
    found = interpret(narrow, None, {"n": 9}, given)["b"]
    assert np.array_equal(found, interpret(plain, None, {"n": 9}, given)["b"])


@pytest.mark.parametrize(
    "body",
    [
        window("d[x - i]"),  # 9 * 32767
        window("a[x - i] * a[x - i]"),
        window("e[x - i]"),
        window("abs(a[x - i])"),  # an instruction that adds to int
        window("a[x - i]", n=9, start=65000),
        "int s = a[x] / a[x - 1]; b[x] = s < 9 ? 9 : s;",
        "int s = 0; for (int i = 0; i < n; i++) s += a[i]; b[x] = s / 9;",
        "int s = 1; for (int i = 0; i < 9; i++) s *= a[x - i]; b[x] = s / 9;",
        "int s = 0; for (int i = 0; i < 9; i++) s = a[x - i] + s; b[x] = s / 9;",
        "int s = 0; { int k = 0; do { s += a[x - k]; k++; } while (k < a[x]); } "
        "for (int i = 0; i < 3; i++) b[x + i] = s / 9;",
        "unsigned s = 0; for (int i = 0; i < 9; i++) s += a[x - i]; b[x] = s / 9;",
    ],
)
def test_what_may_be_large_stays(body: str, tmp_path) -> None:
    _, narrow = prepared(body, tmp_path)
    assert type_of(narrow) in ("int", "unsigned int")


@pytest.mark.parametrize(
    ("value", "n_bytes"),
    [
        ("a[x]", 1),
        ("(a[x] + b[x - 1] + 1) >> 1", 2),
        ("(a[x] + b[x - 1] + 1) / 2", None),
        ("(c[x] * a[x]) >> 7", 2),
        ("(d[x] + 2 * d[x - 1]) >> 2", 4),
        ("a[x] > 7 ? a[x] - 7 : 0", 2),
        ("e[x] + 1", None),
    ],
)
def test_values_on_the_way_say_how_many_bytes_are_computed(
    value: str, n_bytes: int | None, tmp_path
) -> None:
    scop, _ = prepared(f"b[x] = {value};", tmp_path)
    assert computed_bytes(scop.statements[0]) == n_bytes
