"""What Python expressions evaluate to while a function is read.

A scalar is an `Expr`, a tuple or list a Python tuple of values, any other Python object
(a module, a function, None, a string) an `Object`. Arrays are views, values that are
computed where they are used, or values that statements have yet to compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Union

from polysched.tensor.expr import Expr, Load, Storage
from polysched.tensor.size import Size, as_size, product, symbol

Indices = tuple[Size, ...]


@dataclass(frozen=True, eq=False)
class Object:
    """A Python object that is no number, tuple or array."""

    value: Any


@dataclass(frozen=True, eq=False)
class View:
    """A region of an array: an affine map from the view's axes to the base's elements.

    Attributes
    ----------
    storage : Storage
        The base.
    subscripts : tuple of Size
        One per dimension of the base, over ``$0``, ``$1``, ... for the view's axes.
    shape : tuple of Size
        Elements per axis of the view.
    """

    storage: Storage
    subscripts: tuple[Size, ...]
    shape: tuple[Size, ...]

    @property
    def dtype(self) -> str:
        """Element type."""
        return self.storage.dtype

    def at(self, indices: Indices) -> Load:
        """The element at an index of the view."""
        values = {f"${k}": i for k, i in enumerate(indices)}
        subscripts = tuple(s.substitute(values) for s in self.subscripts)
        storage = self.storage
        return Load(storage.dtype, False, storage=storage, subscripts=subscripts)

    @property
    def repeats(self) -> bool:
        """Whether an axis goes over one element again and again (np.broadcast_to)."""
        moved = {name for s in self.subscripts for name in s.symbols()}
        return any(
            s != as_size(1) and f"${k}" not in moved for k, s in enumerate(self.shape)
        )

    @property
    def is_whole(self) -> bool:
        """Whether it is the base itself."""
        all_of_it = whole(self.storage)
        return self.shape == all_of_it.shape and (
            self.subscripts == all_of_it.subscripts
        )


@dataclass(frozen=True, eq=False)
class Lazy:
    """An array whose elements are expressions, computed where they are used."""

    shape: tuple[Size, ...]
    dtype: str
    element: Callable[[Indices], Expr]

    def at(self, indices: Indices) -> Expr:
        """The element at an index."""
        return self.element(indices)


@dataclass(frozen=True, eq=False)
class Pending:
    """An array (or, without axes, a number) that statements compute into a place.

    Attributes
    ----------
    shape, dtype : tuple of Size, str
        Of the result.
    reads : tuple of Storage
        What the statements read: the place must not be part of it.
    into : callable
        Emits the statements for a place of that shape and type.
    """

    shape: tuple[Size, ...]
    dtype: str
    reads: tuple[Storage, ...]
    into: Callable[[View], None]


ArrayValue = View | Lazy | Pending
Readable = View | Lazy
Value = Union[Expr, View, Lazy, Pending, Object, "tuple[Any, ...]"]


def axis(k: int) -> Size:
    """The symbol of axis `k` of a view."""
    return symbol(f"${k}")


def axes(n: int) -> Indices:
    """Symbols of all axes."""
    return tuple(axis(k) for k in range(n))


def whole(storage: Storage) -> View:
    """The view of all of an array, in the shape that it has in Python."""
    if storage.shape:
        position = unfold(storage.shape)
        assert position is not None
        return View(storage, (position,), storage.shape)
    return flat(storage)


def unfold(shape: Sequence[Size]) -> Size | None:
    """The position in a vector of an element of it under several axes.

    None if the sizes cannot be multiplied.
    """
    position, total = as_size(0), as_size(1)
    for k in reversed(range(len(shape))):
        moved, more = product(total, axis(k)), product(total, shape[k])
        if moved is None or more is None:
            return None
        position, total = position + moved, more
    return position


def flat(storage: Storage) -> View:
    """The view of all of an array, in the shape that it has in C."""
    return View(storage, axes(len(storage.extents)), storage.extents)


def variable(storage: Storage) -> Load:
    """The value of a scalar variable."""
    return Load(storage.dtype, storage.is_weak, storage=storage)


def place_of(load: Load) -> View:
    """An element or variable as a view without axes."""
    return View(load.storage, load.subscripts, ())


def remap(view: Readable, shape: Sequence[Size], indices: Indices) -> Readable:
    """A view with other axes; `indices` has the old axes in terms of the new."""
    if isinstance(view, View):
        values = {f"${k}": i for k, i in enumerate(indices)}
        subscripts = tuple(s.substitute(values) for s in view.subscripts)
        return View(view.storage, subscripts, tuple(shape))

    def element(new: Indices) -> Expr:
        values = {f"${k}": i for k, i in enumerate(new)}
        return view.at(tuple(as_size(i).substitute(values) for i in indices))

    return Lazy(tuple(shape), view.dtype, element)


def transposed(view: Readable, order: Sequence[int]) -> Readable:
    """The view with axes in another order: new axis k is old axis ``order[k]``."""
    old = {o: axis(k) for k, o in enumerate(order)}
    return remap(
        view,
        tuple(view.shape[o] for o in order),
        tuple(old[k] for k in range(len(order))),
    )


def with_axis(view: Readable, position: int) -> Readable:
    """The view with a new axis of one element."""
    shape = (*view.shape[:position], as_size(1), *view.shape[position:])
    old = range(len(view.shape))
    return remap(view, shape, tuple(axis(k + int(k >= position)) for k in old))


def is_array(value: object) -> bool:
    """Whether it is an array value with axes."""
    return isinstance(value, (View, Lazy, Pending)) and bool(value.shape)
