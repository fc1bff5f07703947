"""Which updates a device makes in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import find_atomic_updates, find_reductions, read_atomic
from polysched.codegen import print_expr
from polysched.frontend import parse_c
from polysched.ir import Scop

FRAME = """static int key[64], key2[64], lows[64];
static long wide[64]; static short small[64];
static float single[64]; static double real[64], term[64];
void f(void) {
#pragma scop
  for (int i = 0; i < 64; i++) { %s }
#pragma endscop
}
"""


def read(folder: Path, body: str) -> Scop:
    path = folder / "f.c"
    path.write_text(FRAME % body)
    (scop,) = parse_c(path).scops
    return scop


@pytest.mark.parametrize(
    ("line", "op", "value"),
    [
        ("wide[key[i]] += i;", "+", "(long)i"),
        ("lows[key[i]] -= i;", "+", "(int)(0u - (unsigned int)i)"),
        ("wide[key[i]] = 3 + wide[key[i]];", "+", "(long)3"),
        ("if (key2[i] < 3) lows[key[i]]++;", "+", "(int)1"),
        ("if (i < lows[key[i]]) lows[key[i]] = i;", "min", "(int)i"),
        ("lows[key[i]] = lows[key[i]] > i ? lows[key[i]] : i;", "max", "(int)i"),
        ("real[key[i]] -= term[i];", "+", "-(double)term[i]"),
        ("small[key[i]]++;", "", ""),
        ("lows[key[i]] *= 3;", "", ""),
        ("single[key[i]] += term[i];", "", ""),
        ("if (term[i] < real[key[i]]) real[key[i]] = term[i];", "", ""),
        ("lows[key[i]] = i;", "", ""),
    ],
)
def test_forms(tmp_path: Path, line: str, op: str, value: str) -> None:
    (statement,) = read(tmp_path, line).statements
    found = read_atomic(statement.body[0])
    assert (found is not None) is bool(op)
    if found is not None:
        assert (found.op, str(print_expr(found.value))) == (op, value)
        assert len(found.conditions) == ("key2" in line)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("lows[key[i]] += i; lows[key2[i]] -= i;", {"S0", "S1"}),
        ("lows[key[i]] += i; if (i < lows[key2[i]]) lows[key2[i]] = i;", set()),
        ("lows[key[i]] += i; lows[key2[i]] += lows[key[i]];", {"S0"}),
    ],
)
def test_those_of_one_kind_come_in_any_order(
    tmp_path: Path, body: str, names: set[str]
) -> None:
    """The last one of the third reads what the first has found: no sum at all."""
    scop = read(tmp_path, body)
    found = find_atomic_updates(find_reductions(scop), ["lows"], {"S0", "S1"})
    assert found.keys() == names
