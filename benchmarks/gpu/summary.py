"""What the runs of the GPU benchmark come to: tables, and what was asked for.

Knows results only, needs neither polysched nor a GPU.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from statistics import geometric_mean
from typing import Any

Run = dict[str, Any]
PRODUCT = "{} matmul 4096"
ELEMENTS = ("float", "double")
STENCILS = ("jacobi2d", "heat3d")
PEER = "PPCG"
FEW = 5  # first choices of the model
_STAGES = re.compile(r", stages=(\d+)")
_BULK = ", bulk=true"


def kind_of(run: Run) -> str:
    """The kind, without what tells apart when its variants have their turn."""
    return str(run["kind"]).split(" (")[0]


def is_peer(run: Run) -> bool:
    """Whether the kernels are PPCG's."""
    return kind_of(run) == PEER


def is_suite(run: Run) -> bool:
    """Whether it is a program of PolyBench, of which no operations are counted."""
    return not run["flops"]


def timed(runs: Iterable[Run], case: str, kind: str = "") -> list[Run]:
    """The runs of a case that were right, the fastest first."""
    own = [r for r in runs if r["case"] == case and r.get("ms")]
    own = [r for r in own if kind in ("", kind_of(r))]
    return sorted(own, key=lambda r: r["ms"])


def stages_of(run: Run) -> int:
    """Tiles in shared memory at a time."""
    found = _STAGES.search(run["script"])
    return int(found[1]) if found else 1


def is_bulk(run: Run) -> bool:
    """Whether rows are copied in bulk."""
    return _BULK in run["script"]


def _same_shapes(runs: Iterable[Run], case: str) -> Iterator[list[Run]]:
    """Tiled runs that differ in stages and kind of copies alone, the fastest first."""
    groups: dict[str, list[Run]] = {}
    for r in timed(runs, case, "tiled"):
        text = _STAGES.sub("", r["script"].replace(_BULK, ""))
        groups.setdefault(text, []).append(r)
    yield from groups.values()


def pipelines(runs: Iterable[Run], case: str) -> Iterator[tuple[Run, Run]]:
    """Pairs of a kernel with one tile in shared memory and with the best number."""
    for group in _same_shapes(runs, case):
        without = [r for r in group if stages_of(r) == 1]
        ahead = [r for r in group if stages_of(r) > 1 and not is_bulk(r)]
        if without and ahead:
            yield without[0], ahead[0]


def bulk_pairs(runs: Iterable[Run], case: str) -> Iterator[tuple[Run, Run]]:
    """Pairs of a kernel that copies pieces and the one that copies rows in bulk."""
    for group in _same_shapes(runs, case):
        pieces = {stages_of(r): r for r in group if not is_bulk(r)}
        for r in group:
            if is_bulk(r) and stages_of(r) in pieces:
                yield pieces[stages_of(r)], r


def regret(runs: Iterable[Run], case: str, n_first: int) -> float | None:
    """The best of the model's first choices over the best of all; None without any."""
    known = [r for r in timed(runs, case, "tiled") if r.get("predicted_seconds")]
    known = [r for r in known if not is_bulk(r)]
    if not known:
        return None
    ranked = sorted(known, key=lambda r: r["predicted_seconds"])
    return min(r["ms"] for r in ranked[:n_first]) / known[0]["ms"]


def agreement(runs: Iterable[Run], case: str) -> float | None:
    """Share of pairs that the model orders as measured; None without any."""
    known = [r for r in timed(runs, case, "tiled") if r.get("predicted_seconds")]
    known = [r for r in known if not is_bulk(r)]
    pairs = [(a, b) for k, a in enumerate(known) for b in known[k + 1 :]]
    if not pairs:
        return None
    agreed = sum(a["predicted_seconds"] <= b["predicted_seconds"] for a, b in pairs)
    return agreed / len(pairs)


def model_lines(runs: list[Run]) -> Iterator[str]:
    """How well the model ranks the shapes that were measured."""
    for elem in ELEMENTS:
        case = PRODUCT.format(elem)
        first, few = regret(runs, case, 1), regret(runs, case, FEW)
        agreed = agreement(runs, case)
        if first is None or few is None or agreed is None:
            continue
        n_known = sum(not is_bulk(r) for r in timed(runs, case, "tiled"))
        yield f"| {elem} | {n_known} | {first:.3f} | {few:.3f} | {agreed:.0%} |"


def _tile(run: Run) -> str:
    found = re.search(r"tile=\[[\d,]+\]", run["script"])
    return found[0] if found else ""


def pipeline_lines(runs: list[Run]) -> Iterator[str]:
    """The same kernel with one tile in shared memory and with several."""
    for case in dict.fromkeys(r["case"] for r in runs):
        pairs = sorted(pipelines(runs, case), key=lambda pair: pair[1]["ms"])
        for without, ahead in pairs[:3]:
            yield (
                f"| {case} | {_tile(ahead)} | {without['ms']:.2f} | "
                f"{ahead['ms']:.2f} ({stages_of(ahead)}) | "
                f"{without['ms'] / ahead['ms']:.2f} |"
            )


def bulk_lines(runs: list[Run]) -> Iterator[str]:
    """The same kernel with copies of pieces and of rows."""
    for case in dict.fromkeys(r["case"] for r in runs):
        for pieces, rows in bulk_pairs(runs, case):
            yield (
                f"| {case} | {_tile(rows)}, {stages_of(rows)} stages | "
                f"{pieces['ms']:.2f} | {rows['ms']:.2f} | "
                f"{pieces['ms'] / rows['ms']:.2f} |"
            )


def case_lines(runs: list[Run], reference: Run) -> Iterator[str]:
    """The fastest of each kind per case, beside the library and the copy."""
    copy = reference.get("copy_bytes_per_second")
    for case in dict.fromkeys(r["case"] for r in runs if not is_suite(r)):
        for kind in dict.fromkeys(kind_of(r) for r in timed(runs, case)):
            same = timed(runs, case, kind)
            r = same[0]
            rate = r["flops"] / r["ms"] * 1e-9
            library = reference.get(case)
            beside = f"{library / r['ms']:.0%} of the library" if library else ""
            if not library and copy:
                beside = f"{_share_of_copy(r, copy):.0%} of a copy"
            yield (
                f"| {case} | {kind} | {len(same)} | {r['ms']:.2f} | {rate:.2f} | "
                f"{beside} | {r['registers']} | {r['launches']} |"
            )


def _suite_cases(runs: list[Run]) -> Iterator[tuple[list[Run], list[Run]]]:
    """Ours, as the model ranks them, and PPCG's, of each program of PolyBench."""
    for case in dict.fromkeys(r["case"] for r in runs if is_suite(r)):
        own = [r for r in runs if r["case"] == case]
        yield [r for r in own if not is_peer(r)], [r for r in own if is_peer(r)]


def _best(runs: list[Run]) -> Run | None:
    return min((r for r in runs if r.get("ms")), key=lambda r: r["ms"], default=None)


def _found(runs: list[Run]) -> str:
    """Milliseconds of the fastest, or why there are none."""
    best = _best(runs)
    if best:
        return f"{best['ms']:.3f}"
    is_late = all(r["verdict"] == "timeout" for r in runs)
    return "" if not runs else "timeout" if is_late else "wrong"


def _ratios(runs: list[Run]) -> dict[str, float]:
    """PPCG's best over ours, for each program of PolyBench with both."""
    pairs = [(_best(ours), _best(peers)) for ours, peers in _suite_cases(runs)]
    return {a["case"]: b["ms"] / a["ms"] for a, b in pairs if a and b}


def suite_lines(runs: list[Run]) -> Iterator[str]:
    """The model's first choice, the best of its choices, and PPCG, per program."""
    ratios = _ratios(runs)
    for ours, peers in _suite_cases(runs):
        case = (ours or peers)[0]["case"]
        best = _best(ours) or {}
        predicted = ours[0].get("predicted_seconds") if ours else None
        yield (
            f"| {case.removesuffix(' LARGE')} | {_found(ours[:1])} | {_found(ours)} | "
            f"{len(ours)} | {f'{predicted * 1e3:.3f}' if predicted else ''} | "
            f"{_found(peers)} | {f'{ratios[case]:.2f}' if case in ratios else ''} | "
            f"{best.get('launches', '')} | {best.get('registers', '')} |"
        )


def _suite_section(runs: list[Run]) -> Iterator[str]:
    """What is said of PolyBench; nothing where none of it was measured."""
    if not any(map(is_suite, runs)):
        return
    yield "## PolyBench"
    yield ""
    yield (
        "At LARGE, the region entered once: the model's first choice, the best of the "
        "first few, and PPCG (the faster of its default and, for products, of larger "
        "tiles); launches and registers of our best."
    )
    yield ""
    yield (
        "| kernel | ours first ms | ours best ms | of how many | predicted first ms | "
        "PPCG ms | PPCG over ours best | launches ours | registers |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    yield from suite_lines(runs)
    yield ""
    ratios = list(_ratios(runs).values())
    if ratios:
        yield f"PPCG over ours: {geometric_mean(ratios):.2f} in the mean of the ratios."
        yield ""


def _share_of_copy(run: Run, copy_bytes_per_second: float) -> float:
    return float(run["n_bytes"] / run["ms"] * 1e3 / copy_bytes_per_second)


def asked(runs: list[Run], reference: Run) -> Iterator[tuple[str, float | None, float]]:
    """What is asked for, what was found (None: not measured), and the least of it."""
    runs = [r for r in runs if not is_peer(r)]
    case = PRODUCT.format("float")
    tiled = timed(runs, case, "tiled")
    simple = timed(runs, case, "one-level tiles")
    library = reference.get(case)
    best = tiled[0]["ms"] if tiled else None
    yield "SGEMM 4096 over cuBLAS", best and library and library / best, 0.70
    times = simple[0]["ms"] / best if simple and best else None
    yield "SGEMM 4096, times one-level tiles", times, 3.0
    copy = reference.get("copy_bytes_per_second")
    for elem in ELEMENTS:
        for name in STENCILS:
            found = [
                timed(runs, c)[0]
                for c in dict.fromkeys(r["case"] for r in runs)
                if c.startswith(f"{elem} {name} ") and timed(runs, c)
            ]
            shares = [_share_of_copy(r, copy) for r in found] if copy else []
            yield f"{name} of {elem}s, share of a copy", max(shares, default=None), 0.80
    gains = [a["ms"] / b["ms"] for a, b in pipelines(runs, case)]
    yield "pipelines on SGEMM, gain of the best shape", (gains or [None])[0], 1.15
    few = regret(runs, case, FEW)
    yield f"best over the model's first {FEW}", few and 1 / few, 1 / 1.05


def asked_lines(runs: list[Run], reference: Run) -> Iterator[str]:
    """The same in words, a line each."""
    for what, found, least in asked(runs, reference):
        if found is None:
            yield f"{what}: not measured, at least {least:.2f} is asked for"
        else:
            verdict = "met" if found >= least else "MISSED"
            yield f"{what}: {found:.2f}, at least {least:.2f} is asked for: {verdict}"


def page(found: Run) -> str:
    """The whole page."""
    runs = found["runs"]
    ours = [r for r in runs if not is_peer(r)]
    wrong = [r for r in ours if r["verdict"] != "equal"]
    spilled = [r for r in ours if r.get("spill_bytes")]
    n_peers = len(runs) - len(ours)
    beside = f" {n_peers} are made by PPCG from the same sources." if n_peers else ""
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
        f"{len(ours)} variants were built from the trees by `print_cuda`, run, and "
        f"checked against a computation of their own on the host: {len(wrong)} wrong, "
        f"{len(spilled)} with spilled registers.{beside} Milliseconds are medians of "
        "the kernels alone, by events, after a warm-up; copies to and from the device "
        "are not in them. Made by `make gpu-bench` and `benchmarks/gpu/report.py`.",
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
        "sweep), so that time tiles may exceed a copy; for sums those of the matrix as "
        "often as it is read, for transposes those of both matrices.",
        "",
        *_suite_section(runs),
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
