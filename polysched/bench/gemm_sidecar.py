"""Run as a script's sidecar by `gemm_program`: a product of two square matrices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.floating]


def inputs(N: int, BYTES: int) -> dict[str, Matrix]:  # noqa: N803 - named as macros
    """Two matrices of N rows whose elements have so many bytes."""
    values = np.arange(N * N, dtype=f"f{BYTES}").reshape(N, N) % 7
    return {"A": values, "B": values.T.copy()}


def kernel(A: Matrix, B: Matrix) -> dict[str, Matrix]:  # noqa: N803
    """Their product, by the BLAS that NumPy is linked with."""
    return {"C": A @ B}
