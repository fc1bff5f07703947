"""``polysched check``: two proofs that one file is a legal re-ordering of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from polysched.base import PolyschedError
from polysched.cli.app import DONE, FAILED
from polysched.cli.options import Common, readable_file, takes_file
from polysched.cli.output import Outputs, print_json
from polysched.cli.running import runs_program, take_running
from polysched.cli.stages import Stages
from polysched.machine import Machine
from polysched.runtime import DeviceTools
from polysched.workflow import CheckedScop, check


@click.command("check")
@takes_file(builds_space=False, runs=True, has_target=True)
@click.argument("output", metavar="OUT", type=readable_file)
@click.option("--no-run", is_flag=True, help="Prove the order only, run nothing.")
@runs_program
def command(common: Common, output: str, no_run: bool, **values: Any) -> int:
    """Prove that OUT, by optimize or tune, is a legal re-ordering of FILE.

    First proof: the schedule tree in OUT's comment respects every dependence of FILE,
    and prints exactly the code in OUT. Second: both programs leave equal results.
    With --target cuda, OUT names the C file or the device file, both are read, and
    kernels run on the processor, every access checked.
    """
    running = take_running(values)
    stages = Stages(common)
    program, _ = stages.parse()
    outputs = Outputs.of(output, common.target)
    content = _read(outputs.program)
    device = _read(outputs.device) if outputs.device else b""
    cores = Machine.detect().cpu.n_cores
    with stages.timed("check"):
        verdicts = check(
            program,
            content,
            run=not no_run,
            device=device.decode("utf-8", "surrogateescape"),
            device_tools=DeviceTools(seed=common.seed) if device else None,
            fp=common.fp,
            toolchain=running.toolchain(common),
            run_options=running.run_options(common, cores),
            progress=stages.progress,
        )
    passed = all(v.passed for v in verdicts)
    if common.as_json:
        scops = [v.to_json() for v in verdicts]
        print_json(
            {
                "file": common.file,
                "target": common.target,
                **outputs.to_json(),
                "passed": passed,
                "scops": scops,
            }
        )
    else:
        for verdict in verdicts:
            click.echo(_verdict_text(verdict))
        click.echo("passed" if passed else "not passed")
    stages.finish()
    return DONE if passed else FAILED


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise PolyschedError(f"cannot read {path!r}: {error.strerror}") from error


def _verdict_text(verdict: CheckedScop) -> str:
    name = f"{verdict.scop}, schedule {verdict.schedule}" if verdict.schedule else ""
    lines = [f"scop {name or verdict.scop}"]
    lines.append(f"  order    {verdict.order}: {verdict.order_text}")
    if verdict.results != "not run" or verdict.order != "unchanged":
        told = f": {verdict.results_text}" if verdict.results_text else ""
        lines.append(f"  results  {verdict.results}{told}")
    return "\n".join(lines)
