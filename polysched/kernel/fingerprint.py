"""What a built kernel depends on, as one key."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType

from polysched.base import FrontendError
from polysched.kernel.cache import compiler_key, hash_key, package_key
from polysched.kernel.options import KernelOptions
from polysched.machine import Machine
from polysched.tensor import ArgType


def make_key(
    function: Callable[..., object],
    types: Mapping[str, ArgType],
    options: KernelOptions,
) -> str:
    """The key of a kernel for one signature.

    Parameters
    ----------
    function : callable
        Its source counts, with that of all it mentions: other kernels and functions,
        and the values of constants.
    types : mapping of str to ArgType
        Of its parameters.
    options : KernelOptions
        How it is built; where it is kept and whether it is measured do not count.
    """
    machine = options.machine or Machine.detect()
    policy = options.policy
    chosen = policy if isinstance(policy, str) else repr(policy)
    if isinstance(policy, FunctionType):
        chosen = read_source(policy)
    return hash_key(
        (
            source_parts(function),
            [(name, repr(kind)) for name, kind in types.items()],
            (options.fp, options.threads, options.timeout, chosen),
            machine.to_json(),
            compiler_key(options.cc),
            package_key(),
        )
    )


def tuned_key(key: str) -> str:
    """The key of the same kernel with a schedule that was measured."""
    return hash_key((key, "tuned"))


def source_parts(function: Callable[..., object]) -> list[str]:
    """The source of a function and of all it mentions, in order of mention."""
    parts: list[str] = []
    seen: set[int] = set()

    def visit(name: str, value: object) -> None:
        value = getattr(value, "__wrapped__", value)  # a kernel is its function
        if isinstance(value, FunctionType):
            if id(value) in seen:
                return
            seen.add(id(value))
            parts.append(f"{name}: {read_source(value)}")
            for inner, found in _mentioned(value).items():
                visit(inner, found)
        elif isinstance(value, ModuleType):
            parts.append(f"{name}: module {value.__name__}")
        else:
            parts.append(f"{name}: {type(value).__name__} {value!r}")

    visit("", function)
    return parts


def read_source(function: Callable[..., object]) -> str:
    """The text of a function.

    Raises
    ------
    FrontendError
        If there is none, as for functions typed into a bare interpreter.
    """
    try:
        return inspect.getsource(function)
    except (OSError, TypeError) as error:
        raise FrontendError(
            f"the source of {getattr(function, '__name__', function)!r} is not there: "
            f"{error}",
            hint="define kernels in a file or in a notebook's cell",
        ) from error


def _mentioned(function: FunctionType) -> dict[str, object]:
    """Values of the names in a function's body that it does not define itself."""
    found = inspect.getclosurevars(function)
    return {**found.globals, **found.nonlocals}
