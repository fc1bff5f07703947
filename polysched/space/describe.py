"""What a tree is like as numbers: features and predicted seconds, for its target."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10

from polysched.analysis import DEVICE_FEATURES, Dependences, schedule_features
from polysched.codegen import Target
from polysched.cost import predict_on_device, predict_seconds, read_kernels
from polysched.ir import ScheduleTree, Scop
from polysched.machine import Gpu, Machine

DEFAULT_GPU = "h100"  # what kernels are ranked for where no other one is named


def gpu_of(machine: Machine) -> Gpu:
    """The machine's graphics processor, or the one that is assumed."""
    return machine.gpu or Gpu.named(DEFAULT_GPU)


def predict_tree(
    tree: ScheduleTree,
    scop: Scop,
    dependences: Dependences,
    machine: Machine,
    target: Target,
    parameters: Mapping[str, int],
) -> float | None:
    """Predicted seconds of a tree on what its target says."""
    if target == "openmp":
        return predict_seconds(tree, scop, dependences, machine, parameters)
    gpu = gpu_of(machine)
    found = predict_on_device(tree, scop, dependences, gpu, parameters)
    return None if found is None else found.seconds


def describe_tree(
    tree: ScheduleTree,
    scop: Scop,
    dependences: Dependences,
    machine: Machine,
    target: Target,
) -> dict[str, float]:
    """Features of a tree; those of its kernels, too, where they are for a device."""
    found = dict(schedule_features(tree, scop, dependences, machine))
    if target == "cuda":
        found |= _device_features(tree, scop, dependences)
    return found


def _device_features(
    tree: ScheduleTree, scop: Scop, dependences: Dependences
) -> dict[str, float]:
    kernels = read_kernels(tree, scop, dependences)
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
