"""Values that show themselves in a notebook, without knowing how that is done.

The room that draws them stands on a floor far above; it is asked by its name, when a
value is shown and not before (docs/decisions/0011-shown.md).
"""

from __future__ import annotations

import importlib
from typing import Any

PRESENTER = "polysched.show"


def find_presenter() -> Any:
    """The room that draws values, imported when the first one is shown."""
    return importlib.import_module(PRESENTER)


class Shown:
    """A value that Jupyter shows as static, escaped HTML, and a terminal in one line.

    Dataclasses take ``repr=False``: all fields of a SCoP or a space are pages of text.
    """

    def __repr__(self) -> str:
        return f"<{self.headline}>"

    @property
    def headline(self) -> str:
        """What it is, in one line."""
        return type(self).__name__

    def _repr_html_(self) -> str:
        """What `polysched.show.to_html` makes of the value."""
        return str(find_presenter().to_html(self))
