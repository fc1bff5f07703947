"""Finding out which graphics processor this is, from what its driver says."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from dataclasses import replace

from polysched.base import PolyschedError
from polysched.machine.gpu import Gpu, known_gpus

log = logging.getLogger(__name__)

_QUERY = "name,compute_cap,memory.total,clocks.max.sm"
_QUERY_SECONDS = 20.0


def probe_gpu(command: str = "nvidia-smi", described: Sequence[Gpu] = ()) -> Gpu | None:
    """Describe the first graphics processor that the driver's tool lists.

    Parameters
    ----------
    command : str
        The tool; tests point it at a recorded answer.
    described : sequence of Gpu
        Known ones besides those that come with the package.

    Returns
    -------
    Gpu or None
        The known processor of that name. One of another name, but a known
        architecture, gets the figures of the known one whose memory is nearest, with
        its own clock and memory size; its number of SMs may differ. None where there
        is no driver or no processor.

    Raises
    ------
    PolyschedError
        If there is a processor of an architecture that is not known.
    """
    lines = _ask(command).splitlines()
    first = [part.strip() for part in lines[0].split(",")] if lines else []
    if len(first) != 4:
        return None
    name, capability, memory, clock = first
    known = (*described, *known_gpus())
    gpu = next((g for g in known if name in g.device_names), None)
    if gpu is None:
        return _nearest(known, name, capability, _number(memory), _number(clock))
    return replace(gpu, clock_hz=_number(clock) * 1e6 or gpu.clock_hz)


def _ask(command: str) -> str:
    """What the tool answers; empty when it is not there or fails."""
    words = [command, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=_QUERY_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.debug("no graphics processor: %s", error)
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _nearest(
    known: Sequence[Gpu],
    name: str,
    capability: str,
    memory_mib: float,
    clock_mhz: float,
) -> Gpu:
    """Figures of a relative for a processor that no file describes."""
    architecture = "sm_" + capability.replace(".", "")
    relatives = [g for g in known if g.architecture == architecture]
    if not relatives:
        listed = ", ".join(f"{g.name} ({g.architecture})" for g in known)
        raise PolyschedError(
            f"the GPU {name!r} has the unknown architecture {architecture}; known are "
            f"{listed}",
            hint="describe it in a JSON file and name that file",
        )
    memory_bytes = int(memory_mib * 2**20)
    near = min(relatives, key=lambda g: abs(g.memory_bytes - memory_bytes))
    log.warning("no figures for %r, those of %s are taken", name, near.name)
    return replace(
        near,
        name=name,
        memory_bytes=memory_bytes or near.memory_bytes,
        clock_hz=clock_mhz * 1e6 or near.clock_hz,
        sources=(f"as {near.name}; clock and memory size: its driver",),
        device_names=(name,),
    )


def _number(text: str) -> float:
    """A number of the answer; 0 where the driver gives none."""
    try:
        return float(text)
    except ValueError:
        return 0.0
