"""Which files are measured: a suite's, or those that are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polysched.base import PolyschedError

SUITES = ("polybench", "programs")
_EXAMPLES = "examples"


@dataclass(frozen=True)
class KernelFile:
    """A C program to be measured at one size.

    Attributes
    ----------
    path : str
        The file.
    size : str
        Macro that picks its sizes; empty for the file's own.
    """

    path: str
    size: str = ""

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return Path(self.path).stem


def find_kernels(
    kernels: Sequence[str], suites: Sequence[str] = (), sizes: Sequence[str] = ()
) -> tuple[KernelFile, ...]:
    """The files to measure, in the order of the request, each at every size.

    Parameters
    ----------
    kernels : sequence of str
        C files, or names of programs of the suites; none for the whole suites.
    suites : sequence of str
        Names in `SUITES` or directories of C files; by default the first one's, and
        all of them where a kernel is named.
    sizes : sequence of str
        Macros; none for the sizes that the files have by themselves.

    Raises
    ------
    PolyschedError
        If a suite or a kernel is not there.
    """
    paths = _named(kernels, suites) if kernels else _whole(suites or SUITES[:1])
    return tuple(KernelFile(str(p), s) for s in (sizes or ("",)) for p in paths)


def _whole(suites: Sequence[str]) -> list[Path]:
    paths = [path for suite in suites for path in sorted(_directory(suite).glob("*.c"))]
    if not paths:
        raise PolyschedError(f"found no C files in the suite {suites[0]!r}")
    return paths


def _named(kernels: Sequence[str], suites: Sequence[str]) -> list[Path]:
    found = []
    for word in kernels:
        path = Path(word)
        if not path.is_file():
            path = _in_suites(word, suites or SUITES)
        found.append(path)
    return found


def _in_suites(word: str, suites: Sequence[str]) -> Path:
    for suite in suites:
        path = _directory(suite) / f"{word}.c"
        if path.is_file():
            return path
    raise PolyschedError(
        f"found no kernel {word!r}, neither a file nor in {', '.join(suites)}",
        hint="name a C file, or a program of a suite without its ending",
    )


def _directory(suite: str) -> Path:
    """A suite's directory: a path, or below ``examples`` here or in the source tree."""
    source_tree = Path(__file__).resolve().parents[2]
    places = (Path(suite), Path(_EXAMPLES) / suite, source_tree / _EXAMPLES / suite)
    for place in places:
        if place.is_dir():
            return place
    raise PolyschedError(
        f"found no suite {suite!r}",
        hint=f"a directory of C files, or one of {', '.join(SUITES)} in the directory"
        " of polysched's source",
    )
