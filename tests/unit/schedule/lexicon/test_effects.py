"""Every objective on the smallest program that shows what it does."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from polysched.ir import Scop
from polysched.schedule import LEXICON
from tests.unit import scops
from tests.unit.schedule.programs import matmul, nest, pair, single
from tests.unit.schedule.solving import solve, text
from tests.unit.scops import scop, statement


@dataclass(frozen=True)
class Effect:
    """One objective, what is asked besides ("*" is its place), and both schedules."""

    name: str
    program: Scop
    without: str
    wanted: str
    others: str = "* MIC"
    shape: str = "unit"


# what the names of these programs say is carried, by distance
UP = single("i j", "r A[i - 1, j]", "w A[i, j]")
LEFT = single("i j", "r A[i, j - 1]", "w A[i, j]")
UP_AND_LEFT = single("i j", "r A[i - 1, j]", "r A[i, j - 1]", "w A[i, j]")
UP_TWICE = single("i j", "r A[i - 1, j]", "r A[i - 2, j]", "w A[i, j]")
DIAGONAL = single("i j", "r A[i - 1, j + 1]", "w A[i, j]")
DIAGONAL_3D = single("i j k", "r A[i - 1, j + 1, k + 1]", "w A[i, j, k]")
INNERMOST = single("i j k", "r A[i, j, k - 1]", "w A[i, j, k]")
FIRST_TWO = single("i j k", "r A[i, j - 1, k]", "r A[i - 1, j, k]", "w A[i, j, k]")
LAST_MOST = single("i j k", "r A[i, j, k - 1]", "r A[i - 1, j, k - 1]", "w A[i, j, k]")
TIME = single(
    "t i j",
    "r A[t - 1, i + 1, j + 1]",
    "r A[t - 1, i - 1, j - 1]",
    "r A[t, i - 1, j]",
    "w A[t, i, j]",
)
OUTER_PRODUCT = single("i j k", "r A[j, k]", "r B[k, i]", "r C[j, i]", "w C[j, i]")
PASSED_ON = pair(
    nest("S0", "i j", "w A[i, j]"),
    nest("S1", "i j", "r A[i, j]", "w B[i, j]", position=(1, 0, 0)),
)
TRANSPOSED = pair(
    nest("S0", "i j", "w A[i, j]"),
    nest("S1", "i j", "r A[j, i]", "w B[i, j]", position=(1, 0, 0)),
)
APART = pair(nest("S0", "i", "w A[i]"), nest("S1", "i", "w B[i]", position=(0, 1)))
SHARED_READ = pair(
    nest("S0", "i", "r A[i]", "w B[i]"),
    nest("S1", "i", "r A[i]", "r C[i - 1]", "w C[i]", position=(1, 0)),
)
TAPS = scop(
    "taps",
    statement(
        "S0",
        "[n] -> { S0[i, a] : 0 <= i < n and 0 <= a <= 2 }",
        (0, 0, 0),
        "w [i, a] -> B[i, a]",
    ),
)

EFFECTS = (
    Effect("OP", UP, "S0: 0 i 0 j 0", "S0: 0 j 0 i 0"),
    Effect("IP", LEFT, "S0: 0 i 0 j 0", "S0: 0 j 0 i 0"),
    Effect("NP1", FIRST_TWO, "S0: 0 i 0 j 0 k 0", "S0: 0 i 0 k 0 j 0"),
    Effect("NP2", INNERMOST, "S0: 0 i 0 j 0 k 0", "S0: 0 i 0 k 0 j 0"),
    Effect("2OP_EASY", FIRST_TWO, "S0: 0 i 0 j 0 k 0", "S0: 0 i 0 k 0 j 0"),
    # (i, j, k) has a parallel second loop, too, but k satisfies both dependences
    Effect("2OP", LAST_MOST, "S0: 0 i 0 j 0 k 0", "S0: 0 k 0 i 0 j 0"),
    Effect("SO", matmul("i j k"), "S0: 0 i 0 j 0 k 0", "S0: 0 i 0 k 0 j 0"),
    Effect("OPIR", matmul("i k j"), "S0: 0 i 0 k 0 j 0", "S0: 0 i 0 j 0 k 0"),
    Effect(
        "ADA",
        scops.gemm(),
        "S0: 0 i 0 j 0 0 0; S1: 0 i+1 0 k 0 j 0",
        "S0: 0 i 0 j 0 0 0; S1: 1 i 0 j 0 k 0",
        "* DGF MIC",
    ),
    Effect(
        "DGF",
        PASSED_ON,
        "S0: 0 i 0 j 0; S1: 1 i 0 j 0",
        "S0: 0 i 0 j 0; S1: 0 i 0 j 1",
    ),
    Effect("SIS", APART, "S0: 0 i 0; S1: 0 i 0", "S0: 0 i 0; S1: 1 i 0"),
    # S1 is sequential: sharing its loop would make S0 so, too
    Effect(
        "FPP", SHARED_READ, "S0: 0 i 0; S1: 0 i 0", "S0: 0 i 0; S1: 1 i 0", "OP * MIC"
    ),
    Effect("PERM", DIAGONAL, "S0: 0 i 0 j 0", "S0: 0 i 0 i+j 0", shape="lower"),
    Effect("BAND", DIAGONAL, "S0: 0 i 0 j 0", "S0: 0 i 0 i+j 0", shape="lower"),
    Effect(
        "OBAND", DIAGONAL_3D, "S0: 0 i 0 j 0 k 0", "S0: 0 i 0 i+j 0 k 0", shape="lower"
    ),
    Effect("SKEWPAR", UP_AND_LEFT, "S0: 0 i 0 j 0", "S0: 0 i+j 0 j 0", shape="upper"),
    Effect("VSKW", DIAGONAL, "S0: 0 i 0 i+j 0", "S0: 0 i 0 j 0", "* BAND MIC", "lower"),
    Effect("SMP", UP_TWICE, "S0: 0 i 0 j 0", "S0: 0 j 0 i 0"),
    # S1 one time step late, so that the skewed rows satisfy what is carried by t
    Effect(
        "SPC",
        scops.jacobi_1d(),
        "S0: 0 t 0 i 0; S1: 0 t 1 i 0",
        "S0: 0 t 1 t+i 0; S1: 0 t+1 0 t+i 0",
        shape="lower",
    ),
    Effect(
        "SDC",
        scops.jacobi_1d(),
        "S0: 0 t 0 i 0; S1: 0 t 1 i 0",
        "S0: 0 t 1 i 0; S1: 0 t+1 0 i 0",
        shape="lower",
    ),
    Effect(
        "FDS0",
        PASSED_ON,
        "S0: 0 i 0 j 0; S1: 0 i 0 j 1",
        "S0: 0 i 0 j 0; S1: 1 i 0 j 0",
        "* DGF MIC",
    ),
    Effect("FDS1", LEFT, "S0: 0 i 0 j 0", "S0: 0 j 0 i 0"),
    Effect(
        "FDS2",
        PASSED_ON,
        "S0: 0 i 0 j 0; S1: 0 i 0 j 1",
        "S0: 0 i 0 j 0; S1: 0 i 1 j 0",
        "SDO * MIC",
    ),
    Effect("FDS3", UP, "S0: 0 i 0 j 0", "S0: 0 j 0 i 0", "SDO * MIC"),
    # counted once, a dependence of the first loop is none of the scalar row before it
    Effect(
        "SDO",
        PASSED_ON,
        "S0: 0 i 0 j 0; S1: 1 i 0 j 0",
        "S0: 0 i 0 j 0; S1: 0 i+1 0 j 0",
        "* FDS1 FDS0 MIC",
    ),
    Effect("PROX", UP, "S0: 0 i 0 j 0", "S0: 0 j 0 i 0"),
    Effect("FEAU", UP_AND_LEFT, "S0: 0 i 0 j 0", "S0: 0 i+j 0 j 0", shape="upper"),
    Effect("COP", UP, "S0: 0 i 0 j 0", "S0: 0 j 0 i 0"),
    Effect("CIP", LEFT, "S0: 0 i 0 j 0", "S0: 0 j 0 i 0"),
    Effect("CSUM", DIAGONAL, "S0: 0 i 0 i+j 0", "S0: 0 i 0 j 0", "* PERM MIC", "lower"),
    # of all ways to be parallel inside, the one with the fewest changes
    Effect("MIC", UP_TWICE, "", "S0: 0 i 0 j 0", "IP *"),
    Effect("RREUSE", matmul("k i j"), "S0: 0 k 0 i 0 j 0", "S0: 0 i 0 k 0 j 0"),
    Effect("BARR", TIME, "S0: 0 t 0 i 0 j 0", "S0: 0 t 0 j 0 i 0", "OP * MIC"),
    Effect(
        "LIVE",
        TRANSPOSED,
        "S0: 0 i 0 j 0; S1: 1 i 0 j 0",
        "S0: 0 j 0 i 0; S1: 0 i 0 j 1",
    ),
    Effect("SHORT", TAPS, "S0: 0 i 0 a 0", "S0: 0 a 0 i 0"),
    # the vector loop of SO would be i; k may stay inside, no thread moves along it
    Effect("COAL", OUTER_PRODUCT, "S0: 0 i 0 j 0 k 0", "S0: 0 j 0 i 0 k 0"),
)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda e: e.name)
def test_the_objective_changes_the_schedule_as_it_says(effect: Effect) -> None:
    without = " ".join(effect.others.replace("*", "").split())
    wanted = effect.others.replace("*", effect.name)
    assert text(solve(effect.program, wanted, effect.shape)) == effect.wanted
    if effect.without:
        assert effect.without != effect.wanted
        assert text(solve(effect.program, without, effect.shape)) == effect.without


def test_every_objective_of_the_lexicon_has_an_effect_here() -> None:
    assert [e.name for e in EFFECTS if e.name not in LEXICON] == []
    assert set(LEXICON) - {e.name for e in EFFECTS} == set()
