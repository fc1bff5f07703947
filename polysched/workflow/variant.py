"""`Variant`: one schedule of one SCoP, ready to be printed, explained, measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from polysched.analysis import Dependences
from polysched.base import CodegenError, Shown
from polysched.codegen import (
    LEAST_SHARED,
    PrintOptions,
    Target,
    identifiers,
    print_openmp,
    splice,
)
from polysched.codegen.cuda import join_device, print_cuda
from polysched.ir import Program, ScheduleTree, Scop, describe_overlaps
from polysched.runtime import original_text
from polysched.schedule import Pin
from polysched.space import Schedule
from polysched.workflow.explanation import Explanation, explain_schedule
from polysched.workflow.header import header_lines


@dataclass(frozen=True)
class Printed:
    """The texts of a schedule.

    Attributes
    ----------
    region : str
        C text that takes the place of the region.
    device : str
        A file for the CUDA compiler; empty where there is none.
    """

    region: str
    device: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Variant(Shown):
    """A schedule together with the SCoP and the file that it belongs to.

    Attributes
    ----------
    scop : Scop
        As scheduled: dead scalars privatised.
    dependences : Dependences
        Of the SCoP.
    schedule : Schedule
        The point of the space.
    program : Program or None
        The file; None for a SCoP that was not read from one.
    reason : str
        Why it was chosen, for the header of its text.
    target : {"openmp", "cuda"}
        What it is printed as.
    build : str
        How to build what it is written to, for the header of its text.
    """

    scop: Scop
    dependences: Dependences
    schedule: Schedule
    program: Program | None = None
    reason: str = ""
    target: Target = "openmp"
    build: str = ""

    @property
    def headline(self) -> str:
        """Its id and SCoP."""
        return f"Variant {self.id} of {self.scop.name}"

    @property
    def id(self) -> str:
        """Ten hexadecimal digits, stable across runs and machines."""
        return self.schedule.id

    @property
    def features(self) -> Mapping[str, float]:
        """What the schedule is like, as numbers."""
        return self.schedule.features

    @property
    def predicted_seconds(self) -> float | None:
        """What the cost model expects; None when it has no opinion."""
        return self.schedule.predicted_seconds

    def because(self, reason: str) -> Variant:
        """The same variant, chosen for another reason."""
        return replace(self, reason=reason)

    def built_by(self, command: str) -> Variant:
        """The same variant, with a line that says how to build it."""
        return replace(self, build=command)

    @cached_property
    def tree(self) -> ScheduleTree:
        """The tree as `check` will read it back."""
        return ScheduleTree.parse(self.schedule.tree.text)

    def region_text(self) -> str:
        """C text that takes the place of the SCoP's region.

        Raises
        ------
        CodegenError
            If the schedule cannot be printed within its limits.
        """
        return self._texts().region

    def device_text(self) -> str:
        """The file for the CUDA compiler that the region needs; empty without one.

        Raises
        ------
        CodegenError
            As `region_text`.
        """
        return self._texts().device

    def _texts(self) -> Printed:
        if isinstance(self._printed, CodegenError):
            raise self._printed
        return self._printed

    @cached_property
    def _printed(self) -> Printed | CodegenError:
        """The texts or why there are none; found once, it may take seconds."""
        try:
            return self._print()
        except CodegenError as error:
            return error

    def _print(self) -> Printed:
        header = header_lines(
            self.schedule,
            self.scop.name,
            self.schedule.tree.text,
            self.reason,
            macro_flags(self.program),
            self.build,
            self._promised,
        )
        return print_region(
            self.program, self.scop, self.tree, header, self.dependences, self.target
        )

    @property
    def _promised(self) -> str:
        """What the code rests on and does not ask, as it has no original to run."""
        scop = self.scop
        is_asked = self.program is not None and not scop.promised
        return describe_overlaps(scop) if scop.overlaps and not is_asked else ""

    def to_c(self) -> str:
        """The whole file with its region replaced; without a file, the region alone."""
        if self.program is None:
            return self.region_text()
        return optimize(self.program, [self]).decode("utf-8", "surrogateescape")

    def explain(
        self, wants: Sequence[Pin | str] = (), seconds: float = 15.0
    ) -> Explanation:
        """Why the schedule is what it is, and what more would cost.

        Parameters
        ----------
        wants : sequence of Pin or str
            Pins to be priced, or "all", see `explain_schedule`.
        seconds : float
            Limit for the prices.
        """
        return explain_schedule(
            self.scop, self.dependences, self.schedule, wants, seconds
        )


def print_region(
    program: Program | None,
    scop: Scop,
    tree: ScheduleTree,
    header: tuple[str, ...],
    dependences: Dependences | None = None,
    target: Target = "openmp",
) -> Printed:
    """The texts for a tree; the same every time for the same arguments.

    With dependences, loops with pragmas are proven once more not to carry any.
    """
    has_text = program is not None and scop.region is not None
    options = PrintOptions(
        header=header,
        original_text=original_text(program, scop) if program and has_text else None,
        reserved=_identifiers(program),
        macro_uses=program.macro_uses.get(scop.name, ()) if program else (),
        least_shared=LEAST_SHARED,
    )
    validity = None if dependences is None else dependences.validity
    if target == "cuda":
        text = print_cuda(scop, tree, options, deps=validity)
        return Printed(text.region, text.device)
    return Printed(print_openmp(scop, tree, options, deps=validity))


def macro_flags(program: Program | None) -> tuple[str, ...]:
    """The ``-D`` and ``-U`` flags that a program was read with."""
    flags = () if program is None else program.flags
    joined = [f"{a}{b}" for a, b in pairwise(flags) if a in ("-D", "-U")]
    return (*joined, *(f for f in flags if f[:2] in ("-D", "-U") and len(f) > 2))


def _identifiers(program: Program | None) -> frozenset[str]:
    if program is None:
        return frozenset()
    text = program.source.decode("utf-8", "surrogateescape")
    return identifiers(text) | program.macros


def optimize(program: Program, variants: Iterable[Variant]) -> bytes:
    """The program with the region of each variant replaced, all else byte for byte.

    Raises
    ------
    CodegenError
        If a schedule cannot be printed, or a SCoP has no place in a file.
    """
    texts: dict[str, str] = {}
    for variant in variants:
        if variant.scop.region is None:
            raise CodegenError(
                f"{variant.scop.name} was not read from a file: nothing to replace"
            )
        texts[variant.scop.name] = variant.region_text()
    return splice(program, texts)


def optimize_device(variants: Iterable[Variant]) -> str:
    """The file of device code that goes with what `optimize` gives; may be empty.

    Raises
    ------
    CodegenError
        If a schedule cannot be printed.
    """
    texts = [text for text in (v.device_text() for v in variants) if text]
    return join_device(texts) if texts else ""
