"""What runs the kernels of ``--target cuda``, for commands that measure."""

from __future__ import annotations

from typing import Any

import click

from polysched.cli.options import Common
from polysched.machine import Machine
from polysched.runtime import DeviceTools
from polysched.space import gpu_of
from polysched.tune import TuneOptions

LIMIT_SECONDS, SLOW_LIMIT_SECONDS = 10.0, 300.0  # that any run may take

device_option = click.option(
    "--device",
    type=click.Choice(["gpu", "cpu"]),
    default="gpu",
    show_default=True,
    help="What runs the kernels of --target cuda; the processor runs them slowly, "
    "checks every access, and its times decide nothing.",
)
timed_option = click.option(
    "--time",
    "timed",
    type=click.Choice(["region", "kernels"]),
    default="region",
    show_default=True,
    help="What is compared of runs on a GPU: all of the region, or without copies.",
)


def find_device(
    common: Common, machine: Machine, values: dict[str, Any]
) -> DeviceTools | None:
    """What builds and runs kernels, of `device_option` and `timed_option`.

    None for the processor's schedules.

    Raises
    ------
    ToolchainError
        If there is no compiler for the GPU.
    RunError
        If there is no GPU.
    """
    if common.target != "cuda":
        return None
    if values["device"] == "cpu":
        return DeviceTools(seed=common.seed)
    return DeviceTools.for_gpu(gpu_of(machine), values["timed"])


def tune_options(
    common: Common, device: DeviceTools | None, values: dict[str, Any], **more: int
) -> TuneOptions:
    """How often and how long things run; kernels on the processor once."""
    is_timed = device is None or device.is_gpu
    return TuneOptions(
        repeats=values["repeats"] if is_timed else 1,
        least_limit_seconds=LIMIT_SECONDS if is_timed else SLOW_LIMIT_SECONDS,
        timeout_seconds=values["run_timeout"],
        fp=common.fp,
        **more,
    )
