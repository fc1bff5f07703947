"""What a tree is like as numbers: features and predicted seconds, for its target."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10

from polysched.analysis import (
    DEVICE_FEATURES,
    Dependences,
    KnownStatementNests,
    schedule_features,
)
from polysched.codegen import Target
from polysched.cost import (
    DevicePrediction,
    Prediction,
    Predictor,
    predict_on_device,
    read_kernels,
)
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Gpu, Machine

DEFAULT_GPU = "h100"  # what kernels are ranked for where no other one is named


def gpu_of(machine: Machine) -> Gpu:
    """The machine's graphics processor, or the one that is assumed."""
    return machine.gpu or Gpu.named(DEFAULT_GPU)


class Describer:
    """Describes schedules of one program: loop nests they share are read once.

    Parameters
    ----------
    scop : Scop
        What the schedules order.
    dependences : Dependences
        Of the SCoP.
    machine : Machine
        What the code will run on.
    parameters : mapping of str to int, optional
        Values of parameters that predictions are for.
    """

    def __init__(
        self,
        scop: Scop,
        dependences: Dependences,
        machine: Machine,
        parameters: Mapping[str, int] | None = None,
    ) -> None:
        self._scop = scop
        self._dependences = dependences
        self._machine = machine
        self._parameters = parameters
        self._predictor = Predictor(scop, machine, parameters, dependences)
        self._nests: KnownStatementNests = {}

    def price(self, part: ScheduleTree, has_team: bool) -> float:
        """Seconds of a part of a tree on the processor, threads there or to be made."""
        found = self._predictor.predict(part, has_team=has_team)
        return float("inf") if found is None else found.seconds

    def predict(self, tree: ScheduleTree, target: Target) -> float | None:
        """Predicted seconds of a tree on what its target says."""
        found: Prediction | DevicePrediction | None
        if target == "openmp":
            found = self._predictor.predict(tree)
        else:
            gpu = gpu_of(self._machine)
            found = predict_on_device(tree, self._scop, gpu, self._parameters)
        return None if found is None else found.seconds

    def features(self, tree: ScheduleTree, target: Target) -> dict[str, float]:
        """Features of a tree, and of its kernels where it is for a device."""
        found = schedule_features(
            tree, self._scop, self._dependences, self._machine, self._nests
        )
        if target == "cuda":
            found |= _device_features(tree, self._scop)
        return found


def _device_features(tree: ScheduleTree, scop: Scop) -> dict[str, float]:
    kernels = read_kernels(tree, scop)
    statements = [s for k in kernels for s in k.statements]
    n_references = sum(s.n_references for s in statements)
    n_coalesced = sum(s.n_coalesced for s in statements)
    n_launches = sum(k.n_launches for k in kernels)
    work = [
        (sum(s.n_instances for s in k.statements) * k.n_launches, k) for k in kernels
    ]
    main = max(work, key=lambda pair: pair[0])[1] if work else None
    values = {
        "n_kernels": float(len(kernels)),
        "n_single_kernels": float(sum(k.n_threads == 1 for k in kernels)),
        "launches_log10": log10(max(1.0, n_launches)),
        "blocks_log10": log10(main.n_blocks) if main else 0.0,
        "block_threads": float(main.n_threads) if main else 0.0,
        "coalesced": n_coalesced / n_references if n_references else 0.0,
    }
    return {name: values[name] for name in DEVICE_FEATURES}
