"""Registers of device kernels: what the model predicts beside what nvcc takes.

``python benchmarks/device_registers.py OUT.json [--gpu NAME] [--arch sm_90] [FILE...]``
compiles every kernel of the default choice of each file (by default all of
``examples/polybench`` and ``examples/programs``) and adds a row per kernel to OUT.json;
``--table OUT.json`` prints what the rows come to. Needs nvcc, no GPU.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from polysched.base import PolyschedError
from polysched.cost.device import kernel_work
from polysched.cost.kernels import read_kernels
from polysched.machine import Gpu, Machine
from polysched.runtime import Nvcc
from polysched.workflow import Variant, build_space, parse

EXAMPLES = Path(__file__).parents[1] / "examples"
SECONDS = 20.0  # for one space


def rows_of(variant: Variant, nvcc: Nvcc, architecture: str) -> Iterator[dict]:
    """A row for each kernel of a variant."""
    loads = read_kernels(variant.tree, variant.scop)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "kernels.cu"
        source.write_text(variant.device_text())
        code = nvcc.compile(source, architectures=[architecture], form="cubin")
    for resources in code.resources:
        load = loads[int(resources.name.rsplit("_", 1)[1])]
        work = kernel_work(load)
        stage = next((s.stage for s in load.statements if s.stage), None)
        yield {
            "scop": variant.scop.name,
            "kernel": resources.name,
            "arch": architecture,
            "threads": load.n_threads,
            "element_bytes": max(s.element.n_bytes for s in load.statements),
            "statements": len(load.statements),
            "references": sum(s.n_references for s in load.statements),
            "operations": sum(s.n_operations for s in load.statements),
            "per_thread": list(stage.per_thread) if stage else [],
            "buffers": stage.n_buffers if stage else 0,
            "inner": stage.n_inner if stage else 0,
            "predicted": work.registers_per_thread,
            "found": resources.n_registers,
            "spilled": resources.spill_store_bytes + resources.spill_load_bytes,
        }


def default_choices(path: Path, gpu: str) -> Iterator[Variant]:
    """The first choice for every scop of a file."""
    machine = Machine(Machine.detect(calibrated=False).cpu, gpu=Gpu.named(gpu))
    program = parse(str(path))
    for scop in program.scops:
        space = build_space(
            program, machine, scop=scop.name, seconds=SECONDS, target="cuda"
        )
        yield space.first_printable()[0]


def table(rows: list) -> Iterator[str]:
    """Lines that compare predicted and found registers by kind and architecture."""
    kinds = defaultdict(list)
    for row in rows:
        kinds[row["arch"], "tiled" if row["per_thread"] else "plain"].append(row)
    for (arch, kind), some in sorted(kinds.items()):
        ratios = [r["predicted"] / r["found"] for r in some]
        found = [r["found"] for r in some]
        spilled = [f"{r['kernel']} {r['spilled']}" for r in some if r["spilled"]]
        yield (
            f"{arch} {kind}: {len(some)} kernels, {median(found)} registers in the "
            f"median, {max(found)} at most; predicted over found {min(ratios):.2f} to "
            f"{max(ratios):.2f}, {median(ratios):.2f} in the median; "
            f"spilled bytes: {', '.join(spilled) or 'none'}"
        )


def main() -> int:
    """Add rows, or print their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--gpu", default="h100")
    parser.add_argument("--arch", default="")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_intermixed_args()
    rows = json.loads(options.output.read_text()) if options.output.exists() else []
    if options.table:
        sys.stdout.write("\n".join(table(rows)) + "\n")
        return 0
    folders = ("polybench", "programs")
    every = [p for f in folders for p in sorted((EXAMPLES / f).glob("*.c"))]
    nvcc = Nvcc.locate()
    architecture = options.arch or Gpu.named(options.gpu).architecture
    for path in options.files or every:
        try:
            for variant in default_choices(path, options.gpu):
                rows += rows_of(variant, nvcc, architecture)
        except PolyschedError as error:
            sys.stderr.write(f"{path.stem}: {error}\n")
        options.output.write_text(json.dumps(rows, indent=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
