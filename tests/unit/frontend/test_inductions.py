"""Integers that count along with loops, or keep an iterator, are no data."""

import islpy as isl
import pytest

from polysched.analysis import prepare_scop

pytestmark = pytest.mark.cc

BEFORE = """\
enum { N = 40 };
double a[4 * N], b[4 * N], square[N][N];
"""
LOCAL = "int k, last, older;"
HEAD = "int n, int m, double *x"


@pytest.fixture
def scop_of(parse):
    """The SCoP of a function with the counters, whose body is given."""

    def run(body, before=BEFORE, after=""):
        program = parse(
            f"{before}\nint f({HEAD})\n{{\n{LOCAL}\n#pragma scop\n{body}\n"
            f"#pragma endscop\n{after}\n}}\n"
        )
        assert [str(r) for r in program.refusals] == []
        return program.scops[0]

    return run


# text, what the last statement does on which elements
FOUND = {
    "a counter": (
        "k = 3; for (int i = 0; i < n; i++) { a[k] = b[i]; k += 2; }",
        "b[i]", "a[3 + 2i]",
    ),
    "backwards": (
        "k = n; for (int i = 0; i < n; i++) { k--; a[k] = b[i]; }",
        "b[i]", "a[-1 + n - i]",
    ),
    "stepped in a subscript": (
        "k = 0; for (int i = n - 1; i >= 0; i--) a[k++] = b[i];",
        "b[i]", "a[-1 + n - i]",
    ),
    "stepped before it is used": (
        "k = 0; for (int i = 0; i < n; i++) a[++k] = b[i];",
        "b[i]", "a[1 + i]",
    ),
    "through two loops": (
        "k = 0; for (int i = 0; i < 9; i++) for (int j = 0; j < 8; j++) "
        "a[k++] = square[j][i];",
        "square[j, i]", "a[i, j]",  # rows are found
    ),
    "rows of a size known at run time": (
        "k = 0; for (int i = 0; i < n; i++) for (int j = 0; j < m; j++) "
        "x[k++] = square[j][i];",
        "square[j, i]", "x[i, j]",
    ),
    "a start of its own in every row": (
        "for (int i = 0; i < n; i++) { k = i; for (int j = 0; j < n; j += 2) "
        "a[k++] = square[j][i]; }",
        "square[j, i]", "a[i + floor(j/2)]",
    ),
    "behind a loop": (
        "k = 1; for (int i = 0; i < 9; i += 2) k += 3; "
        "for (int i = 0; i < n; i++) a[k + i] = b[i];",
        "b[i]", "a[16 + i]",
    ),
    "the iteration before": (
        "last = 0; for (int i = 1; i < n; i++) { a[i] = b[last]; last = i; }",
        "b[-1 + i]", "a[i]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FOUND)
def test_places_are_known(scop_of, case):
    text, read, written = FOUND[case]
    scop = prepare_scop(scop_of(text))
    (statement,) = scop.statements
    for access, element in zip(statement.accesses, (read, written), strict=True):
        relation = access.relation
        iterators = ", ".join(statement.iterators)
        expected = relation.read_from_str(
            relation.get_ctx(),
            f"[n, m] -> {{ {statement.name}[{iterators}] -> {element} }}",
        )
        assert relation.is_equal(expected.intersect_domain(statement.domain))


def test_first_iterations_wrap_around(scop_of):
    text = (
        "last = n - 1; older = n - 2; for (int i = 0; i < n; i++) "
        "{ a[i] = b[last] + b[older]; older = last; last = i; }"
    )
    scop = prepare_scop(scop_of(text))
    (statement,) = scop.statements
    reads = isl.UnionMap("{ }")
    for access in statement.reads:
        reads = reads.union(access.relation)
    expected = isl.UnionMap(
        f"[n] -> {{ {statement.name}[0] -> b[e] : n - 2 <= e < n and n > 0; "
        f"{statement.name}[1] -> b[e] : (e = n - 1 or e = 0) and n > 1; "
        f"{statement.name}[i] -> b[e] : i - 2 <= e < i and 2 <= i < n }}"
    )
    assert reads.is_equal(expected)


# statements by their texts, and the element of `a` that each writes
BRANCHES = {
    "twice in a branch": (
        "if (n & 1) { a[k++] = 1; a[k++] = 2; a[k] = 3; }",
        {"1": "2m", "2": "2m + 1", "3": "2m + 2"},
    ),
    "in the other branch": (
        "if (i < 3) { a[k++] = 1; a[k] = 2; } else a[k] = 3;",
        {"1": "2m", "2": "2m + 1", "3": "2m"},
    ),
    "in some of these": (
        "if (i < 3) { k += 5; a[k] = 1; if (i > 1) a[k] = 2; } if (i > 9) a[k] = 3;",
        {"1": "2m + 5", "2": "2m + 5", "3": "2m"},
    ),
    "set anew behind": (
        "if (i < 3) { k += 5; a[k] = 1; } k = i; a[k] = 2;",
        {"1": "2m + 5", "2": "i"},
    ),
    "a loop in the branch": (
        "if (i < 3) { k += 5; for (int j = 0; j < 4; j++) { a[k] = 1; k++; } }",
        {"1": "2m + 5 + j"},
    ),
}


@pytest.mark.parametrize("case", BRANCHES)
def test_what_branches_count_is_known_in_them(scop_of, case):
    text, places = BRANCHES[case]
    scop = scop_of(
        "for (int i = 0; i < n; i++) { k = 0; for (int j = 0; j < m; j++) { "
        f"a[k] = 0; k += 2; }} {text} }}"
    )
    found = {s.text.rstrip(";").split()[-1]: s for s in scop.statements}
    for value, place in places.items():
        statement = found[value] if value in found else scop.statements[-2]
        (write,) = (w for w in statement.writes if w.array == "a")
        names = ", ".join(statement.iterators)
        expected = isl.Map(f"[n, m] -> {{ {statement.name}[{names}] -> a[{place}] }}")
        inside = expected.intersect_domain(statement.domain)
        sizes = isl.Set("[n, m] -> { : m > 0 }")
        assert write.relation.intersect_params(sizes).is_subset(inside), value


def test_what_one_branch_counts_is_not_known_behind_all(scop_of):
    scop = scop_of(
        "for (int i = 0; i < n; i++) { k = 2; if (i < 3) k++; if (i < 5) a[k] = 1; "
        "if (i != 2) k++; if (i < 3) a[k] = 2; }"
    )
    writes = [w for s in scop.statements for w in s.writes if w.array == "a"]
    assert [w.relation.is_single_valued() for w in writes] == [False, False]


# what stays data: reads are of all elements
UNKNOWN = {
    "an update that may not happen": "if (b[i] > 0) k++;",
    "an update of some iterations": "if (i < 5) k++;",
    "an update that depends on data": "k += at[i];",
    "growing steps": "k += i;",
    "a product": "k *= 2;",
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_others_are_looked_up(scop_of, case):
    before = BEFORE + "int at[N];"
    text = f"k = 0; for (int i = 0; i < n; i++) {{ a[i] = b[k]; {UNKNOWN[case]} }}"
    scop = scop_of(text, before)
    (read,) = [r for s in scop.statements for r in s.reads
               if r.array == "b" and "a[i]" in s.text]  # fmt: skip
    every = read.relation.read_from_str(
        read.relation.get_ctx(), "{ S1[i] -> b[e] : 0 <= e < 160 }"
    )
    assert read.relation.is_equal(every.intersect_domain(read.relation.domain()))


def test_a_counter_that_is_read_later_is_set_once(scop_of):
    text = "k = 0; for (int i = 0; i < n; i++) a[k++] = b[i];"
    scop = prepare_scop(scop_of(text, after="return k;"))
    assert [s.n_loops for s in scop.statements if s.writes[0].array == "k"] == [0, 0]


def test_a_loop_that_may_end_at_once_counts_nothing(scop_of):
    """That it turns is assumed only where a place depends on it."""
    text = "k = 0; for (int i = 0; i < n; i++) k++;"
    scop = scop_of(text, after="return k;")
    assert str(scop.assumptions) == "{  :  }"
    text += " for (int i = 0; i < m; i++) a[k + i] = 0;"
    scop = scop_of(text, after="return k;")
    assert "n >= 0" in str(scop.assumptions)


def test_a_statement_that_changes_the_variable_reads_it_itself(scop_of):
    text = (
        "k = 7; for (int i = 0; i < n; i++) "
        "if (b[i] > 0) { k = k + 1; a[i] = b[k]; k = 7; }"
    )
    scop = scop_of(text)
    assert "k" in {r.array for r in scop.statements[-1].reads}
