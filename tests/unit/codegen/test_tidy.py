"""Code in fewer words: one condition for neighbours, no block in a block."""

from __future__ import annotations

import pytest

from polysched.codegen.ctext import Text
from polysched.codegen.layout import Layout
from polysched.codegen.nodes import Block, Branch, Instance, Loop
from polysched.codegen.tidy import Tidy


def run(name):
    return Instance(name, ())


def block(*items, opening=(), closing=(), **more):
    return Block(items, opening, closing, **more)


def branch(condition, then, other=None):
    return Branch(Text(condition), then, other)


def text(node, fixed=("n", "t1")):
    layout = Layout("", "int", lambda instance: (f"{instance.statement};",))
    return [*layout.lines(Tidy({*fixed}).convert(node))]


def test_neighbours_that_ask_the_same_are_asked_once():
    one = branch("n >= t1", block(run("a")), block(run("b")))
    two = branch("n >= t1", block(run("c")))
    three = branch("n >= t1", block(run("d")), block(run("e")))
    assert text(block(one, two, three)) == [
        "if (n >= t1) {", "a;", "c;", "d;", "} else {", "b;", "e;", "}",
    ]  # fmt: skip


@pytest.mark.parametrize("condition", ["x[t1] > 0", "m > t1"])
def test_what_may_change_in_between_is_asked_again(condition):
    asked = branch(condition, block(run("a")))
    assert text(block(asked, asked)).count(f"if ({condition})") == 2


def test_other_conditions_and_what_stands_between_keep_their_place():
    asked = branch("n > 0", block(run("a")))
    other = branch("n > 1", block(run("b")))
    assert text(block(asked, other, run("c"), asked)) == [
        "if (n > 0)", "a;", "if (n > 1)", "b;", "c;", "if (n > 0)", "a;",
    ]  # fmt: skip


def test_a_block_alone_in_another_one_is_that_one():
    inner = block(run("a"), opening=("double held[8];",), closing=("free(held);",))
    outer = block(inner, opening=("double sum;",), closing=("x = sum;",))
    loop = Loop("t1", Text("0"), Text("t1 < n"), 1, 0, outer)
    assert text(block(loop)) == [
        "for (int t1 = 0; t1 < n; t1++) {",
        "double sum;", "double held[8];", "a;", "free(held);", "x = sum;",
        "}",
    ]  # fmt: skip


def test_a_block_whose_pragma_means_it_keeps_its_braces():
    region = block(run("a"), is_region=True, pragma="#pragma omp parallel")
    assert text(block(region)) == ["#pragma omp parallel", "{", "a;", "}"]


def test_arrays_and_names_that_are_taken_stay_in_blocks_of_their_own():
    one = block(run("a"), opening=("double x;",))
    two = block(run("b"), opening=("float x;",))
    rows = block(run("c"), opening=("double held[8];",))
    assert text(block(one, two, rows)) == [
        "double x;", "a;", "{", "float x;", "b;", "}", "{", "double held[8];", "c;",
        "}",
    ]  # fmt: skip


def test_scalars_are_declared_where_they_are_set():
    dx = block(run("dx = a + b"), run("s += dx"), opening=("double dx;",))
    assert text(block(dx, run("c"))) == ["double dx = a + b;", "s += dx;", "c;"]


@pytest.mark.parametrize("first", ["dx = dx + 1", "y = dx", "dx += 1", "f(dx)"])
def test_scalars_that_something_else_mentions_first_are_declared_in_front(first):
    dx = block(run(first), run("dx = 1"), opening=("double dx;",))
    assert text(dx)[:2] == ["double dx;", f"{first};"]


def test_scalars_that_a_branch_sets_are_declared_in_front():
    set_inside = branch("n > 0", block(run("dx = 1")))
    dx = block(set_inside, run("y = dx"), opening=("double dx;",))
    assert text(dx) == ["double dx;", "if (n > 0)", "dx = 1;", "y = dx;"]


def test_what_a_declaration_is_followed_by_stays_behind_it():
    body = block(run("x = 1"), opening=("double x;",))
    assert text(block(body)) == ["double x = 1;"]
    body = block(run("x = 1"), opening=("double x;", "(void)x;"))
    assert text(block(body)) == ["double x;", "(void)x;", "x = 1;"]


def test_the_first_of_several_blocks_needs_no_braces():
    inner = block(run("a"), opening=("double fy[8];",))
    outer = block(inner, run("b"), opening=("double fx[8];",))
    assert text(block(outer, run("c"))) == [
        "double fx[8];", "double fy[8];", "a;", "b;", "c;",
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["fx = malloc(8);", "#ifdef _OPENMP", "int n = 0;"])
def test_a_first_block_that_does_more_than_declare_keeps_its_braces(line):
    first = block(run("a"), opening=(line,))
    assert text(block(first, run("b"))) == ["{", line, "a;", "}", "b;"]
