"""The command group, and how every error becomes one message and an exit status."""

from __future__ import annotations

import atexit
import contextlib
import errno
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from polysched.base import ConflictError, PinError, PolyschedError

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

_STOPS: list[int] = []  # signals that came
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF}  # of standard output
_COMMANDS = {
    "inspect": "Show what a file's scops are: statements, dependences, features.",
    "space": "Build the space of legal schedules and list it.",
    "explain": "Say why a schedule is what it is.",
    "optimize": "Rewrite a file with the schedule that the model ranks first.",
    "explore": "Walk through the space in the terminal, measuring on the way.",
    "tune": "Measure the best-ranked schedules, check them, write the winner.",
    "check": "Prove that one file is a legal re-ordering of another.",
    "bench": "Measure kernels side by side with installed peers.",
    "database": "Build, show and ask the database that chooses objectives.",
    "machine": "Show what was detected of this machine, or measure it.",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of a user's work."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None when there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"polysched.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="polysched", message="polysched %(version)s")
def app() -> None:
    """Small spaces of legal loop schedules for C, measured and verified.

    Mark a loop nest with '#pragma scop' and '#pragma endscop', then start with

        polysched tune FILE.c -o OUT.c
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    began = time.monotonic()  # imports of a command count, see --timeout
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - closed by a shell
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    try:
        status = app.main(
            words, prog_name="polysched", standalone_mode=False, obj=began
        )
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.UsageError as error:
        return _report_usage(error)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped", "the same command goes on where it was stopped")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - nobody reads on
        return FAILED
    except (ConflictError, PinError) as error:
        _report(error, words)
        return USAGE  # what was asked for cannot be, however often it is tried
    except (PolyschedError, click.ClickException) as error:
        return _report(error, words)
    except OSError as error:
        if error.errno not in _FULL or error.filename is not None:
            return _report_bug(error, words)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - nothing more fits
        _complain(f"cannot write standard output: {error.strerror}")
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last place to catch anything
        return _report_bug(error, words)
    return int(status or DONE)


def run() -> NoReturn:
    """The process of a command line: run it, and end at once."""
    try:
        _prepare_process()
        status = main()
    except KeyboardInterrupt:
        status = INTERRUPTED
    leave(INTERRUPTED if _STOPS else status)


def _prepare_process() -> None:
    """Leave nothing behind, whatever ends the process but a kill."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        for number in signals:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup does
                signal.signal(number, _stop)
        with contextlib.suppress(OSError):  # whoever needs a directory says so
            scratch = tempfile.mkdtemp(prefix="polysched-")
            atexit.register(shutil.rmtree, scratch, ignore_errors=True)
            # what is interrupted while it makes a directory leaves that behind
            tempfile.tempdir = os.environ["TMPDIR"] = scratch
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop(number: int, _: object) -> NoReturn:
    """Clean up as after an interrupt; a second signal ends the process at once."""
    signal.signal(number, signal.SIG_DFL)
    _STOPS.append(number)  # isl loses what is raised in its callbacks
    raise KeyboardInterrupt


def leave(status: int) -> NoReturn:
    """End the process as at its regular end, but wait for no thread.

    A solver that does not stop would hold it up; and tearing down what isl has in
    memory takes time in which a user sees nothing happen.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    atexit._run_exitfuncs()
    os._exit(status)


def _report(error: Exception, words: list[str]) -> int:
    """A refusal or a failure that the user can do something about."""
    if _is_verbose(words):
        traceback.print_exception(error)
    message = getattr(error, "message", "") or str(error)
    if isinstance(error, PolyschedError):
        message = str(error)
    _complain(message)
    return FAILED


def _report_usage(error: click.UsageError) -> int:
    path = error.ctx.command_path if error.ctx is not None else "polysched"
    _complain(_lower_first(error.format_message()), f"see {path} --help")
    return USAGE


def _report_bug(error: Exception, words: list[str]) -> int:
    if _is_verbose(words):
        traceback.print_exception(error)
    what = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    again = "" if _is_verbose(words) else ", rerun with -vv for the traceback"
    _complain(f"unexpected {what}", f"this is a bug in polysched{again}")
    return FAILED


def _is_verbose(words: list[str]) -> bool:
    options = words[: words.index("--")] if "--" in words else words
    return "-vv" in options or options.count("-v") + options.count("--verbose") > 1


def _complain(message: str, hint: str = "") -> None:
    click.echo(f"polysched: error: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)


def _lower_first(text: str) -> str:
    text = text.rstrip(".")
    return text[:1].lower() + text[1:]
