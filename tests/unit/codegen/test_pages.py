"""Large pages for arrays that nobody has touched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from polysched.analysis import infer_liveness, privatize
from polysched.codegen import PrintOptions, print_openmp
from polysched.codegen.ctext import Names
from polysched.codegen.pages import (
    Untouched,
    ask_for_pages,
    find_changed,
    find_untouched,
)
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree
from tests.unit.codegen.handmade import FLAGS

FILL = """
#include <errno.h>
#include <stdio.h>
static double A[N][N];
static double b[N];
static void f(void)
{
    double w[N][N];
#pragma scop
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            w[i][j] = i;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            A[i][j] = w[j][i] + b[i];
#pragma endscop
}
int main(void)
{
    errno = 7;
    f();
    printf("%g %d\\n", A[N - 1][2], errno);
    return 0;
}
"""


def read(tmp_path: Path, n: int, text: str = FILL) -> tuple[Scop, str]:
    file = tmp_path / "fill.c"
    file.write_text(text.replace("N]", f"{n}]").replace("N;", f"{n};"))
    file.write_text(file.read_text().replace("[N -", f"[{n} -"))
    return infer_liveness(parse_c(str(file)).scops[0]), file.read_text()


def printed(scop: Scop, reserved: frozenset[str] = frozenset()) -> str:
    options = PrintOptions(reserved=reserved)
    return print_openmp(scop, original_tree(scop), options)


def test_what_is_written_first_and_large_gets_advice(tmp_path) -> None:
    scop, _ = read(tmp_path, 800)
    names = [one.name for one in find_untouched(scop)]
    assert set(names) == {"w", "A"}
    text = printed(scop)
    assert (
        "madvise((char *)A - (__SIZE_TYPE__)A % 4096, "
        "5120000 + (__SIZE_TYPE__)A % 4096, 14);"
    ) in text
    assert "(char *)b" not in text


def test_what_the_program_filled_before_gets_none(tmp_path) -> None:
    scop, _ = read(tmp_path, 800, FILL.replace("A[i][j] =", "A[i][j] +="))
    assert [one.name for one in find_untouched(scop)] == ["w"]


def test_small_arrays_get_none(tmp_path) -> None:
    scop, _ = read(tmp_path, 700)  # 3.9 MB
    assert find_untouched(scop) != []
    assert "madvise" not in printed(scop)


def test_a_program_with_such_names_of_its_own_is_left_alone(tmp_path) -> None:
    scop, _ = read(tmp_path, 800)
    assert "HUGE" not in printed(scop, frozenset({"madvise"}))
    assert "(char *)" not in printed(scop, frozenset({"madvise"}))
    assert ask_for_pages([Untouched("x", 1 << 24)], Names({"madvise"}), "") == []


@pytest.mark.cc
def test_values_and_errno_are_those_of_the_original(tmp_path) -> None:
    """Private memory gets advice, too; a call that fails leaves no trace."""
    scop, source = read(tmp_path, 800)
    text = printed(privatize(scop)).replace(", 14);", ", 14 + 1000000);")
    assert text.count("madvise(") == 1 + 2  # declared for each of both
    before, _, rest = source.partition("#pragma scop\n")
    after = rest.partition("#pragma endscop\n")[2]
    (tmp_path / "out.c").write_text(before + text + after)
    program = tmp_path / "out"
    command = ["gcc", *FLAGS, "-o", program, tmp_path / "out.c"]
    subprocess.run(command, check=True)
    done = subprocess.run([program], check=True, capture_output=True, text=True)
    assert done.stdout == "2 7\n"


CHANGE = """
#include <errno.h>
#include <stdio.h>
static double A[N][N];
static double b[N];
static void f(void)
{
#pragma scop
    for (int t = 0; t < 3; t++)
        for (int i = 1; i < N; i++)
            for (int j = 0; j < N; j++)
                A[i][j] += 0.5 * b[j];
#pragma endscop
}
int main(void)
{
    errno = 7;
    for (int j = 0; j < N; j++)
        b[j] = j % 5;
    f();
    printf("%g %d\\n", A[N - 1][2] + A[0][1], errno);
    return 0;
}
"""


def test_what_is_changed_and_filled_has_its_pages_at_once(tmp_path) -> None:
    scop, text = read(tmp_path, 600, CHANGE)
    assert [one.name for one in find_changed(scop)] == ["A"]
    region = printed(scop)
    assert "{(char *)A, 2880000}," in region
    assert "mincore(" in region
    assert "mincore(" not in printed(scop, frozenset({"mincore"}))
    file = tmp_path / "spliced.c"
    before, _, rest = text.partition("#pragma scop")
    _, _, after = rest.partition("#pragma endscop")
    file.write_text(f"{before}{region}{after}")
    program = tmp_path / "spliced"
    subprocess.run(["gcc", *FLAGS, "-Wall", "-Werror", file, "-o", program], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout == "3 7\n"


@pytest.mark.parametrize(
    ("n", "changed"),
    [
        (300, CHANGE),  # small
        (600, CHANGE.replace("int i = 1", "int i = 200")),  # a part
        (
            600,
            CHANGE.replace(
                "int j = 0; j < N; j++)\n   ", "int j = 0; j < i; j++)\n   "
            ),
        ),
        (600, CHANGE.replace("j < N; j++)\n   ", "j < N; j += 2)\n   ")),
        (600, CHANGE.replace("+=", "=")),  # new, no page of zeros is read
    ],
    ids=["small", "part", "triangle", "every other", "new"],
)
def test_other_arrays_get_pages_one_by_one(tmp_path, n: int, changed: str) -> None:
    scop, _ = read(tmp_path, n, changed)
    assert find_changed(scop) == []


def test_sweeps_of_any_number_fill_an_array_if_there_are_any(tmp_path) -> None:
    text = CHANGE.replace("f(void)", "f(int m)").replace("t < 3", "t < m")
    scop, _ = read(tmp_path, 600, text.replace("f();", "f(3);"))
    assert [one.name for one in find_changed(scop)] == ["A"]
    some = text.replace("i < N", "i < m")
    scop, _ = read(tmp_path, 600, some.replace("f();", "f(3);"))
    assert find_changed(scop) == []
