"""Help is quick, errors are one message with a hint, and exit codes are kept."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from polysched.base import PolyschedError, SourceLocation
from polysched.cli import main
from polysched.cli.app import app

_COMMANDS = (
    "inspect", "space", "explain", "optimize", "tune", "check", "bench", "machine",
)  # fmt: skip


@pytest.fixture
def failing(monkeypatch):
    """A command that raises what the test gives it."""

    def install(error):
        @click.command("fail")
        @click.option("-v", "--verbose", count=True)
        def command(verbose):
            raise error

        get = app.get_command
        monkeypatch.setattr(
            app, "get_command", lambda c, n: command if n == "fail" else get(c, n)
        )

    return install


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in _COMMANDS)


def test_help_imports_neither_isl_nor_numpy():
    code = (
        "import sys; from polysched.cli import main; main(['--help']);"
        "print([m for m in ('islpy', 'numpy', 'rich', 'pulp') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("[]")


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_has_help(name, capsys):
    assert main([name, "--help"]) == 0
    assert f"polysched {name}" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("polysched ")


def test_no_command_shows_the_help_and_is_a_usage_error(capsys):
    assert main([]) == 2
    assert "Commands" in capsys.readouterr().err


def test_unknown_command_is_a_usage_error(capsys):
    assert main(["tone"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("polysched: error: ")
    assert "tone" in err
    assert "hint: see polysched --help" in err


def test_error_shows_place_caret_and_hint(failing, capsys):
    where = SourceLocation("a.c", 3, 5, "  while (1)")
    failing(PolyschedError("found while", where=where, hint="use for"))
    assert main(["fail"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "polysched: error: a.c:3:5: found while",
        "      while (1)",
        "        ^",
        "hint: use for",
    ]


def test_bug_is_named_as_one_and_shows_no_traceback(failing, capsys):
    failing(ZeroDivisionError("division by zero"))
    assert main(["fail"]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in err
    assert "this is a bug in polysched, rerun with -vv for the traceback" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("flags", [["-vv"], ["-v", "-v"]])
def test_twice_verbose_shows_the_traceback(failing, capsys, flags):
    failing(ZeroDivisionError("division by zero"))
    assert main(["fail", *flags]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupt_says_that_the_work_can_be_resumed(failing, capsys):
    failing(KeyboardInterrupt())
    assert main(["fail"]) == 130
    assert "goes on where it was stopped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shell", "status", "told"),
    [
        (">/dev/full", 1, "cannot write standard output: No space left on device"),
        (">&-", 0, ""),
    ],
)
def test_standard_output_that_takes_nothing(shell, status, told):
    command = f'"{sys.executable}" -m polysched --help {shell}'
    done = subprocess.run(
        ["sh", "-c", command], stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr
