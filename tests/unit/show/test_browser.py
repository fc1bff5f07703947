"""Reports in a real browser: no console errors, both colour schemes, sorting works."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.show import to_html, tuned_report
from polysched.show.style import DARK, LIGHT
from tests.unit.show.made import program_space, tuned_gemm
from tests.unit.space.made import gemm_space

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next((path for name in _NAMES if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason=f"no browser on the PATH: {', '.join(_NAMES)}"
)

_CLICKS = """<script>
var heads = Array.from(document.querySelectorAll("table.sortable th"));
var rows = function () {
  return Array.from(document.querySelectorAll("table.sortable tbody tr"));
};
var ids = function (found) {
  return found.map(function (r) { return r.cells[0].textContent; }).join(" ");
};
heads[0].querySelector("button").click();
var up = ids(rows());
heads[0].querySelector("button").click();
var down = ids(rows());
var box = document.querySelector("input[data-filter]");
box.value = "tile";
box.dispatchEvent(new Event("input"));
var left = ids(rows().filter(function (r) { return !r.hidden; }));
location.hash = "#s0-" + down.split(" ")[0];
unfold();
document.title = [up, down, left].join("|");
</script>"""


def _browse(
    tmp_path: Path, page: Path, *flags: str
) -> subprocess.CompletedProcess[str]:
    """Open a page without a screen; what the browser says is checked."""
    assert BROWSER is not None
    done = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}",
            *flags,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert said == []
    return done


def _rows(png: Path) -> list[bytes]:
    """The lines of a picture, still filtered; the first pixel of the first is plain."""
    data = png.read_bytes()
    width = int.from_bytes(data[16:20], "big")
    n_channels = {2: 3, 6: 4}[data[25]]
    packed, at = b"", 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + size]
        at += 12 + size
    raw = zlib.decompress(packed)
    step = 1 + width * n_channels
    return [raw[k : k + step] for k in range(0, len(raw), step)]


@pytest.mark.parametrize(("scheme", "colours"), [(1, LIGHT), (0, DARK)])
def test_report_is_drawn_in_the_readers_colours(
    tmp_path: Path, scheme: int, colours: dict[str, str]
) -> None:
    page, shot = tmp_path / "report.html", tmp_path / "shot.png"
    page.write_text(tuned_report([tuned_gemm()]), encoding="utf-8")
    _browse(
        tmp_path,
        page,
        f"--blink-settings=preferredColorScheme={scheme}",
        f"--screenshot={shot}",
        "--window-size=1200,1600",
    )
    rows = _rows(shot)
    assert rows[0][1:4].hex() == colours["bg"].removeprefix("#")
    assert len(set(rows)) > 400  # an empty page has two kinds of lines


def test_table_sorts_filters_and_leads_to_details(tmp_path: Path) -> None:
    space = program_space()
    page = tmp_path / "space.html"
    text = space.to_html().replace("</body>", f"{_CLICKS}</body>")
    page.write_text(text, encoding="utf-8")
    found = _browse(tmp_path, page, "--dump-dom").stdout
    title = found.split("<title>")[1].split("</title>")[0]
    up, down, left = title.split("|")
    ids = sorted(s.id for s in space)
    assert up.split() == ids
    assert down.split() == ids[::-1]
    tiled = {s.id for s in space if s.facts["is_tiled"]}
    assert set(left.split()) == tiled
    assert f'id="s0-{ids[-1]}" open' in found


def test_cards_and_large_spaces_are_drawn(tmp_path: Path) -> None:
    space = gemm_space()  # knows no program: printing the code would take most time
    many = [
        replace(s, id=f"{k:03}{s.id[:7]}", predicted_seconds=0.01 * (k + 1))
        for k in range(29)
        for s in space
    ]
    large = space.with_schedules(many, ())
    text = large.to_html()
    assert len(text.encode()) < 3_000_000
    page, shot = tmp_path / "large.html", tmp_path / "shot.png"
    page.write_text(
        text.replace("<h1>", to_html(program_space().variant()) + "<h1>"), "utf-8"
    )
    _browse(tmp_path, page, f"--screenshot={shot}", "--window-size=1200,4000")
    assert len(set(_rows(shot))) > 800
