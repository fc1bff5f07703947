"""HTML in pieces: whatever is not `Html` already is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape


class Html(str):
    """Text that is markup already, and is not escaped again."""

    __slots__ = ()


def safe(content: object) -> Html:
    """Markup as it is, everything else as escaped text.

    Bytes of a source file that are no UTF-8 become question marks.
    """
    if isinstance(content, Html):
        return content
    return Html(escape(str(content)).encode("utf-8", "replace").decode("utf-8"))


def join(pieces: Iterable[object], between: str = "") -> Html:
    """Pieces one after the other."""
    return Html(escape(between).join(safe(p) for p in pieces))


def element(name: str, *content: object, **attributes: object) -> Html:
    """An element with its content, both escaped.

    Parameters
    ----------
    name : str
        Tag.
    content : object
        Markup or text.
    attributes : object
        ``class_`` stands for ``class``, ``_`` for ``-``; those that are None or False
        are left out, those that are True have no value.

    Examples
    --------
    >>> element("td", "a < b", class_="text")
    '<td class="text">a &lt; b</td>'
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items())
    return Html(f"<{name}{told}>{join(content)}</{name}>")


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def table(
    heads: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Sequence[int] = (),
    caption: str = "",
) -> Html:
    """A table that scrolls where it is wide.

    Parameters
    ----------
    heads : sequence
        Of the columns; empty for none.
    rows : iterable of sequence
        Cells: markup or text.
    numbers : sequence of int
        Columns that hold numbers, aligned to the right.
    caption : str
        What it shows.
    """
    columns = set(numbers)

    def row(tag: str, cells: Sequence[object]) -> Html:
        return element(
            "tr",
            *(
                element(tag, c, class_="n" if k in columns else None)
                for k, c in enumerate(cells)
            ),
        )

    head = element("thead", row("th", heads)) if heads else Html("")
    body = element("tbody", *(row("td", cells) for cells in rows))
    told = element("caption", caption) if caption else Html("")
    return element("div", element("table", told, head, body), class_="wide")


def fields(values: Mapping[str, object]) -> Html:
    """Names and values, one per line."""
    rows = (
        element("tr", element("th", k), element("td", v)) for k, v in values.items()
    )
    body = element("tbody", *rows)
    return element("div", element("table", body, class_="fields"), class_="wide")


def details(summary: object, *content: object, is_open: bool = False) -> Html:
    """Content behind a summary, to be unfolded."""
    return element("details", element("summary", summary), *content, open=is_open)


def card(title: object, *content: object, note: object = "") -> Html:
    """A noun as a notebook shows it: a title line and what belongs to it."""
    told = element("span", note, class_="note") if note else Html("")
    head = element("div", element("strong", title), " ", told, class_="title")
    return element("section", head, *content, class_="card")


def code(text: object) -> Html:
    """A short text in a fixed font."""
    return element("code", text)
