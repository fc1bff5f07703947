"""Markdown and the picture: ratios, losses, failures, escaped names."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from polysched.bench import (
    BenchReport,
    KernelReport,
    Ranking,
    Trial,
    bench_figure,
    bench_markdown,
)
from polysched.machine import Machine
from polysched.records import Failure, Measurement

SECONDS = {"gcc": 2.0, "polly": 1.0, "polly-fast": 0.5, "numpy": 0.25, "ours-1": 4.0,
           "ours-16": 0.4}  # fmt: skip
RANKING = Ranking(3, tuple((k, Trial(f"s{k}", k + 1.0, k + 2.0)) for k in range(3)))


def _report(**changes):
    results = {tool: Measurement((s,)) for tool, s in SECONDS.items()}
    results["ppcg-tile"] = Failure("mismatch", "y[3] is 1, expected `2`\nmore")
    own = {"ranking": RANKING.to_json()}
    kernel = KernelReport("a<b", "a.c", "main", "LARGE", results, rounds=1, own=own)
    machine = Machine.detect(calibrated=False)
    setting = {"threads": 2, "rounds": 1, "system": "toy"}
    return BenchReport((replace(kernel, **changes),), (), machine, setting)


def test_markdown_tells_ratios_and_marks_losses():
    lines = bench_markdown(_report()).splitlines()
    (row,) = (s for s in lines if s.startswith("| a<b LARGE |"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "a<b LARGE", "2 s", "polly", "2.00", "polly-fast", "4.00",
        "0.50", "5.00", "**0.25**", "2.50", "1.25", "0.62", "-",
    ]  # fmt: skip
    assert any("WRONG" in s for s in lines)
    assert "- a<b: ppcg-tile: mismatch, `y[3] is 1, expected '2'`" in lines
    assert "| a<b | 3 | 3 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 |" in lines
    for k, line in enumerate(lines):
        if set(line) <= set("|-: ") and line:
            assert line.count("|") == lines[k - 1].count("|") == lines[k + 1].count("|")


def test_who_may_reorder_is_beside_the_best_of_all_peers():
    times = {t: Measurement((s,)) for t, s in SECONDS.items()}
    results = times | {"ours-16-fast": Measurement((0.625,))}
    lines = bench_markdown(_report(results=results)).splitlines()
    heads = next(s for s in lines if s.startswith("| kernel | gcc |"))
    row = next(s for s in lines if s.startswith("| a<b LARGE |"))
    cells = dict(zip(heads.split(" | "), row.split(" | "), strict=True))
    assert cells["ours-16-fast x best peer |"] == "**0.80** |"
    assert cells["ours-16 x strict peer"] == "2.50"


def test_dense_kernels_stand_beside_a_product():
    assert "matrix product" not in bench_markdown(_report())
    times = {t: Measurement((s,)) for t, s in SECONDS.items()}
    dense = times | {"blas-gemm": Measurement((0.2,))}
    lines = bench_markdown(_report(results=dense)).splitlines()
    table = lines[lines.index("## Beside a matrix product") :]
    heads, _, row = [s for s in table if s.startswith("|")][:3]
    shares = dict(zip(heads.split(" | ")[1:], row.split(" | ")[1:], strict=True))
    assert (shares["polly"], shares["ours-1"]) == ("20%", "5%")


def test_loaded_and_failed_kernels_are_told():
    assert "| a<b LARGE* |" in bench_markdown(_report(foreign_cores=0.4))
    text = bench_markdown(_report(results={}, failure="no #pragma scop", own={}))
    assert "| a<b LARGE | not measured |" in text
    assert "The model's ranking" not in text


def test_picture_has_a_dot_for_each_right_result():
    root = ElementTree.fromstring(bench_figure(_report(foreign_cores=0.4)))
    space = "{http://www.w3.org/2000/svg}"
    dots = {
        str(title.text): float(circle.get("cx", "nan"))
        for circle in root.iter(f"{space}circle")
        if (title := circle.find(f"{space}title")) is not None
    }
    ratios = {tool: 2.0 / s for tool, s in SECONDS.items()}
    assert dots.keys() == {f"{tool} {ratio:.2f}" for tool, ratio in ratios.items()}
    ordered = sorted(dots, key=dots.__getitem__)
    assert [float(re.split(" ", t)[1]) for t in ordered] == sorted(ratios.values())
    assert "a<b*" in {str(t.text).strip() for t in root.iter(f"{space}text")}


def test_picture_of_nothing_is_a_picture():
    ElementTree.fromstring(bench_figure(_report(results={}, failure="no scop")))


def test_every_colour_stands_out_from_a_dark_page():
    picture = bench_figure(_report())
    style = picture[picture.index("<style>") : picture.index("</style>")]
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', picture))
    as_they_are = {"#b8a235"}  # light enough
    assert used - as_they_are
    for colour in used - as_they_are:
        assert f"[fill='{colour}']" in style
