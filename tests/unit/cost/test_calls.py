"""Exponentials and their kin, and elements looked up: long, and without lanes."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import compute_dependences, set_band_flags
from polysched.cost import predict, predict_seconds
from polysched.cost.calls import call_cycles
from polysched.frontend import parse_c
from polysched.ir import Scop, original_tree
from polysched.testing import ScopBuilder
from tests.unit.cost.test_model import MACHINE


def activation(value: str) -> Scop:
    b = ScopBuilder("activate")
    b.array("x", "float[4096]")
    b.statement("i", "0 <= i < 4096", f"x[i] = {value}", position=(0, 0))
    return b.build()


def seconds(value: str) -> float:
    scop = activation(value)
    found = predict_seconds(original_tree(scop), scop, None, MACHINE)
    assert found is not None
    return found


@pytest.mark.parametrize("value", ["expf(x[i])", "powf(x[i], 2.5)", "tanhf(x[i])"])
def test_calls_take_long(value: str) -> None:
    assert seconds(value) > 2 * seconds("x[i] * x[i]")


@pytest.mark.parametrize("value", ["fmaxf(x[i], 0)", "fabsf(x[i])", "sqrtf(x[i])"])
def test_what_processors_have_takes_no_longer(value: str) -> None:
    assert seconds(value) <= seconds("x[i] * x[i]")


def test_the_greater_of_two_takes_comparisons_and_a_choice() -> None:
    def computing(value: str) -> float:
        scop = activation(value)
        tree = set_band_flags(original_tree(scop), compute_dependences(scop))
        found = predict(tree, scop, MACHINE)
        assert found is not None
        return found.compute_seconds

    two = computing("fmaxf(fmaxf(x[i], 0), 1)")
    assert two > 1.5 * computing("x[i] * x[i] + 1")


LOOPS = """static float x[4096], y[4096];
static {table} t[256]; static unsigned char k[4096];
void f(void) {{
#pragma scop
  {body}
#pragma endscop
}}
"""
SUM = "x[i] = 0.5f * x[i] + y[i];"


def seconds_of(body: str, directory: Path, table: str = "float") -> float:
    path = directory / "case.c"
    path.write_text(LOOPS.format(table=table, body=body))
    (scop,) = parse_c(path).scops
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    found = predict_seconds(tree, scop, deps, MACHINE)
    assert found is not None
    return found


def test_what_a_loop_calls_keeps_all_of_it_out_of_lanes(tmp_path: Path) -> None:
    loop = "for (int i = 0; i < 4096; i++)"
    together = seconds_of(f"{loop} {{ {SUM} y[i] = expf(y[i]); }}", tmp_path)
    apart = seconds_of(f"{loop} {SUM} {loop} y[i] = expf(y[i]);", tmp_path)
    assert apart < together


def test_short_elements_are_not_gathered(tmp_path: Path) -> None:
    """Processors gather elements of four bytes and more."""
    body = f"for (int i = 0; i < 4096; i++) {{ {SUM} y[i] = t[k[i]]; }}"
    bytes_ = seconds_of(body, tmp_path, "unsigned char")
    assert seconds_of(body, tmp_path) < bytes_


@pytest.mark.parametrize(
    ("body", "is_long"),
    [
        ("float k; if (a <= b) k = b; else k = a; return k;", False),
        (
            "float s = 0; for (int k = 0; k < 9; k++) s += a * k + b * s; return s;",
            True,
        ),
    ],
)
def test_short_functions_of_the_file_are_put_in_place(
    body: str, is_long: bool, tmp_path: Path
) -> None:
    """Compilers leave calls of long ones, which take their way there and back."""
    path = tmp_path / "scan.c"
    path.write_text(
        f"static float most(float a, float b) {{ {body} }}\n"
        "void f(float x[4096]) {\n#pragma scop\n"
        "for (int i = 1; i < 4096; i++) x[i] = most(x[i - 1] - 1, x[i]);\n"
        "#pragma endscop\n}\n"
    )
    (scop,) = parse_c(path).scops
    assert (call_cycles(scop.statements[-1]) > 0) is is_long
