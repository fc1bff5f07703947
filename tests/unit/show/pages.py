"""Reading what was drawn: balanced tags, unique ids, well-formed, nothing loaded."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

VOID = {"meta", "input"}
SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """Collects elements and text, and checks that tags are balanced, ids unique."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        ids = [a["id"] for _, a in self.found if "id" in a]
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def check_static(text: str) -> Page:
    """A card: no script, no handler, nothing from elsewhere."""
    page = Page(text)
    assert {tag for tag, _ in page.found}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "embed"}
    )
    check_alone(text, page)
    return page


def check_alone(text: str, page: Page) -> None:
    """Nothing is loaded; the only address is the name of SVG's own language."""
    bare = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|\bsrc=|@import|url\(", bare)
    assert all(not name.startswith("on") for _, a in page.found for name in a)
    for tag, attributes in page.found:
        if tag == "a":
            assert (attributes["href"] or "").startswith("#")


def read_svg(text: str) -> ElementTree.Element:
    """A picture as XML: well-formed, with a title, a label, a size; without ids."""
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == root.get("aria-label")
    assert root.get("role") == "img"
    assert all("id" not in e.attrib for e in root.iter())
    assert "prefers-color-scheme:dark" in text
    return root


def drawn_texts(root: ElementTree.Element) -> list[str]:
    """The words of a picture."""
    return ["".join(e.itertext()) for e in root.iter(f"{SVG}text")]


def check_inside(root: ElementTree.Element) -> None:
    """Discs and texts begin inside the picture."""
    _, _, width, height = (float(v) for v in (root.get("viewBox") or "").split())
    for e in root.iter():
        for x, y in (("cx", "cy"), ("x", "y")):
            if x in e.attrib and e.tag != f"{SVG}g":
                assert -1 <= float(e.get(x, "0")) <= width + 1, e.attrib
                assert -1 <= float(e.get(y, "0")) <= height + 1, e.attrib


def check_no_overlap(root: ElementTree.Element) -> None:
    """No two texts lie on each other, by the width that letters have on average."""
    boxes = []
    for e in root.iter(f"{SVG}text"):
        told = "".join(e.itertext())
        wide = 5.6 * len(told)
        x, y = float(e.get("x", "0")), float(e.get("y", "0"))
        left = (
            x
            - wide
            * {"start": 0.0, "middle": 0.5, "end": 1.0}[e.get("text-anchor", "start")]
        )
        boxes.append((left, y - 9, left + wide, y, told))
    for k, a in enumerate(boxes):
        for b in boxes[:k]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (a[4], b[4])
