"""Pictures written as files follow the reader's colour scheme, light or dark."""

from __future__ import annotations

from collections.abc import Mapping

_INK, _DARK_INK = "#1b1f24", "#e6edf3"
PAPER = "white"
_DARK_PAPER = "#14181d"


def scheme_style(dark: Mapping[str, str]) -> str:
    """The ``<style>`` of a picture whose elements say the colours of a light page.

    Parameters
    ----------
    dark : mapping of str to str
        For colours of the picture, as its ``fill`` and ``stroke`` attributes spell
        them, those that stand out from a dark page. `PAPER`, for what lies behind
        everything, and text without a colour of its own are known.

    Returns
    -------
    str
        To be the picture's first element. A page that shows the file as an image
        hands its reader's scheme on to it.

    Examples
    --------
    >>> "[fill='#1f4e79']{fill:#79b8ff}" in scheme_style({"#1f4e79": "#79b8ff"})
    True
    """
    rules = "".join(
        f"[{kind}='{light}']{{{kind}:{other}}}"
        for light, other in {PAPER: _DARK_PAPER, **dark}.items()
        for kind in ("fill", "stroke")
    )
    return (
        f"<style>svg{{fill:{_INK}}}@media(prefers-color-scheme:dark)"
        f"{{svg{{fill:{_DARK_INK}}}{rules}}}</style>"
    )
