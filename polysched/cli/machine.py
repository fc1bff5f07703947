"""``polysched machine``: what was detected and measured of this machine."""

from __future__ import annotations

from dataclasses import replace

import click

from polysched.cli.app import DONE
from polysched.cli.options import readable_file, start_logging
from polysched.cli.output import print_json
from polysched.cli.tables import field_lines, print_seconds
from polysched.machine import CacheRate, Cpu, Gpu, Machine, calibration_path, probe_gpu
from polysched.runtime import Toolchain, calibrate


@click.command("machine")
@click.option("--calibrate", "measure", is_flag=True, help="Measure the ceilings now.")
@click.option("--machine", "path", type=readable_file, help="Show this description.")
@click.option(
    "--gpu",
    "gpu_name",
    metavar="NAME|FILE",
    help="Show this graphics processor: a known name, or a JSON file.",
)
@click.option("--cc", default="gcc", show_default=True, help="Compiler command.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("-v", "--verbose", count=True, help="Say more; -vv even more.")
def command(
    measure: bool,
    path: str | None,
    gpu_name: str | None,
    cc: str,
    as_json: bool,
    verbose: int,
) -> int:
    """Show cores, caches, vector width and ceilings that predictions rest on.

    With --calibrate the ceilings are measured with small kernels and kept for later.
    """
    if measure and path:
        raise click.UsageError("--calibrate measures this machine, not a description")
    start_logging(verbose)
    machine = Machine.load(path) if path else Machine.detect()
    if measure:
        machine = calibrate(machine, Toolchain(cc=cc))
        machine.save(calibration_path(machine.cpu))
    if gpu_name:
        machine = replace(machine, gpu=Gpu.find(gpu_name))
    elif path is None:
        machine = replace(machine, gpu=probe_gpu())
    if as_json:
        print_json(machine.to_json())
    else:
        click.echo("\n".join(field_lines(_fields(machine))))
    return DONE


def _fields(machine: Machine) -> dict[str, str]:
    cpu: Cpu = machine.cpu
    clock = f"{cpu.frequency_hz / 1e9:.2f} GHz" if cpu.frequency_hz else "unknown"
    gib = 2**30
    return {
        "processor": cpu.name,
        "cores": f"{cpu.n_cores}, {cpu.n_threads} hardware threads",
        "clock": clock,
        "vectors": f"{cpu.simd_bits} bits, {' '.join(cpu.isa)}".rstrip(", "),
        "caches": (
            f"L1 {_size(cpu.l1_bytes)}, L2 {_size(cpu.l2_bytes)} per core, "
            f"L3 {_size(cpu.l3_bytes)} shared, lines of {cpu.line_bytes} B"
        ),
        "compute": f"{cpu.flops_per_second / 1e9:.1f} GFLOP/s per thread (double)",
        "bandwidth": (
            f"{cpu.bandwidth_bytes_per_second / gib:.1f} GiB/s per thread, "
            f"{cpu.bandwidth_all_bytes_per_second / gib:.1f} GiB/s all cores"
        ),
        **{f"L{rate.level}": _rate(rate) for rate in cpu.cache_rates},
        "barrier": print_seconds(cpu.barrier_seconds),
        "ceilings": machine.origin,
        "key": machine.key,
        **({} if machine.gpu is None else _gpu_fields(machine.gpu)),
    }


def _gpu_fields(gpu: Gpu) -> dict[str, str]:
    peak = 2 * gpu.n_sms * gpu.clock_hz / 1e12
    tensor = (
        ("fp16", gpu.tensor_fp16_per_cycle),
        ("tf32", gpu.tensor_tf32_per_cycle),
        ("fp64", gpu.tensor_fp64_per_cycle),
    )
    cores = ", ".join(f"{peak * rate:.0f} {name}" for name, rate in tensor if rate)
    cores = cores or "none"
    return {
        "graphics": (
            f"{gpu.name}, {gpu.architecture}, {gpu.n_sms} SMs at "
            f"{gpu.clock_hz / 1e9:.2f} GHz"
        ),
        "gpu compute": (
            f"{peak * gpu.fma_fp32_per_cycle:.1f} TFLOP/s float, "
            f"{peak * gpu.fma_fp64_per_cycle:.1f} double; tensor cores {cores}"
        ),
        "gpu memory": (
            f"{gpu.memory_bytes / 2**30:.0f} GiB at "
            f"{gpu.memory_bytes_per_second / 1e9:.0f} GB/s, "
            f"L2 {_size(gpu.l2_bytes)} at {gpu.l2_bytes_per_second / 1e9:.0f} GB/s"
        ),
        "gpu per SM": (
            f"{gpu.registers_per_sm} registers, shared memory "
            f"{_size(gpu.shared_bytes_per_sm)}, {_size(gpu.shared_bytes_per_block)} "
            f"for one block"
        ),
        "gpu copies": (
            f"{gpu.pcie_bytes_per_second / 1e9:.0f} GB/s over PCIe, launch "
            f"{print_seconds(gpu.launch_seconds)}"
        ),
    }


def _rate(rate: CacheRate) -> str:
    gib = 2**30
    read, read_all = rate.read_bytes_per_second, rate.read_all_bytes_per_second
    update, update_all = rate.update_bytes_per_second, rate.update_all_bytes_per_second
    return (
        f"{read / gib:.1f} GiB/s read, {update / gib:.1f} updated per thread; "
        f"{read_all / gib:.1f}, {update_all / gib:.1f} all cores"
    )


def _size(n_bytes: int) -> str:
    if n_bytes >= 1 << 20:
        return f"{n_bytes / (1 << 20):g} MiB"
    return f"{n_bytes / (1 << 10):g} KiB"
