"""Two pointers that a function sets into one array: apart for some sizes, or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.frontend import parse_c
from polysched.sets import read_set

SOURCE = """\
static double A[4000];
void run(int n, double *p, double *q, double *r)
{
    SETS
#pragma scop
    BODY
#pragma endscop
}
"""
COPY = "for (int i = 0; i < n; i++) q[i] = p[i] + 1.0;"
ROWS = (
    "for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) "
    "q[i * n + j] = p[j * n + i];"
)


def parse(sets: str, body: str, directory: Path):
    path = directory / "run.c"
    path.write_text(SOURCE.replace("SETS", sets).replace("BODY", body))
    return parse_c(path)


@pytest.mark.cc
@pytest.mark.parametrize(
    ("sets", "body", "holds"),
    [
        ("p = A; q = A + 64;", COPY, "n <= 64"),
        ("p = A; q = &A[40];", COPY, "n <= 40"),
        ("p = A + 7; q = A;", COPY, "n <= 7"),
        ("p = 3 + A; q = A - 5;", COPY, ""),  # another way to say it: a promise
        ("p = A; q = A + 1;", COPY, "n <= 1"),
        ("p = A; q = A + 1;", "for (int i = 0; i < n; i++) q[2 * i] = p[2 * i];", ""),
        ("p = A; q = A + 1;", "for (int i = 0; i < n; i++) *q++ = *p++;", "n <= 1"),
        ("p = A; q = A + 1;", "for (int i = 0; i < n; i++) r[i] = q[i] + p[i];", ""),
        ("p = A; q = A + 500;",
         "for (int i = 0; i < n; i++) for (int j = 0; j < 500; j++) q[j] += p[j];", ""),
        ("p = A; q = r + 1;", COPY, ""),
        ("p = A; q = A + n;", COPY, ""),
        ("p = A; q = &A[n / 2 + 1];", COPY, "n <= 2"),
        ("p = A + n; q = A + 2 * n - 3;", COPY, "n <= 1"),
        ("p = A + n; q = A;", COPY, ""),
        ("int h = n + 9; p = A + h; q = A;", COPY, "h >= n or h <= -n"),
        ("p = A; q = A + n; n = n * 2;", COPY, ""),  # n is another one: a promise
        ("p = A; q = A + n * n;", ROWS, ""),
        ("p = A; q = A + 3 * n;", ROWS, "n <= 3"),
        ("p = A; q = A + n * n - 1;", ROWS, ""),  # no whole rows: a promise
        ("p = (void *)A; q = (double *)(A + 3 * n);", ROWS, "n <= 3"),
        ("p = (void *)A; q = (void *)((char *)A + 8);", COPY, ""),  # bytes: a promise
    ],
)  # fmt: skip
def test_sizes_for_which_they_are_apart(
    sets: str, body: str, holds: str, tmp_path: Path
) -> None:
    (scop,) = parse(sets, body, tmp_path).scops
    expected = read_set(f"[n, h] -> {{ : {holds} }}") if holds else read_set("{ : }")
    ran = read_set("[n] -> { : n >= 1 }")
    assert scop.assumptions.intersect(ran).is_equal(expected.intersect(ran))


@pytest.mark.cc
@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ("p = A; q = A + 1;", "'q' points 1 elements from 'p' into the same array"),
        ("p = A; q = &A[n - n / 2];", "'q' points (n - (n / 2)) elements from 'p'"),
    ],
)
def test_pointers_that_meet_whatever_the_sizes_are_refused(
    sets: str, said: str, tmp_path: Path
) -> None:
    body = "for (int i = 0; i < 100 + n; i++) q[i] = p[i] + 1.0;"
    program = parse(sets, f"if (n > 0) {body}", tmp_path)
    assert not program.scops
    (refusal,) = program.refusals
    assert said in str(refusal)


TURNS = """\
void run(int n, int m, double *a, double *b)
{
    double *p = a, *q = b, *t;
    for (int k = 0; k < n; k++) {
#pragma scop
        for (int i = 0; i < m; i++) q[i] = p[m - 1 - i] + 1.0;
#pragma endscop
        SETS
    }
}
"""


def parse_turns(sets: str, directory: Path):
    path = directory / "turns.c"
    path.write_text(TURNS.replace("SETS", sets))
    return parse_c(path)


@pytest.mark.cc
@pytest.mark.parametrize(
    "sets",
    [
        "t = p; p = q; q = t;",
        "t = p, p = q, q = t;",
        "if (m > 3) { t = q; q = p; n--; p = t; }",
        "t = p; n--; p = q; q = t; t = 0;",
    ],
)
def test_buffers_may_take_turns(sets: str, tmp_path: Path) -> None:
    assert parse_turns(sets, tmp_path).scops


@pytest.mark.cc
@pytest.mark.parametrize(
    "sets",
    [
        "q = p; p = a; q = p;",
        "if (m % 3 == 0) q = p;",
        "p = q + 1; q = a;",
        "p = q;",
        "p = q; q = a;",
        "t = p; p = q; q = a;",
        "t = p; p = a; q = t;",
        "t = p; if (m > 3) p = q; q = t;",
        "if (m > 3) p = q; else q = p;",
        "p = q; q = q == a ? a : b;",
        "t = p; p = q; q = t; p = a;",
        "t = p; p = q; q = t; if (m > 3) { p = a; q = b; }",
    ],
)
def test_a_buffer_that_becomes_the_other_one_is_refused(
    sets: str, tmp_path: Path
) -> None:
    program = parse_turns(sets, tmp_path)
    assert not program.scops
    assert "may point into" in str(program.refusals[0])


EXCHANGED = """double A[99], B[99];
void *malloc(unsigned long);
void run(int n, int m, double *a, double *b)
{
    SETS
    for (int k = 0; k < n; k++) {
#pragma scop
        for (int i = 1; i < m; i++) TO[i] = FROM[i - 1] + 1.0;
#pragma endscop
        EXCHANGE
    }
}
"""
TURN = "double *t = p; p = q; q = t;"


def parse_exchanged(sets: str, used: str, exchange: str, directory: Path):
    path = directory / "exchanged.c"
    to, from_ = used.split()
    text = EXCHANGED.replace("SETS", sets).replace("EXCHANGE", exchange)
    path.write_text(text.replace("TO", to).replace("FROM", from_))
    return parse_c(path)


@pytest.mark.cc
@pytest.mark.parametrize(
    ("sets", "used", "exchange"),
    [
        ("", "a b", "double *t = a; a = b; b = t;"),
        ("double *q = malloc(8 * m);", "a q", "double *t = a; a = q; q = t;"),
        ("double *p = a, *q = b;", "p q", TURN),
        ("double *p = A, *q = B;", "p a", TURN),
    ],
)
def test_pointers_that_are_exchanged(
    sets: str, used: str, exchange: str, tmp_path: Path
) -> None:
    assert parse_exchanged(sets, used, exchange, tmp_path).scops


@pytest.mark.cc
@pytest.mark.parametrize(
    ("sets", "used"),
    [
        ("double *p = A, *q = B;", "p B"),  # in every other iteration they are one
        ("double *p = a, *q = b;", "p b"),
        ("double *p = a, *q = b;", "b p"),
        ("double *p = A, *q = b;", "q A"),
    ],
)
def test_what_one_of_them_held_before(sets: str, used: str, tmp_path: Path) -> None:
    (refusal,) = parse_exchanged(sets, used, TURN, tmp_path).refusals
    assert "may point into" in refusal.message
