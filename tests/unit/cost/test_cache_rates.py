"""Measured bandwidth of caches takes the place of usual bytes of a cycle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polysched.cost import Prediction, predict
from polysched.cost.cache_rates import changed_share, rate_of
from polysched.cost.read import read_nests
from polysched.cost.reuse import Reuse
from polysched.ir import Scop, original_tree
from polysched.machine import CacheRate, Cpu, Machine
from polysched.testing import ScopBuilder
from tests.unit.cost.test_model import MACHINE

CPU = MACHINE.cpu
USUAL = (
    CacheRate(2, 72e9, 72e9, 144e9, 144e9),
    CacheRate(3, 48e9, 48e9, 96e9, 96e9),
)


def scop_of(statement: str) -> Scop:
    b = ScopBuilder("sweep")
    for array in ("A[1000][1000]", "B[1000][1000]", "s[1000]"):
        name, bracket, extents = array.partition("[")
        b.array(name, f"double{bracket}{extents}")
    rows = "0 <= i < 1000 and 0 <= j < 1000"
    b.statement("i, j", rows, statement, position=(0, 0, 0))
    return b.build()


def prediction(scop: Scop, *rates: CacheRate) -> Prediction:
    tree = original_tree(scop)
    machine = Machine(replace(CPU, cache_rates=rates))
    found = predict(tree, scop, machine)
    assert found is not None
    return found


COPY = scop_of("A[i][j] = 2 * B[i][j]")


def test_usual_rates_change_nothing() -> None:
    assert prediction(COPY, *USUAL) == prediction(COPY)


def test_slower_cache_takes_longer() -> None:
    slow = CacheRate(3, 24e9, 24e9, 48e9, 48e9)
    before, after = prediction(COPY), prediction(COPY, USUAL[0], slow)
    assert after.l3_seconds == pytest.approx(2 * before.l3_seconds)
    assert after.l2_seconds == before.l2_seconds


def test_what_is_changed_takes_the_rate_of_updates() -> None:
    rates = (USUAL[0], CacheRate(3, 48e9, 16e9, 96e9, 32e9))
    one = prediction(COPY, *rates).l3_seconds / prediction(COPY).l3_seconds
    assert one == pytest.approx((1 + 3) / 2, rel=0.02)  # one array read, one written
    update = scop_of("A[i][j] *= 2")
    both = prediction(update, *rates).l3_seconds / prediction(update).l3_seconds
    assert both == pytest.approx(3.0)


def test_share_of_what_is_changed_counts_bytes() -> None:
    scop = scop_of("s[i] += A[i][j]")
    nests = read_nests(original_tree(scop), scop, None)
    share = changed_share(0, Reuse(nests, CPU.line_bytes), CPU.l2_bytes)
    assert 0 < share < 0.01


def test_threads_get_no_more_than_all_together() -> None:
    crowded = replace(USUAL[1], read_all_bytes_per_second=48e9)
    crowded = replace(crowded, update_all_bytes_per_second=48e9)
    alone = Machine(replace(CPU, cache_rates=(USUAL[0], crowded))).cpu
    assert rate_of(3, alone).shared(1.0, speedup=1.8) == 1.0
    assert rate_of(3, CPU).shared(1.0, speedup=1.8) == 1.0 / 1.8


def test_machine_without_a_clock_has_a_usual_one() -> None:
    unknown: Cpu = replace(CPU, frequency_hz=None)
    assert rate_of(3, unknown).alone == 16 * 2.5e9
