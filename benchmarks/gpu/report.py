"""The page of the GPU benchmark from what ``run.py`` wrote.

``python benchmarks/gpu/report.py RESULTS.json [MORE.json ...]`` writes
docs/benchmarks/gpu.json and gpu.md. Needs polysched for the model's ranking.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from polysched.cost.gpu import (
    Contraction,
    TileShape,
    contraction_work,
    predict_kernel,
)
from polysched.machine import Gpu

DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
KEPT = (
    "case", "kind", "script", "flops", "n_bytes", "registers", "spill_bytes", "verdict",
    "ms", "launches",
)  # fmt: skip
Run = dict[str, Any]
_CONTRACT = re.compile(
    r"tile=\[(\d+),(\d+),(\d+)\], threads=\[(\d+),(\d+)\], runs=\[\d+,(\d+)\], "
    r"stages=(\d+)"
)


def shape_of(run: Run) -> TileShape | None:
    """The tile shape of a contraction's script."""
    found = _CONTRACT.search(run["script"])
    if found is None:
        return None
    rows, columns, depth, ty, tx, run_length, stages = map(int, found.groups())
    return TileShape(
        rows, columns, depth, rows // ty, columns // tx,
        n_stages=stages, vector_elements=run_length,
    )  # fmt: skip


def model_lines(runs: list[Run], gpu: Gpu) -> Iterable[str]:
    """How well the model ranks the shapes that were measured."""
    for elem, n_bytes in (("float", 4), ("double", 8)):
        tiled = [r for r in runs if r["case"] == f"{elem} matmul 4096"]
        tiled = [r for r in tiled if r["kind"] == "tiled" and r.get("ms")]
        if not tiled:
            continue
        problem = Contraction(4096, 4096, 4096, element_bytes=n_bytes)
        ranked = []
        for r in tiled:
            shape = shape_of(r)
            assert shape is not None
            work = contraction_work(problem, shape, gpu)
            ranked.append((predict_kernel(work, gpu).seconds, r["ms"]))
        ranked.sort()
        best = min(ms for _, ms in ranked)
        firsts = [min(ms for _, ms in ranked[:n]) / best for n in (1, 5)]
        pairs = [(a, b) for k, a in enumerate(ranked) for b in ranked[k + 1 :]]
        agreed = sum(a[1] <= b[1] for a, b in pairs) / len(pairs)
        yield (
            f"| {elem} | {len(ranked)} | {firsts[0]:.3f} | {firsts[1]:.3f} | "
            f"{agreed:.0%} |"
        )


def pipeline_lines(runs: list[Run]) -> Iterable[str]:
    """The same kernel with one tile in shared memory and with several."""
    groups: dict[tuple[str, str], dict[int, float]] = {}
    for r in runs:
        shape = shape_of(r)
        if shape is None or r["kind"] != "tiled" or not r.get("ms"):
            continue
        text = re.sub(r", stages=\d+\)", ")", r["script"].split("contract")[-1])
        groups.setdefault((r["case"], text), {})[shape.n_stages] = r["ms"]
    for case in dict.fromkeys(c for c, _ in groups):
        own = [(t, g) for (c, t), g in groups.items() if c == case and len(g) > 1]
        own = [(t, g) for t, g in own if 1 in g]
        own.sort(key=lambda item: min(item[1].values()))
        for text, group in own[:3]:
            best = min((ms, s) for s, ms in group.items() if s > 1)
            tile = text.split("threads")[0].strip("(, ").replace("band=0, ", "")
            yield (
                f"| {case} | {tile} | {group[1]:.2f} | {best[0]:.2f} ({best[1]}) | "
                f"{group[1] / best[0]:.2f} |"
            )


def case_lines(runs: list[Run], reference: Run) -> Iterable[str]:
    """The fastest of each kind per case, beside the library and the copy."""
    copy = reference.get("copy_bytes_per_second")
    for case in dict.fromkeys(r["case"] for r in runs):
        own = [r for r in runs if r["case"] == case and r.get("ms")]
        kinds = dict.fromkeys(r["kind"].split(" (")[0] for r in own)
        for kind in kinds:
            same = [r for r in own if r["kind"].split(" (")[0] == kind]
            r = min(same, key=lambda one: one["ms"])
            rate = r["flops"] / r["ms"] * 1e-9
            library = reference.get(case)
            beside = f"{library / r['ms']:.0%} of the library" if library else ""
            if not library and copy:
                share = r["n_bytes"] / r["ms"] * 1e3 / copy
                beside = f"{share:.0%} of a copy"
            yield (
                f"| {case} | {kind} | {len(same)} | {r['ms']:.2f} | {rate:.2f} | "
                f"{beside} | {r['registers']} | {r['launches']} |"
            )


def page(found: Run) -> str:
    """The whole page."""
    runs = found["runs"]
    wrong = [r for r in runs if r["verdict"] != "equal"]
    spilled = [r for r in runs if r.get("spill_bytes")]
    gpu = Gpu.named("h200")
    reference = found["reference"]
    copy = reference.get("copy_bytes_per_second", 0.0)
    lines = [
        "# Device code on a GPU",
        "",
        f"{found['gpu']}; nvcc {found['nvcc']}, `-O3 -arch={found['arch']}`; "
        f"library: PyTorch {reference.get('torch', 'absent')} (cuBLAS without TF32, "
        f"cuDNN); a plain copy moves {copy * 1e-12:.2f} TB/s, read and written bytes "
        "counted.",
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
        "## The model's ranking",
        "",
        "Measured time of the model's first choice, and of the best of its first five, "
        "over the best of all that were measured; pairs that it orders as measured.",
        "",
        "| type | shapes | first | first five | pairs |",
        "|---|---:|---:|---:|---:|",
        *model_lines(runs, gpu),
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
