"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether something stands there that is no file: a device, a pipe, a socket."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file in one step: whoever reads it sees the old one or the new one.

    Links are followed, a file keeps its mode, and into a device or a pipe, which must
    not be replaced, the content is written.

    Raises
    ------
    OSError
        If that is not possible; what was there stays as it was.
    """
    if is_special(path):
        with open(path, "wb") as opened:
            opened.write(content)
        return
    target = Path(os.path.realpath(path))
    handle, draft = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(draft, _mode(target))
        os.replace(draft, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def _mode(target: Path) -> int:
    """Of the file that is replaced, or what the process gives new ones."""
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
