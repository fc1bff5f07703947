"""Original = interpreter = transformed: one program, many schedules."""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import islpy as isl

from polysched.analysis import find_violation
from polysched.base import CodegenError, LimitError, PolyschedError, ToolchainError
from polysched.codegen import PrintOptions, identifiers, print_openmp, splice
from polysched.codegen.cuda import CudaText, print_cuda
from polysched.frontend import parse_c
from polysched.interp import interpret
from polysched.ir import Program, Scop
from polysched.runtime import compile_program, read_report, run_child
from polysched.sets import fix_parameters, list_points, operation_limit
from polysched.testing.candidates import Candidate, Candidates, prepare
from polysched.testing.device import compile_with_device
from polysched.testing.report import CheckOptions, Mismatch, Report
from polysched.testing.watch import (
    Parameters,
    Snapshot,
    Values,
    arrays_code,
    first_difference,
    parameters_code,
    read_snapshots,
    to_arrays,
    with_starts,
)

Schedules = Callable[[Scop], Candidates]


@dataclass
class _Case:
    """One SCoP with what its original did and the texts of its schedules."""

    scop: Scop
    candidates: Candidates | None
    calls: list[Parameters] = field(default_factory=list)
    before: list[dict[str, Values]] = field(default_factory=list)
    after: list[dict[str, Values]] = field(default_factory=list)
    variants: list[tuple[Candidate, CudaText]] = field(default_factory=list)


def check_program(
    text: str,
    schedules: Schedules | None = None,
    options: CheckOptions | None = None,
    *,
    flags: Sequence[str] = (),
) -> Report:
    """Compare the compiled original, the interpreter and transformed programs.

    Parameters
    ----------
    text : str
        A complete C program with ``main`` that includes ``stdio.h``.
    schedules : callable
        Gives a SCoP of the front end as it is to be scheduled, with the trees to try;
        without it only the original is interpreted.
    options : CheckOptions, optional
        Limits and the compiler.
    flags : sequence of str
        Preprocessor flags.

    Returns
    -------
    Report
        All mismatches: refused regions, failing stages, illegal schedules and different
        values. Values must agree exactly.
    """
    with tempfile.TemporaryDirectory() as directory:
        checker = _Checker(Path(directory), schedules, options or CheckOptions())
        checker.check(text, tuple(flags))
        return checker.report


class _Checker:
    def __init__(
        self, directory: Path, schedules: Schedules | None, options: CheckOptions
    ) -> None:
        self.report = Report()
        self._directory = directory
        self._schedules = schedules
        self._options = options
        self._toolchain = options.toolchain
        self._reserved: frozenset[str] = frozenset()
        self._n_runs = 0

    def check(self, text: str, flags: tuple[str, ...]) -> None:
        """Fill the report."""
        path = self._directory / "program.c"
        path.write_text(text)
        self._reserved = frozenset(identifiers(text))
        self._toolchain = replace(self._options.toolchain, cppflags=flags)
        program = parse_c(path, flags=flags)
        self.report.n_scops = len(program.scops)
        self.report.n_refused = len(program.refusals)
        for refusal in program.refusals:
            self._note("", "frontend", str(refusal))
        cases = [c for c in map(self._open, program.scops) if c is not None]
        if not self._watch_original(program, cases):
            return
        for case in cases:
            self._check_case(program, case)
        n_variants = max((len(c.variants) for c in cases), default=0)
        for k in range(n_variants):
            self._check_variant(program, [c for c in cases if k < len(c.variants)], k)

    def _note(
        self, scop: str, stage: str, text: str, candidate: Candidate | None = None
    ) -> None:
        tree = candidate.tree.text if candidate else ""
        origin = str(candidate) if candidate else ""
        self.report.mismatches.append(Mismatch(scop, stage, text, tree, origin))

    def _open(self, scop: Scop) -> _Case | None:
        """The SCoP as it is scheduled, with its schedules."""
        try:
            with operation_limit(isl.DEFAULT_CONTEXT, self._options.max_operations):
                prepared, _ = prepare(scop)
        except LimitError:
            self.report.n_unanalysed += 1
            return None
        except (PolyschedError, isl.Error) as error:
            self._note(scop.name, "analysis", str(error))
            return None
        candidates = self._candidates(scop)
        return _Case(candidates.scop if candidates else prepared, candidates)

    def _candidates(self, scop: Scop) -> Candidates | None:
        """The schedules of a SCoP, and a note of what went wrong with them."""
        if self._schedules is None:
            return None
        limit = self._options.max_schedule_operations
        try:
            with operation_limit(isl.DEFAULT_CONTEXT, limit):
                candidates = self._schedules(scop)
        except Exception as error:  # noqa: BLE001  any crash is what is looked for
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            text = f"{type(error).__name__}: {error} ({place})"
            self._note(scop.name, "schedules", text)
            return None
        for fault in candidates.faults:
            self._note(scop.name, "schedules", fault)
        return candidates

    # the original

    def _watch_original(self, program: Program, cases: list[_Case]) -> bool:
        """Run the original: first for the parameters, then for the arrays."""
        texts = {
            c.scop.name: parameters_code(c.scop, self._options.max_calls)
            + _original(program, c.scop)
            for c in cases
        }
        snapshots = self._run(program, texts)
        if snapshots is None:
            return False
        for case in cases:
            for shot in _of(snapshots, case.scop, "parameters"):
                case.calls.append({p: int(v[0]) for p, v in shot.texts.items()})
        texts = {
            c.scop.name: arrays_code(c.scop, "before", c.calls)
            + with_starts(
                c.scop,
                _original(program, c.scop) + arrays_code(c.scop, "after", c.calls),
            )
            for c in cases
            if c.calls
        }
        snapshots = self._run(program, texts)
        if snapshots is None:
            return False
        for case in cases:
            for place, arrays in (("before", case.before), ("after", case.after)):
                shots = _of(snapshots, case.scop, place)
                arrays += [
                    to_arrays(case.scop, s, c)
                    for s, c in zip(shots, case.calls, strict=True)
                ]
        return True

    def _run(
        self, program: Program, texts: dict[str, str], devices: Sequence[str] = ()
    ) -> list[Snapshot] | None:
        """What a program with replaced regions prints; None if it fails."""
        name = f"run{self._n_runs}"
        self._n_runs += 1
        try:
            source, place = splice(program, texts), self._directory
            binary = (
                compile_with_device(source, devices, name, place, self._toolchain)
                if devices
                else compile_program(source, name, place, self._toolchain)
            )
        except ToolchainError as error:
            self._note(", ".join(texts), "compile", str(error))
            return None
        environment = dict(os.environ) | {"OMP_NUM_THREADS": str(self._options.threads)}
        result = run_child(
            [str(binary)],
            scratch=self._directory,
            timeout_seconds=self._options.run_seconds,
            environment=environment,
        )
        snapshots = read_snapshots(result.stdout())
        if result.status:
            last = snapshots[-1].scop if snapshots else "the start"
            found = "; ".join(map(str, read_report(result.stderr())))
            told = f"{result.ending} some time after {last}"
            self._note(", ".join(texts), "run", f"{told}: {found}" if found else told)
            return None
        return snapshots

    # one SCoP

    def _check_case(self, program: Program, case: _Case) -> None:
        for k in range(len(case.calls)):
            found = self._interpret(case, None, k, "interpreter")
            if found is not None:
                self.report.n_executions += 1
                self._compare(case, k, found, "interpreter", None)
        for candidate in case.candidates.listed if case.candidates else ():
            self._check_candidate(program, case, candidate)

    def _interpret(
        self,
        case: _Case,
        candidate: Candidate | None,
        call: int,
        stage: str,
        seed: int | None = None,
    ) -> dict[str, Values] | None:
        """Interpreted results of one execution; None if it is too long or fails."""
        scop, parameters = case.scop, case.calls[call]
        before = case.before[call]
        if not _model_holds(scop, parameters):
            return None
        if candidate is not None and not _is_in_order(scop, parameters, before):
            return None
        try:
            return interpret(
                scop,
                candidate.tree if candidate else None,
                parameters,
                before,
                shuffle_seed=seed,
                allow_ties=True,
                max_instances=self._options.max_instances,
            )
        except LimitError:
            return None
        except (PolyschedError, isl.Error) as error:
            self._note(scop.name, stage, f"{dict(parameters)}: {error}", candidate)
            return None

    def _compare(
        self,
        case: _Case,
        call: int,
        found: dict[str, Values],
        stage: str,
        candidate: Candidate | None,
    ) -> bool:
        """Note the first difference to the compiled original."""
        for name, values in found.items():
            if not case.scop.array(name).live_out or name not in case.after[call]:
                continue
            difference = first_difference(case.after[call][name], values)
            if difference is not None:
                text = f"{dict(case.calls[call])}: {name}{difference}"
                self._note(case.scop.name, stage, text, candidate)
                return False
        return True

    def _check_candidate(
        self, program: Program, case: _Case, candidate: Candidate
    ) -> None:
        assert case.candidates is not None
        deps = case.candidates.dependences
        violation = find_violation(candidate.tree, deps)
        if violation is not None:
            self._note(case.scop.name, "legality", str(violation), candidate)
            return
        runs: list[tuple[str, int | None]] = [("interpreted schedule", None)]
        runs += [
            ("shuffled schedule", seed) for seed in range(self._options.n_shuffles)
        ]
        for call in range(len(case.calls)):
            for stage, seed in runs:
                found = self._interpret(case, candidate, call, stage, seed)
                if found is not None:
                    self._compare(case, call, found, stage, candidate)
        operations = self._options.proof_operations
        try:
            text = self._print(program, case, candidate, operations)
        except CodegenError as error:
            self.report.unprinted[error.message] += 1
            return
        except (PolyschedError, isl.Error) as error:
            self._note(case.scop.name, "codegen", str(error), candidate)
            return
        case.variants.append((candidate, text))

    def _print(
        self, program: Program, case: _Case, candidate: Candidate, operations: int
    ) -> CudaText:
        assert case.candidates is not None
        options = PrintOptions(
            original_text=_original(program, case.scop),
            reserved=self._reserved,
            check_operations=operations,
        )
        deps = case.candidates.dependences.validity
        if self._options.target == "cuda":
            return print_cuda(case.scop, candidate.tree, options, deps=deps)
        text = print_openmp(case.scop, candidate.tree, options, deps=deps)
        return CudaText(text, "")

    def _refusal(self, program: Program, case: _Case, candidate: Candidate) -> str:
        """Why the code generator prints no code when it proves as long as for users."""
        try:
            self._print(program, case, candidate, PrintOptions().check_operations)
        except CodegenError as error:
            return error.message
        return ""

    # transformed programs

    def _check_variant(self, program: Program, cases: list[_Case], k: int) -> None:
        """Compile and compare the k-th schedule of every SCoP that has so many."""
        texts = {
            c.scop.name: with_starts(
                c.scop,
                c.variants[k][1].region + arrays_code(c.scop, "after", c.calls),
            )
            for c in cases
            if c.calls
        }
        devices = [d for c in cases if c.calls for d in [c.variants[k][1].device] if d]
        n_before = len(self.report.mismatches)
        snapshots = self._run(program, texts, devices)
        if snapshots is None:
            if len(cases) > 1:  # find out whose fault it is
                del self.report.mismatches[n_before:]
                for case in cases:
                    self._check_variant(program, [case], k)
            return
        for case in cases:
            shots = _of(snapshots, case.scop, "after")
            candidate = case.variants[k][0]
            n_noted = len(self.report.mismatches)
            for call, (shot, c) in enumerate(zip(shots, case.calls, strict=True)):
                found = to_arrays(case.scop, shot, c)
                self._compare(case, call, found, "compiled schedule", candidate)
            if len(self.report.mismatches) > n_noted:
                refusal = self._refusal(program, case, candidate)
                if refusal:
                    del self.report.mismatches[n_noted:]
                    self.report.unprinted[refusal] += 1
                    continue
            self.report.n_trees += 1
            self.report.kinds.update(candidate.kinds)


def _original(program: Program, scop: Scop) -> str:
    assert scop.region is not None
    return program.source[scop.region.start : scop.region.end].decode()


def _of(snapshots: list[Snapshot], scop: Scop, place: str) -> list[Snapshot]:
    return [s for s in snapshots if s.scop == scop.name and s.place == place]


def _model_holds(scop: Scop, parameters: Parameters) -> bool:
    """Whether the SCoP describes its program at these parameters."""
    fixed = scop.with_parameters_fixed(dict(parameters)).context
    return not fixed.intersect(scop.assumptions).is_empty()


def _is_in_order(scop: Scop, parameters: Parameters, known: dict[str, Values]) -> bool:
    """Whether arrays are in order, and scalars small, that schedules take to be so."""
    for bound in scop.bounded:
        values = known.get(bound.scalar)
        if values is None or abs(int(values)) >= bound.limit:
            return False
    for fact in scop.in_order:
        (at,) = list_points(fix_parameters(fact.places, dict(parameters))).T
        values = known.get(fact.array)
        if values is None or (values[at] > values[at + 1]).any():
            return False
    return True
