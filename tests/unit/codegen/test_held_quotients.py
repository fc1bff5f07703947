"""Divisions that do not move with a loop stand before it, and fail no earlier."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.codegen import PrintOptions, print_openmp
from polysched.frontend import parse_c
from polysched.ir import original_tree

pytestmark = pytest.mark.cc
HEAD = "int n, int m, float (*restrict f)[m], float (*restrict g)[m], const float *a"


def lines(directory: Path, body: str) -> list[str]:
    file = directory / "wrap.c"
    file.write_text(
        f"void wrap({HEAD}) {{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(file).scops
    options = PrintOptions(original_text="/* the original */")
    text = print_openmp(scop, original_tree(scop), options)
    return [line.strip() for line in text.splitlines()]


def test_a_remainder_is_known_before_the_loop(tmp_path: Path) -> None:
    found = lines(
        tmp_path,
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++)"
        " if (a[j] > 0) g[i][j] = f[(i + 2) % n][j] + f[(i + 2) % n][m - 1 - j];",
    )
    (declared,) = (
        k for k, line in enumerate(found) if line.startswith("const int rest")
    )
    assert found[declared] == "const int rest = n ? (t1 + 2) % n : 0;"
    assert found[declared + 1].startswith("for (int t2 = ")
    assert any("f[rest][t2] + f[rest][" in line for line in found)


def test_where_it_is_no_remainder_nothing_is_declared(tmp_path: Path) -> None:
    """isl tells that i + 1 is below n in all iterations but one."""
    found = lines(
        tmp_path,
        "for (int i = 0; i < n - 1; i++) for (int j = 0; j < m; j++)"
        " g[i][j] = f[(i + 1) % n][j];",
    )
    assert not any("rest" in line or "%" in line for line in found)


def test_a_division_within_another_fails_no_earlier(tmp_path: Path) -> None:
    """For m = 0 nothing is divided, as the loop does not run."""
    found = lines(
        tmp_path,
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++)"
        " if (a[j] > 0) g[i][j] = f[(i / m) % (n + 1)][j];",
    )
    assert "const int rest = (n + 1) && m ? t1 / m % (n + 1) : 0;" in found


def test_what_moves_with_the_loop_and_divisors_that_are_numbers_stay(
    tmp_path: Path,
) -> None:
    found = lines(
        tmp_path,
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++)"
        " g[i][j] = f[i % 4][(j + 3) % m];",
    )
    assert not any("rest" in line for line in found)
    assert any("(t2 + 3) % m" in line for line in found)


def test_a_choice_is_made_before_the_loop(tmp_path: Path) -> None:
    found = lines(
        tmp_path,
        "for (int i = 0; i < n; i++) {"
        " int up = (i & 1) ? (i > 1 ? i - 2 : 0) : i >> 1;"
        " for (int j = 0; j < m; j++) g[i][j] = f[up][j] + f[up][m - 1 - j]; }",
    )
    (declared,) = (k for k, line in enumerate(found) if "const int chosen" in line)
    choice = "(t1 & 1) ? (t1 > 1 ? t1 - 2 : 0) : t1 >> 1"
    assert found[declared] == f"const int chosen = {choice};"
    assert found[declared + 1].startswith("for (int t2 = ")
    assert any("f[chosen][t2] + f[chosen][" in line for line in found)


@pytest.mark.parametrize(
    "body",
    [
        "g[i][j] = f[j > 2 ? i : 0][j];",  # moves with the loop
        "g[i][j] = f[i > 2 ? i / n : 0][j];",  # would divide too early
        "g[i][j] = a[i] > 2 ? 1 : 0;",  # is data
    ],
)
def test_other_choices_stay(body: str, tmp_path: Path) -> None:
    loops = "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) "
    assert not any("chosen" in line for line in lines(tmp_path, loops + body))
