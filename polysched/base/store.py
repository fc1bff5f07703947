"""Where what outlives a run is kept."""

from __future__ import annotations

import os
from pathlib import Path


def data_directory() -> Path:
    """The user's data directory of polysched; not created here.

    ``$XDG_DATA_HOME/polysched``, or ``~/.local/share/polysched`` when the variable is
    unset or, as its specification asks, not an absolute path.
    """
    named = os.environ.get("XDG_DATA_HOME", "")
    base = Path(named) if os.path.isabs(named) else Path.home() / ".local" / "share"
    return base / "polysched"
