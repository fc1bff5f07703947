"""The page of the GPU benchmark from what ``run.py`` wrote.

``python benchmarks/gpu/report.py RESULTS.json [MORE.json ...]`` writes
docs/benchmarks/gpu.json and gpu.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from summary import (
    Run,
    asked_lines,
    bulk_lines,
    case_lines,
    model_lines,
    pipeline_lines,
)

DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
KEPT = (
    "case", "kind", "script", "flops", "n_bytes", "registers", "spill_bytes", "verdict",
    "ms", "launches", "predicted_seconds",
)  # fmt: skip


def page(found: Run) -> str:
    """The whole page."""
    runs = found["runs"]
    wrong = [r for r in runs if r["verdict"] != "equal"]
    spilled = [r for r in runs if r.get("spill_bytes")]
    reference = found["reference"]
    copy = reference.get("copy_bytes_per_second", 0.0)
    lines = [
        "# Device code on a GPU",
        "",
        f"{found['gpu']}; nvcc {found['nvcc']}, `-O3 -arch={found['arch']}`; "
        f"library: cuBLAS {reference.get('cublas', 'absent')} (without TF32), PyTorch "
        f"{reference.get('torch', 'absent')} (cuDNN); a plain copy moves "
        f"{copy * 1e-12:.2f} TB/s, read and written bytes counted.",
        "",
        f"{len(runs)} variants were built from the trees by `print_cuda`, run, and "
        f"checked against a computation of their own on the host: {len(wrong)} wrong, "
        f"{len(spilled)} with spilled registers. Milliseconds are medians of the "
        "kernels alone, by events, after a warm-up; copies to and from the device are "
        "not in them. Made by `make gpu-bench` and `benchmarks/gpu/report.py`.",
        "",
        "## The fastest of each kind",
        "",
        "| case | kind | variants | ms | TFLOP/s | beside | registers | launches |",
        "|---|---|---:|---:|---:|---|---:|---:|",
        *case_lines(runs, reference),
        "",
        "`one-level tiles` are 32 x 32 x 32 through shared memory with two results per "
        "thread and no pipeline, the structure that PPCG prints by default. For "
        "stencils the bytes are those of one sweep at a time (each array once per "
        "sweep), so that time tiles may exceed a copy; for sums those of the matrix.",
        "",
        "## Pipelines",
        "",
        "The same kernel with one tile in shared memory, and with the best number of "
        "them (in brackets); the three fastest shapes of each case that were timed "
        "both ways.",
        "",
        "| case | shape | ms without | ms with | gain |",
        "|---|---|---:|---:|---:|",
        *pipeline_lines(runs),
        "",
        "## Rows in bulk",
        "",
        "The same kernel with copies of pieces and with bulk copies of rows.",
        "",
        "| case | shape | ms pieces | ms rows | gain |",
        "|---|---|---:|---:|---:|",
        *bulk_lines(runs),
        "",
        "## The model's ranking",
        "",
        "Measured time of the model's first choice, and of the best of its first five, "
        "over the best of all that were measured; pairs that it orders as measured.",
        "",
        "| type | shapes | first | first five | pairs |",
        "|---|---:|---:|---:|---:|",
        *model_lines(runs),
        "",
        "## What was asked for",
        "",
        *(f"- {line}" for line in asked_lines(runs, reference)),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Read, merge, write."""
    parts = [json.loads(Path(p).read_text()) for p in sys.argv[1:]]
    runs = [{k: r.get(k) for k in KEPT} for part in parts for r in part["runs"]]
    found = {**parts[0], "runs": runs}
    (DOCS / "gpu.json").write_text(json.dumps(found, indent=0) + "\n")
    (DOCS / "gpu.md").write_text(page(found))


if __name__ == "__main__":
    main()
