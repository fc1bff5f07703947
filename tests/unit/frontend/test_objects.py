"""Arrays, scalars and parameters: extents, storage, privacy, names, lifetimes."""

import pytest

from polysched.analysis import operation_count
from polysched.ir import Call, Iter, Load, types

pytestmark = pytest.mark.cc

LOOP = "for (int i = 0; i < n; i++)"


def extents(array):
    return [None if e is None else getattr(e, "text", None) or e.name
            for e in array.extents]  # fmt: skip


def test_extents_of_all_kinds_of_arrays(parse):
    program = parse(
        """
        enum { N = 4 };
        #define M (N + 3)
        static double G[N][M + 0];
        void f(int n, int m, double V[n][m], double (*P)[m], double *q, float R[])
        {
            double L[m];
        #pragma scop
            for (int i = 0; i < n; i++) {
                G[i][0] = V[i][0] + P[i][0] + q[i] + R[i];
                L[i] = G[i][1];
            }
        #pragma endscop
            q[0] = L[0];
        }
        """
    )
    scop = program.scops[0]
    found = {a.name: (extents(a), a.storage, a.type) for a in scop.arrays}
    assert found == {
        "G": (["4", "7"], "global", types.DOUBLE),
        "V": (["n", "m"], "parameter", types.DOUBLE),
        "P": ([None, "m"], "parameter", types.DOUBLE),
        "q": ([None], "parameter", types.DOUBLE),
        "R": ([None], "parameter", types.FLOAT),
        "L": (["m"], "local", types.DOUBLE),
    }


def test_integers_that_shape_the_model_are_parameters(scop_of):
    scop = scop_of(
        f"{LOOP} x[i + shift] = bias * y[i];",
        head="int n, long shift, int bias, double *x, double *y",
    )
    assert [(p.name, p.type) for p in scop.parameters] == [
        ("n", types.INT), ("shift", types.LONG),
    ]  # fmt: skip
    bias = scop.array("bias")
    assert bias.is_scalar
    assert (bias.live_in, bias.live_out) == (True, False)
    assert "bias" in [a.array for a in scop.statements[0].reads]


def test_constants_are_no_parameters(scop_of):
    scop = scop_of(
        "const int k = 3; for (int i = 0; i < k + TOP + size; i++) x[i] = 0;",
        before="enum { TOP = 2 }; static const int size = 5;",
    )
    assert scop.parameters == ()
    assert int(str(scop.statements[0].domain.count_val())) == 10


def test_declarations_in_the_scop_are_private_and_expanded(scop_of):
    scop = scop_of(
        f"{LOOP} {{ double s = 0, t[3]; for (int k = 0; k < 3; k++) "
        "{ t[k] = y[i]; s += t[k]; } x[i] = s; }"
    )
    s, t = scop.array("s"), scop.array("t")
    assert (s.storage, s.n_expanded, s.n_dim, s.is_private) == ("scop", 1, 1, True)
    assert (t.storage, t.n_expanded, t.n_dim, t.is_private) == ("scop", 1, 2, True)
    target = scop.statement("S1").body[0].target
    assert target == Load("t", (Iter("i"), Iter("k")), types.DOUBLE)


def test_shadowing_locals_get_names_of_their_own(scop_of):
    scop = scop_of(f"x[0] = y[0]; {LOOP} {{ double y = i; x[i] = y; }}")
    inner = next(a for a in scop.arrays if a.storage == "scop")
    assert inner.name != "y"
    assert inner.source_name == "y"


@pytest.mark.parametrize("name", ["min", "S0", "Floor", "and"])
def test_array_names_that_isl_cannot_carry_are_changed(scop_of, name):
    scop = scop_of(f"{LOOP} {name}[i] = 0;", head=f"int n, double *{name}")
    array = scop.arrays[0]
    assert array.name != name
    assert array.source_name == name
    assert str(type(scop.must_writes)(str(scop.must_writes)))


def test_integer_with_an_affine_value_stands_for_it(scop_of):
    scop = scop_of(f"{LOOP} {{ int j = i + m - 1; long k = 2 * j; x[j] = y[k + 1]; }}")
    assert len(scop.statements) == 1
    assert {a.name for a in scop.arrays} == {"x", "y"}
    assert str(scop.statements[0].reads[0].relation).count("2i") == 1


def test_integer_that_changes_is_a_private_scalar(scop_of):
    scop = scop_of(f"{LOOP} {{ int c = 0; c += 2; x[i] = c; }}")
    assert scop.array("c").is_private
    assert len(scop.statements) == 3


LIFETIMES = {
    "not mentioned": ("", False),
    "read": ("y[0] = s;", True),
    "set first": ("s = 0; y[0] = s;", False),
    "set in one branch": ("if (n) s = 0; y[0] = s;", True),
    "set in both branches": ("if (n) s = 0; else s = 1; y[0] = s;", False),
    "set by a loop that may not run": ("for (; n; n--) s = 0; y[0] = s;", True),
    "hidden": ("{ double s = 1; y[0] = s; }", False),
    "added to": ("s += 1;", True),
    "address taken": ("g(&s);", True),
    "returned before": ("return; y[0] = s;", False),
}


@pytest.mark.parametrize("case", LIFETIMES)
def test_scalar_is_live_out_when_it_may_be_read(parse, case):
    after, expected = LIFETIMES[case]
    scop = parse(
        f"""
        void g(double *p);
        void f(int n, double *x, double *y)
        {{
            double s = 1;
        #pragma scop
            for (int i = 0; i < n; i++) s += x[i];
        #pragma endscop
            {after}
        }}
        """
    ).scops[0]
    assert scop.array("s").live_out is expected


def test_scalar_is_live_around_an_enclosing_loop(parse):
    program = parse(
        """
        void f(int n, double *x)
        {
            double kept = 0, fresh, early = 0;
            for (int t = 0; t < 3; t++) {
                x[1] = early;
                fresh = 0;
        #pragma scop
                for (int i = 0; i < n; i++) { kept += x[i]; fresh += x[i]; early = i; }
        #pragma endscop
            }
        }
        """
    )
    scop = program.scops[0]
    assert {a.name: a.live_out for a in scop.arrays if a.is_scalar} == {
        "kept": True, "fresh": False, "early": True,
    }  # fmt: skip


def test_local_arrays_end_with_the_function(parse):
    scop = parse(
        """
        void show(double *);
        void f(int n)
        {
            double a[9], b[9], c[9];
            static double d[9];
            show(c);
        #pragma scop
            for (int i = 0; i < n; i++) { a[i] = i; b[i] = i; c[i] = 1; d[i] = 1; }
        #pragma endscop
            show(b);
        }
        """
    ).scops[0]
    assert {a.name: (a.storage, a.live_out) for a in scop.arrays} == {
        "a": ("local", False), "b": ("local", True), "c": ("local", True),
        "d": ("static", True),
    }  # fmt: skip


def test_globals_and_pointers_are_live(scop_of):
    scop = scop_of(f"{LOOP} {{ g[i] = 0; x[i] = s; s = 1; }}",
                   before="double g[9]; double s;")  # fmt: skip
    assert all(a.live_in and a.live_out for a in scop.arrays)


ALIASES = {
    "names the array": ("double *p = A;", "p", True),
    "points into it": ("double *p = &A[3];", "p", True),
    "set later": ("double *p; p = (double *)A + 1;", "p", True),
    "set from elsewhere": ("double *p = make(A);", "p", False),
    "size only": ("double *p = alloc(9 * sizeof *A);", "p", False),
}


@pytest.mark.parametrize("case", ALIASES)
def test_pointer_into_another_accessed_array(parse, case):
    setup, name, refused = ALIASES[case]
    program = parse(
        f"""
        double A[9];
        double *make(double *); double *alloc(unsigned long);
        void f(void)
        {{
            {setup}
        #pragma scop
            for (int i = 0; i < 9; i++) {name}[i] = A[i];
        #pragma endscop
        #pragma scop
            for (int i = 0; i < 9; i++) A[i] = 0;
        #pragma endscop
        }}
        """
    )
    assert len(program.scops) == 2 - refused
    if refused:
        assert "'p' may point into 'A'" in program.refusals[0].message


def test_buffers_that_take_turns_are_two(parse):
    program = parse(
        """
        void f(double *x, double *y, int n)
        {
            double *a = x, *b = y;
            for (int t = 0; t < n; t++) {
        #pragma scop
                for (int i = 0; i < n; i++) b[i] = a[i];
        #pragma endscop
                double *c = a;
                a = b;
                b = c;
            }
        }
        """
    )
    assert program.refusals == ()


def test_flat_subscript_in_a_variable(scop_of):
    scop = scop_of(
        "for (int i = 0; i < n; i++) for (int j = 0; j < m; j++)"
        " { int k = i * m + j; x[k] = y[at(i, j, m)]; }",
        before="static int at(int i, int j, int m) { return m * i + j; }",
    )
    assert scop.array("x").n_dim == scop.array("y").n_dim == 2


def test_statement_that_never_runs_reads_no_array(scop_of):
    scop = scop_of(f"{LOOP} {{ x[i] = 0; if (0) x[i] = y[i]; }}")
    assert {a.name for a in scop.arrays} == {"x"}
    assert scop.statement("S1").domain.is_empty()


@pytest.mark.parametrize(
    ("declared", "elsewhere", "expected"),
    [
        ("static double t[9];", "", True),
        ("double t[9];", "", False),
        ("extern double t[9];", "", False),
        ("static double t[9]; double *p = t;", "", False),
        ("static double t[9];", "void g(double *x) { x[0] = t[1]; }", False),
        ("static double t[9];", "long g(void) { return sizeof(t); }", False),
    ],
)
def test_static_arrays_that_only_the_scop_mentions_are_confined(
    parse, declared, elsewhere, expected
):
    program = parse(
        f"""
        {declared}
        void f(double *x)
        {{
        #pragma scop
            for (int i = 0; i < 9; i++) {{
                t[i] = x[i];
                x[i] = t[i] * t[i];
            }}
        #pragma endscop
        }}
        {elsewhere}
        """
    )
    array = program.scops[0].array("t")
    assert (array.confined, array.live_out) == (expected, True)


def test_a_second_scop_is_elsewhere(parse):
    region = """
        #pragma scop
            for (int i = 0; i < 9; i++) { t[i] = x[i]; x[i] = t[i]; }
        #pragma endscop
    """
    text = f"void f(double *x) {{ static double t[9]; {region} {region} }}"
    assert [s.array("t").confined for s in parse(text).scops] == [False, False]


def test_calls_know_how_much_a_function_of_the_file_computes(scop_of):
    before = """\
    #include <math.h>
    double steps(double c) {
        double z = 0;
        int k = 0;
        while (k < 50) { if (z > 4) break; z = z * z + c; k += 1; }
        return z;
    }
    double both(double c) { double a[2]; a[0] = steps(c) + 1; return a[0] * c; }
    """
    scop = scop_of(
        "for (int i = 0; i < n; i++) { x[i] = steps(y[i]); y[i] = both(sqrt(y[i])); }",
        before=before,
    )
    calls = [e for e in scop.iter_expressions() if isinstance(e, Call)]
    known = {c.name: c.n_operations for c in calls}
    assert known == {"steps": 3 * 16, "both": 3 * 16 + 2, "sqrt": 1}
    first, second = (s.body[0] for s in scop.statements)
    assert (operation_count(first), operation_count(second)) == (48, 51)
