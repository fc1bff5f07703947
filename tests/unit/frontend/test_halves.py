"""Types of two bytes: what the front end writes is what the compiler computes.

Whether `h * h + h` rounds once or twice, and whether `(float)(h * h)` rounds at all,
differs between compilers and options; results must be equal to the last bit.
"""

import ctypes
import random
import shutil
import subprocess

import numpy as np
import pytest

from polysched.base import FrontendError
from polysched.frontend import parse_c
from polysched.frontend.half_rules import HalfRules, read_rules
from polysched.interp import interpret
from polysched.interp.arithmetic import round_bfloat, round_half
from polysched.ir import Assign, Binary, Cast, Const, walk
from polysched.ir.types import BFLOAT, DOUBLE, FLOAT, HALF

N_LINES = 150
NAMES = ("h", "g", "f", "d", "n")


def random_text(rng, depth):
    """A C expression over two halves, a float, a double and an integer."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice([*"hhhggfdn", "3", "0.1f", "(T)0.3", "0.3f16", "2049"])

    def sub():
        return random_text(rng, depth - 1)

    kind = rng.random()
    if kind < 0.6:
        op = rng.choice("+-*/")
        return f"({sub()} {op} {rng.choice('hgfd') if op == '/' else sub()})"
    if kind < 0.7:
        return f"({rng.choice(['float', 'T', 'double', 'T', 'float'])}){sub()}"
    if kind < 0.76:
        return f"(-{sub()})"
    if kind < 0.84:
        return f"({sub()} {rng.choice(['<', '>', '<=', '=='])} {sub()})"
    if kind < 0.92:
        return f"({sub()} < {sub()} ? {sub()} : {sub()})"
    return f"{rng.choice(['fabsf', 'sqrt', 'twice', 'half_of'])}({sub()})"


# of a compiler's own library, which is not installed with every clang: rounded to odd
# first, so that the second rounding is the only one
BFLOAT_LIBRARY = """
    static __bf16 short_of(float f)
    {
      unsigned u;
      unsigned short s;
      __bf16 b;
      __builtin_memcpy(&u, &f, 4);
      s = f != f ? u >> 16 | 64 : (u + 0x7fff + (u >> 16 & 1)) >> 16;
      __builtin_memcpy(&b, &s, 2);
      return b;
    }
    __bf16 __truncsfbf2(float f) { return short_of(f); }
    __bf16 __truncdfbf2(double d)
    {
      float f = (float)d;
      unsigned u;
      __builtin_memcpy(&u, &f, 4);
      if (d == d && f != d)
        u = (u - (__builtin_fabs(f) > __builtin_fabs(d))) | 1;
      __builtin_memcpy(&f, &u, 4);
      return short_of(f);
    }
"""


def program(seed, type_):
    rng = random.Random(seed)
    lines = []
    for k in range(N_LINES):
        text, array = random_text(rng, 3), rng.choice("xyzw")
        op = rng.choice(["=", "=", "+=", "-=", "*="])
        if array == "w":
            text = f"{rng.choice(['', '(T)'])}fminf(fabsf({text}), 100.0f)"
        lines.append(f"  if ({random_text(rng, 2)}) {array}[{k}] {op} {text};")
    library = ""
    if type_ == "__bf16":
        lines = [line.replace("f16", "bf16") for line in lines]
        library = BFLOAT_LIBRARY
    return f"""{library}
    typedef {type_} T;
    static float twice(float a) {{ return a * 2.0f + a * a; }}
    static T half_of(T a) {{ return a * (T)0.7 + a * a; }}
    extern float fabsf(float), fminf(float, float); extern double sqrt(double);
    void run(T h, T g, float f, double d, int n, T x[{N_LINES}], float y[{N_LINES}],
             double z[{N_LINES}], int w[{N_LINES}])
    {{
    #pragma scop
    {chr(10).join(lines)}
    #pragma endscop
    }}
    void go(float h, float g, float f, double d, int n, float *fx, float *y, double *z,
            int *w)
    {{
      T x[{N_LINES}];
      for (int k = 0; k < {N_LINES}; k++) x[k] = (T)fx[k];
      run((T)h, (T)g, f, d, n, x, y, z, w);
      for (int k = 0; k < {N_LINES}; k++) fx[k] = (float)x[k];
    }}
    """


def has_instructions(word):
    try:
        with open("/proc/cpuinfo", encoding="ascii") as lines:
            return f" {word} " in lines.read()
    except OSError:
        return False


def build(path, cc, flags):
    """The compiled function, if the compiler has the type and its runtime."""
    library = path.with_suffix(".so")
    command = [
        cc,
        *flags,
        "-O1",
        "-w",
        "-fno-builtin",
        "-fwrapv",
        "-shared",
        "-fPIC",
        "-ffp-contract=off",
        "-o",
        library,
        path,
        "-lm",
        "-Wl,-z,defs",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return ctypes.CDLL(str(library)).go if not done.returncode else None


CASES = [
    ("gcc", "_Float16", (), ""),
    ("gcc", "_Float16", ("-mavx512fp16",), "avx512_fp16"),
    ("gcc", "_Float16", ("-fexcess-precision=16",), ""),
    ("gcc", "__bf16", (), ""),
    *(
        (cc, type_, flags, needed)
        for cc in ("clang", "clang-19")
        for type_, flags, needed in [
            ("_Float16", (), ""),
            ("_Float16", ("-mavx512fp16",), "avx512_fp16"),
            ("_Float16", ("-Xclang", "-ffloat16-excess-precision=none"), ""),
            ("__bf16", (), ""),
            ("__bf16", ("-Xclang", "-fbfloat16-excess-precision=none"), ""),
        ]
    ),
]


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize(("cc", "type_", "flags", "needed"), CASES)
def test_expressions_round_as_the_compiler_does(tmp_path, cc, type_, flags, needed):
    if shutil.which(cc) is None or (needed and not has_instructions(needed)):
        pytest.skip(f"no {cc}, or no processor with {needed}")
    n_different = 0
    for seed in range(3):
        path = tmp_path / f"case{seed}.c"
        path.write_text(program(seed, type_))
        function = build(path, cc, flags)
        if function is None:
            pytest.skip(f"{cc} has no {type_} with {flags}")
        scop = parse_c(path, cc=cc, cflags=flags).scops[0]
        for values in [(1.37, -0.83, 0.77, 1.01, 3), (0.011, 300.5, 1e-3, 7.3, 5000)]:
            n_different += compare(scop, function, type_, values)
    assert n_different == 0


def compare(scop, function, type_, values):
    rounded = round_half if type_ == "_Float16" else round_bfloat
    h, g, f, d, n = values
    h, g, f = rounded(h), rounded(g), float(np.float32(f))
    start = np.array([rounded(0.5 + k / 64) for k in range(N_LINES)])
    arrays = {"x": start, "y": start, "z": start, "w": np.arange(N_LINES)}
    scalars = {"h": h, "g": g, "f": f, "d": d, "n": n}
    names = {p.name for p in scop.parameters}
    known = {a.name for a in scop.arrays}
    found = interpret(
        scop,
        None,
        {k: v for k, v in scalars.items() if k in names},
        {k: v for k, v in (arrays | scalars).items() if k in known},
    )
    kinds = {"x": np.float32, "y": np.float32, "z": np.float64, "w": np.int32}
    mine = {k: np.array(arrays[k], t) for k, t in kinds.items()}
    function(
        ctypes.c_float(h), ctypes.c_float(g), ctypes.c_float(f), ctypes.c_double(d), n,
        *(mine[k].ctypes.data_as(ctypes.c_void_p) for k in "xyzw"),
    )  # fmt: skip
    different = 0
    for k in "xyzw":
        theirs = found[k].astype(kinds[k])
        different += int((~np.isclose(mine[k], theirs, 0, 0, equal_nan=True)).sum())
    return different


def values_of(parse, body, **options):
    """Texts of what the statements of a SCoP over halves and a float assign."""
    text = f"""
    typedef _Float16 half;
    void f(half *h, float *f, double *d, int *n)
    {{
    #pragma scop
    {body}
    #pragma endscop
    }}
    """
    found = parse(text, **options)
    assert [str(r) for r in found.refusals] == []
    return [a for s in found.scops[0].statements for a in s.body]


@pytest.mark.cc
def test_no_operation_is_left_in_a_type_of_two_bytes(parse):
    body = "h[0] += h[1] * h[2] - 3; f[0] = -h[3]; n[0] += h[0]; d[0] = h[0] / d[1];"
    for flags in [(), ("-mavx512fp16",)]:
        for action in values_of(parse, body, cflags=flags):
            assert isinstance(action, Assign)
            for expr in walk(action.value):
                assert not (isinstance(expr, Binary) and expr.dtype.is_half)
                if isinstance(expr, Binary):
                    assert not any(e.dtype.is_half for e in expr.operands)


@pytest.mark.cc
def test_products_of_casts_are_products_of_floats(parse):
    (action,) = values_of(parse, "f[0] += (float)h[0] * (float)h[1];")
    assert action.op == "+="
    assert isinstance(action.value, Binary)
    assert all(isinstance(e, Cast) and e.type == FLOAT for e in action.value.operands)


@pytest.mark.cc
def test_an_update_of_a_half_is_no_reduction(parse):
    (action,) = values_of(parse, "h[0] += f[0];")
    assert action.op == "="
    assert isinstance(action.value, Cast)
    assert action.value.type == HALF


@pytest.mark.cc
def test_a_compiler_without_the_type(parse, tmp_path):
    cc = tmp_path / "cc"
    cc.write_text(
        '#!/bin/sh\ncase "$*" in *-fsyntax-only*) exit 1;; *) exec gcc "$@";; esac\n'
    )
    cc.chmod(0o755)
    text = "\n\nvoid f(__bf16 *a)\n{\n#pragma scop\n a[0] = 1;\n#pragma endscop\n}\n"
    with pytest.raises(FrontendError, match="not compute in the type __bf16") as raised:
        parse(text, cc=str(cc))
    assert raised.value.where.line == 3


def test_what_compilers_say():
    assert read_rules({}, ()) == HalfRules("kept", "kept")
    gcc = {"__FLT_EVAL_METHOD_TS_18661_3__": "16"}
    assert read_rules({}, ("-fexcess-precision=16",)).half == "rounded"
    assert read_rules(gcc, ()) == HalfRules("rounded", "kept")
    clang = {"__clang__": "1"}
    assert read_rules(clang, ()) == HalfRules("dropped", "dropped")
    assert read_rules(clang | {"__AVX512FP16__": "1"}, ()).of(HALF) == "rounded"
    none = ("-Xclang", "-fbfloat16-excess-precision=none")
    assert read_rules(clang, none).of(BFLOAT) == "rounded"


@pytest.mark.cc
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1f16", 0.0999755859375),
        ("1e-3F16", 0.0010004043579101562),
        (".5f16", 0.5),
        ("2049.f16", 2048.0),
        ("2051.0f16", 2052.0),
        ("6.e-8f16", 5.960464477539063e-08),
        ("1.00048828125f16", 1.0),
        ("1.000488281250000000001f16", 1.0009765625),
        ("0.1e-0", 0.1),
    ],
)
def test_literals_are_rounded_once(tmp_path, text, value):
    path = tmp_path / "literal.c"
    path.write_text(
        "void f(double *y) {\n#pragma scop\n"
        f'y[0] = y[1] * {text};\n#pragma endscop\nchar *s = "1.5f16 1e-0";\n}}\n'
    )
    for options, type_ in (((), FLOAT), (("-fexcess-precision=16",), HALF)):
        if not text.lower().endswith("f16"):
            type_ = DOUBLE
        (scop,) = parse_c(path, cflags=options).scops
        (action,) = scop.statements[0].body
        constants = [e for e in walk(action.value) if isinstance(e, Const)]
        (found,) = [e for e in constants if e.type.is_float]
        assert found.type == type_
        digits = text.lower().removesuffix("f16")
        wanted = float(np.float32(digits)) if type_ == FLOAT else value
        assert found.value == wanted


@pytest.mark.cc
def test_a_literal_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "literal.c"
    path.write_text(
        "void f(double *y) {\n#pragma scop\ny[0] = 1e5f16;\n#pragma endscop\n}\n"
    )
    (refusal,) = parse_c(path).refusals
    assert "100000 is too large for _Float16" in str(refusal)
