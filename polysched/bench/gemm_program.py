"""A yardstick for dense kernels: a matrix product of as many operations by the BLAS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from polysched.analysis import count_points, operation_count, program_features
from polysched.bench.numpy_program import run_sidecar
from polysched.bench.roofline import count_work
from polysched.ir import Action, Assign, Binary, Expr, Guard, Load, Scop
from polysched.runtime import RunOptions

_SIDECAR = Path(__file__).with_name("gemm_sidecar.py")
_ADDITIVE = ("+", "-", "+=", "-=")
_LEAST_REUSE = 16  # operations per element: with fewer, memory is the limit
_LEAST_SIDE, _MOST_SIDE = 32, 2400


class GemmProgram:
    """A product of square matrices, with its time scaled to a number of operations.

    Parameters
    ----------
    n_operations : int
        Of the kernel that it is compared with, from `count_dense_operations`.
    element_bytes : int
        4 or 8.
    directory : Path
        For its output.
    options : RunOptions
        Threads and limits.
    """

    def __init__(
        self,
        n_operations: int,
        element_bytes: int,
        directory: Path,
        options: RunOptions,
    ) -> None:
        self.n_operations = n_operations
        self.directory = directory
        self.options = options
        cube = round((n_operations / 2) ** (1 / 3))
        side = max(_LEAST_SIDE, min(cube, _MOST_SIDE))
        self.sizes = {"N": side, "BYTES": element_bytes}

    def run(self, limit_seconds: float) -> float:
        """Seconds that as many operations take at the speed of one product.

        Raises
        ------
        ChildError
            If it fails or takes too long.
        """
        seconds = run_sidecar(
            _SIDECAR, self.sizes, self.directory, self.options, limit_seconds
        )
        return seconds * self.n_operations / float(2 * self.sizes["N"] ** 3)


def count_dense_operations(scop: Scop, parameters: Mapping[str, int]) -> int | None:
    """Operations of a dense kernel, a multiplication and an addition for each term.

    Factors that could be multiplied once for many terms do not count, so that
    ``C[i][j] += alpha * A[i][k] * B[k][j]`` has two operations.

    Parameters
    ----------
    scop : Scop
        With liveness inferred.
    parameters : mapping of str to int
        Sizes of the run.

    Returns
    -------
    int or None
        None where products of elements of matrices are not accumulated, where the
        elements are no floating-point numbers, or where there are under 16 operations
        for each element.
    """
    features = program_features(scop)
    is_dense = features["is_dense_linear_algebra"] and features["is_floating"]
    if not is_dense or features["n_dims_max"] < 2:
        return None
    work = count_work(scop, parameters)
    done = [
        (s.domain, n) for s in scop.statements if (n := sum(map(_count_terms, s.body)))
    ]
    if work is None:
        return None
    operations = count_points(done, scop.context).evaluate(parameters)
    elements = max(1, work.traffic_bytes // work.element_bytes)
    return operations if operations >= _LEAST_REUSE * elements else None


def _count_terms(action: Action) -> int:
    """Two operations per addition, and no more than are written."""
    if isinstance(action, Guard):
        return max(sum(map(_count_terms, side)) for side in (action.then, action.other))
    if not isinstance(action, Assign):
        return 0
    additions = _count_additions(action.value) + (action.op in _ADDITIVE)
    return min(operation_count(action), 2 * additions)


def _count_additions(expr: Expr) -> int:
    if isinstance(expr, Load):
        return 0
    own = isinstance(expr, Binary) and expr.op in _ADDITIVE
    return own + sum(map(_count_additions, expr.operands))
