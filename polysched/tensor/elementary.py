"""Functions of numbers that C has and NumPy has not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_erf = np.frompyfunc(math.erf, 1, 1)


def erf(x: Any) -> Any:
    """The error function of each element, in the type of the argument if it is a float.

    In a kernel it is C's function; outside of one it is Python's, element by element.

    Examples
    --------
    >>> import numpy as np
    >>> erf(np.float32([0.0, 10.0]))
    array([0., 1.], dtype=float32)
    """
    given = np.asarray(x)
    dtype = given.dtype if given.dtype.kind == "f" else np.dtype(np.float64)
    return np.asarray(_erf(given)).astype(dtype)[()]
