"""Features describe programs as people would."""

import pytest

from polysched.analysis import fused_count, operation_count, program_features
from polysched.testing import ScopBuilder


def gemm():
    b = ScopBuilder("gemm", ["n"])
    for name in "ABC":
        b.array(name, "double[n][n]")
    b.array("beta", "double")
    b.statement("i, j", "0 <= i, j < n", "C[i][j] *= beta", position=(0, 0, 0))
    b.statement(
        "i, j, k", "0 <= i, j, k < n", "C[i][j] += 2.0 * A[i][k] * B[k][j]",
        position=(0, 0, 1, 0),
    )  # fmt: skip
    return b.build()


def jacobi():
    b = ScopBuilder("jacobi", ["n", "m"])
    b.array("A", "float[n]")
    b.array("B", "float[n]")
    box = "0 <= t < m and 1 <= i < n - 1"
    b.statement("t, i", box, "B[i] = A[i - 1] + A[i] + A[i + 1]", position=(0, 0, 0))
    b.statement("t, i", box, "A[i] = B[i]", position=(0, 1, 0))
    return b.build()


def test_gemm():
    f = program_features(gemm())
    assert (f["n_statements"], f["n_loops_max"], f["n_loops_min"]) == (2, 3, 2)
    assert (f["n_arrays"], f["n_scalars"], f["n_parameters"]) == (3, 1, 1)
    assert f["is_dense_linear_algebra"] == f["is_reduction"] == f["is_floating"] == 1
    assert f["is_stencil"] == f["is_triangular"] == f["is_single"] == 0
    assert (f["flops_max"], f["flops_sum"]) == (3, 4)


def test_jacobi():
    f = program_features(jacobi())
    assert f["is_stencil"] == f["is_iterative_stencil"] == f["is_single"] == 1
    assert f["is_dense_linear_algebra"] == f["is_reduction"] == f["is_streaming"] == 0
    assert f["n_nests"] == 1


def test_triangular_streaming_conditional():
    b = ScopBuilder("t", ["n"])
    b.array("A", "int[n][n]")
    b.statement(
        "i, j", "0 <= i < n and i <= j < n", "A[i][j] = 1", position=(0, 0, 0),
        guard="A[i][j] > 3", directions=(1, -1),
    )  # fmt: skip
    f = program_features(b.build())
    assert f["is_triangular"] == f["is_streaming"] == f["is_downward"] == 1
    assert f["n_conditional"] == 1
    assert f["is_floating"] == 0


@pytest.mark.parametrize(
    ("text", "guard", "expected"),
    [
        ("A[i + 1] = A[i]", None, 0),
        ("A[i] += 1.0", None, 1),
        ("A[i] = sqrt(-A[i]) * 2.0", None, 3),
        ("A[i] = A[i] if A[i] > 0.0 else A[i] + 1.0", None, 2),
        ("A[i] = 1.0 + 2.0; A[i] *= 3.0", "A[i] + 1.0 > 2.0", 3),
    ],
)
def test_operation_count(text, guard, expected):
    b = ScopBuilder("ops", ["n"])
    b.array("A", "double[n]")
    b.statement("i", "0 <= i < n", text, position=(0, 0), guard=guard)
    body = b.build().statements[0].body
    assert sum(operation_count(a) for a in body) == expected


@pytest.mark.parametrize(
    ("text", "guard", "expected"),
    [
        ("A[i] += 2.0 * A[i + 1]", None, 1),
        ("A[i] = 2.0 * (A[i] + A[i + 1])", None, 0),
        ("A[i] = 2.0 * A[i] + 3.0 * A[i + 1]", None, 1),
        ("A[i] = A[i + 1] - 2.0 * A[i] + A[i - 1]", None, 1),
        ("A[i] = A[i] * 2.0 + 1.0", "A[i] > 2.0", 1),
    ],
)
def test_additions_that_a_product_takes_along(text, guard, expected):
    b = ScopBuilder("ops", ["n"])
    b.array("A", "double[n]")
    b.statement("i", "0 < i < n - 1", text, position=(0, 0), guard=guard)
    body = b.build().statements[0].body
    assert sum(fused_count(a) for a in body) == expected
