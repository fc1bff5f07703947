"""What is asked of PyTorch: tracing a module, and where in it a line is.

PyTorch is imported when a module is given: nothing here needs it otherwise.
"""

from __future__ import annotations

import importlib
import linecache
import re
import warnings
from collections.abc import Callable
from typing import Any

from polysched.base import FrontendError, PolyschedError, SourceLocation

# composite operators that are written as they are: what they decompose to reshapes
# back and forth around a product of matrices
_KEPT = ("linear.default", "matmul.default", "einsum.default", "roll.default",
         "scaled_dot_product_attention.default")  # fmt: skip
_FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+), in .*\n\s*(?P<text>.*)')


def import_torch() -> Any:
    """PyTorch's module.

    Raises
    ------
    PolyschedError
        If it is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise PolyschedError(
            "PyTorch is not installed",
            hint="pip install 'polysched[torch]', or PyTorch's CPU wheel",
        ) from error


def name_of(torch: Any, module: Any) -> str:
    """What a module is called."""
    if isinstance(module, torch.export.ExportedProgram):
        return "exported"
    if isinstance(module, torch.nn.Module):
        return str(type(module).__name__)
    return str(getattr(module, "__name__", "function"))


def beginning_of(module: Any) -> SourceLocation | None:
    """Where a function begins; PyTorch notes lines of modules only."""
    code = getattr(module, "__code__", None)
    if code is None:
        return None
    text = linecache.getline(code.co_filename, code.co_firstlineno).rstrip()
    return SourceLocation(code.co_filename, code.co_firstlineno, 0, text)


def trace(
    torch: Any, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """A module as an `ExportedProgram` of core operators, and a few that are kept.

    Raises
    ------
    FrontendError
        If PyTorch cannot trace it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of the tracer's own parts
        program = _export(torch, module, args, kwargs)
        table = torch.export.default_decompositions()
        for kept in _KEPT:
            packet, overload = kept.split(".")
            table.pop(getattr(getattr(torch.ops.aten, packet), overload), None)
        return program.run_decompositions(table)


def _export(
    torch: Any, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if isinstance(module, torch.export.ExportedProgram):
        return module
    if not isinstance(module, torch.nn.Module):
        if not callable(module):
            raise FrontendError(
                f"found an object of type {type(module).__name__!r}, expected a module "
                "or a function of tensors"
            )
        module = _as_module(torch, module)
    try:
        with torch.no_grad():
            return torch.export.export(module, args, kwargs)
    except Exception as error:
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise FrontendError(
            f"torch.export cannot trace {type(module).__name__}: {first[0]}",
            where=place_of(torch, str(error)),
            hint="it takes no control flow on values of tensors",
        ) from error


def _as_module(torch: Any, function: Callable[..., Any]) -> Any:
    """A function as a module, which is what the tracer takes."""

    class Function(torch.nn.Module):  # type: ignore[misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

    return Function()


def place_of(torch: Any, stack: str) -> SourceLocation | None:
    """The innermost line of a stack that is the user's: not PyTorch's, nor ours."""
    found = None
    others = (str(torch.__path__[0]), __file__)
    for frame in _FRAME.finditer(stack):
        if not frame["file"].startswith(others):
            line = int(frame["line"])
            found = SourceLocation(frame["file"], line, 0, frame["text"])
    return found
