"""Lists of numbers as subscripts: ``a[:, [0, 2]]``, the parts joined again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from polysched.tensor.arithmetic import BadOperation
from polysched.tensor.expr import Const
from polysched.tensor.size import as_size
from polysched.tensor.subscripts import Slice, read_items, subscript
from polysched.tensor.values import Readable, Value, with_axis

if TYPE_CHECKING:
    from polysched.tensor.evaluate import Evaluator

_MAX_ITEMS = 64


def listed(
    evaluator: Evaluator, view: Readable, items: Sequence[Value | Slice]
) -> Value:
    """The parts of an array at the numbers of a list, one behind the other.

    Parameters
    ----------
    evaluator : Evaluator
        Of the function.
    view : Readable
        What is read.
    items : sequence
        Subscripts: one list of constants, and slices beside it.
    """
    along = next(k for k, i in enumerate(items) if isinstance(i, tuple))
    numbers = items[along]
    others = [*items[:along], *items[along + 1 :]]
    assert isinstance(numbers, tuple)
    if not all(isinstance(i, Slice) for i in others):
        raise BadOperation(
            "found a list as a subscript beside one that is no slice",
            "write the subscripts in two steps: a[:, [0, 2]][i]",
        )
    if not 0 < len(numbers) <= _MAX_ITEMS or not all(
        isinstance(n, Const) and type(n.value) is int for n in numbers
    ):
        raise BadOperation(
            "found a list as a subscript that holds other things than a few integers",
            "an array of integers that is an argument is taken, too",
        )
    emitter = evaluator.emitter
    parts = [
        with_axis(
            subscript(
                emitter, view,
                read_items(emitter, [*items[:along], n, *items[along + 1 :]]),
            ),
            along,
        )
        for n in numbers
    ]  # fmt: skip
    return evaluator.reader.library_call(np.concatenate, tuple(parts), _axis(along))


def _axis(number: int) -> Const:
    return Const("int64", True, as_size(number).constant)
