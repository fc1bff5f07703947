"""C text with its words in colour and its lines numbered."""

from __future__ import annotations

import re

from polysched.show.markup import Html, element, join, safe

_KEYWORDS = (
    "if|else|for|while|do|return|break|continue|switch|case|default|goto|sizeof|const|"
    "static|inline|restrict|volatile|extern|register|struct|union|enum|typedef"
)
_TYPES = (
    "void|char|short|int|long|float|double|signed|unsigned|size_t|_Bool|bool|"
    r"u?int\d+_t|ps_\w*\d"
)
_TOKEN = re.compile(
    r"(?P<c>/\*.*?\*/|//[^\n]*)"
    r"|(?P<p>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)"
    r'|(?P<s>"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')'
    rf"|(?P<k>\b(?:{_KEYWORDS})\b)"
    rf"|(?P<t>\b(?:{_TYPES})\b)"
    r"|(?P<d>\b\d(?:[\w.]|(?<=[eEpP])[+-])*)",
    re.DOTALL | re.MULTILINE,
)


def highlight(source: str) -> Html:
    """C text as markup, numbered line by line; nothing of it is lost or changed."""
    pieces: list[list[Html]] = [[]]

    def add(content: str, class_: str) -> None:
        for k, part in enumerate(content.split("\n")):
            if k:
                pieces.append([])
            if part:
                told = element("span", part, class_=class_) if class_ else safe(part)
                pieces[-1].append(told)

    end = 0
    for found in _TOKEN.finditer(source):
        add(source[end : found.start()], "")
        add(found.group(), found.lastgroup or "")
        end = found.end()
    add(source[end:], "")
    if not pieces[-1]:
        pieces.pop()
    lines = (element("span", *parts, class_="l") for parts in pieces)
    return element("div", element("pre", join(lines)), class_="code")


def side_by_side(first: Html, second: Html, names: tuple[str, str]) -> Html:
    """Two texts beside each other, below each other where there is no room."""
    figures = (
        element("figure", element("figcaption", name), content)
        for name, content in zip(names, (first, second), strict=True)
    )
    return element("div", *figures, class_="side")
