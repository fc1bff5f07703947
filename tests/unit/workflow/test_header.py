"""The comment above generated code is read back as it was written."""

from __future__ import annotations

from types import SimpleNamespace

from polysched.workflow import read_header
from polysched.workflow.header import header_lines

_TREE = '{ domain: "[n] -> { S0[i] : 0 <= i < n }" }'


def _schedule(**values):
    given = {"id": "0123456789", "objectives": ("OP", "IP"), "partition": "MAX"}
    return SimpleNamespace(**{**given, "script_text": "", "pins": (), **values})


def _comment(lines):
    first, *rest = lines
    return "\n".join(
        [f"    /* polysched: {first}", *(f"     * {r}" for r in rest), "     */", "{ }"]
    )


def test_header_is_read_back():
    lines = header_lines(_schedule(), "kernel", _TREE, "ranked 1 of 20")
    found = read_header(_comment(lines))
    assert found is not None
    assert (found.schedule, found.scop) == ("0123456789", "kernel")
    assert found.tree == _TREE
    assert found.lines == lines


def test_macros_are_read_back():
    lines = header_lines(_schedule(), "kernel", _TREE, macros=("-DMINI", "-DN=3"))
    found = read_header(_comment(lines))
    assert found is not None
    assert found.macros == "-DMINI -DN=3"


def test_header_behind_macros_is_found():
    lines = header_lines(_schedule(script_text="x(band=0)"), "kernel", _TREE)
    text = "#define ps_min(a, b) ((a) < (b) ? (a) : (b))\n" + _comment(lines)
    found = read_header(text)
    assert found is not None
    assert "script: x(band=0)" in found.lines


def test_other_comments_are_no_header():
    assert read_header("/* tree: { } */ for (;;) ;") is None
    assert read_header("/* polysched: schedule 12 of scop f */") is None
    assert read_header("") is None
