"""Names and the values that they are bound to; storage where a value has to last."""

from __future__ import annotations

from polysched.tensor.ast_source import PythonSource
from polysched.tensor.dtypes import promote
from polysched.tensor.emitter import Emitter
from polysched.tensor.environment import Environment, Key, Pin, Restart
from polysched.tensor.expr import Const, Expr, Index, Load, Op
from polysched.tensor.narrow import unlike
from polysched.tensor.values import (
    Lazy,
    Object,
    Pending,
    Value,
    View,
    place_of,
    whole,
)


class Binder:
    """Binds names of one function to values."""

    def __init__(self, emitter: Emitter, environment: Environment) -> None:
        self._emitter = emitter
        self._environment = environment
        self._memory = environment.memory

    @property
    def _source(self) -> PythonSource:
        return self._environment.source

    def bind(self, name: str, value: Value) -> None:
        """``name = value``."""
        environment = self._environment
        environment.missing.pop(name, None)
        if name in environment.pins:
            self._bind_pinned(name, environment.pins[name], value)
        else:
            environment.values[name] = self.lasting(name, value)

    def lasting(self, name: str, value: Value) -> Value:
        """The value, computed into storage of its own if it is not a name's already."""
        if isinstance(value, tuple):
            return tuple(self.lasting(f"{name}_{k}", v) for k, v in enumerate(value))
        if isinstance(value, Expr):
            is_kept = is_lasting(value) or self._is_index(value)
            return value if is_kept else self._variable(name, value)
        if isinstance(value, (Lazy, Pending)):
            settled = value if isinstance(value, Pending) else None
            if settled is not None and not settled.shape:
                place = self._emitter.settle(settled, name)
                return place.at(())
            return self._emitter.stored(value, name)
        return value

    def _is_index(self, value: Expr) -> bool:
        """Whether it is an element of an array that is never written."""
        return isinstance(value, Load) and self._emitter.is_index_array(value.storage)

    def snapshot(self, value: Value) -> Value:
        """The value as it is now, whatever is written afterwards."""
        if isinstance(value, View) and not value.shape:
            return self.lasting("tmp", value.at(()))
        return self.lasting("tmp", value)

    def _variable(self, name: str, value: Expr) -> Load:
        variable = self._emitter.new_variable(name, value.dtype, value.is_weak)
        self._emitter.assign(variable, value)
        return variable

    def _bind_pinned(self, name: str, pin: Pin, value: Value) -> None:
        if isinstance(value, (View, Pending)) and not value.shape:
            settled = self._emitter.settle(value)
            value = settled.at(())
        if isinstance(value, (Object, tuple)):
            self._source.unsupported(
                self._emitter.node, f"{name!r} becomes a constant inside a loop or "
                "branch and is used behind it", "use numbers or arrays",
            )  # fmt: skip
        if pin.view is None:
            self.open(name, pin, value)
            return
        if isinstance(value, Expr) != (not pin.view.shape):
            self._source.wrong(
                self._emitter.node, f"{name!r} is a number in one place and an array "
                "in another", "use two names",
            )  # fmt: skip
        if isinstance(value, Expr):
            self._bind_scalar(name, pin, value)
        else:
            self._bind_array(name, pin, value)
        self._environment.values[name] = self._value_of(pin)

    def _bind_scalar(self, name: str, pin: Pin, value: Expr) -> None:
        assert pin.view is not None
        joined = promote([(pin.dtype, pin.is_weak), (value.dtype, value.is_weak)])
        if not (pin.is_weak or value.is_weak) and pin.dtype != value.dtype:
            self._source.wrong(
                self._emitter.node, f"{name!r} changes its type from {pin.dtype} to "
                f"{value.dtype} inside a loop or branch", "convert one of them",
            )  # fmt: skip
        refused = unlike(Expr(pin.dtype, pin.is_weak), value)
        if refused is not None:
            self._source.wrong(self._emitter.node, *refused)
        if joined != (pin.dtype, pin.is_weak):
            self._memory.types[pin.key] = joined
            raise Restart
        target = self._value_of(pin)
        assert isinstance(target, Load)
        self._emitter.assign(target, value)

    def _bind_array(self, name: str, pin: Pin, value: View | Lazy | Pending) -> None:
        assert pin.view is not None
        place = pin.view
        if value.dtype != place.dtype or len(value.shape) != len(place.shape):
            self._source.wrong(
                self._emitter.node, f"{name!r} changes its type or number of "
                "dimensions inside a loop or branch", "use two names",
            )  # fmt: skip
        for one, two in zip(value.shape, place.shape, strict=True):
            self._emitter.require(
                one, "==", two, f"{name!r} changes its shape inside a loop or branch"
            )
        others = [n for n in self._environment.holders(place.storage) if n != name]
        if others:
            self._source.unsupported(
                self._emitter.node, f"{name!r} is assigned while {others[0]!r} shares "
                "its array", f"write {others[0]} = {name}.copy()",
            )  # fmt: skip
        if isinstance(value, View):
            self._share(pin, value)
        self._emitter.write(place, value)

    def _share(self, pin: Pin, value: View) -> None:
        """The pinned name may from now on mean an array that others see."""
        storage = value.storage
        is_own = storage.kind == "temporary" and not self._environment.holders(storage)
        known = self._memory.shared.setdefault(pin.key, set())
        if not is_own and storage.name not in known:
            known.add(storage.name)
            raise Restart

    def open(self, name: str, pin: Pin, value: Value) -> None:
        """Give a pinned name its storage, with a first value."""
        emitter, environment = self._emitter, self._environment
        if isinstance(value, Expr):
            known = self._memory.types.get(pin.key, (value.dtype, value.is_weak))
            pin.dtype, pin.is_weak = promote([known, (value.dtype, value.is_weak)])
            if self._owns(name, value) and (value.dtype, value.is_weak) == (
                pin.dtype, pin.is_weak,
            ):  # fmt: skip
                assert isinstance(value, Load)
                pin.view = place_of(value)
            else:
                variable = emitter.new_variable(name, pin.dtype, pin.is_weak)
                pin.view = place_of(variable)
                emitter.assign(variable, value)
        else:
            assert isinstance(value, (View, Lazy, Pending))
            if isinstance(value, View):
                if self._owns_array(name, value):
                    pin.view = value
                    value.storage.copied_from |= self._memory.shared.get(pin.key, set())
                    environment.values[name] = value
                    return
                self._share(pin, value)
            place = emitter.new_array(name, value.dtype, value.shape)
            place.storage.copied_from = self._memory.shared.get(pin.key, set())
            pin.view = whole(place.storage)
            emitter.write(place, value)
        environment.values[name] = self._value_of(pin)

    def _owns(self, name: str, value: Expr) -> bool:
        return (
            isinstance(value, Load)
            and value.storage.kind == "local"
            and not value.storage.is_fixed
            and self._environment.values.get(name) is value
        )

    def _owns_array(self, name: str, value: View) -> bool:
        return (
            value.is_whole
            and value.storage.kind == "temporary"
            and self._environment.values.get(name) is value
            and self._environment.holders(value.storage) == [name]
        )

    @staticmethod
    def _value_of(pin: Pin) -> Value:
        assert pin.view is not None
        if pin.view.shape:
            return pin.view
        storage = pin.view.storage
        return Load(storage.dtype, storage.is_weak, storage=storage)


def is_lasting(value: Expr) -> bool:
    """Whether an expression keeps its value, whatever is written."""
    if isinstance(value, Load):
        return value.storage.is_fixed
    if isinstance(value, Op) and value.op in ("+", "-", "*"):  # n = h * w
        return value.dtype == "int64" and all(map(is_lasting, value.operands))
    return isinstance(value, (Const, Index))


def pin_key(path: tuple[object, ...], node: object, name: str) -> Key:
    """The key of a name at a loop or branch."""
    return (path, node, name)
