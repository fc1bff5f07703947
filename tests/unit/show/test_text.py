"""Markup, code in colour, trees as lists: nothing lost, everything escaped."""

from __future__ import annotations

from polysched.ir import original_tree
from polysched.show.highlight import highlight, side_by_side
from polysched.show.markup import Html, details, element, fields, table
from polysched.show.tree import tree_html
from tests.unit import scops
from tests.unit.show.pages import Page
from tests.unit.space.made import gemm_space

SOURCE = """\
#pragma omp parallel for /* not a \\
   comment */
for (int i = 0; i < n; i++) /* two
   lines */
  A[i] = 1.5e-3 * x("a < \\"b\\" && c") // end
"""


def test_attributes_and_content_are_escaped() -> None:
    found = element("a", "<", Html("<b></b>"), title='"&', hidden=True, lang=None)
    assert found == '<a title="&quot;&amp;" hidden>&lt;<b></b></a>'


def test_bytes_that_are_no_text_do_not_end_a_page() -> None:
    assert element("p", "caf\udce9") == "<p>caf?</p>"


def test_tables_and_details() -> None:
    found = table(("name", "n"), [("<a>", 1)], numbers=(1,), caption="c")
    page = Page(found + fields({"k": "v"}) + details("more", "text", is_open=True))
    assert page.words == ["c", "name", "n", "<a>", "1", "k", "v", "more", "text"]
    assert [c.get("class") for c in page.all("td")][:2] == [None, "n"]
    assert "open" in page.all("details")[0]


def test_highlighted_code_keeps_every_character_and_line() -> None:
    page = Page(highlight(SOURCE))
    lines = [a for a in page.all("span") if a["class"] == "l"]
    assert len(lines) == SOURCE.count("\n")
    assert "".join(page.words) == SOURCE.replace("\n", "")
    kinds = {a["class"] for a in page.all("span")}
    assert {"k", "t", "c", "p", "s", "d"} <= kinds


def test_comments_of_several_lines_are_in_colour_on_each() -> None:
    comments = highlight("/* a\nb */ x\n").count('class="c"')
    assert comments == 2


def test_two_texts_stand_side_by_side() -> None:
    page = Page(side_by_side(highlight("a;"), highlight("b;"), ("<one>", "two")))
    assert page.words == ["<one>", "a;", "two", "b;"]
    assert len(page.all("figure")) == 2


def test_trees_tell_bands_marks_flags_and_statements() -> None:
    space = gemm_space()
    tiled = next(s for s in space if len(s.script) == 2)
    page = Page(tree_html(tiled.tree, space.scop))
    kinds = [a["class"] for a in page.all("span") if "kind" in (a["class"] or "")]
    assert kinds == [
        f"kind {k}" for k in ("domain", "band", "band", "sequence", "leaf", "leaf")
    ]
    words = page.text
    for told in ("tile", "parallel", "coincident", "permutable", "by 32", "S"):
        assert told in words


def test_trees_tell_sequences_and_their_parts() -> None:
    page = Page(tree_html(original_tree(scops.jacobi_1d())))
    kinds = [a["class"] for a in page.all("span") if "kind" in (a["class"] or "")]
    assert kinds.count("kind sequence") == 1
    assert kinds.count("kind leaf") == 2
