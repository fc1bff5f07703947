"""Random programs are repeatable, varied and free of undefined behaviour."""

import re
import subprocess

import pytest

from polysched.testing import Shape, program_text, random_scop, random_unit
from polysched.testing.affine import Affine
from polysched.testing.shrink import shrink
from polysched.testing.unit import smaller_units


def test_equal_seeds_give_equal_text():
    assert random_scop(7) == random_scop(7)
    assert random_scop(7) != random_scop(8)


def test_features_all_occur():
    text = program_text([random_unit(k, name=f"f{k}") for k in range(150)])
    for pattern in (
        r"--\)", r"\+= 2\)", r"-= 3\)", r"% 2", r"\) / 3", r"\? ", r"else", r"&&",
        r"\+= ", r"\*= ", r"if \(f\d+_A\[", r"for \(int j = i", r"int n, int m",
        r"\[f\d+_._0\]", r"\* f\d+_._1 \+", r"t0 \+ t0", r"fabs", r"3u \*", r"% 1009",
    ):  # fmt: skip
        assert re.search(pattern, text), pattern


@pytest.mark.parametrize("seed", range(20))
def test_shape_is_kept(seed):
    unit = random_unit(seed, Shape(max_depth=2, max_statements=2))
    text = unit.function_text().split("#pragma endscop")[0]
    assert "int k" not in text
    assert text.count(";\n") > 0


REGULAR = Shape(stencils=0.6, private_arrays=0.2, oddity=0.1)


def test_stencils_and_private_arrays_occur_where_asked():
    asked = program_text([random_unit(k, REGULAR, f"f{k}") for k in range(40)])
    plain = program_text([random_unit(k, name=f"f{k}") for k in range(40)])
    stencil = r"\[(\w) \+ 1\] = 0.25 \* f\d+_\w+\[\1( \+ 2)?\]"
    for pattern in (stencil, r"w0\[q\] = ", r"\+ w\d\[\d - q\]"):
        assert re.search(pattern, asked), pattern
        assert not re.search(pattern, plain), pattern


@pytest.mark.long
@pytest.mark.cc
@pytest.mark.parametrize("shape", [Shape(), REGULAR])
def test_programs_stay_inside_their_arrays(shape, tmp_path):
    units = [random_unit(1000 + k, shape, f"f{k}") for k in range(40)]
    source = tmp_path / "program.c"
    source.write_text(program_text(units))
    flags = ["-std=gnu11", "-w", "-g", "-fsanitize=undefined", "-fno-sanitize-recover"]
    flags.append("-fno-sanitize=float-cast-overflow")
    binary = str(tmp_path / "program")
    subprocess.run(["gcc", *flags, str(source), "-o", binary, "-lm"], check=True)
    done = subprocess.run([binary], capture_output=True, check=True, text=True)
    assert len(done.stdout.splitlines()) > 1000
    assert "runtime error" not in done.stderr


@pytest.mark.parametrize(
    ("expr", "text", "expected"),
    [
        (Affine((("i", 1),), 2), "i + 2", (2, 6)),
        (Affine((("i", -2),), 1), "-2 * i + 1", (-7, 1)),
        (Affine((("i", 1), ("j", -1))), "i - j", (-3, 4)),
        (Affine((("i", 1),), 1, modulus=3, shift=2), "(i + 1) % 3 + 2", (2, 4)),
        (Affine((("i", -1),), 0, modulus=3), "(-i) % 3", (-2, 0)),
        (Affine((("i", 1),), 1, divisor=2), "(i + 1) / 2", (0, 2)),
        (Affine(constant=5, shift=-1), "4", (4, 4)),
    ],
)
def test_ranges_of_affine_expressions(expr, text, expected):
    assert expr.text() == text
    assert expr.ranges({"i": ((0, 4),), "j": ((0, 3),)}, 1) == (expected,)


def test_shrinking_keeps_what_fails():
    unit = random_unit(12, Shape(max_statements=6))

    def fails(candidate):
        return "f_A" in "".join(
            line for node in candidate.nest for line in node.lines(0)
        )

    assert fails(unit)
    small = shrink(unit, fails)
    assert fails(small)
    assert not any(fails(s) for s in smaller_units(small))
    assert len(small.function_text()) <= len(unit.function_text())
