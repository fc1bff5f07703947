"""The machine a schedule is chosen for: detected, calibrated, or read from a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from polysched.base import PolyschedError, Shown, data_directory, write_whole
from polysched.machine.cpu import CacheRate, Cpu
from polysched.machine.gpu import Gpu
from polysched.machine.probe import probe_cpu

_NOT_NUMBERS = {"name", "isa", "cache_rates"}


def calibration_path(cpu: Cpu) -> Path:
    """The file that keeps this processor's measured ceilings."""
    return data_directory() / f"machine-{cpu.key}.json"


@dataclass(frozen=True, repr=False)
class Machine(Shown):
    """What the code will run on.

    Attributes
    ----------
    cpu : Cpu
        Its processor.
    origin : str
        Where the ceilings come from: "detected" (estimates), "calibrated", or the
        path of a file.
    gpu : Gpu, optional
        Its graphics processor, where kernels are wanted; it is never looked for
        unasked.
    """

    cpu: Cpu
    origin: str = field(default="detected", kw_only=True)
    gpu: Gpu | None = field(default=None, kw_only=True)

    @property
    def headline(self) -> str:
        """The processor, its cores, and where the figures come from."""
        gpu = f", GPU {self.gpu.name}" if self.gpu else ""
        cpu = f"{self.cpu.name}, {self.cpu.n_cores} cores"
        return f"Machine {cpu}{gpu}, {self.origin}"

    @classmethod
    def detect(cls, *, calibrated: bool = True) -> Machine:
        """Describe this machine, with the ceilings of an earlier calibration if any.

        Parameters
        ----------
        calibrated : bool
            Whether to look for a calibration in the user's data directory.
        """
        detected = cls(probe_cpu())
        path = calibration_path(detected.cpu)
        if calibrated and path.exists():
            stored = cls.load(path)
            if stored.cpu.key == detected.cpu.key:
                return cls(stored.cpu, origin="calibrated")
        return detected

    @property
    def key(self) -> str:
        """Short hash that measurements are filed under, of all that runs the code."""
        return self.cpu.key if self.gpu is None else f"{self.cpu.key}-{self.gpu.key}"

    def limited(self, n_threads: int) -> Machine:
        """The machine as a program sees that runs with so many threads."""
        if n_threads == self.cpu.n_cores:
            return self
        n_cores = min(n_threads, self.cpu.n_cores)
        return replace(
            self, cpu=replace(self.cpu, n_cores=n_cores, n_threads=n_threads)
        )

    def to_json(self) -> dict[str, object]:
        """The machine as an object that `from_json` reads back."""
        gpu = {} if self.gpu is None else {"gpu": self.gpu.to_json()}
        return {"origin": self.origin, "cpu": self.cpu.to_json(), **gpu}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Machine:
        """Read a machine; unknown keys are refused, missing ones named.

        ``"gpu"`` holds the fields of one, or the name of a known one.
        """
        origin = str(data.get("origin", "file"))
        gpu = _read_gpu(data.get("gpu"))
        rest = {name: value for name, value in data.items() if name != "gpu"}
        return cls(_read_cpu(rest.get("cpu", rest)), origin=origin, gpu=gpu)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the machine to a file in one step, creating its directory."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_json(), indent=2) + "\n"
        write_whole(target, text.encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Machine:
        """Read a machine from a JSON file."""
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise PolyschedError(
                f"cannot read the machine file {os.fspath(path)!r}: {error.strerror}"
            ) from error
        except ValueError as error:
            raise PolyschedError(
                f"the machine file {os.fspath(path)!r} is not JSON: {error}"
            ) from error
        if not isinstance(data, dict):
            raise PolyschedError(
                f"the machine file {os.fspath(path)!r} holds no JSON object"
            )
        return replace(cls.from_json(data), origin=os.fspath(path))


def _read_gpu(data: object) -> Gpu | None:
    """A `Gpu` from its JSON form or its name; None from nothing."""
    if data is None or isinstance(data, str):
        return None if data is None else Gpu.named(data)
    if not isinstance(data, Mapping):
        raise PolyschedError(f"the machine's 'gpu' is {data!r}, expected an object")
    return Gpu.from_json(data)


def _read_cpu(data: Mapping[str, Any]) -> Cpu:
    """A `Cpu` from its JSON form, every field checked."""
    known = {f.name: f for f in fields(Cpu)}
    unknown = sorted(set(data) - set(known) - {"key"})
    if unknown:
        raise PolyschedError(
            f"unknown machine field {unknown[0]!r}; the fields are: {', '.join(known)}"
        )
    required = [n for n, f in known.items() if f.default is MISSING]
    missing = [name for name in required if name not in data]
    if missing:
        raise PolyschedError(f"the machine has no field {missing[0]!r}")
    values: dict[str, Any] = {name: data[name] for name in known if name in data}
    for name, value in values.items():
        if name in _NOT_NUMBERS or (name == "frequency_hz" and value is None):
            continue
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or value < 0:
            raise PolyschedError(
                f"machine field {name!r} is {value!r}, expected a number, 0 or more"
            )
    values["isa"] = tuple(str(flag) for flag in values.get("isa", ()))
    values["cache_rates"] = _read_rates(values.get("cache_rates", ()))
    return Cpu(**values)


def _read_rates(data: object) -> tuple[CacheRate, ...]:
    """Bandwidth of caches from its JSON form, at most one of each level."""
    names = [f.name for f in fields(CacheRate)]
    if not isinstance(data, (list, tuple)):
        raise PolyschedError(
            f"machine field 'cache_rates' is {data!r}, expected a list"
        )
    for entry in data:
        if not isinstance(entry, Mapping) or set(entry) != set(names):
            raise PolyschedError(
                f"an entry of machine field 'cache_rates' is {entry!r}, "
                f"expected an object with: {', '.join(names)}"
            )
    rates = tuple(CacheRate(**entry) for entry in data)
    if len({rate.level for rate in rates}) < len(rates):
        raise PolyschedError("machine field 'cache_rates' has a level twice")
    return rates
