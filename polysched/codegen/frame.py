"""What stands around generated code: comment, macros, the way back to the original."""

from __future__ import annotations

from functools import reduce

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.ctext import Text, binary
from polysched.codegen.options import PrintOptions
from polysched.codegen.products import declare_products
from polysched.codegen.scan import print_scan
from polysched.ir import Scop
from polysched.sets import ast_options

_OUTSIDE = ("local", "global", "static")  # declared in front of the SCoP


def frame_code(
    scop: Scop, code: list[str], exprs: AstExprPrinter, options: PrintOptions
) -> str:
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
    """
    base = scop.region.indent if scop.region else ""
    asked, flags = _ask_for_order(scop, exprs, options)
    asked = [*declare_products(scop), *asked]
    guard, fallback = _guard(scop, exprs, options, flags)
    if not fallback:
        code = [*_unused(scop), *code]
    lines = [guard + "{", *(options.indent + line for line in code), "}"]
    lines = [base + line for line in lines]
    if fallback:
        lines[-1] += " else {"
        lines += [*fallback, base + "}"]
    if asked:
        asked = [base + options.indent + line for line in asked]
        lines = [options.indent + line for line in lines]
        lines = [base + "{", *asked, *lines, base + "}"]
    comment = [base + line for line in _comment(options.header)]
    lines = [*comment, *exprs.macros.around(lines)]
    return "".join(line.rstrip() + "\n" for line in lines)


def _guard(
    scop: Scop, exprs: AstExprPrinter, options: PrintOptions, flags: list[str]
) -> tuple[str, list[str]]:
    """``if (assumption) `` and the original lines; empty without assumptions."""
    conditions = [Text(flag) for flag in flags]
    assumed = [f"that {f.array} is in order" for f in scop.in_order]
    if not scop.context.is_subset(scop.assumptions):
        assumptions = scop.assumptions.gist(scop.context)
        assumed.append(str(assumptions))
        with ast_options(assumptions.get_ctx()):
            build = isl.AstBuild.from_context(scop.context.params())
            conditions.append(exprs.text(build.expr_from_set(assumptions.params())))
    if not conditions:
        return "", []
    if options.original_text is None:
        raise CodegenError(
            f"the model of {scop.name} holds only for {' and '.join(assumed)}, so the "
            "original text is needed beside the generated one"
        )
    original = options.original_text.replace("\r\n", "\n").splitlines()
    kept = [line for line in original if not _is_scop_pragma(line)]
    together = reduce(lambda a, b: binary("&&", a, b), conditions)
    return f"if ({together}) ", kept


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
        )
        lines += [f"int {flag} = 1;", *scan.splitlines()]
        flags.append(flag)
    return lines, flags


def _unused(scop: Scop) -> list[str]:
    """A line for variables of the original loops that the new ones leave unused."""
    expanded = [a for a in scop.arrays if a.n_expanded and a.storage in _OUTSIDE]
    found = dict.fromkeys((*scop.counters, *(a.source_name for a in expanded)))
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
