"""Built kernels on disk: one directory per key, written once, shared by processes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from polysched.base import PolyschedError
from polysched.kernel.bounds import Bounds
from polysched.tensor import ArgType, CFunction

LIBRARY, MANIFEST, SOURCE, PLAIN, ENTRY = (
    "kernel.so", "manifest", "kernel.c", "plain.c", "entry.c",
)  # fmt: skip
_LOCK_SECONDS = 300.0  # after which one builds beside another process, not after it
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Manifest:
    """What a process must know of a library that it did not build.

    Attributes
    ----------
    function : CFunction
        What the library holds.
    types : dict of str to ArgType
        Of the Python function's parameters, in order.
    bounds : Bounds
        Conditions on sizes.
    schedule : str
        Id of the schedule; "original" for the order of the source.
    note : str
        Why it was taken.
    digest : str
        Of the library's bytes.
    """

    function: CFunction
    types: Mapping[str, ArgType]
    bounds: Bounds
    schedule: str
    note: str
    digest: str


@dataclass(frozen=True)
class Stored:
    """A built kernel on disk.

    Attributes
    ----------
    directory : Path
        Holds the library, the C texts and the manifest.
    manifest : Manifest
        What is in it.
    """

    directory: Path
    manifest: Manifest

    @property
    def library(self) -> Path:
        """The shared object."""
        return self.directory / LIBRARY

    @property
    def source(self) -> str:
        """The C text that was compiled, as it was scheduled."""
        return (self.directory / SOURCE).read_text(encoding="utf-8")


def cache_directory(given: str | Path | None = None) -> Path:
    """Where built kernels are kept; not created here.

    `given`, or ``$POLYSCHED_CACHE``, or ``polysched/kernels`` in ``$XDG_CACHE_HOME``
    (``~/.cache`` when that is unset or not an absolute path).
    """
    named = given or os.environ.get("POLYSCHED_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return home / "polysched" / "kernels"


def hash_key(parts: object) -> str:
    """A key from the text of what it depends on."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def compiler_key(cc: str) -> str:
    """What tells one compiler from another without running it."""
    found = shutil.which(cc.split()[0]) if cc.split() else None
    if found is None:
        return cc
    real = os.path.realpath(found)
    status = os.stat(real)
    return f"{cc} {real} {status.st_size} {status.st_mtime_ns}"


@cache
def package_key() -> str:
    """What tells one state of this package from another, also while it is edited."""
    root = Path(__file__).resolve().parent.parent
    found = []
    for directory, names, files in os.walk(root):
        names[:] = sorted(n for n in names if n != "__pycache__")
        for name in sorted(files):
            status = os.stat(os.path.join(directory, name))
            found.append((name, status.st_size, status.st_mtime_ns))
    return hash_key(found)


def look_up(root: Path, key: str) -> Stored | None:
    """The built kernel of a key; None when there is none, or it is damaged."""
    directory = root / key
    try:
        manifest = pickle.loads((directory / MANIFEST).read_bytes())
        digest = _digest((directory / LIBRARY).read_bytes())
    except (OSError, pickle.PickleError, EOFError, ValueError, AttributeError,
            ImportError, IndexError, KeyError, TypeError):  # fmt: skip
        return None
    if not isinstance(manifest, Manifest) or manifest.digest != digest:
        return None
    return Stored(directory, manifest)


def look_up_or_build(
    root: Path, key: str, build: Callable[[Path], Manifest]
) -> tuple[Stored, bool]:
    """The built kernel of a key, built now where it is not there.

    Parameters
    ----------
    root : Path
        The cache's directory, created here.
    key : str
        From `hash_key`.
    build : callable
        Fills a directory with a library and its texts and says what it is. Processes
        and threads that want the same key wait for the one that builds it; when that
        one dies, the next takes over, as the lock is the kernel's own.

    Returns
    -------
    Stored, bool
        What was found or built, and whether it was built here.

    Raises
    ------
    PolyschedError
        If the directory cannot be written.
    """
    found = look_up(root, key)
    if found is not None:
        return found, False
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(root / f"{key}.lock"):
            found = look_up(root, key)
            if found is not None:
                return found, False
            return _publish(root, key, build), True
    except OSError as error:
        raise PolyschedError(
            f"cannot keep kernels in {str(root)!r}: {error.strerror}",
            hint="set POLYSCHED_CACHE, or cache=..., to a directory to write to",
        ) from error


def clear(root: Path, keys: list[str] | None = None) -> int:
    """Remove built kernels, all or those of some keys; says how many.

    Libraries that a process has loaded stay with it.
    """
    removed = 0
    for directory in sorted(root.glob("*")) if root.is_dir() else []:
        name = directory.name.split(".")[0]
        is_ours = len(name) == 32 and set(name) <= set("0123456789abcdef")
        if not is_ours or (keys is not None and name not in keys):
            continue
        if directory.is_dir():
            removed += (directory / MANIFEST).exists()
            shutil.rmtree(directory, ignore_errors=True)
    return removed


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write what a library is, beside it."""
    (directory / MANIFEST).write_bytes(pickle.dumps(manifest))


def digest_library(directory: Path) -> str:
    """Of the bytes of the library in a directory."""
    return _digest((directory / LIBRARY).read_bytes())


def _publish(root: Path, key: str, build: Callable[[Path], Manifest]) -> Stored:
    """Build aside and rename: nobody sees half a kernel."""
    draft = Path(tempfile.mkdtemp(prefix=f"{key}.", suffix=".part", dir=root))
    try:
        manifest = build(draft)
        write_manifest(draft, manifest)
        target = root / key
        if target.exists():  # damaged; whoever has it loaded keeps it
            damaged = Path(tempfile.mkdtemp(prefix=f"{key}.", suffix=".bad", dir=root))
            os.rename(target, damaged / "kernel")
            shutil.rmtree(damaged, ignore_errors=True)
        os.rename(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Stored(target, manifest)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file; the system frees it when its holder dies."""
    started = time.monotonic()
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() - started > _LOCK_SECONDS:
                    break
                time.sleep(_POLL_SECONDS)
        yield


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
