"""``polysched inspect``: what the file's SCoPs are, and why others were refused."""

from __future__ import annotations

import click

from polysched.analysis import (
    DATA_TURNS,
    ClosedForm,
    Dependence,
    Dependences,
    closed_forms,
    compute_dependences,
    dependence_distance,
    find_reductions,
    print_distance,
    program_features,
)
from polysched.base import FrontendError
from polysched.cli.app import DONE, FAILED
from polysched.cli.options import Common, takes_file
from polysched.cli.output import print_json
from polysched.cli.stages import Stages
from polysched.cli.tables import field_lines, print_number
from polysched.ir import Array, MayOverlap, Scop, Statement, describe_overlaps
from polysched.workflow import prepare_scop

_MAX_FORM = 120  # characters of a formula that a person reads


@click.command("inspect")
@takes_file(builds_space=False)
def command(common: Common) -> int:
    """Show the scops of FILE: statements, accesses, dependences, features.

    Regions that were refused are named with the reason.
    """
    stages = Stages(common)
    program, scops = stages.parse(lenient=True)
    described = []
    for scop in scops:
        with stages.timed("dependences"):
            private = prepare_scop(scop)
            dependences = compute_dependences(private)
        described.append((private, dependences, len(scop.statements)))
    if common.as_json:
        print_json(
            {
                "file": program.path,
                "scops": [_scop_json(s, d) for s, d, _ in described],
                "refused": [_refusal_json(r) for r in program.refusals],
            }
        )
    else:
        for k, (scop, dependences, n_written) in enumerate(described):
            text = _scop_text(scop, dependences, n_written, common)
            click.echo(("\n" if k else "") + text)
        for refusal in program.refusals:
            what = "taken in parts" if refusal.parts else "refused"
            click.echo(f"polysched: {what}: {refusal}", err=True)
    stages.finish()
    return DONE if scops or not program.refusals else FAILED


def _scop_text(
    scop: Scop, dependences: Dependences, n_written: int, common: Common
) -> str:
    place = ""
    if scop.region is not None:
        place = f"  {scop.region.file}:{scop.region.line}-{scop.region.end_line}"
    parameters = ", ".join(f"{p.type} {p.name}" for p in scop.parameters) or "none"
    lines = [f"scop {scop.name}{place}", f"parameters: {parameters}"]
    if not scop.context.plain_is_universe():
        lines.append(f"context: {scop.context}")
    if not scop.assumptions.plain_is_universe():
        lines.append(f"assumed: {scop.assumptions}")
    lines += [f"asked when it runs: {f.array} never falls" for f in scop.in_order]
    lines += [
        f"asked when code counts on it: {b.scalar} is small" for b in scop.bounded
    ]
    if scop.overlaps:
        how = "promised" if scop.promised else "asked when it runs"
        lines.append(f"{how}: {describe_overlaps(scop)}")
    n = len(scop.statements)
    made = "" if n == n_written else f" (made of {n_written} in the source)"
    lines.append(f"statements: {n}{made}")
    for statement in scop.statements:
        lines += _statement_lines(statement)
    lines.append(f"arrays: {len(scop.arrays)}")
    lines += [f"  {line}" for line in field_lines(_array_fields(scop))]
    shown = [d for d in dependences.items if d.orders or common.verbose]
    hidden = len(dependences.items) - len(shown)
    note = f" (and {hidden} input, shown with -v)" if hidden else ""
    lines.append(f"dependences: {len(shown)}{note}")
    lines += [f"  {line}" for line in _dependence_lines(shown, scop)]
    reductions = find_reductions(scop)
    lines.append(f"reductions: {len(reductions)}")
    lines += [f"  {r.statement} accumulates {r.array} with {r.op}" for r in reductions]
    features = program_features(scop)
    lines.append("features:")
    shown_features = {n: print_number(v) for n, v in features.items() if v}
    lines += [f"  {line}" for line in field_lines(shown_features)]
    if scop.parameters:
        lines.append("closed forms:")
        lines += [f"  {line}" for line in field_lines(_form_fields(scop))]
    return "\n".join(lines)


def _form_fields(scop: Scop) -> dict[str, str]:
    """Work and data in terms of the parameters; trips per loop are in the JSON."""
    forms = closed_forms(scop)
    fields: dict[str, str] = {}
    for s in forms.statements:
        fields[f"{s.name} runs"] = _form_text(s.instances)
        guessed = scop.statement(s.name).has_data_loops
        note = (
            f", with {DATA_TURNS} turns of each loop that data end" if guessed else ""
        )
        fields[f"{s.name} operations"] = f"{_form_text(s.operations)}{note}"
    fields["all operations"] = _form_text(forms.operations)
    for a in forms.arrays:
        fields[f"{a.name} bytes"] = _form_text(a.footprint_bytes)
    return fields


def _form_text(form: ClosedForm) -> str:
    text = str(form)
    if len(text) <= _MAX_FORM or not form.exact:
        return text
    n = len(form.pieces)
    return f"{n} cases, with --json" if n > 1 else "a long formula, with --json"


def _statement_lines(statement: Statement) -> list[str]:
    place = f"  line {statement.where.line}" if statement.where else ""
    lines = [f"  {statement.name}{place}  {statement.text}".rstrip()]
    lines.append(f"     domain {statement.domain}")
    lines += [f"     {a.kind:<10} {a.relation}" for a in statement.accesses]
    return lines


def _array_fields(scop: Scop) -> dict[str, str]:
    found = {}
    for array in scop.arrays:
        flow = " and ".join(_flow_words(array))
        dims = f"{len(array.extents)}-dimensional" if array.extents else "scalar"
        found[array.name] = f"{array.type} {dims}, {array.storage}, {flow}"
    return found


def _flow_words(array: Array) -> list[str]:
    if array.is_private:
        return ["private"]
    words = ("live in", array.live_in), ("live out", array.live_out)
    return [word for word, holds in words if holds]


def _dependence_lines(found: list[Dependence], scop: Scop) -> list[str]:
    """One line each, in columns; statements in the order of their numbers."""
    width = max((len(d.array) for d in found), default=0)
    ends = max((len(f"{d.source} -> {d.sink}") for d in found), default=0)
    places = {s.name: k for k, s in enumerate(scop.statements)}
    kinds = {kind: k for k, kind in enumerate(("flow", "anti", "output", "input"))}
    return [
        f"{d.kind:<6} {d.array:<{width}}  {f'{d.source} -> {d.sink}':<{ends}}  "
        f"{_distance_text(d, scop)}"
        for d in sorted(
            found,
            key=lambda d: (d.array, kinds[d.kind], places[d.source], places[d.sink]),
        )
    ]


def _distance_text(dependence: Dependence, scop: Scop) -> str:
    distance = dependence_distance(dependence, scop)
    return f"distance {print_distance(distance)}" if distance else "no loop in common"


def _scop_json(scop: Scop, dependences: Dependences) -> dict[str, object]:
    region = scop.region
    return {
        "scop": scop.name,
        "function": scop.function,
        "line": region.line if region else None,
        "end_line": region.end_line if region else None,
        "parameters": [{"name": p.name, "type": p.type.name} for p in scop.parameters],
        "context": str(scop.context),
        "assumptions": str(scop.assumptions),
        "in_order": [f.array for f in scop.in_order],
        "bounded": {b.scalar: b.limit for b in scop.bounded},
        "may_overlap": [_pair_json(pair) for pair in scop.overlaps],
        "overlap": "promise" if scop.promised else "ask",
        "statements": [_statement_json(s) for s in scop.statements],
        "arrays": [_array_json(a) for a in scop.arrays],
        "dependences": [_dependence_json(d, scop) for d in dependences.items],
        "reductions": [
            {"statement": r.statement, "array": r.array, "op": r.op}
            for r in find_reductions(scop)
        ],
        "features": program_features(scop),
        "closed_forms": closed_forms(scop).to_json(),
    }


def _pair_json(pair: MayOverlap) -> list[str]:
    return [t.array.source_name for t in (pair.first, pair.second)]


def _statement_json(statement: Statement) -> dict[str, object]:
    return {
        "name": statement.name,
        "line": statement.where.line if statement.where else None,
        "text": statement.text,
        "iterators": list(statement.iterators),
        "domain": str(statement.domain),
        "accesses": [
            {"array": a.array, "kind": a.kind, "relation": str(a.relation)}
            for a in statement.accesses
        ],
    }


def _array_json(array: Array) -> dict[str, object]:
    return {
        "name": array.name,
        "type": array.type.name,
        "dimensions": len(array.extents),
        "storage": array.storage,
        "live_in": array.live_in,
        "live_out": array.live_out,
        "private": array.is_private,
    }


def _dependence_json(dependence: Dependence, scop: Scop) -> dict[str, object]:
    distance = dependence_distance(dependence, scop)
    return {
        "kind": dependence.kind,
        "array": dependence.array,
        "source": dependence.source,
        "sink": dependence.sink,
        "distance": [list(pair) for pair in distance],
        "relation": str(dependence.relation),
    }


def _refusal_json(refusal: FrontendError) -> dict[str, object]:
    where = refusal.where
    return {
        "message": refusal.message,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "hint": refusal.hint,
        "parts": [{"line": first, "end_line": last} for first, last in refusal.parts],
    }
