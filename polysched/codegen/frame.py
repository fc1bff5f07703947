"""What stands around generated code: comment, macros, the way back to the original."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.addresses import Question, ask_apart
from polysched.codegen.ast_expr import AstExprPrinter, signed_parameters
from polysched.codegen.ctext import AND, Text, binary, identifiers, integer
from polysched.codegen.macro_check import ask_macros
from polysched.codegen.options import PrintOptions
from polysched.codegen.products import declare_products
from polysched.codegen.scan import print_scan
from polysched.ir import Bounded, Scop, list_questions
from polysched.sets import ast_options

_WIDTH = 88  # of a condition in one line
_LANES = " simd"  # in a pragma
# on top of all else, as clang does not say where a loop has no lanes
_QUIET = """#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"
#endif""".splitlines()
_OUTSIDE = ("local", "global", "static")  # declared in front of the SCoP


def frame_code(
    scop: Scop, code: list[str], exprs: AstExprPrinter, options: PrintOptions,
    *, copies_arrays: bool = False, sizes: isl.Set | None = None,
    bounded: Sequence[Bounded] = (),
) -> str:  # fmt: skip
    """The whole text that replaces a region.

    Parameters
    ----------
    scop : Scop
        Its assumptions guard the code.
    code : list of str
        Lines of the generated block.
    exprs : AstExprPrinter
        Prints the guard and knows the helper macros that were used.
    options : PrintOptions
        Header, white space and original text.
    copies_arrays : bool
        Whether arrays are copied, from their first element on.
    sizes : isl.Set, optional
        Parameter values for which the code counts right.
    bounded : sequence of Bounded
        Scalars that the code takes to be small.
    """
    base = scop.region.indent if scop.region else ""
    asked, flags = _ask_for_order(scop, exprs, options)
    apart = Question()
    if options.original_text is not None:
        apart = ask_apart(
            scop, exprs, options.indent, from_start=copies_arrays,
            reserved=options.reserved,
        )  # fmt: skip
    asked = [*declare_products(scop), *asked, *apart.lines]
    conditions = [Text(flag) for flag in flags]
    conditions += _conditions(scop, exprs, sizes)
    conditions += [ask for b in bounded for ask in _ask_if_small(scop, b)]
    conditions = [*conditions, *apart.conditions]
    guard = _guard(conditions, options.indent)
    fallback = _original_lines(scop, options) if conditions else []
    if not conditions:
        code = [*_unused(scop, code), *code]
    code = [*ask_macros(options.macro_uses), *code, *scop.behind.splitlines()]
    if apart.conditions:
        guard = ["/* where these overlap, the original runs */", *guard]
    lines = [*guard, *(options.indent + line for line in code), "}"]
    lines = [base + line for line in lines]
    if conditions:
        lines[-1] += " else {"
        lines += [*fallback, base + "}"]
    if asked:
        asked = [base + options.indent + line for line in asked]
        lines = [options.indent + line for line in lines]
        lines = [base + "{", *asked, *lines, base + "}"]
    comment = [base + line for line in _comment(options.header)]
    quiet = _QUIET if _asks_for_lanes(code, exprs) else []
    lines = [*comment, *quiet, *exprs.macros.around(lines)]
    return "".join(line.rstrip() + "\n" for line in lines)


def _asks_for_lanes(code: list[str], exprs: AstExprPrinter) -> bool:
    pragmas = (line for line in code if "#pragma" in line)
    return "lanes" in exprs.macros.used or any(_LANES in line for line in pragmas)


def _conditions(
    scop: Scop, exprs: AstExprPrinter, sizes: isl.Set | None
) -> list[Text]:  # fmt: skip
    """What must hold of sizes: for the model, and for counting."""
    conditions = []
    known = scop.context
    long_names = signed_parameters(scop, is_wide=True)
    long_exprs = AstExprPrinter(exprs.macros, long_names)
    for assumed in (scop.assumptions, sizes):
        if assumed is None or known.is_subset(assumed):
            continue
        rest = assumed.gist(known)
        with ast_options(rest.get_ctx()):
            build = isl.AstBuild.from_context(known.params())
            asked = build.expr_from_set(rest.params())
            text = exprs.text(asked)
            is_sum = any(f" {op} " in text.text for op in "+-*")  # may not fit
            conditions.append(long_exprs.text(asked) if is_sum else text)
        known = known.intersect(assumed)
    return conditions


def _ask_if_small(scop: Scop, bounded: Bounded) -> tuple[Text, Text]:
    scalar = Text(scop.array(bounded.scalar).base)
    least, end = integer(-bounded.limit), integer(bounded.limit)
    return binary(">=", scalar, least), binary("<", scalar, end)


def _guard(conditions: list[Text], indent: str) -> list[str]:
    """``if (...) {`` in as many lines as it takes, or a brace without conditions."""
    if not conditions:
        return ["{"]
    line = "if (" + reduce(lambda a, b: binary("&&", a, b), conditions).text + ") {"
    if len(line) <= _WIDTH:
        return [line]
    first, *rest = (c.at_least(AND) for c in conditions)
    lines = ["if (" + first, *(f"{indent * 2}&& {c}" for c in rest)]
    return [*lines[:-1], lines[-1] + ") {"]


def _original_lines(scop: Scop, options: PrintOptions) -> list[str]:
    """The user's text, without its pragmas and empty lines around them."""
    if options.original_text is None:
        raise CodegenError(
            f"the model of {scop.name} holds only where "
            f"{' and '.join(list_questions(scop))}, so the original text is needed "
            "beside the generated one"
        )
    original = options.original_text.replace("\r\n", "\n").splitlines()
    kept = [line for line in original if not _is_scop_pragma(line)]
    filled = [k for k, line in enumerate(kept) if line.strip()]
    return kept[filled[0] : filled[-1] + 1] if filled else []


def _ask_for_order(
    scop: Scop, exprs: AstExprPrinter, options: PrintOptions
) -> tuple[list[str], list[str]]:
    """Lines that find out which arrays are in order, and the variables they set."""
    lines: list[str] = []
    flags: list[str] = []
    names = exprs.macros.names
    for fact in scop.in_order:
        flag = names.take("in_order")
        element = scop.array(fact.array).base

        def ask(place: tuple[str, ...], flag: str = flag, name: str = element) -> str:
            (at,) = place
            return f"{flag} &= {name}[{at}] <= {name}[{at} + 1];"

        scan = print_scan(
            fact.places,
            ask,
            context=scop.context.params(),
            reserved=options.reserved | {p.name for p in scop.parameters} | {element},
            indent=options.indent,
            macros=exprs.macros,
        )
        lines += [f"int {flag} = 1;", *scan.splitlines()]
        flags.append(flag)
    return lines, flags


def _unused(scop: Scop, code: list[str]) -> list[str]:
    """A line for names of the original loops that the new ones leave unused."""
    expanded = [a for a in scop.arrays if a.n_expanded and a.storage in _OUTSIDE]
    found = dict.fromkeys((*scop.counters, *(a.source_name for a in expanded)))
    if scop.called or scop.mentioned:
        used = identifiers("\n".join(code))
        others = (*scop.called, *scop.mentioned)
        found |= dict.fromkeys(name for name in others if name not in used)
    casts = ", ".join(f"(void){name}" for name in found)
    return [f"{casts};"] if casts else []


def _comment(header: tuple[str, ...]) -> list[str]:
    text = "\n".join(header) or "code generated from a schedule"
    first, *rest = text.replace("*/", "* /").replace("/*", "/ *").splitlines()
    if not rest:
        return [f"/* polysched: {first} */"]
    return [f"/* polysched: {first}", *(f" * {r}" for r in rest), " */"]


def _is_scop_pragma(line: str) -> bool:
    words = line.replace("#", "# ").split()
    return words[:2] == ["#", "pragma"] and words[2:3] in (["scop"], ["endscop"])
