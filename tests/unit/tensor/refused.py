"""That a function is refused: why, and where in its source."""

import inspect
import sys

import pytest

from polysched.base import FrontendError
from polysched.tensor import lower, read_function


def assert_refused(function, types, kind, message, at):
    """The error, its place, and that its caret stands under `at`."""
    with pytest.raises(FrontendError) as caught:
        lower(read_function(function, types))
    error = caught.value
    assert type(error) is kind
    assert message in error.message
    assert error.where.file == sys.modules[function.__module__].__file__
    lines, first = inspect.getsourcelines(function)
    assert first <= error.where.line < first + len(lines)
    assert error.where.text[error.where.column - 1 :].startswith(at)
    assert error.where.caret().splitlines()[1].strip() == "^"
