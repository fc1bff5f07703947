"""Which names may mean the same memory, by what C and the function say of them."""

from __future__ import annotations

import islpy as isl
import pytest

LOOP = "for (int i = 0; i < n; i++) "
COPY = LOOP + "x[i] = y[i] + 1;"


def pairs(parse, text: str, **options) -> list[str]:
    program = parse(text, **options)
    assert [str(r) for r in program.refusals] == []
    return sorted(str(pair) for pair in program.scops[0].overlaps)


def function(body: str, head: str, inside: str = "", before: str = "") -> str:
    return (
        f"#include <stdlib.h>\nvoid *get(int); void init(double *);\n{before}\n"
        f"void f({head}) {{\n{inside}\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )


@pytest.mark.parametrize(
    ("head", "inside", "before", "found"),
    [
        ("int n, double *x, double *y", "", "", ["x and y"]),
        ("int n, double x[n], const double y[n]", "", "", ["x and y"]),
        ("int n, double *restrict x, double *y", "", "", []),
        ("int n, double *x, const double *__restrict__ y", "", "", []),
        ("int n, double x[restrict n], double y[n]", "", "", []),
        ("int n, float *x, double *y", "", "", ["x and y"]),
        ("int n, double *x", "", "double y[99];", ["x and y"]),
        ("int n, double *x", "double y[n];", "", []),
        ("int n, double *x", "double y[n]; init(y);", "", []),
        ("int n, double *x", "static double y[99];", "", []),
        ("int n, double *x", "static double y[99]; init(y);", "", ["x and y"]),
        ("int n", "double *x = get(1), y[n];", "", []),
        ("int n", "double y[n]; init(y); double *x = get(1);", "", ["x and y"]),
        ("int n", "", "double x[99], y[99];", []),
        ("int n", "", "double *x, *y;", ["x and y"]),
        ("int n", "", "static double *x, *y;", ["x and y"]),
        ("int n", "", "double *x, y[99];", ["x and y"]),
        (
            "int n",
            "",
            "static double *x, *y;\n"
            "void start(int n) { x = malloc(n * 8); y = calloc(n, 8); }",
            [],
        ),
        (
            "int n, double *y",
            "",
            "static double *x;\nvoid start(int n) { x = malloc(n * 8); }",
            ["x and y"],
        ),
        ("int n, double *y", "double *x = malloc(n * sizeof *x);", "", []),
        ("int n, double *y", "double *x; x = (double *)malloc(n * 8);", "", []),
        ("int n, double *y", "double *x = get(n);", "", ["x and y"]),
        ("int n, double *y", "double *x = malloc(8); y = get(1);", "", ["x and y"]),
        ("int n", "double *x = malloc(n * 8), *y = malloc(n * 8);", "", []),
        ("int n", "double *x = malloc(n * 8), *y = get(n);", "", ["x and y"]),
        ("int n, double *y", "double *x = malloc(8); if (n) x = y + n;", "", None),
    ],
)
def test_two_names(parse, head, inside, before, found) -> None:
    text = function(COPY, head, inside, before)
    if found is None:  # is refused before
        assert "may point into" in parse(text).refusals[0].message
    else:
        assert pairs(parse, text) == found


def test_what_is_only_read_may_be_one(parse) -> None:
    head = "int n, double *x, const double *y, const double *z"
    body = LOOP + "x[i] = y[i] + z[i];"
    assert pairs(parse, function(body, head)) == ["x and y", "x and z"]


def test_pointers_at_a_known_distance_are_a_matter_of_sizes(parse) -> None:
    text = function(COPY, "int n, double *a", "double *x = a, *y = a + 8;")
    assert pairs(parse, text) == []


@pytest.mark.parametrize(
    ("kind", "variable", "found"),
    [
        ("int", "int size;", ["x and size", "x and y"]),
        ("unsigned", "int size;", ["x and size", "x and y"]),
        ("unsigned char", "int size;", ["x and size", "x and y"]),
        ("double", "int size;", ["x and y"]),  # C keeps these types apart
        ("long", "int size;", ["x and y"]),
    ],
)
def test_sizes_that_other_functions_see_are_memory(
    parse, kind, variable, found
) -> None:
    body = "for (int i = 0; i < size; i++) x[i] = y[i] + 1;"
    assert pairs(parse, function(body, f"{kind} *x, {kind} *y", "", variable)) == found


@pytest.mark.parametrize(
    ("head", "inside", "size", "found"),
    [
        ("int *x, grid *g", "", "g->n", ["x and g->n"]),
        ("char *x, grid *g", "", "g->n", ["x and g->n"]),
        ("double *x, grid *g", "", "g->n", []),
        ("int *x, grid *restrict g", "", "g->n", []),
        ("grid *g", "int *x = malloc(99);", "g->n", []),
        ("int *x, grid g", "", "g.n", []),
        ("int *x", "grid g = all; int *p = &g.n;", "g.n", []),  # younger than x
        ("int *x", "", "all.n", ["x and all.n"]),
    ],
)
def test_so_are_sizes_that_structures_hold(parse, head, inside, size, found) -> None:
    before = "typedef struct { double *at; int n; } grid; grid all;"
    body = f"for (int i = 0; i < {size}; i++) x[i] = i;"
    assert pairs(parse, function(body, head, inside, before)) == found


def test_so_are_scalars(parse) -> None:
    body = LOOP + "total += x[i];"
    text = function(body, "int n, double *x", "", "double total;")
    assert pairs(parse, text) == ["total and x"]
    local = function(body, "int n, double *x", "double total = 0; init(&total);")
    assert pairs(parse, local) == []  # younger than the argument


def test_all_members_of_structures_are_compared(parse) -> None:
    point = "struct point { double x; int mark; };"
    body = LOOP + "{ to[i].x = from[i].x; to[i].mark = from[i].mark; }"
    head = "int n, struct point *to, struct point *from"
    assert pairs(parse, function(body, head, "", point)) == ["to and from"] * 4


def test_what_is_touched(parse) -> None:
    body = "for (int i = n - 1; i > 0; i--) { x[2 * i] = y[i - 1]; x[2 * i + 3] = 0; }"
    (scop,) = parse(function(body, "int n, double *x, double *y")).scops
    (pair,) = scop.overlaps
    assert (pair.first.is_written, pair.second.is_written) == (True, False)
    both = "[n] -> { x[k] : (exists i : 0 < i < n and (k = 2i or k = 2i + 3)) }"
    assert pair.first.elements.is_equal(isl.Set(both))
    assert pair.second.elements.is_equal(isl.Set("[n] -> { y[k] : 0 <= k < n - 1 }"))


def test_a_promise_keeps_what_it_is_about(parse) -> None:
    text = function(COPY, "int n, double *x, double *y")
    (asking,), (promised,) = parse(text).scops, parse(text, overlap="promise").scops
    assert not asking.promised
    assert asking.asked_overlaps == asking.overlaps
    assert promised.promised
    assert promised.asked_overlaps == ()
    assert [str(pair) for pair in promised.overlaps] == ["x and y"]
