"""The frame of a report: style, the small script, what the page may not do."""

from __future__ import annotations

from polysched.show.markup import Html, element
from polysched.show.style import html_style

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_STYLE = """
body.ps{background:var(--bg);margin:0 auto;max-width:90rem;padding:1rem 1.5rem 4rem}
.ps h1{font-size:1.5rem;margin:.5rem 0}.ps h2{font-size:1.25rem;margin:2rem 0 .25rem}
.ps h3{font-size:1.05rem;margin:1.5rem 0 .25rem}
.ps h4{font-size:.95rem;margin:.9rem 0 .1rem}
.ps .tall{max-height:30rem;overflow:auto;border:1px solid var(--line)}
.ps .sortable thead th{position:sticky;top:0;background:var(--panel);z-index:1}
.ps .sortable td:first-child,.ps .sortable th:first-child{position:sticky;left:0;
background:var(--bg);z-index:1}
.ps .sortable thead th:first-child{background:var(--panel);z-index:2}
.ps .sortable td{white-space:nowrap;max-width:none}
.ps th button{font:inherit;font-weight:600;border:0;padding:0;cursor:pointer;
background:none;color:inherit}
.ps th[aria-sort=ascending] button::after{content:" \\2191"}
.ps th[aria-sort=descending] button::after{content:" \\2193"}
.ps .figures{display:flex;flex-wrap:wrap;gap:1rem 2rem;align-items:flex-start}
.ps .figures figure{margin:.25rem 0;min-width:0;max-width:100%}
.ps details>.inside{padding:.1rem 0 .8rem 1rem;border-left:2px solid var(--line)}
.ps details:target>summary{background:var(--hot)}
.ps .scripted{display:none}.ps.js .scripted{display:block}
.ps input{font:inherit;color:inherit;background:var(--panel);
border:1px solid var(--line);border-radius:4px;padding:.1rem .4rem}
@media print{.ps .tall{max-height:none}}
"""

_SCRIPT = """
document.body.classList.add("js");
document.querySelectorAll("table.sortable").forEach(function (table) {
  var heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach(function (head, column) {
    head.querySelector("button").addEventListener("click", function () {
      var up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      var key = function (row) { return row.cells[column].dataset.value; };
      var rows = Array.from(table.tBodies[0].rows);
      rows.sort(function (a, b) {
        var x = key(a), y = key(b);
        if (x === "" || y === "") { return (x === "") - (y === ""); }
        var order = head.className === "text" ? (x < y ? -1 : x > y ? 1 : 0) : x - y;
        return up ? order : -order;
      });
      rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
    });
  });
});
document.querySelectorAll("input[data-filter]").forEach(function (box) {
  var table = box.closest("div").querySelector("table");
  box.addEventListener("input", function () {
    var words = box.value.toLowerCase().split(/\\s+/);
    Array.from(table.tBodies[0].rows).forEach(function (row) {
      var text = row.textContent.toLowerCase();
      row.hidden = !words.every(function (word) { return text.includes(word); });
    });
  });
});
function unfold() {
  var found = document.getElementById(location.hash.slice(1));
  if (found && found.tagName === "DETAILS") { found.open = true; }
}
window.addEventListener("hashchange", unfold);
unfold();
"""


def whole_page(title: str, content: Html) -> str:
    """A page with a title that loads nothing; its script is not needed to read it."""
    head = element(
        "head",
        Html('<meta charset="utf-8">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Html('<meta name="viewport" content="width=device-width">'),
        element("title", title),
        html_style(_STYLE),
    )
    body = element(
        "body",
        element("h1", title),
        content,
        element("script", Html(_SCRIPT)),
        class_="ps",
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"
