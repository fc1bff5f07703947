"""Where results go: standard output, or a file that is replaced in one step."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from polysched.base import PolyschedError, is_special, write_whole
from polysched.codegen.cuda import is_device_code
from polysched.workflow.device import device_pair

STDOUT = "-"


def print_json(value: object) -> None:
    """Print a value as indented JSON; infinities and not-a-numbers become null."""
    click.echo(json.dumps(_finite(value), indent=2, allow_nan=False))


def one_or_all(key: str, values: list[dict[str, object]]) -> dict[str, object]:
    """The contract's object: the only value itself, or ``{key: [...]}`` of several."""
    return values[0] if len(values) == 1 else {key: values}


def check_output(path: str, inputs: Iterable[str]) -> None:
    """Refuse, before any work, an output that cannot or must not be written.

    Raises
    ------
    PolyschedError
        If it is one of the inputs, a directory, or in a directory that is missing or
        not writable.
    """
    if path == STDOUT:
        return
    target = Path(os.path.realpath(path))
    for name in inputs:
        if os.path.realpath(name) == str(target) or _is_same(name, path):
            raise PolyschedError(
                f"the output {path!r} is an input, {name!r}: inputs are never changed",
                hint="name another file with -o",
            )
    if target.is_dir():
        raise PolyschedError(f"the output {path!r} is a directory, expected a file")
    if not target.parent.is_dir():
        raise PolyschedError(
            f"the output's directory {str(Path(path).parent)!r} does not exist",
            hint="create it first",
        )
    if is_special(target):
        if not os.access(target, os.W_OK):
            raise PolyschedError(f"cannot write to {path!r}")
    elif not os.access(target.parent, os.W_OK):
        raise PolyschedError(f"cannot write to the directory {str(target.parent)!r}")


def write_output(path: str, content: bytes) -> None:
    """Write a whole file or nothing; ``-`` is standard output."""
    if path == STDOUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        write_whole(path, content)
    except OSError as error:
        raise PolyschedError(f"cannot write {path!r}: {error.strerror}") from error


@dataclass(frozen=True)
class Outputs:
    """Where a program goes: one file, or a C file and a device file beside it.

    Attributes
    ----------
    program : str
        The C file; ``-`` for standard output.
    device : str
        The CUDA file; empty where the program is for the processor.
    """

    program: str
    device: str = ""

    @classmethod
    def of(cls, output: str, target: str) -> Outputs:
        """The names that follow from what ``-o`` says."""
        if target != "cuda":
            return cls(output)
        if output == STDOUT:
            raise click.UsageError(
                "--target cuda writes two files, a C file and a CUDA file: name one of "
                "them with -o, standard output holds only one"
            )
        return cls(*device_pair(output))

    @property
    def files(self) -> tuple[str, ...]:
        """The names of what is written to disk."""
        names = (self.program, self.device)
        return tuple(n for n in names if n and n != STDOUT)

    def check(self, inputs: Iterable[str]) -> None:
        """Refuse, before any work, what cannot or must not be written."""
        files = tuple(inputs)
        check_output(self.program, files)
        if self.device:
            check_output(self.device, files)

    def write(self, content: bytes, device: str) -> None:
        """Write the program, and the device's file where there is code for it.

        Without code for it, a device file that an earlier run left is removed: it
        would be built together with a program that does not call it.
        """
        write_output(self.program, content)
        if device:
            write_output(self.device, device.encode("utf-8", "surrogateescape"))
        elif self.device:
            _remove_device_code(Path(self.device))

    def to_json(self) -> dict[str, str]:
        """The names of the files, as ``--json`` tells them."""
        device = {"device_output": self.device} if self.device else {}
        return {"output": self.program, **device}

    def place(self, target: str) -> str:
        """Where a variant went, for a message."""
        if self.program == STDOUT:
            return "standard output"
        if target == "cuda":
            return f"{self.program} and {self.device}"
        return self.program


def _remove_device_code(path: Path) -> None:
    """Remove a file that holds device code of ours; any other one stays."""
    try:
        ours = is_device_code(path.read_text("utf-8", "surrogateescape"))
        if ours:
            path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise PolyschedError(
            f"cannot remove {str(path)!r}, device code of an earlier run: "
            f"{error.strerror}"
        ) from error


def _is_same(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value
