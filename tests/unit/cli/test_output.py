"""Outputs are written whole or not at all, and never over an input."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from polysched.base import PolyschedError, is_special
from polysched.cli.output import (
    Outputs,
    check_output,
    one_or_all,
    print_json,
    write_output,
)


def test_output_equal_to_input_is_refused(tmp_path):
    path = tmp_path / "a.c"
    path.write_text("int x;")
    with pytest.raises(PolyschedError, match="inputs are never changed"):
        check_output(str(path), [str(path)])


def test_output_that_is_a_link_to_the_input_is_refused(tmp_path):
    path = tmp_path / "a.c"
    path.write_text("int x;")
    (tmp_path / "soft.c").symlink_to(path)
    os.link(path, tmp_path / "hard.c")
    for name in ("soft.c", "hard.c"):
        with pytest.raises(PolyschedError, match="never changed"):
            check_output(str(tmp_path / name), [str(path)])


def test_output_in_a_missing_directory_is_refused(tmp_path):
    with pytest.raises(PolyschedError, match="does not exist"):
        check_output(str(tmp_path / "no" / "b.c"), [])


def test_output_that_is_a_directory_is_refused(tmp_path):
    with pytest.raises(PolyschedError, match="is a directory"):
        check_output(str(tmp_path), [])


def test_stdout_is_always_accepted():
    check_output("-", ["-"])


def test_writing_replaces_the_file_and_keeps_its_mode(tmp_path):
    path = tmp_path / "b.c"
    path.write_text("old")
    path.chmod(0o640)
    write_output(str(path), b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["b.c"]


def test_new_file_has_the_usual_mode(tmp_path):
    path = tmp_path / "c.c"
    write_output(str(path), b"x")
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_writing_through_a_link_replaces_its_target(tmp_path):
    path = tmp_path / "real.c"
    path.write_text("old")
    link = tmp_path / "link.c"
    link.symlink_to(path)
    write_output(str(link), b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_device_code_of_an_earlier_run_goes_and_other_files_stay(tmp_path):
    outputs = Outputs.of(str(tmp_path / "a.cu"), "cuda")
    outputs.write(b"calls it", 'extern "C" void ps_scop_kernel(void)\n{\n}\n')
    assert sorted(os.listdir(tmp_path)) == ["a.c", "a.cu"]
    outputs.write(b"on the processor", "")
    assert os.listdir(tmp_path) == ["a.c"]
    (tmp_path / "a.cu").write_text("__global__ void mine() {}")
    outputs.write(b"on the processor", "")
    assert sorted(os.listdir(tmp_path)) == ["a.c", "a.cu"]


def test_json_has_no_infinities(capsys):
    print_json({"a": float("inf"), "b": [float("nan"), 1.5], "c": (1, 2)})
    assert json.loads(capsys.readouterr().out) == {
        "a": None,
        "b": [None, 1.5],
        "c": [1, 2],
    }


def test_one_value_stands_alone_and_several_in_a_list():
    assert one_or_all("scops", [{"a": 1}]) == {"a": 1}
    assert one_or_all("scops", [{"a": 1}, {"a": 2}]) == {"scops": [{"a": 1}, {"a": 2}]}


def test_pipes_and_devices_are_written_to_and_stay(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    check_output(str(pipe), [])
    write_output(str(pipe), b"text")
    assert reader.communicate(timeout=20)[0] == b"text"
    assert is_special(pipe)
    assert [p.name for p in tmp_path.iterdir()] == ["pipe"]
