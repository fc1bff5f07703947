"""Loop headers become domains: compared with isl text by meaning."""

import islpy as isl
import pytest

from polysched.codegen import PrintOptions, print_openmp
from polysched.ir import original_tree

pytestmark = pytest.mark.cc

LOOPS = {
    "counting up": ("for (int i = 0; i < n; i++)", "0 <= i < n", 1),
    "up to and with": ("for (int i = 1; i <= n; ++i)", "1 <= i <= n", 1),
    "sides swapped": ("for (int i = 0; n > i; i += 1)", "0 <= i < n", 1),
    "counting down": ("for (int i = n - 1; i >= 0; i--)", "0 <= i < n", -1),
    "down to a strict bound": ("for (int i = n; i > m; --i)", "m < i <= n", -1),
    "steps of two": (
        "for (int i = m; i < n; i += 2)", "m <= i < n and (i - m) mod 2 = 0", 1,
    ),
    "steps of minus three": (
        "for (int i = n; i >= 0; i = i - 3)", "0 <= i <= n and (n - i) mod 3 = 0", -1,
    ),
    "step written first": (
        "for (int i = 0; i < n; i = 2 + i)", "0 <= i < n and i mod 2 = 0", 1,
    ),
    "not equal": ("for (int i = 0; i != n; i++)", "0 <= i < n", 1),
    "two conditions": (
        "for (int i = 0; i < n && i < m; i++)", "0 <= i < n and i < m", 1,
    ),
    "scaled iterator": ("for (int i = 0; 2 * i < n; i++)", "0 <= 2i < n", 1),
    "condition false before its end": (
        "for (int i = 0; i != 3 && i < n; i++)", "0 <= i < n and i < 3", 1,
    ),
    "maximum as start": (
        "for (int i = (n > m ? n : m); i < 9; i++)", "n <= i and m <= i and i < 9", 1,
    ),
    "divided bound": (
        "for (int i = 0; i < n / 2; i++)", "0 <= i and 2i <= n - 2", 1,
    ),
    "unsigned": ("for (unsigned i = 2; i < 9u; i++)", "2 <= i < 9", 1),
    "unsigned down to one": ("for (unsigned i = 9; i > 0; i--)", "0 < i <= 9", -1),
    "unsigned until it wraps": (
        "for (unsigned i = n - 1; i < n; i--)", "0 <= i < n", -1,
    ),
    "until the greatest number": (
        "for (unsigned i = n - 1; i != -1; i--)", "0 <= i < n", -1,
    ),
    "no unsigned number is greater": (
        "for (unsigned long i = n - 2; 30u > i; --i)", "0 <= i <= n - 2 and n < 32", -1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOOPS)
def test_header_becomes_domain(scop_of, case):
    header, condition, direction = LOOPS[case]
    scop = scop_of(f"{header} x[i] = 0;")
    expected = isl.Set(f"[n, m] -> {{ S0[i] : {condition} }}")
    found = scop.statements[0].domain.intersect_params(scop.assumptions)
    assert found.is_equal(expected.intersect_params(scop.assumptions))
    assert scop.statements[0].directions == (direction,)


def test_iterators_declared_outside(scop_of):
    scop = scop_of(
        "int i, j; for (i = 0; i < n; i++) for (j = i; j < n; j++) x[i] += y[j];"
    )
    assert scop.statements[0].iterators == ("i", "j")
    assert scop.statements[0].domain.is_equal(
        isl.Set("[n] -> { S0[i, j] : 0 <= i <= j < n }")
    )


def test_counters_are_what_stands_in_front_of_the_scop(parse):
    (scop,) = parse(
        """
        #define FOR(i, n) for (i = 0; i < n; i++)
        void f(int n, double *x) {
            int i;
        #pragma scop
            int j; // for (k = 0; k < n; k++)
            FOR(i, n) x[i] = 1;
            for (j = 0; j < n; j++) x[j] *= 2;
            for (int k = 0; k < n; k++) x[k] += 3;
        #pragma endscop
        }
        """
    ).scops
    assert scop.counters == ("i",)
    text = print_openmp(scop, original_tree(scop), PrintOptions())
    assert "(void)i;" in text
    assert "(void)j" not in text


def test_positions_are_textual_ranks(scop_of):
    scop = scop_of(
        """
        for (int i = 0; i < n; i++) {
            x[i] = 0;
            for (int j = 0; j < n; j++) { x[i] += y[j]; y[j] = 1; }
            if (i > 2) x[i] = 1; else x[i] = 2;
        }
        x[0] = 3;
        """
    )
    assert [s.position for s in scop.statements] == [
        (0, 0), (0, 1, 0), (0, 1, 1), (0, 2), (0, 3), (1,),
    ]  # fmt: skip


def test_conditions_join_the_domain(scop_of):
    scop = scop_of(
        """
        for (int i = 0; i < n; i++)
            if ((i > 2 && !(i % 2)) || i == 1) x[i] = 1; else y[i] = 1;
        """
    )
    taken = "(i > 2 and i mod 2 = 0) or i = 1"
    assert scop.statement("S0").domain.is_equal(
        isl.Set(f"[n] -> {{ S0[i] : 0 <= i < n and ({taken}) }}")
    )
    assert scop.statement("S1").domain.is_equal(
        isl.Set(f"[n] -> {{ S1[i] : 0 <= i < n and not ({taken}) }}")
    )


def test_not_equal_assumes_a_start_before_the_end(scop_of):
    scop = scop_of("for (int i = 0; i != n; i++) x[i] = 0;")
    assert scop.assumptions.is_equal(isl.Set("[n] -> { : n >= 0 }"))


def test_unsigned_bound_assumes_no_wrap(scop_of):
    scop = scop_of("for (unsigned i = 0; i < k - 1; i++) x[i] = 0;",
                   head="unsigned k, double *x")  # fmt: skip
    assert scop.context.is_equal(isl.Set("[k] -> { : k >= 0 }"))
    assert scop.assumptions.intersect(scop.context).is_equal(
        isl.Set("[k] -> { : k >= 1 }")
    )


# a subscript of an int from -9 on, and what it is
MASKED = {
    "i & 7": "i mod 8",
    "i & ~7": "i - i mod 8",
    "i & -4": "i - i mod 4",
    "~1 & i": "i - i mod 2",
    "i | 3": "i - i mod 4 + 3",
    "i ^ 1": "i + 1 - 2*(i mod 2)",
    "i & ~7L": "i - i mod 8",
    "(unsigned)(i + 9) & ~3u": "i + 9 - (i + 9) mod 4",
    "(unsigned)(i + 9) & ~3": "i + 9 - (i + 9) mod 4",
}


@pytest.mark.parametrize("text", MASKED)
def test_masks_of_low_bits_are_affine(scop_of, text):
    scop = scop_of(f"for (int i = -9; i < 9; i++) x[{text}] = 0;")
    (write,) = scop.statements[0].writes
    expected = isl.Map(f"{{ S0[i] -> x[{MASKED[text]}] : -9 <= i < 9 }}")
    assert write.relation.is_equal(expected)


@pytest.mark.parametrize("text", ["i & 5", "i & ~5", "i | 4", "i ^ 6", "i & ~7u"])
def test_other_masks_are_not_affine(text, parse):
    """With ~7u, which is no long of minus eight, high bits are gone."""
    head = "void f(long n, double *x)"
    loop = f"for (long i = -9; i < n; i++) x[{text}] = 0;"
    program = parse(f"{head} {{\n#pragma scop\n{loop}\n#pragma endscop\n}}\n")
    (refusal,) = program.refusals
    assert "is not affine" in str(refusal)


# header or condition, values of k for which nothing wraps around above
NOT_TOO_LARGE = {
    "for (unsigned i = 0; i < k; i++) x[i] = 0;": "",
    "for (unsigned i = 0; i + 1 < k; i++) x[i] = 0;": "",
    "for (unsigned i = 0; i < k; i++) for (int j = 0; j < i + 1; j++) x[j] = 0;": "",
    "for (unsigned i = k; i < k + 4; i++) x[i - k] = 0;": "k <= 4294967291",
    "for (unsigned i = 0; i < k; i += 3) x[i] = 0;": "k < 4294967296",
    "for (unsigned i = 1; i < k; i += 3) x[i] = 0;": "k <= 4294967293",
    "for (unsigned i = 0; i <= k; i++) x[i] = 0;": "k < 4294967295",
    "for (int i = 0; i < 8; i++) if (2 * k > i) x[i] = 0;": "k < 2147483648",
    "for (int i = 0; i < 8; i++) if (k + i == 3) x[i] = 0;": "k <= 4294967288",
    "for (int i = 0; i < 8; i++) { x[i] = 1; x[k + i] = 0; }": "k <= 4294967288",
    "for (int i = 0; i < (int)k; i++) x[i] = 0;": "k < 2147483648",
}  # fmt: skip


@pytest.mark.parametrize("text", NOT_TOO_LARGE)
def test_unsigned_values_are_assumed_not_to_be_too_large(scop_of, text):
    """Twice 2^31 is zero; none of it matters where arrays have fewer elements."""
    scop = scop_of(text, head="unsigned k, double *x")
    values = isl.Set("[k] -> { : 0 <= k < 4294967296 }")
    expected = isl.Set(f"[k] -> {{ : {NOT_TOO_LARGE[text] or 'k = k'} }}")
    assert scop.assumptions.intersect(values).is_equal(expected.intersect(values))


def test_iterator_names_that_isl_reserves_are_changed(scop_of):
    scop = scop_of("for (int mod = 0; mod < n; mod++) x[mod] = mod;")
    assert scop.statements[0].iterators == ("mod_1",)
