"""Spaces as the text of a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from polysched.base import PolyschedError, write_whole
from polysched.space.digest import scop_digest

if TYPE_CHECKING:
    from polysched.space.schedule_space import ScheduleSpace

FORMAT, VERSION = "polysched spaces", 1


def spaces_text(spaces: Iterable[ScheduleSpace]) -> str:
    """Spaces as the text of a file that `load_space` reads."""
    stored = [{"digest": scop_digest(s.scop), **s.to_json()} for s in spaces]
    value = {"format": FORMAT, "version": VERSION, "spaces": stored}
    return json.dumps(value, indent=1, allow_nan=False) + "\n"


def save_spaces(spaces: Iterable[ScheduleSpace], path: str | os.PathLike[str]) -> None:
    """Write spaces to a file in one step.

    Raises
    ------
    PolyschedError
        If the file cannot be written.
    """
    try:
        write_whole(path, spaces_text(spaces).encode())
    except OSError as error:
        raise PolyschedError(
            f"cannot write the spaces to {os.fspath(path)!r}: {error.strerror}"
        ) from error
