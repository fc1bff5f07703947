"""The page of the GPU benchmark from what ``run.py`` wrote.

``python benchmarks/gpu/report.py RESULTS.json [MORE.json ...]`` writes
docs/benchmarks/gpu.json and gpu.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from summary import page

DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
KEPT = (
    "case", "kind", "script", "flops", "n_bytes", "registers", "spill_bytes", "verdict",
    "ms", "launches", "predicted_seconds",
)  # fmt: skip


def main() -> None:
    """Read, merge, write."""
    parts = [json.loads(Path(p).read_text()) for p in sys.argv[1:]]
    runs = [{k: r.get(k) for k in KEPT} for part in parts for r in part["runs"]]
    found = {**parts[0], "runs": runs}
    (DOCS / "gpu.json").write_text(json.dumps(found, indent=0) + "\n")
    (DOCS / "gpu.md").write_text(page(found))


if __name__ == "__main__":
    main()
