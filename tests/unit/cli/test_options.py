"""Flags: sizes, compiler options, and what the preprocessor sees of them."""

from __future__ import annotations

import click
import pytest

from polysched.base import PolyschedError
from polysched.cli import main
from polysched.cli.options import Common, Flags, preprocessor_part
from polysched.cli.running import Running
from polysched.space import SpaceOptions


def _running(*extra, **values):
    given = {"sources": (), "libs": (), "build": None, "args": ()}
    return Running(**{**given, "stdin": None, **values}, extra=extra)


def test_macros_among_the_compiler_options_reach_the_preprocessor():
    flags = ("-O3", "-DN=4", "-I", "inc", "-std=c11", "-U", "M", "-march=native")
    assert preprocessor_part(flags) == ("-DN=4", "-I", "inc", "-std=c11", "-U", "M")


def test_preprocessor_flags_join_all_sources():
    common = Common("a.c", include=("x",), define=("N=1",), cflags=("-O2", "-DM"))
    assert common.preprocessor_flags == ("-Ix", "-DN=1", "-DM")


def test_flags_are_split_as_a_shell_would():
    assert Flags().convert("-O2 '-DA=\"x y\"'", None, None) == ("-O2", '-DA="x y"')
    with pytest.raises(click.BadParameter, match="cannot split"):
        Flags().convert("-O2 '", None, None)


@pytest.mark.parametrize("word", ["N", "N=", "N=x", "=3", "1N=3"])
def test_malformed_size_is_a_usage_error(word, tmp_path, capsys):
    path = tmp_path / "a.c"
    path.write_text("")
    assert main(["space", str(path), "--param", word]) == 2
    assert "expected NAME=INTEGER" in capsys.readouterr().err


def test_time_limit_is_that_of_the_library():
    assert Common("a.c").timeout == SpaceOptions().seconds
    assert Common("a.c").policy == SpaceOptions().policy


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
@pytest.mark.parametrize("option", ["--timeout", "--run-timeout"])
def test_time_limit_must_be_positive(option, seconds, tmp_path, capsys):
    path = tmp_path / "a.c"
    path.write_text("")
    words = ["tune", str(path), "-o", "b.c", option, seconds]
    assert main(words) == 2
    assert "more than 0 seconds" in capsys.readouterr().err


def test_words_behind_the_dashes_are_sorted_by_kind(tmp_path):
    files = {n: tmp_path / n for n in ("b.c", "c.o", "d.a")}
    for path in files.values():
        path.write_text("")
    words = [str(p) for p in files.values()]
    running = _running(*words, "-lblas", "-Llib", libs=("z",))
    tools = running.toolchain(Common("a.c"))
    assert tools.extra_sources == (words[0],)
    assert tools.objects == (words[1], words[2])
    assert tools.libs == ("-lz", "-lblas", "-Llib", "-lm")
    assert running.inputs == tuple(words)


def test_missing_file_behind_the_dashes_is_refused():
    with pytest.raises(PolyschedError, match="no such file"):
        _running("none.c").toolchain(Common("a.c"))


def test_unknown_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "b.f90"
    path.write_text("")
    with pytest.raises(PolyschedError, match="cannot tell what"):
        _running(str(path)).toolchain(Common("a.c"))


def test_compiler_option_behind_the_dashes_is_a_usage_error():
    with pytest.raises(click.UsageError, match="--cflags"):
        _running("-O2").toolchain(Common("a.c"))


def test_threads_default_to_the_cores():
    common = Common("a.c", param={"n": 5}, seed=3)
    options = _running().run_options(common, 4)
    assert (options.threads, options.seed, dict(options.parameters)) == (4, 3, {"n": 5})
    single = Common("a.c", threads=1)
    assert _running().run_options(single, 4).threads == 1


@pytest.mark.parametrize(
    ("policy", "seeded"),
    [
        ("random", "random:7"),
        ("balanced+random/4", "balanced+random:7/4"),
        ("random:3", "random:3"),
        ("my_random.py:random", "my_random.py:random"),
        ("balanced", "balanced"),
    ],
)
def test_a_seed_is_that_of_random_policies(policy, seeded):
    assert Common("a.c", policy=policy, seed=7).seeded_policy == seeded
    assert Common("a.c", policy=policy).seeded_policy == policy


@pytest.mark.parametrize(
    "words",
    [
        ["space", "--gpu", "h100"],
        ["space", "--bulk"],
        ["tune", "-o", "b.c", "--device", "gpu"],
        ["tune", "-o", "b.c", "--time", "region"],
        ["optimize", "-o", "b.c", "--fallback", "none"],
    ],
)
def test_options_of_kernels_are_refused_without_kernels(words, tmp_path, capsys):
    path = tmp_path / "a.c"
    path.write_text("")
    assert main([words[0], str(path), *words[1:]]) == 2
    assert "is for --target cuda" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--policy", "--pin", "--machine", "--gpu"])
def test_check_takes_no_option_of_spaces(option, tmp_path, capsys):
    path = tmp_path / "a.c"
    path.write_text("")
    assert main(["check", str(path), str(path), option, "minimal"]) == 2
    assert f"no such option '{option}'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["explain", "optimize", "tune"])
def test_an_empty_id_is_no_schedule(command, tmp_path, capsys):
    path = tmp_path / "a.c"
    path.write_text("")
    out = [] if command == "explain" else ["-o", "b.c"]
    assert main([command, str(path), *out, "--schedule", ""]) == 2
    assert "found no id" in capsys.readouterr().err
