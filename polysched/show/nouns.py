"""What each noun shows of itself in a notebook: a card of static HTML."""

from __future__ import annotations

from functools import singledispatch

from polysched.analysis import Dependences, compute_dependences
from polysched.base import (
    AnalysisError,
    PolyschedError,
    print_bytes,
    print_large,
    print_seconds,
)
from polysched.ir import Program, ScheduleTree, Scop, Statement, describe_overlaps
from polysched.kernel import Built, Kernel
from polysched.machine import Machine
from polysched.show.code import variant_code
from polysched.show.domains import domain_picture
from polysched.show.explanation import explanation_html, schedule_fields, stages_html
from polysched.show.graph import dependence_graph, list_edges
from polysched.show.kernels import built_card, kernel_card
from polysched.show.markup import (
    Html,
    card,
    code,
    details,
    element,
    fields,
    join,
    table,
)
from polysched.show.picture import Picture
from polysched.show.scatter import scatter
from polysched.show.spaces import dropped_html, size_html, space_table
from polysched.show.style import shown
from polysched.show.tree import tree_html
from polysched.show.tuned import tuned_table, tuning_curve, verdict
from polysched.space import Schedule, ScheduleSpace
from polysched.transform import short_script
from polysched.workflow import Explanation, Tuned, Variant, prepare_scop

_MANY_EDGES = 60  # a larger graph is folded away
_MANY_ROWS = 30
_SMALL, _SMALL_CUBE = 8, 5  # values of an iterator in the small picture of a statement


def to_html(value: object) -> str:
    """A value as a notebook shows it: static, self-contained, escaped.

    Raises
    ------
    TypeError
        If there is no card for its type.
    """
    return shown(card_of(value))


@singledispatch
def card_of(value: object) -> Html:
    """The card of a value, for a page that has the style already."""
    raise TypeError(f"no card for a {type(value).__name__}")


@card_of.register
def _(program: Program) -> Html:
    rows = [
        (code(s.name), len(s.statements), _lines(s), _sizes(s)) for s in program.scops
    ]
    heads = ("scop", "statements", "lines", "parameters")
    wholes = [r for r in program.refusals if r.parts]
    refused = [(code(r.message),) for r in program.refusals if not r.parts]
    body = [table(heads, rows, numbers=(1,))]
    if wholes:
        told = [(code(r.message), r.hint or "") for r in wholes]
        body.append(table(("regions that were taken in parts", "which"), told))
    if refused:
        body.append(table(("regions that were refused",), refused))
    return card("Program", *body, note=program.path)


@card_of.register
def _(scop: Scop) -> Html:
    told: dict[str, object] = {"parameters": code(_sizes(scop))}
    if not scop.context.plain_is_universe():
        told["context"] = code(scop.context)
    if not scop.assumptions.plain_is_universe():
        told["assumptions"] = code(scop.assumptions)
    if scop.overlaps:
        how = "promised" if scop.promised else "asked when it runs"
        told[how] = describe_overlaps(scop)
    rows = [
        (code(s.name), code(s.text), code(", ".join(s.iterators)), code(s.domain))
        for s in scop.statements
    ]
    statements = table(("", "statement", "iterators", "iteration domain"), rows)
    arrays = [
        (code(a.name), a.type.name, a.n_dim, a.storage, _live(a.live_in, a.live_out))
        for a in scop.arrays
    ]
    heads = ("array", "type", "dimensions", "storage", "live")
    try:
        dependences = compute_dependences(prepare_scop(scop))
        graph = _graph(dependences, prepare_scop(scop))
    except PolyschedError as error:
        graph = element("p", f"dependences: {error.message}", class_="bad")
    n = len(scop.statements)
    return card(
        f"SCoP {scop.name}",
        fields(told),
        statements,
        details(f"arrays: {len(arrays)}", table(heads, arrays, numbers=(2,))),
        details("dependences", graph, is_open=True),
        note=f"{n} statement{'s' if n != 1 else ''}, {_lines(scop)}",
    )


def _live(live_in: bool, live_out: bool) -> str:
    words = [w for w, is_so in (("in", live_in), ("out", live_out)) if is_so]
    return ", ".join(words) or "private"


def _lines(scop: Scop) -> str:
    region = scop.region
    return "not from a file" if region is None else f"{region.line}-{region.end_line}"


def _sizes(scop: Scop) -> str:
    return ", ".join(p.name for p in scop.parameters) or "none"


@card_of.register
def _(statement: Statement) -> Html:
    told: dict[str, object] = {
        "text": code(statement.text or "-"),
        "iterators": code(", ".join(statement.iterators) or "none"),
        "iteration domain": code(statement.domain),
    }
    if statement.where is not None:
        told["where"] = str(statement.where)
    rows = [(a.kind.replace("_", " "), code(a.relation)) for a in statement.accesses]
    body = [fields(told), table(("access", "relation"), rows)]
    picture = domain_card(statement)
    if picture is not None:
        body.append(element("figure", picture.inline))
    return card(f"Statement {statement.name}", *body)


def domain_card(
    statement: Statement, dependences: Dependences | None = None
) -> Picture | None:
    """A small picture of the iteration domain; None where there is nothing to draw."""
    extent = _SMALL if statement.n_loops < 3 else _SMALL_CUBE
    try:
        return domain_picture(statement, dependences=dependences, extent=extent)
    except AnalysisError:
        return None


@card_of.register
def _(dependences: Dependences) -> Html:
    return card("Dependences", _graph(dependences, None), _pairs(dependences))


def _graph(dependences: Dependences, scop: Scop | None) -> Html:
    """The picture, folded away where it is large, and what it does not show."""
    n_sharing = sum(not d.orders for d in dependences.items)
    n_edges = len(list_edges(dependences, scop))
    if not n_edges:
        return element("p", "No instance has to wait for another.")
    picture = element("figure", dependence_graph(dependences, scop).inline)
    if n_edges > _MANY_EDGES:
        picture = details(f"graph of {n_edges} arrows", picture)
    told = f"{n_edges} that order instances"
    if n_sharing:
        told += f"; {n_sharing} more where values are only read twice"
    return join((element("p", told, class_="note"), picture))


def _pairs(dependences: Dependences) -> Html:
    rows = [
        (d.kind, code(d.array), code(f"{d.source} -> {d.sink}"), code(d.relation))
        for d in dependences.items
    ]
    heads = ("kind", "array", "statements", "relation")
    return details(f"relations: {len(rows)}", table(heads, rows))


@card_of.register
def _(tree: ScheduleTree) -> Html:
    return card("Schedule tree", tree_html(tree), note=code(tree.key))


@card_of.register
def _(schedule: Schedule) -> Html:
    facts = ((n, f"{v:.4g}") for n, v in sorted(schedule.facts.items()))
    return card(
        "Schedule",
        schedule_fields(schedule),
        tree_html(schedule.tree),
        details("objectives", stages_html(schedule.stages)),
        details("all numbers", table(("fact", "value"), facts, numbers=(1,))),
        note=code(schedule.id),
    )


@card_of.register
def _(variant: Variant) -> Html:
    return card(
        "Variant",
        schedule_fields(variant.schedule),
        details("tree", tree_html(variant.schedule.tree, variant.scop)),
        variant_code(variant),
        note=code(variant.id),
    )


@card_of.register
def _(space: ScheduleSpace) -> Html:
    note = f"{len(space)} schedules, policy {space.policy}, {space.seconds:.1f} s"
    body = [size_html(space)]
    if len(space):
        body.append(space_table(space, n_rows=_MANY_ROWS))
        if len(space) > _MANY_ROWS:
            left = f"{len(space) - _MANY_ROWS} more: filter, sort, or to_html()"
            body.append(element("p", left, class_="note"))
        body.append(details("plot", element("figure", scatter(space).inline)))
    body.append(dropped_html(space))
    return card(f"Schedule space of {space.scop.name}", *body, note=note)


@card_of.register
def _(explanation: Explanation) -> Html:
    title = f"Explanation of schedule {explanation.schedule.id}"
    note = f"of {explanation.scop.name}"
    return card(title, explanation_html(explanation), note=note)


@card_of.register
def _(tuned: Tuned) -> Html:
    return card(
        "Tuned",
        tuned_table(tuned),
        element("figure", tuning_curve(tuned.result).inline),
        note=verdict(tuned),
    )


@card_of.register
def _(machine: Machine) -> Html:
    return card("Machine", machine_fields(machine), note=f"ceilings {machine.origin}")


def machine_fields(machine: Machine) -> Html:
    """A machine's numbers with units."""
    cpu = machine.cpu
    last = print_bytes(cpu.l3_bytes) if cpu.l3_bytes else "none"
    told: dict[str, object] = {
        "processor": cpu.name,
        "cores, threads": f"{cpu.n_cores}, {cpu.n_threads}",
        "caches": f"{print_bytes(cpu.l1_bytes)}, {print_bytes(cpu.l2_bytes)} per core, "
        f"{last} shared, lines of {print_bytes(cpu.line_bytes)}",
        "vectors": f"{cpu.simd_bits} bits",
        "arithmetic": f"{print_large(cpu.flops_per_second, 'flop/s')} per thread",
        "memory": f"{print_large(cpu.bandwidth_bytes_per_second, 'B/s')} per thread, "
        f"{print_large(cpu.bandwidth_all_bytes_per_second, 'B/s')} in all",
        "barrier": print_seconds(cpu.barrier_seconds),
    }
    for rate in cpu.cache_rates:
        told[f"cache {rate.level}"] = (
            f"{print_large(rate.read_bytes_per_second, 'B/s')} per thread, "
            f"{print_large(rate.read_all_bytes_per_second, 'B/s')} in all"
        )
    if cpu.frequency_hz:
        told["clock"] = print_large(cpu.frequency_hz, "Hz")
    if machine.gpu is not None:
        told["graphics"] = machine.gpu.name
    return fields(told)


def short_name(schedule: Schedule) -> str:
    """Id and script in a few words."""
    return f"{schedule.id}  {short_script(schedule.script)}"


@card_of.register
def _(kernel: Kernel) -> Html:
    return kernel_card(kernel)


@card_of.register
def _(built: Built) -> Html:
    return built_card(built)
