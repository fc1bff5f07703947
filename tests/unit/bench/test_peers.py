"""What is installed is found out by trying; what is not has a reason."""

from __future__ import annotations

import os

import pytest

from polysched.bench import PEERS, detect_peers, select_tools

pytestmark = pytest.mark.cc

NO_POLLY = """\
#!/bin/sh
case "$*" in
  *polly*) echo "clang: error: unknown argument '-polly'" >&2; exit 1;;
  --version) echo "toy clang 9"; exit 0;;
esac
exec gcc "$@"
"""


def _found(*words):
    return {f.peer.name: f for f in detect_peers(select_tools(words)[0])}


def test_a_clang_without_polly_is_a_clang(tmp_path, monkeypatch):
    clang = tmp_path / "clang"
    clang.write_text(NO_POLLY)
    clang.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    found = _found("clang", "polly", "polly-early")
    assert (found["clang"].absent, found["clang"].version) == ("", "toy clang 9")
    for name in ("polly", "polly-early"):
        assert found[name].absent.startswith("it does not take its options")
        assert "unknown argument '-polly'" in found[name].absent
        assert found[name].to_json()["present"] is False


def test_nothing_on_the_path_leaves_numpy(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {f.peer.name: f for f in detect_peers(PEERS)}
    assert [n for n, f in found.items() if not f.absent] == ["numpy", "blas-gemm"]
    assert found["gcc"].absent == "no gcc on the PATH"
    assert found["pluto-tile"].absent == "no polycc on the PATH"
    assert found["numpy"].version.startswith("NumPy ")


def test_a_version_is_told_whatever_the_exit_status(tmp_path, monkeypatch):
    tool = tmp_path / "polycc"
    tool.write_text("#!/bin/sh\necho; echo toy 1.3\ntouch litter\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
    monkeypatch.chdir(tmp_path)
    found = _found("pluto-tile")["pluto-tile"]
    assert (found.absent, found.version) == ("", "toy 1.3")
    assert not (tmp_path / "litter").exists()


def test_a_version_is_not_that_of_a_library(tmp_path, monkeypatch):
    tool = tmp_path / "ppcg"
    tool.write_text("#!/bin/sh\necho clang version 14\necho pet-0.11\necho ppcg-0.9\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
    assert _found("ppcg-tile")["ppcg-tile"].version == "ppcg-0.9"


def test_command_lines_are_recorded():
    (found,) = detect_peers(select_tools(("gcc-fast",))[0])
    data = found.to_json()
    assert data["present"] is True
    assert data["cflags"] == "-O3 -march=native -ffast-math"
    assert "gcc" in str(data["version"])
