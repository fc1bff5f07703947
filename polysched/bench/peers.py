"""Who is compared: compilers, polyhedral tools, libraries; what is installed."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from polysched.analysis import FloatingPoint
from polysched.base import PolyschedError, ToolchainError
from polysched.runtime import run_child, run_tool

Role = Literal["compiler", "polyhedral", "library", "ours"]

OURS = "ours"
NUMPY = "numpy"
GEMM = "blas-gemm"  # a product of as many operations, by the BLAS of NumPy
BASELINE = "gcc"  # ratios are told over it
FAST_SUFFIX = "-fast"  # of the names of those that may reorder floating point
OURS_FAST = OURS + FAST_SUFFIX
_OWN: dict[str, FloatingPoint] = {OURS: "strict", OURS_FAST: "reassociate"}
_PLAIN: tuple[str, ...] = ("-O3", "-march=native")
_FAST = "-ffast-math"
_CLANG = ("clang", *(f"clang-{n}" for n in range(23, 13, -1)))
_POLLY = (
    "-mllvm", "-polly", "-mllvm", "-polly-vectorizer=stripmine",
    "-mllvm", "-polly-parallel", "-mllvm", "-polly-omp-backend=LLVM",
)  # fmt: skip
_EARLY = ("-mllvm", "-polly-position=early")
_PET = "--pet"
_VERSION_SECONDS = 20.0
_TUNED_SECONDS = 20.0  # of translating one of many programs


@dataclass(frozen=True)
class Peer:
    """One way to make a fast program of a C file.

    Attributes
    ----------
    name : str
        As ``--tools`` takes it.
    role : str
        "compiler" or "polyhedral": a peer; "library" or "ours": compared with peers.
    programs : tuple of str
        Names to look for on the PATH; the first that is there is used.
    cflags : tuple of str
        Compiler options.
    openmp : bool
        Whether the compiler is asked for OpenMP.
    option_sets : tuple of tuple of str
        Options of a source-to-source tool, best first; a later set is used where the
        one before gives no right program. Empty for a compiler. ``{source}``,
        ``{output}`` stand for files and ``{flags}`` for the preprocessor's flags.
    tile_modes : tuple of tuple of str
        Options that take sizes of tiles from a file; for a peer that is tuned by
        measuring, whose `option_sets` are then the modes without sizes.
    fallback : tuple of str
        Further words where a tuned peer's options give no right program.
    translate_seconds : float
        Wall time that a translator may take for one program.
    """

    name: str
    role: Role
    programs: tuple[str, ...] = ()
    cflags: tuple[str, ...] = ()
    openmp: bool = False
    option_sets: tuple[tuple[str, ...], ...] = ()
    tile_modes: tuple[tuple[str, ...], ...] = ()
    fallback: tuple[str, ...] = ()
    translate_seconds: float = 120.0

    @property
    def is_fast(self) -> bool:
        """Whether its compiler may reorder floating point."""
        return _FAST in self.cflags

    @property
    def is_translator(self) -> bool:
        """Whether it writes C for another compiler."""
        return bool(self.option_sets)

    @property
    def is_tuned(self) -> bool:
        """Whether its modes and tile sizes are measured: minutes, so by name alone."""
        return bool(self.tile_modes)


def _both(peer: Peer) -> tuple[Peer, Peer]:
    """The peer as it is, and with leave to reorder floating point."""
    fast = (*peer.cflags, _FAST)
    return peer, replace(peer, name=f"{peer.name}{FAST_SUFFIX}", cflags=fast)


def _compiler(name: str, programs: tuple[str, ...]) -> tuple[Peer, Peer]:
    return _both(Peer(name, "compiler", programs, _PLAIN))


def _polly(name: str, *more: str) -> tuple[Peer, Peer]:
    cflags = (*_PLAIN, *_POLLY, *more)
    return _both(Peer(name, "polyhedral", _CLANG, cflags, openmp=True))


def _pluto_words(*options: str) -> tuple[str, ...]:
    return ("{source}", *options, "-o", "{output}")


def _pluto(name: str, *options: str) -> tuple[Peer, Peer]:
    """A mode of Pluto; pet reads what its own front end does not."""
    words = _pluto_words(*options)
    both = (words, (*words, _PET))
    return _both(Peer(name, "polyhedral", ("polycc",), _PLAIN, True, both))


def _tuned_pluto(name: str) -> tuple[Peer, Peer]:
    """Pluto with the fusion, the unrolling and the tile sizes that measure best."""
    plain = (
        ("--notile", "--parallel", "--nounrolljam"),
        ("--tile", "--noparallel"),
        ("--tile", "--parallel", "--determine-tile-size"),
    )
    fusions = ("--smartfuse", "--nofuse", "--maxfuse")
    tiled = [
        ("--tile", "--parallel", fusion, *more)
        for fusion in fusions
        for more in ((), ("--nounrolljam",))
    ]
    return _both(
        Peer(
            name,
            "polyhedral",
            ("polycc",),
            _PLAIN,
            True,
            tuple(_pluto_words(*o) for o in plain),
            tuple(_pluto_words(*o) for o in tiled),
            (_PET,),
            _TUNED_SECONDS,
        )
    )


def _ppcg(name: str, tiling: str) -> tuple[Peer, Peer]:
    words = ("--target=c", "--openmp", tiling, "{flags}", "{source}", "-o", "{output}")
    return _both(Peer(name, "polyhedral", ("ppcg",), _PLAIN, True, (words,)))


PEERS: tuple[Peer, ...] = (
    *_compiler(BASELINE, ("gcc",)),
    *_compiler("clang", _CLANG),
    *_polly("polly"),
    *_polly("polly-early", *_EARLY),
    *_pluto("pluto-tile-parallel", "--tile", "--parallel"),
    *_pluto("pluto-nofuse", "--tile", "--parallel", "--nofuse"),
    *_pluto("pluto-maxfuse", "--tile", "--parallel", "--maxfuse"),
    *_pluto("pluto-parallel", "--notile", "--parallel", "--nounrolljam"),
    *_pluto("pluto-tile", "--tile", "--noparallel"),
    *_tuned_pluto("pluto-tuned"),
    *_ppcg("ppcg-tile", "--tile"),
    *_ppcg("ppcg-notile", "--no-tile"),
    Peer(NUMPY, "library"),
    Peer(GEMM, "library"),
)


@dataclass(frozen=True)
class Found:
    """A peer on this machine.

    Attributes
    ----------
    peer : Peer
        What was looked for.
    command : str
        Path of the program; empty when there is none.
    version : str
        First line of what it says of itself.
    absent : str
        Why it cannot be used; empty when it can.
    """

    peer: Peer
    command: str = ""
    version: str = ""
    absent: str = ""

    def to_json(self) -> dict[str, object]:
        """Name, role, presence, version and the command lines."""
        peer = self.peer
        return {
            "name": peer.name,
            "role": peer.role,
            "present": not self.absent,
            "absent": self.absent or None,
            "version": self.version or None,
            "cflags": shlex.join(peer.cflags),
            "options": [shlex.join(o) for o in (*peer.option_sets, *peer.tile_modes)],
            "openmp": peer.openmp,
        }


def select_tools(
    words: Sequence[str],
) -> tuple[tuple[Peer, ...], tuple[FloatingPoint, ...]]:
    """The peers that are named, in our order, and the modes of polysched among them.

    Parameters
    ----------
    words : sequence of str
        Names of tools, or first parts of names (``pluto`` for all its modes); none for
        everything. Tuned peers and ours are chosen by their whole names alone.

    Returns
    -------
    tuple of Peer, tuple of str
        The second has "strict" for ``ours`` and "reassociate" for ``ours-fast``.

    Raises
    ------
    PolyschedError
        If a word names no tool.
    """
    usual = [p for p in PEERS if not p.is_tuned]
    if not words:
        return tuple(usual), tuple(_OWN.values())
    chosen: set[str] = set()
    for word in words:
        names = [p.name for p in PEERS if p.name == word]
        names = names or [p.name for p in usual if p.name.startswith(f"{word}-")]
        if not names and word not in _OWN:
            known = ", ".join((*_OWN, *(p.name for p in PEERS)))
            raise PolyschedError(
                f"no tool named {word!r}", hint=f"the tools are: {known}"
            )
        chosen.update(names)
    own = tuple(fp for name, fp in _OWN.items() if name in words)
    return tuple(p for p in PEERS if p.name in chosen), own


def detect_peers(peers: Sequence[Peer]) -> tuple[Found, ...]:
    """Look for each peer on the PATH; nothing is an error."""
    return tuple(_detect(peer) for peer in peers)


def _detect(peer: Peer) -> Found:
    if peer.name in (NUMPY, GEMM):
        return Found(peer, NUMPY, _numpy_version())
    paths = (shutil.which(name) for name in peer.programs)
    command = next((p for p in paths if p), None)
    if command is None:
        return Found(peer, absent=f"no {peer.programs[0]} on the PATH")
    if peer.is_translator and shutil.which("gcc") is None:
        return Found(peer, absent="no gcc on the PATH to compile what it writes")
    found = Found(peer, command, _version(command))
    reason = "" if peer.is_translator else _try_flags(found)
    return Found(peer, command, found.version, reason)


def _version(command: str) -> str:
    """What a tool calls itself, whatever its status; its libraries may speak first."""
    with tempfile.TemporaryDirectory(prefix="polysched-") as scratch:
        try:
            done = run_child(
                (command, "--version"),
                scratch=Path(scratch),
                timeout_seconds=_VERSION_SECONDS,
                environment=dict(os.environ),
                cwd=scratch,
            )
        except OSError:
            return "unknown"
        lines = [s.strip() for s in done.stdout().splitlines() if s.strip()]
    name = Path(command).name.split("-")[0]
    named = [line for line in lines if name in line]
    return next(iter((*named, *lines)), "unknown")


def _try_flags(found: Found) -> str:
    """Why a compiler does not take its options; empty when it does."""
    openmp = ("-fopenmp",) if found.peer.openmp else ()
    with tempfile.TemporaryDirectory(prefix="polysched-") as scratch:
        source, output = Path(scratch) / "empty.c", Path(scratch) / "empty"
        source.write_text("int main(void) { return 0; }\n", encoding="ascii")
        files = (str(source), "-o", str(output))
        command = (found.command, *found.peer.cflags, *openmp, *files)
        try:
            run_tool(command, limit_seconds=_VERSION_SECONDS)
        except ToolchainError as error:
            said = [s for s in error.message.splitlines() if "error" in s]
            first = (said or error.message.splitlines())[0].strip()
            return f"it does not take its options: {first[:200]}"
    return ""


def _numpy_version() -> str:
    import numpy as np

    built: object = np.show_config(mode="dicts")
    blas = ""
    if isinstance(built, dict):
        told = built.get("Build Dependencies", {}).get("blas", {})
        blas = f", {told.get('name', 'unknown BLAS')} {told.get('version', '')}"
    return f"NumPy {np.__version__}{blas}".strip()
