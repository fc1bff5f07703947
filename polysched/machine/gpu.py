"""A graphics processor as a value: limits that kernels must keep, rates, latencies."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from polysched.base import PolyschedError

_TEXTS = {"name", "architecture"}
_LISTS = {"device_names", "sources"}
_FRACTIONS = {
    "clock_hz",
    "memory_bytes_per_second",
    "l2_bytes_per_second",
    "pcie_bytes_per_second",
    "nvlink_bytes_per_second",
    "launch_seconds",
}
_MAY_BE_ZERO = {
    "shared_bytes_reserved",
    "tensor_fp16_per_cycle",
    "tensor_tf32_per_cycle",
    "tensor_fp64_per_cycle",
    "nvlink_bytes_per_second",
}


@dataclass(frozen=True)
class Gpu:
    """One graphics processor, as far as a kernel can notice it.

    "SM" is a streaming multiprocessor. A rate per cycle is that of one SM; an FMA
    (a fused multiply and add) counts once, not as two operations.

    Attributes
    ----------
    name : str
        Short name, such as "h100".
    architecture : str
        What the compiler calls it, such as "sm_90".
    n_sms : int
        SMs.
    clock_hz : float
        Highest clock of the SMs.
    warp_threads : int
        Threads that run in step.
    max_threads_per_block, max_threads_per_sm, max_blocks_per_sm : int
        What may be resident.
    registers_per_sm, max_registers_per_thread : int
        Registers of 32 bits.
    register_allocation_unit : int
        A warp gets a multiple of this many registers.
    warp_allocation_unit : int
        Warps whose registers fit an SM are rounded down to a multiple of this.
    shared_bytes_per_sm : int
        Shared memory of an SM.
    shared_bytes_per_block : int
        The most that one block may ask for, after opting in.
    shared_bytes_reserved : int
        Taken by the system from every block, beyond what it asks for.
    shared_allocation_unit_bytes : int
        A block gets a multiple of this.
    shared_bytes_per_cycle : int
        One access without bank conflicts: a wavefront.
    schedulers_per_sm : int
        Instructions of warps that an SM can issue per cycle.
    memory_bytes : int
        Global memory.
    memory_bytes_per_second : float
        Its bandwidth as published.
    l2_bytes : int
        L2 cache.
    l2_bytes_per_second : float
        Bandwidth between L2 and all SMs, as measured by others.
    fma_fp32_per_cycle, fma_fp64_per_cycle, fma_fp16_per_cycle : int
        FMAs of the ordinary pipelines.
    tensor_fp16_per_cycle, tensor_tf32_per_cycle, tensor_fp64_per_cycle : int
        FMAs of the tensor cores on dense operands; 0 where they cannot.
    special_per_cycle : int
        Reciprocals, roots, exponentials and their kin in single precision.
    shared_latency_cycles, l2_latency_cycles, memory_latency_cycles : int
        From issue of a load to its value: from shared memory, from L2, from beyond.
    pcie_bytes_per_second, nvlink_bytes_per_second : float
        Copies in one direction, as published; 0 where there is no NVLink.
    launch_seconds : float
        What one kernel adds to a sequence of kernels.
    device_names : tuple of str
        What drivers call it.
    sources : tuple of str
        Where the figures are from.
    """

    name: str
    architecture: str
    n_sms: int
    clock_hz: float
    warp_threads: int
    max_threads_per_block: int
    max_threads_per_sm: int
    max_blocks_per_sm: int
    registers_per_sm: int
    max_registers_per_thread: int
    register_allocation_unit: int
    warp_allocation_unit: int
    shared_bytes_per_sm: int
    shared_bytes_per_block: int
    shared_bytes_reserved: int
    shared_allocation_unit_bytes: int
    shared_bytes_per_cycle: int
    schedulers_per_sm: int
    memory_bytes: int
    memory_bytes_per_second: float
    l2_bytes: int
    l2_bytes_per_second: float
    fma_fp32_per_cycle: int
    fma_fp64_per_cycle: int
    fma_fp16_per_cycle: int
    tensor_fp16_per_cycle: int
    tensor_tf32_per_cycle: int
    tensor_fp64_per_cycle: int
    special_per_cycle: int
    shared_latency_cycles: int
    l2_latency_cycles: int
    memory_latency_cycles: int
    pcie_bytes_per_second: float
    nvlink_bytes_per_second: float
    launch_seconds: float
    device_names: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @classmethod
    def named(cls, name: str) -> Gpu:
        """The processor of that name, from the files that come along.

        Parameters
        ----------
        name : str
            Short name ("h200") or a driver's ("NVIDIA H200"); upper and lower case,
            spaces and dashes do not count.

        Raises
        ------
        PolyschedError
            If no such processor is known; the message lists those that are.

        Examples
        --------
        >>> Gpu.named("H200").architecture
        'sm_90'
        """
        wanted = _plain(name)
        for known in known_gpus():
            if wanted in map(_plain, (known.name, *known.device_names)):
                return known
        names = [gpu.name for gpu in known_gpus()]
        close = [
            known for known in names if wanted and _plain(known).startswith(wanted)
        ]
        close = close or difflib.get_close_matches(name.lower(), names, cutoff=0.4)
        raise PolyschedError(
            f"unknown GPU {name!r}; known are {', '.join(names)}",
            hint=(
                f"did you mean {' or '.join(close)}?"
                if close
                else "describe it in a JSON file and name that file"
            ),
        )

    @classmethod
    def find(cls, text: str) -> Gpu:
        """The processor that a name or the path of a JSON file stands for."""
        if text.endswith(".json") or os.sep in text:
            return cls.load(text)
        return cls.named(text)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Gpu:
        """Read a processor from a JSON file; see `from_json`."""
        shown = repr(os.fspath(path))
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise PolyschedError(
                f"cannot read the GPU file {shown}: {error.strerror}"
            ) from error
        except ValueError as error:
            raise PolyschedError(
                f"the GPU file {shown} is not JSON: {error}"
            ) from error
        if not isinstance(data, dict):
            raise PolyschedError(f"the GPU file {shown} holds no JSON object")
        return cls.from_json(data)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Gpu:
        """Read a processor; unknown keys are refused, missing ones named.

        Parameters
        ----------
        data : mapping
            The fields. With ``"based_on": NAME`` those that are missing are as in the
            processor of that name.
        """
        values = dict(data)
        values.pop("key", None)
        base = values.pop("based_on", None)
        if base is not None:
            values = {**_json_of(str(base)), **values}
        names = [f.name for f in fields(cls)]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise PolyschedError(
                f"unknown GPU field {unknown[0]!r}; the fields are: {', '.join(names)}"
            )
        missing = [n for n in names if n not in values and n not in _LISTS]
        if missing:
            raise PolyschedError(
                f"the GPU has no field {missing[0]!r}",
                hint='"based_on": "h100", for instance, fills in what is missing',
            )
        return cls(**{name: _read_field(name, values[name]) for name in values})

    @property
    def key(self) -> str:
        """Ten hexadecimal digits over all that shapes a kernel or its time."""
        parts = {k: v for k, v in asdict(self).items() if k not in _LISTS}
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    @property
    def max_warps_per_sm(self) -> int:
        """Warps that may be resident on one SM."""
        return self.max_threads_per_sm // self.warp_threads

    @property
    def compute_capability(self) -> tuple[int, int]:
        """Major and minor version of the architecture."""
        number = int(re.sub(r"\D", "", self.architecture))
        return number // 10, number % 10

    def to_json(self) -> dict[str, object]:
        """All fields, and the key."""
        lists = {name: list(getattr(self, name)) for name in sorted(_LISTS)}
        return {**asdict(self), **lists, "key": self.key}


def known_gpus() -> tuple[Gpu, ...]:
    """The processors whose files come along, the oldest architecture first."""
    found = [Gpu.from_json(data) for data in _read_files().values()]
    return tuple(sorted(found, key=lambda gpu: (gpu.compute_capability, gpu.name)))


def _read_files() -> dict[str, dict[str, Any]]:
    """The JSON objects of the files that come along, by name."""
    folder = resources.files("polysched.machine") / "data"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    read = [json.loads(f.read_text("utf-8")) for f in files if f.name.endswith(".json")]
    return {str(data["name"]): data for data in read}


def _json_of(name: str) -> dict[str, Any]:
    """All fields of the known processor of that name."""
    files = _read_files()
    if name not in files:
        raise PolyschedError(
            f"a GPU is based on {name!r}; known are {', '.join(sorted(files))}"
        )
    data = files[name]
    base = data.pop("based_on", None)
    return data if base is None else {**_json_of(str(base)), **data}


def _plain(name: str) -> str:
    """A name without what people write in different ways."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _read_field(name: str, value: Any) -> Any:
    """One field of the JSON form, checked."""
    if name in _LISTS:
        if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise PolyschedError(f"GPU field {name!r} is {value!r}, expected texts")
    if name in _TEXTS:
        if name == "architecture" and not re.fullmatch(r"sm_\d+[af]?", str(value)):
            raise PolyschedError(
                f"GPU field 'architecture' is {value!r}, expected a name like 'sm_90'"
            )
        return str(value)
    kinds = (int, float) if name in _FRACTIONS else (int,)
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    if not is_number or value < 0 or (value == 0 and name not in _MAY_BE_ZERO):
        least = "0 or more" if name in _MAY_BE_ZERO else "more than 0"
        noun = "a number" if name in _FRACTIONS else "an integer"
        raise PolyschedError(
            f"GPU field {name!r} is {value!r}, expected {noun}, {least}"
        )
    return float(value) if name in _FRACTIONS else value
