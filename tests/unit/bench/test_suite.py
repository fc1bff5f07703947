"""Which files a command line names."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.base import PolyschedError
from polysched.bench import PEERS, find_kernels, select_tools

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_default_is_the_whole_first_suite():
    found = find_kernels(())
    assert len(found) == len(list((EXAMPLES / "polybench").glob("*.c")))
    assert {f.size for f in found} == {""}


def test_kernels_by_name_or_path_at_every_size():
    path = str(EXAMPLES / "gemm.c")
    found = find_kernels((path, "atax", "life"), (), ("MINI", "SMALL"))
    assert [(f.name, f.size) for f in found] == [
        ("gemm", "MINI"), ("atax", "MINI"), ("life", "MINI"),
        ("gemm", "SMALL"), ("atax", "SMALL"), ("life", "SMALL"),
    ]  # fmt: skip
    assert found[0].path == path


def test_a_directory_is_a_suite(tmp_path):
    (tmp_path / "b.c").write_text("")
    (tmp_path / "a.c").write_text("")
    found = find_kernels((), (str(tmp_path),))
    assert [f.name for f in found] == ["a", "b"]


@pytest.mark.parametrize(
    ("kernels", "suites", "text"),
    [
        (("no-such",), (), "no kernel 'no-such'"),
        ((), ("no-such",), "no suite 'no-such'"),
    ],
)
def test_what_is_not_there_is_refused(kernels, suites, text):
    with pytest.raises(PolyschedError, match=text):
        find_kernels(kernels, suites)


def test_an_empty_suite_is_refused(tmp_path):
    with pytest.raises(PolyschedError, match="found no C files"):
        find_kernels((), (str(tmp_path),))


def test_tools_are_chosen_by_name_or_family():
    peers, own = select_tools(())
    usual = tuple(p for p in PEERS if not p.is_tuned)
    assert (peers, own) == (usual, ("strict", "reassociate"))
    peers, own = select_tools(("gcc", "ppcg"))
    assert [p.name for p in peers] == [
        "gcc",
        *("ppcg-tile", "ppcg-tile-fast", "ppcg-notile", "ppcg-notile-fast"),
    ]
    assert own == ()
    assert select_tools(("ours",)) == ((), ("strict",))
    assert select_tools(("ours-fast",)) == ((), ("reassociate",))
    with pytest.raises(PolyschedError, match="no tool named 'icc'"):
        select_tools(("icc",))
