"""NumPy expressions beside an example: the same computation by a library of kernels.

A sidecar is ``numpy/NAME.py`` beside ``NAME.c`` or one directory above it, with two
functions: ``inputs(NI, NJ, ...)`` takes macros of the C file and gives the arrays as
the program fills them; ``kernel(**arrays)`` computes and returns, by name, the arrays
that the region leaves.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from polysched.base import MismatchError, RunError
from polysched.ir import Program, Scop
from polysched.runtime import (
    ChildError,
    Comparison,
    Dump,
    RunOptions,
    Segment,
    Toolchain,
    child_environment,
    classify,
    compare_dumps,
    preprocess,
    run_child,
)
from polysched.tune import Oracle

_CHILD = Path(__file__).with_name("numpy_child.py")
_MARK = "polysched_sizes"
_THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip


def find_sidecar(path: str) -> Path | None:
    """The NumPy form of a C file, if there is one."""
    file = Path(path).resolve()
    for directory in (file.parent, file.parent.parent):
        sidecar = directory / "numpy" / f"{file.stem}.py"
        if sidecar.is_file():
            return sidecar
    return None


class NumpyProgram:
    """A sidecar with the sizes of one C program.

    Parameters
    ----------
    sidecar : Path
        From `find_sidecar`.
    program, scop : Program, Scop
        The file with the sizes, and the region that it computes.
    directory : Path
        For its output.
    options : RunOptions
        Threads and limits.

    Raises
    ------
    RunError
        If it is no sidecar, or asks for something that is no number in the C file.
    """

    def __init__(
        self,
        sidecar: Path,
        program: Program,
        scop: Scop,
        directory: Path,
        options: RunOptions,
    ) -> None:
        self.sidecar = sidecar
        self.scop = scop
        self.directory = directory
        self.options = options
        self.sizes = read_sizes(program, _size_names(sidecar))

    def run(self, limit_seconds: float, results: Path | None = None) -> float:
        """Seconds of one call, in a process of its own.

        Raises
        ------
        ChildError
            If it fails or takes too long.
        """
        return run_sidecar(
            self.sidecar,
            self.sizes,
            self.directory,
            self.options,
            limit_seconds,
            results,
        )

    def check(self, oracle: Oracle, limit_seconds: float) -> tuple[Comparison, str]:
        """Compare its arrays with the original's; the comparison and a note.

        Raises
        ------
        ChildError
            If it fails.
        MismatchError
            If an element differs, or nothing can be compared.
        """
        path = self.directory / "results.npz"
        self.run(limit_seconds, path)
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        path.unlink()
        names = {a.name: a.source_name for a in self.scop.arrays}
        pairs = [
            (k, s, arrays[names[s.array]])
            for k, s in enumerate(oracle.dump.segments)
            if names[s.array] in arrays
        ]
        if not pairs:
            raise MismatchError("it returns none of the arrays that the region writes")
        expected = Dump(tuple(s for _, s, _ in pairs), {}, 1)
        found = Dump(tuple(_segment(s, a) for _, s, a in pairs), {}, 1)
        ignored = {
            n: oracle.ignored[k]
            for n, (k, _, _) in enumerate(pairs)
            if k in oracle.ignored
        }
        comparison = compare_dumps(expected, found, oracle.bounds, ignored)
        left = {names[s.array] for s in oracle.dump.segments} - set(arrays)
        note = f"not compared: {', '.join(sorted(left))}" if left else ""
        return comparison, note


def run_sidecar(
    sidecar: Path,
    sizes: Mapping[str, int],
    directory: Path,
    options: RunOptions,
    limit_seconds: float,
    results: Path | None = None,
) -> float:
    """Seconds of one call of a sidecar's kernel, in a process of its own.

    Parameters
    ----------
    sidecar : Path
        The file.
    sizes : mapping of str to int
        What its ``inputs`` takes.
    directory : Path
        For its output.
    options : RunOptions
        Threads and limits.
    limit_seconds : float
        Wall time of the process.
    results : Path, optional
        Where the arrays that it returns are written.

    Raises
    ------
    ChildError
        If it fails or takes too long.
    """
    directory.mkdir(parents=True, exist_ok=True)
    times = directory / "times"
    times.unlink(missing_ok=True)
    extra = dict.fromkeys(_THREAD_VARIABLES, str(options.threads))
    done = run_child(
        (
            sys.executable,
            str(_CHILD),
            str(sidecar),
            "-" if results is None else str(results),
            *(f"{name}={value}" for name, value in sizes.items()),
        ),
        scratch=directory,
        timeout_seconds=limit_seconds,
        environment=child_environment(
            options, {**extra, "POLYSCHED_TIMES": str(times)}
        ),
    )
    failure = classify(done, expected_status=0)
    if failure is not None:
        raise ChildError(failure)
    return float(times.read_text(encoding="ascii").split()[1])


def read_sizes(program: Program, names: tuple[str, ...]) -> dict[str, int]:
    """Values of a C file's macros.

    Raises
    ------
    RunError
        If one is not an integer.
    """
    marked = program.source + f"\n{_MARK} {' '.join(names)}\n".encode()
    tools = replace(Toolchain(), cppflags=program.flags)
    include = Path(program.path).resolve().parent
    text = preprocess(marked, program.path, tools, include).decode("utf-8", "replace")
    words = text.rsplit(_MARK, 1)[-1].split()
    try:
        return {n: int(w) for n, w in zip(names, words, strict=True)}
    except ValueError:
        raise RunError(
            f"the sizes {', '.join(names)} are {' '.join(words)!r} in"
            f" {program.path!r}, expected as many integers"
        ) from None


def _size_names(sidecar: Path) -> tuple[str, ...]:
    """Parameters of the sidecar's ``inputs``."""
    try:
        tree = ast.parse(sidecar.read_text(encoding="utf-8"))
    except (OSError, SyntaxError) as error:
        raise RunError(f"cannot read {str(sidecar)!r}: {error}") from error
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    if not {"inputs", "kernel"} <= set(functions):
        raise RunError(f"{str(sidecar)!r} has no functions 'inputs' and 'kernel'")
    return tuple(a.arg for a in functions["inputs"].args.args)


def _segment(want: Segment, array: npt.NDArray[np.generic]) -> Segment:
    """The elements of an array that a segment of the original's dump holds."""
    n_dims = want.rows.shape[1] - 1
    if array.ndim != n_dims:
        raise MismatchError(
            f"array {want.array!r} has {array.ndim} dimensions, expected {n_dims}"
        )
    lengths, first = want.rows[:, 0], want.rows[:, 1:]
    try:
        starts = (
            np.ravel_multi_index(tuple(first.T), array.shape)
            if n_dims
            else np.zeros(len(lengths), dtype=np.int64)
        )
        parts = [np.arange(s, s + n) for s, n in zip(starts, lengths, strict=True)]
        values = array.reshape(-1)[np.concatenate(parts)]
    except (IndexError, ValueError) as error:
        raise MismatchError(
            f"array {want.array!r} has shape {array.shape}, smaller than expected"
        ) from error
    return replace(want, values=values.astype(want.values.dtype))


def describe_sidecar(path: str) -> Mapping[str, str]:
    """Name and content of a file's sidecar, for a record's key; empty without one."""
    sidecar = find_sidecar(path)
    if sidecar is None:
        return {}
    return {sidecar.name: sidecar.read_text(encoding="utf-8", errors="replace")}
