"""Random expressions: the interpreter computes what a C compiler's code computes."""

import random
import subprocess

import pytest

from polysched.interp.arithmetic import UndefinedError
from polysched.interp.body import compile_expression
from polysched.ir import Binary, Call, Cast, Const, Expr, Select, Unary
from polysched.ir.types import ALL_TYPES, DOUBLE, FLOAT, INT

OPERATORS = ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=",
             "==", "!=", "&&", "||"]  # fmt: skip
INTEGER_ONLY = {"%", "&", "|", "^", "<<", ">>"}
CALLS = ["sqrt", "fabs", "fmax", "fmin", "exp", "floor", "expf", "sqrtf", "fmaxf"]
TYPES = [t for t in ALL_TYPES if not t.is_half]  # not every compiler has those
N_EXPRESSIONS = 600


def random_expression(rng: random.Random, depth: int) -> Expr:
    if depth == 0 or rng.random() < 0.1:
        return random_constant(rng)

    def sub() -> Expr:
        return random_expression(rng, depth - 1)

    kind = rng.random()
    if kind < 0.6:
        left, right, op = sub(), sub(), rng.choice(OPERATORS)
        if op in INTEGER_ONLY and (left.dtype.is_float or right.dtype.is_float):
            op = rng.choice("+-*/")
        if op in ("<<", ">>"):
            right = Const(rng.randint(0, 31), INT, "")
        return Binary(op, left, right)
    if kind < 0.7:
        operand = sub()
        return Unary(rng.choice("-!+" if operand.dtype.is_float else "-!+~"), operand)
    if kind < 0.8:
        operand = sub()
        types = [t for t in TYPES if t.is_float or not operand.dtype.is_float]
        return Cast(rng.choice(types), operand)
    if kind < 0.9:
        return Select(sub(), sub(), sub())
    name = rng.choice(CALLS)
    args = tuple(sub() for _ in range(2 if "m" in name else 1))
    return Call(name, args, FLOAT if name.endswith("f") else DOUBLE)


def random_constant(rng: random.Random) -> Const:
    type_ = rng.choice(TYPES)
    if type_.is_float:
        return Const(rng.choice([0.5, -1.25, 3.0, 0.1, 1e10, -7.0]), type_, "")
    if type_.name == "_Bool":
        return Const(rng.randint(0, 1), type_, "")
    n_bits = 8 * type_.n_bytes
    value = rng.choice([0, 1, 2, 3, 7, 100, (1 << (n_bits - 1)) - 1])
    return Const(-value if type_.kind == "int" and rng.random() < 0.4 else value,
                 type_, "")  # fmt: skip


def c_text(expr: Expr) -> str:
    match expr:
        case Const(value, type_):
            literal = value.hex() if type_.is_float else f"{value}LL"
            return f"(({type_.name}){literal})"
        case Unary(op, operand):
            return f"({op}{c_text(operand)})"
        case Binary(op, left, right):
            return f"({c_text(left)} {op} {c_text(right)})"
        case Cast(type_, operand):
            return f"(({type_.name}){c_text(operand)})"
        case Select(cond, then, other):
            return f"({c_text(cond)} ? {c_text(then)} : {c_text(other)})"
        case Call(name, args):
            return f"{name}({', '.join(c_text(a) for a in args)})"
    raise AssertionError(expr)


@pytest.mark.cc
def test_random_expressions(tmp_path):
    rng = random.Random(1)
    expressions, expected = [], []
    while len(expressions) < N_EXPRESSIONS:
        expr = random_expression(rng, rng.randint(1, 4))
        try:
            value = compile_expression(expr, {})()
        except UndefinedError:
            continue
        expressions.append(expr)
        expected.append(value)
    lines = []
    for e in expressions:
        if e.dtype.is_float:
            lines.append(f'printf("%a\\n", (double)({c_text(e)}));')
        elif e.dtype.kind == "uint":
            lines.append(f'printf("%llu\\n", (unsigned long long)({c_text(e)}));')
        else:
            lines.append(f'printf("%lld\\n", (long long)({c_text(e)}));')
    source = tmp_path / "expressions.c"
    body = "\n".join(lines)
    source.write_text(
        f"#include <math.h>\n#include <stdio.h>\nint main(void) {{\n{body}\n}}\n"
    )
    binary = str(tmp_path / "expressions")
    flags = ["-O0", "-fwrapv", "-fno-builtin", "-ffp-contract=off", "-w"]
    subprocess.run(["gcc", *flags, str(source), "-o", binary, "-lm"], check=True)
    done = subprocess.run([binary], capture_output=True, check=True, text=True)
    printed = done.stdout.splitlines()
    assert len(printed) == N_EXPRESSIONS
    for expr, value, text in zip(expressions, expected, printed, strict=True):
        found = float.fromhex(text) if expr.dtype.is_float else int(text)
        same = found == value or (found != found and value != value)
        assert same, f"{c_text(expr)}: C says {found}, interpreted {value}"
