"""The widget in JupyterLab itself: what it shows follows clicks, and the theme.

`test_widget.py` works its parts in Python; whether they reach a page, with styles that
stay readable among JupyterLab's own, is seen only there.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from polysched.show.style import DARK, LIGHT
from tests.unit.show.lab import BROWSER, DRIVER, open_lab

MISSING = [
    name
    for name, found in (
        ("JupyterLab", importlib.util.find_spec("jupyterlab")),
        ("ipywidgets", importlib.util.find_spec("ipywidgets")),
        ("chromium", BROWSER),
        ("chromedriver", DRIVER),
    )
    if not found
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.cc,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
GEMM = Path(__file__).parents[3] / "examples" / "gemm.c"
CELLS = (
    "import polysched as ps\n"
    "from polysched import show\n"
    f"program = ps.parse_c({str(GEMM)!r}, flags=('-DSMALL',))\n"
    "space = ps.build_space(program, policy='minimal', seconds=60)\n"
    "browser = show.browse(space)\n"
    "browser",
    "space",
)
CHOICES = "document.querySelectorAll('.widget-select option').length"
SEEN = "document.querySelector('.jp-OutputArea-output .widget-tab .ps')"
COUNT = "document.querySelector('.jp-OutputArea-output .widget-html .ps').innerText"
FILTER = """
const box = document.querySelector('.widget-text input');
box.focus();
box.value = 'depth < 0';
box.dispatchEvent(new Event('input', {bubbles: true}));
box.dispatchEvent(new Event('change', {bubbles: true}));
box.blur();
"""
CHOOSE = """
const list = document.querySelector('.widget-select select');
list.selectedIndex = 1;
list.dispatchEvent(new Event('input', {bubbles: true}));
list.dispatchEvent(new Event('change', {bubbles: true}));
return list.options[1].textContent.split(/\\s/)[0];
"""


def _colours(page):
    return page.run(
        f"const s = getComputedStyle({SEEN}); return [s.color, s.backgroundColor];"
    )


def _rgb(colour):
    return f"rgb({', '.join(str(int(colour[k : k + 2], 16)) for k in (1, 3, 5))})"


def _keep_picture(page, name):
    """For a person to look at, where one says into which directory."""
    if directory := os.environ.get("POLYSCHED_PICTURES"):
        page.save_picture(Path(directory) / f"jupyterlab-{name}.png")


def test_widget_follows_clicks_and_theme(tmp_path):
    with open_lab(tmp_path, CELLS) as page:
        page.command("notebook:run-all-cells")
        page.wait(f"{CHOICES} > 1")
        page.wait(SEEN)
        assert "schedules" in page.run(f"return {COUNT};")
        chosen = page.run(CHOOSE)
        page.wait(f"{SEEN}.innerText.includes({chosen!r})")
        for theme, palette in (("Light", LIGHT), ("Dark", DARK)):
            page.command("apputils:change-theme", theme=f"JupyterLab {theme}")
            is_light = "true" if theme == "Light" else "false"
            page.wait(f"document.body.dataset.jpThemeLight === '{is_light}'")
            _keep_picture(page, theme.lower())
            assert _colours(page) == [_rgb(palette["fg"]), _rgb(palette["bg"])]
        page.run(FILTER)
        page.wait(f"{COUNT}.startsWith('0 of ')")
        page.wait(f"{CHOICES} === 0")
        assert page.complaints() == []
