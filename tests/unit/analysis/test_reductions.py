"""Which statements count as reductions, and which must not."""

import islpy as isl
import pytest

from polysched.analysis import find_reductions
from polysched.frontend import parse_c
from polysched.testing import ScopBuilder


def reduction(text, *, guard=None, type_="double", term="double", where="0 <= i < n"):
    b = ScopBuilder("r", ["n"])
    b.array("s", type_)
    b.array("A", f"{term}[]")
    b.array("B", f"{type_}[]")
    b.statement("i", where, text, position=(0, 0), guard=guard)
    found = find_reductions(b.build())
    return found[0] if found else None


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("s += A[i]", "+"),
        ("s -= A[i]", "-"),
        ("s *= A[i]", "*"),
        ("s = s + A[i]", "+"),
        ("s = A[i] + s", "+"),
        ("s = A[i] * 2.0 + (s + A[i + 1])", "+"),
        ("s = s - A[i]", "-"),
        ("s = s - A[i] + A[i + 1]", "+"),
        ("s = s * A[i] * 3.0", "*"),
        ("s = fmax(s, A[i])", "max"),
        ("s = fmin(A[i], s)", "min"),
        ("s = A[i] if A[i] > s else s", "max"),
        ("s = A[i] if s >= A[i] else s", "min"),
        ("s = s if s < A[i] else A[i]", "min"),
        ("s = s if A[i] <= s else A[i]", "max"),
        ("B[0] += A[i]", "+"),
        ("B[i % 2] += A[i]", "+"),
    ],
)
def test_spellings(text, op):
    found = reduction(text)
    assert found is not None
    assert found.op == op
    assert found.is_closed


@pytest.mark.parametrize(
    "text",
    [
        "s = A[i]",
        "s = A[i] - s",
        "s = s + s",
        "s = s + s * A[i]",
        "s += s",
        "s = s / A[i]",
        "s = s * A[i] + 1.0",
        "s = A[i] if A[i] > 1.0 else s",
        "s = A[i] if A[i + 1] > s else s",
        "B[i] += A[i]",
        "B[0] += B[0 * i]",
        "B[0] += B[i]",
    ],
)
def test_what_is_no_reduction(text):
    assert reduction(text) is None


def test_guarded_extremum():
    assert reduction("s = A[i]", guard="A[i] > s").op == "max"
    assert reduction("s = A[i]", guard="A[i] < s").op == "min"
    assert reduction("s = A[i]", guard="s < A[i]").op == "max"
    assert reduction("s = A[i + 1]", guard="s < A[i]") is None


def test_conditional_sum():
    assert reduction("s += A[i]", guard="A[i] > 0.0").op == "+"
    assert reduction("s += A[i]", guard="s > 0.0") is None


def test_relation_pairs_instances_of_one_element():
    found = reduction("B[i % 2] += A[i]")
    assert found.relation.is_equal(
        isl.Map("[n] -> { S0[i] -> S0[j] : 0 <= i < j < n and (j - i) mod 2 = 0 }")
    )
    assert (found.statement, found.array) == ("S0", "B")


def test_element_written_once_is_no_reduction():
    assert reduction("B[i] += A[i]", where="0 <= i < n") is None
    assert reduction("s += A[i]", where="i = 3") is None


def test_exactness():
    assert not reduction("s += A[i]").is_exact
    assert reduction("s = fmax(s, A[i])").is_exact
    assert reduction("s += A[i]", type_="int", term="int").is_exact


def test_integers_that_accumulate_floating_terms_are_cut_at_each_step():
    assert reduction("s += A[i]", type_="int", term="double") is None


def test_narrow_extremum_of_wide_terms_wraps():
    narrow = "s = A[i] if A[i] > s else s"
    assert reduction(narrow, type_="short", term="int") is None
    assert reduction(narrow, type_="int", term="int").op == "max"


@pytest.mark.parametrize(
    ("type_", "limit"), [("short", 2**15), ("unsigned char", 2**8)]
)
def test_extremum_of_a_constant_that_its_type_lacks_wraps(type_, limit):
    text = "s = {0} if {0} > s else s"
    assert reduction(text.format(limit), type_=type_) is None
    assert reduction(text.format(limit - 1), type_=type_).op == "max"


def test_factorisation_is_not_closed():
    b = ScopBuilder("lu", ["n"])
    b.array("A", "double[n][n]")
    b.statement(
        "i, j, k",
        "0 <= i < n and 0 <= j < i and 0 <= k < j",
        "A[i][j] -= A[i][k] * A[k][j]",
        position=(0, 0, 0, 0),
    )
    (found,) = find_reductions(b.build())
    assert found.op == "-"
    assert not found.is_closed


@pytest.mark.parametrize(
    ("line", "is_sum"),
    [
        ("count[key[i]] += key[i];", True),
        ("if (key[i] > 3) count[key[i]]++;", True),
        ("count[key[i]] += count[key[63 - i]];", False),
        ("count[key[i]] += count[key[i] ^ 1];", False),
        ("count[count[key[i]] & 63]++;", False),
        ("if (count[key[i] ^ 1] > 3) count[key[i]]++;", False),
    ],
)
def test_a_scattered_sum_reads_nothing_else_of_its_array(tmp_path, line, is_sum):
    """What data choose may be what an earlier term has changed."""
    path = tmp_path / "scatter.c"
    loop = f"for (int i = 0; i < 64; i++) {line}"
    path.write_text(
        "static int key[64], count[64];\nvoid scatter(void) {\n#pragma scop\n"
        f"{loop}\n#pragma endscop\n}}\n"
    )
    (scop,) = parse_c(path).scops
    assert bool(find_reductions(scop)) is is_sum
