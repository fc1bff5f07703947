"""Statement bodies at their place in the code: decided conditions are gone."""

from __future__ import annotations

from pathlib import Path

import islpy as isl
import pytest

from polysched.codegen.specialise import specialise
from polysched.codegen.statement import print_actions
from polysched.frontend import parse_c
from polysched.ir import Statement

CASES = [
    ("y[i] = i > 0 ? y[i - 1] : y[0];", (1, 39), "y[i] = y[i - 1];"),
    ("y[i] = i > 0 ? y[i - 1] : y[0];", (0, 0), "y[i] = y[0];"),
    ("y[i] = i > 0 ? y[i - 1] : 0;", (1, 39), None),  # of two types
    ("y[i] = y[(i + 39) % 40];", (1, 39), "y[i] = y[i - 1];"),
    ("y[i] = y[(i + 39) % 40];", (0, 0), "y[i] = y[i + 39];"),
    ("y[i] = y[(i + 39) % 40];", (0, 1), None),
    ("y[(i + 1) % 40] += i % 50;", (3, 8), "y[i + 1] += i;"),
    ("if (i > 0) y[i] = 1; else y[i] = 2;", (0, 0), "y[i] = 2;"),
    ("if (i < 0 || x[i] > 3) y[i] = 1;", (0, 9), "if (x[i] > 3) { y[i] = 1; }"),
    ("if (i < 9 || x[i] > 3) y[i] = 1;", (0, 8), "y[i] = 1;"),
    ("if (!(i < 9) && x[i] > 3) y[i] = 1;", (9, 9), "if (x[i] > 3) { y[i] = 1; }"),
    ("if (i < 9 && x[i]) y[i] = 1;", (0, 8), None),  # a number is no truth
    ("y[i] = x[i] && i > 4 ? y[0] : y[1];", (0, 4), "y[i] = y[1];"),
    ("if (i > 50) y[i] = 1;", (0, 8), None),  # something has to stand there
]


BY_SIZES = [
    ("y[i] = y[(i + n - 1) % n];", "0 < i < n", "y[i] = y[i - 1];"),
    ("y[i] = y[(i + n - 1) % n];", "i = 0 < n", "y[i] = y[i + n - 1];"),
    ("y[i] = y[(2 * i + 1) % n];", "n <= 2i < 2n - 1", "y[i] = y[2 * i - n + 1];"),
    ("y[i] = y[(i - n + 1) % n + n];", "0 <= i < n", "y[i] = y[i + 1];"),
    ("y[i] = y[(i + 1) % n];", "0 <= i < n", None),
]


BY_RESTS = [
    ("y[i] = y[i / 2];", "i mod 2 = 1", "y[i] = y[(i - 1) / 2];"),
    ("y[i] = y[(i + 1) / 2];", "i mod 2 = 1", "y[i] = y[(i + 1) / 2];"),
    ("y[i] = y[i >> 2];", "i mod 4 = 3", "y[i] = y[(i - 3) / 4];"),
    ("y[i] = i % 3 + (i & 1);", "i mod 6 = 5", "y[i] = 2 + 1;"),
    ("y[i] = i % 3ul;", "i mod 3 = 2", None),  # of another type
    ("y[i] = i & 1 ? 3.0 : 1.0;", "i mod 2 = 0", "y[i] = 1.0;"),
    ("y[i] = y[i / 2];", "i mod 3 = 1", None),
]


def statement_of(line: str, directory: Path, size: str = "40") -> Statement:
    path = directory / "case.c"
    path.write_text(
        f"void f(int n, int *x, double *y) {{\n#pragma scop\n"
        f"for (int i = 0; i < {size}; i++) {{ {line} }}\n#pragma endscop\n}}\n"
    )
    return parse_c(path).scops[0].statements[-1]


def text_of(statement: Statement) -> str:
    return " ".join(" ".join(print_actions(statement.body)).split())


@pytest.mark.parametrize(("line", "span", "expected"), CASES)
def test_known_answers_are_printed(
    line: str, span: tuple[int, int], expected: str | None, tmp_path: Path
) -> None:
    statement = statement_of(line, tmp_path)
    first, last = span
    here = isl.UnionSet(f"{{ {statement.name}[i] : {first} <= i <= {last} }}")
    found = specialise(statement, here)
    if expected is None:
        assert found.body == statement.body
    else:
        assert text_of(found) == expected


@pytest.mark.parametrize(("line", "where", "expected"), BY_SIZES)
def test_known_quotients_by_sizes_are_printed(
    line: str, where: str, expected: str | None, tmp_path: Path
) -> None:
    statement = statement_of(line, tmp_path, "n")
    here = isl.UnionSet(f"[n] -> {{ {statement.name}[i] : {where} }}")
    found = specialise(statement, here)
    assert (found is statement) if expected is None else text_of(found) == expected


@pytest.mark.parametrize(("line", "where", "expected"), BY_RESTS)
def test_known_rests_are_printed(
    line: str, where: str, expected: str | None, tmp_path: Path
) -> None:
    statement = statement_of(line, tmp_path)
    here = isl.UnionSet(f"{{ {statement.name}[i] : 0 <= i < 40 and {where} }}")
    found = specialise(statement, here)
    if expected is None:
        assert found.body == statement.body
    else:
        assert text_of(found) == expected


def test_a_rest_has_the_type_of_its_division(tmp_path: Path) -> None:
    statement = statement_of("y[i] = (i + 0ul) % 3;", tmp_path)
    here = isl.UnionSet(f"{{ {statement.name}[i] : 0 <= i < 40 and i mod 3 = 2 }}")
    assert text_of(specialise(statement, here)) == "y[i] = (unsigned long)2;"


def test_several_statements_in_one_place_are_left_alone(tmp_path: Path) -> None:
    statement = statement_of("y[i] = i > 0 ? y[i - 1] : y[0];", tmp_path)
    here = isl.UnionSet(f"{{ {statement.name}[5]; T[5] }}")
    assert specialise(statement, here) is statement
