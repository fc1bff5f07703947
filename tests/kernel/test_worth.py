"""Small calls run as the source stands; sizes that tell nothing are enlarged."""

import subprocess

import pytest

import polysched as ps
from polysched.codegen import LEAST_SHARED
from polysched.kernel.worth import enlarge, print_worth

TEXT = """
void f(long N, long T, double A[restrict N])
{
#pragma scop
  for (long t = 0; t < STEPS; t++)
    for (long i = 0; i < BOUND; i++)
      A[i] = A[i] + 1.0;
#pragma endscop
}
"""


@pytest.fixture
def scop_of(tmp_path):
    def read(bound, steps="T"):
        path = tmp_path / "f.c"
        path.write_text(
            TEXT.replace("BOUND", bound).replace("STEPS", steps), encoding="utf-8"
        )
        return ps.parse_c(str(path)).scops[0]

    return read


def holds(condition, tmp_path, **sizes):
    """The condition, compiled."""
    declared = "".join(f"long {n} = {v}; " for n, v in sizes.items())
    source, program = tmp_path / "holds.c", tmp_path / "holds"
    source.write_text(f"int main(void) {{ {declared} return ({condition}); }}")
    subprocess.run(["gcc", source, "-o", program], check=True)
    return subprocess.run([program], check=False).returncode == 1


@pytest.mark.cc
def test_work_is_counted_in_terms_of_sizes(scop_of, tmp_path):
    condition = print_worth(scop_of("N"))
    edge = LEAST_SHARED // 4
    assert holds(condition, tmp_path, N=edge, T=4)
    assert not holds(condition, tmp_path, N=edge - 1, T=4)


@pytest.mark.parametrize(("bound", "expected"), [("4000", "0"), ("5000", "1")])
def test_work_that_is_known_is_decided_at_once(scop_of, bound, expected):
    assert print_worth(scop_of(bound, steps="1")) == expected


def test_small_sizes_are_doubled_together(scop_of):
    scop = scop_of("N")
    found = enlarge(scop, {"N": 10, "T": 3})
    assert found["N"] / 10 == found["T"] / 3
    assert 10**6 <= found["N"] * found["T"] < 4 * 10**6
    assert enlarge(scop, {"N": 10**6, "T": 3}) == {"N": 10**6, "T": 3}
    assert enlarge(scop, {"N": 10}) == {"N": 10}
