"""What an explanation says of lanes and tiles, in words."""

from __future__ import annotations

from polysched.testing import ScopBuilder
from polysched.workflow import build_space
from polysched.workflow.reasons import lane_sentences, tile_sentences

PLACE = (0, 0, 0)  # alone in two loops


def explained(builder):
    space = build_space(builder.build(), seconds=10, policy="minimal")
    return space.variant("original").explain()


def test_a_sum_of_rows_says_that_sums_may_be_added_up_in_lanes():
    b = ScopBuilder("rows", ["n"])
    b.array("A", "double[n][n]")
    b.array("s", "double[n]")
    b.statement("i, j", "0 <= i < n and 0 <= j < n", "s[i] += A[i][j]", position=PLACE)
    explanation = explained(b)
    assert lane_sentences(explanation.lanes) == [
        "loop j of S0: it carries the sum s; --fp reassociate lets sums be added up in "
        "lanes"
    ]
    assert tile_sentences(explanation.tiles) == ["S0: by choice, they are legal"]
    told = explanation.to_json()
    assert told["lanes"][0]["sums"] == ["s"]
    assert told["tiles"][0]["free_choice"]
    assert "no lanes, loop j of S0" in str(explanation)


def test_a_sum_of_columns_names_the_loop_that_meets_neighbours():
    b = ScopBuilder("columns", ["n"])
    b.array("A", "double[n][n]")
    b.array("s", "double[n]")
    b.statement("i, j", "0 <= i < n and 0 <= j < n", "s[i] += A[j][i]", position=PLACE)
    (sentence,) = lane_sentences(explained(b).lanes)
    assert sentence == (
        "loop j of S0: it carries the sum s, and it moves by more than an element in "
        "A; with neighbours innermost: --want vector:S0=i"
    )


def test_a_stencil_in_place_names_the_pair_and_the_skew():
    b = ScopBuilder("sweeps", ["n"])
    b.array("A", "double[n]")
    domain = "0 <= t < n and 0 < i < n - 1"
    b.statement("t, i", domain, "A[i] = A[i - 1] + A[i + 1]", position=PLACE)
    explanation = explained(b)
    (sentence,) = tile_sentences(explanation.tiles)
    assert sentence.startswith("S0: loops t and i may not change places, S0[t = ")
    assert sentence.endswith("; legal with t added to i")
    assert lane_sentences(explanation.lanes) == [
        "loop i of S0: it carries dependences through A"
    ]


def test_statements_of_which_the_same_is_said_share_a_sentence():
    b = ScopBuilder("two", ["n"])
    for name in "AB":
        b.array(name, "double[n]")
    for k, name in enumerate("AB"):
        b.statement("i", "0 <= i < n", f"{name}[i] = 1", position=(k, 0))
    explanation = explained(b)
    assert tile_sentences(explanation.tiles) == ["S0, S1: a single loop has none"]
    assert lane_sentences(explanation.lanes) == [
        "loop i of S0, S1: by choice, nothing speaks against them; the compiler may "
        "take them"
    ]
