"""Proving that one file is a legal re-ordering of another, with equal results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from polysched.analysis import (
    FloatingPoint,
    allow_reordering,
    compute_dependences,
    find_violation,
    prepare_scop,
)
from polysched.base import PolyschedError, Progress
from polysched.codegen import Target
from polysched.codegen.cuda import join_device
from polysched.ir import MARK_KERNEL, Program, ScheduleTree, Scop
from polysched.records import Failure, Measurement
from polysched.runtime import DeviceTools, RunOptions, Toolchain
from polysched.sets import node_kind
from polysched.tune import TuneOptions
from polysched.tune import tune as measure
from polysched.workflow.header import Header, read_header
from polysched.workflow.variant import macro_flags, print_region

Order = Literal["proven", "unchanged", "unproven", "illegal"]
Results = Literal["equal", "differ", "failed", "not run"]

_EDITED = "its device code was edited after it was generated"
_NOT_READ = "it calls kernels of a device file, which --target cuda reads"


@dataclass(frozen=True)
class CheckedScop:
    """The two verdicts on one SCoP.

    Attributes
    ----------
    scop : str
        Its name.
    schedule : str or None
        Id found in the header of the generated text.
    order : {"proven", "unchanged", "unproven", "illegal"}
        Whether the order of instances respects every dependence.
    order_text : str
        Why not, or how it was proven.
    results : {"equal", "differ", "failed", "not run"}
        Whether both files leave equal results.
    results_text : str
        What differs, or how equal they are.
    """

    scop: str
    schedule: str | None
    order: Order
    order_text: str
    results: Results = "not run"
    results_text: str = ""

    @property
    def passed(self) -> bool:
        """Whether neither proof failed: a legal order, and no unequal results."""
        legal = self.order in ("proven", "unchanged")
        return legal and self.results in ("equal", "not run")

    def to_json(self) -> dict[str, object]:
        """Both verdicts with their reasons."""
        return {
            "scop": self.scop,
            "schedule": self.schedule,
            "order": {"verdict": self.order, "text": self.order_text},
            "results": {"verdict": self.results, "text": self.results_text},
            "passed": self.passed,
        }


@dataclass(frozen=True)
class _Text:
    """A region's text as something that can be measured."""

    id: str
    text: str
    device: str = ""
    predicted_seconds: float | None = None

    def region_text(self) -> str:
        """The text itself."""
        return self.text

    def device_text(self) -> str:
        """What its region calls; empty where it is C alone."""
        return self.device


def check(
    program: Program,
    output: bytes,
    *,
    run: bool = True,
    device: str = "",
    device_tools: DeviceTools | None = None,
    fp: FloatingPoint = "strict",
    toolchain: Toolchain | None = None,
    run_options: RunOptions | None = None,
    progress: Progress | None = None,
) -> tuple[CheckedScop, ...]:
    """Prove that `output` only re-orders the SCoPs of `program`, and compare results.

    Parameters
    ----------
    program : Program
        The original file.
    output : bytes
        The file that claims to be the same.
    run : bool
        Whether to compare results by running both.
    device : str
        The file of device code that `output` calls, where there is one.
    device_tools : DeviceTools, optional
        What builds and runs device code; needed where there is some.
    fp : {"strict", "promised", "reassociate", "tf32"}
        Which sums may have been reordered, and factors rounded, as for `build_space`.
    toolchain, run_options, progress
        As for `tune`.

    Returns
    -------
    tuple of CheckedScop
        One per SCoP, in source order.

    Raises
    ------
    PolyschedError
        If the files differ outside the SCoPs, so that they cannot be compared.
    """
    first = [
        _check_order(program, scop, text, fp)
        for scop, text in zip(program.scops, find_regions(program, output), strict=True)
    ]
    own = [d for _, _, d in first if d]
    is_printed = _is_same_text(join_device(own) if own else "", device)
    tools = device_tools if device else None
    verdicts = []
    for text, verdict, calls in first:
        if calls and not is_printed and verdict.order == "proven":
            reason = _EDITED if device else _NOT_READ
            verdict = replace(verdict, order="unproven", order_text=reason)
        if run and verdict.order != "unchanged" and (device or not calls):
            scop = next(s for s in program.scops if s.name == verdict.scop)
            texts = _Text("output", text, device if calls else "")
            results, why = _compare(
                program, scop, texts, tools, fp, toolchain, run_options, progress
            )
            verdict = replace(verdict, results=results, results_text=why)
        verdicts.append(verdict)
    return tuple(verdicts)


def find_regions(program: Program, output: bytes) -> list[str]:
    """The text that stands in `output` at the place of each SCoP.

    Raises
    ------
    PolyschedError
        If what is outside the SCoPs is not equal byte for byte.
    """
    regions = [s.region for s in program.scops if s.region is not None]
    starts = [r.start for r in regions] + [len(program.source)]
    ends = [0] + [r.end for r in regions]
    outside = [program.source[a:b] for a, b in zip(ends, starts, strict=True)]
    if not output.startswith(outside[0]):
        pairs = enumerate(zip(outside[0], output, strict=False))
        same = next((k for k, (a, b) in pairs if a != b), len(output))
        line = outside[0][:same].count(b"\n") + 1
        raise _changed(program, f"at line {line}")
    texts, at = [], len(outside[0])
    for region, after in zip(regions, outside[1:], strict=True):
        is_last = region is regions[-1]
        end = len(output) - len(after) if is_last else output.find(after, at)
        if end < at or not output.startswith(after, end):
            raise _changed(program, f"after line {region.end_line}")
        texts.append(output[at:end])
        at = end + len(after)
    return [t.decode("utf-8", "surrogateescape") for t in texts]


def _changed(program: Program, place: str) -> PolyschedError:
    return PolyschedError(
        f"the files differ outside the scops of {program.path!r}, {place}",
        hint="check compares a file with what optimize or tune wrote for it",
    )


def _check_order(
    program: Program, scop: Scop, text: str, fp: FloatingPoint
) -> tuple[str, CheckedScop, str]:
    """A region's text, the verdict on it, and the device code that goes with it."""
    region = scop.region
    assert region is not None
    written = program.source[region.start : region.end]
    if text == written.decode("utf-8", "surrogateescape"):
        reason = "the text is the original's"
        return text, CheckedScop(scop.name, None, "unchanged", reason), ""
    header = read_header(text)
    if header is None:
        reason = "no header of polysched in it: its order cannot be proven"
        return text, CheckedScop(scop.name, None, "unproven", reason), ""
    order, reason, device = _prove(program, scop, text, fp)
    return text, CheckedScop(scop.name, header.schedule, order, reason), device


def _prove(
    program: Program, scop: Scop, text: str, fp: FloatingPoint
) -> tuple[Order, str, str]:
    """Whether the header's tree is legal and the text is what it prints, with what."""
    header = read_header(text)
    assert header is not None
    if header.scop != scop.name:
        return "unproven", f"its header is about another scop, {header.scop}", ""
    scop = replace(scop, promised=header.is_promised)
    try:
        tree = ScheduleTree.parse(header.tree)
        private = _find_prepared(scop, tree)
        if private is None:
            return "illegal", _other_instances(program, header), ""
        dependences = compute_dependences(private, with_input=False)
        dependences = allow_reordering(dependences, private, fp)
        violation = find_violation(tree, dependences, private)
        if violation is not None:
            return "illegal", str(violation), ""
        target: Target = "cuda" if _has_kernels(tree) else "openmp"
        printed = print_region(
            program, private, tree, header.lines, dependences, target
        )
    except PolyschedError as error:
        return "unproven", f"its header holds no tree of this scop: {error.message}", ""
    if not _is_same_text(printed.region, text):
        reason = "edited after it was generated: its order cannot be proven"
        return "unproven", reason, printed.device
    count = sum(d.orders for d in dependences.items)
    told = f"the tree respects all {count} dependences and prints this text"
    return "proven", told, printed.device


def _find_prepared(scop: Scop, tree: ScheduleTree) -> Scop | None:
    """The SCoP as it was scheduled, for threads or a device; None for another one."""
    domain = tree.schedule.get_domain()
    for with_copies in (True, False):
        prepared = prepare_scop(scop, with_copies=with_copies)
        if domain.is_equal(prepared.domain):
            return prepared
    return None


def _has_kernels(tree: ScheduleTree) -> bool:
    """Whether a tree is for a device."""
    marks = (n for _, n in tree.nodes() if node_kind(n) == "mark")
    return any(n.mark_get_id().get_name() == MARK_KERNEL for n in marks)


def _other_instances(program: Program, header: Header) -> str:
    """The tree is of another domain; the flags are the usual reason."""
    now = " ".join(macro_flags(program)) or "none"
    then = header.macros or "none"
    told = "its tree does not run the same instances"
    if now == then:
        return told
    return f"{told}; it was read with the macros {then}, this file with {now}"


def _is_same_text(printed: str, text: str) -> bool:
    unix = text.replace("\r\n", "\n")
    return printed.rstrip("\n") == unix.rstrip("\n")


def _compare(
    program: Program,
    scop: Scop,
    text: _Text,
    device: DeviceTools | None,
    fp: FloatingPoint,
    toolchain: Toolchain | None,
    run_options: RunOptions | None,
    progress: Progress | None,
) -> tuple[Results, str]:
    """Run both texts in the program and compare what they leave."""
    result = measure(
        program,
        prepare_scop(scop),
        [text],
        toolchain=toolchain,
        options=TuneOptions(budget=1, repeats=1, fp=fp),
        run_options=run_options,
        progress=progress,
        device=device if text.device else None,
    )
    outcome = result.variants[0].outcome
    if isinstance(outcome, Failure):
        kind: Results = "differ" if outcome.kind == "mismatch" else "failed"
        return kind, f"{outcome.kind}: {outcome.text}"
    assert isinstance(outcome, Measurement)
    exact = outcome.max_relative_error == 0.0
    how = "bit for bit" if exact else f"within {outcome.max_relative_error:.2g}"
    notes = f" ({outcome.note})" if outcome.note else ""
    return "equal", f"{how}{notes}"
