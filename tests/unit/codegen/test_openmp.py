"""Generated C against the original loops: compiled, run, compared bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.ir import LinearRow, Rows, build_tree, original_tree
from tests.unit.codegen.handmade import (
    FRAME_2D,
    SQUARE,
    N,
    check_equal,
    make_scop,
    mark_bands,
    tile,
)

pytestmark = pytest.mark.cc


def test_product_in_original_tiled_and_interchanged_order(tmp_path: Path) -> None:
    scop = make_scop(
        SQUARE,
        [
            ("[n] -> { S0[i, j] : 0 <= i, j < n }", (0, 0, 0), "C[i][j] = 1.0;"),
            (
                "[n] -> { S1[i, j, k] : 0 <= i, j, k < n }",
                (0, 0, 1, 0),
                "C[i][j] += 2.0 * A[i][k] * B[k][j];",
            ),
        ],
        N,
    )
    original = """
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                C[i][j] = 1.0;
                for (int k = 0; k < n; k++)
                    C[i][j] += 2.0 * A[i][k] * B[k][j];
            }"""
    ikj = build_tree(
        scop.domain,
        {
            "S0": Rows(
                ("i", "j"),
                (0, 0, 0, 0),
                (LinearRow((1, 0)), LinearRow((0, 1)), LinearRow((0, 0))),
            ),
            "S1": Rows(
                ("i", "j", "k"),
                (1, 0, 0, 0),
                (LinearRow((1, 0, 0)), LinearRow((0, 0, 1)), LinearRow((0, 1, 0))),
            ),
        },
        groups=lambda *_: True,
    )
    trees = [ikj, tile(ikj, 5, "parallel")]
    check_equal(tmp_path, FRAME_2D, original, scop, trees, [(0,), (1,), (13,), (40,)])


def test_skewed_and_tiled_wavefront(tmp_path: Path) -> None:
    scop = make_scop(
        SQUARE,
        [
            (
                "[n] -> { S0[t, i, j] : 0 <= t < n and 1 <= i, j < n - 1 }",
                (0, 0, 0, 0),
                "A[i][j] = 0.25 * (A[i - 1][j] + A[i + 1][j] + A[i][j - 1]"
                " + A[i][j + 1]);",
            )
        ],
        N,
    )
    original = """
        for (int t = 0; t < n; t++)
            for (int i = 1; i < n - 1; i++)
                for (int j = 1; j < n - 1; j++)
                    A[i][j] = 0.25 * (A[i - 1][j] + A[i + 1][j] + A[i][j - 1]
                                      + A[i][j + 1]);"""
    iterators = ("t", "i", "j")
    skewed = build_tree(
        scop.domain,
        {
            "S0": Rows(
                iterators,
                (0, 0, 0, 0),
                (LinearRow((1, 0, 0)), LinearRow((1, 1, 0)), LinearRow((1, 0, 1))),
            )
        },
        groups=lambda *_: True,
    )
    front = build_tree(
        scop.domain,
        {
            "S0": Rows(
                iterators,
                (0, 0, 0, 0),
                (LinearRow((2, 1, 1)), LinearRow((1, 0, 0)), LinearRow((0, 1, 0))),
            )
        },
    )
    front = mark_bands(front, parallel=1)
    sizes = [(0,), (1,), (3,), (17,)]
    check_equal(tmp_path, FRAME_2D, original, scop, [tile(skewed, 4), front], sizes)


def test_downward_loops_strides_and_quasi_affine_guards(tmp_path: Path) -> None:
    scop = make_scop(
        SQUARE,
        [
            (
                "[n] -> { S0[i, j] : 0 <= i < n and 0 <= j < n and "
                "exists (e : j = 3e + 1) }",
                (0, 0, 0),
                "A[i][j] = A[i][j] + i * 0.5 - j;",
            ),
            (
                "[n] -> { S1[i, j] : 0 <= i < n - 1 and 0 <= j < n and "
                "(i + 2j) mod 5 < 2 }",
                (1, 0, 0),
                "B[i][j] = B[i + 1][j] + A[j / 2][i % 3] + (i + 1) / 2;",
            ),
        ],
        N,
        directions={"S0": (-1, 1), "S1": (1, -1)},
    )
    original = """
        for (int i = n - 1; i >= 0; i--)
            for (int j = 1; j < n; j += 3)
                A[i][j] = A[i][j] + i * 0.5 - j;
        for (int i = 0; i < n - 1; i++)
            for (int j = n - 1; j >= 0; j--)
                if ((i + 2 * j) % 5 < 2)
                    B[i][j] = B[i + 1][j] + A[j / 2][i % 3] + (i + 1) / 2;"""
    tiled = tile(original_tree(scop), 4)
    sizes = [(0,), (1,), (2,), (23,)]
    check_equal(tmp_path, FRAME_2D, original, scop, [tiled], sizes)
