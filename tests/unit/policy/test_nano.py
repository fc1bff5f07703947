"""Nano-kernels: small, distinct, and each with the dependence that it is named for."""

from __future__ import annotations

import pytest

from polysched.analysis import compute_dependences
from polysched.policy import nano_kernels

KERNELS = {k.name: k for k in nano_kernels()}


def test_names_are_distinct_and_always_the_same():
    again = nano_kernels()
    assert len(KERNELS) == len(again)
    assert list(KERNELS) == [k.name for k in again]


def test_statements_are_few_and_small():
    for kernel in KERNELS.values():
        assert len(kernel.scop.statements) in (1, 2)
        for s in kernel.scop.statements:
            assert 1 <= s.n_loops <= 3
            arrays = {(a.array, str(a.relation)) for a in s.accesses}
            assert len(arrays) <= 3  # one of them read and written


@pytest.mark.parametrize(
    ("name", "n_statements", "loops", "dims", "kinds", "cardinality"),
    [
        ("map-2-2", 1, (2, 2), 2, 0, "1-1"),
        ("accumulate-3-2", 1, (3, 3), 2, 7, "N-N"),
        ("columns-2-1", 1, (2, 2), 1, 7, "N-N"),
        ("scan-2-2", 1, (2, 2), 2, 1, "1-1"),
        ("flow-2-3-2", 2, (2, 3), 2, 1, "1-N"),
        ("flow-3-2-2", 2, (3, 2), 2, 1, "N-1"),
        ("anti-2-2-2", 2, (2, 2), 2, 2, "1-1"),
        ("output-3-3-1", 2, (3, 3), 1, 4, "N-N"),
        ("input-1-2-1", 2, (1, 2), 1, 8, "1-N"),
        ("update-2-3-2", 2, (2, 3), 2, 5, "1-N"),
        ("rescale-2-3-2", 2, (2, 3), 2, 7, "1-N"),
        ("overwrite-3-2", 1, (3, 3), 2, 4, "N-N"),
    ],
)
def test_keys_say_what_the_names_say(
    name, n_statements, loops, dims, kinds, cardinality
):
    key = KERNELS[name].key(4)
    assert key.n_statements == n_statements
    assert (key.dim_source, key.dim_sink) == loops
    assert (key.dim_data, key.kinds) == (dims, kinds)
    assert key.cardinality == cardinality
    assert key.has_dependence == bool(kinds & 7)


def test_triangles_and_transposition_are_really_there():
    assert not KERNELS["flow-2-2-2-tri"].key(4).rect_sink
    plain, turned = KERNELS["flow-2-2-2"].scop, KERNELS["flow-2-2-2-t"].scop
    assert not compute_dependences(plain).flow.is_equal(
        compute_dependences(turned).flow
    )
