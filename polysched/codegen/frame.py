"""What stands around generated code: comment, macros, the way back to the original."""

from __future__ import annotations

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.ast_expr import AstExprPrinter
from polysched.codegen.options import PrintOptions
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
    guard, fallback = _guard(scop, exprs, options)
    if not fallback:
        code = [*_unused(scop), *code]
    lines = [guard + "{", *(options.indent + line for line in code), "}"]
    lines = [base + line for line in lines]
    if fallback:
        lines[-1] += " else {"
        lines += [*fallback, base + "}"]
    comment = [base + line for line in _comment(options.header)]
    lines = [*comment, *exprs.macros.around(lines)]
    return "".join(line.rstrip() + "\n" for line in lines)


def _guard(
    scop: Scop, exprs: AstExprPrinter, options: PrintOptions
) -> tuple[str, list[str]]:
    """``if (assumption) `` and the original lines; empty without assumptions."""
    if scop.context.is_subset(scop.assumptions):
        return "", []
    assumptions = scop.assumptions.gist(scop.context)
    if options.original_text is None:
        raise CodegenError(
            f"the model of {scop.name} holds only for {assumptions}, so the original "
            "text is needed beside the generated one"
        )
    with ast_options(assumptions.get_ctx()):
        build = isl.AstBuild.from_context(scop.context.params())
        condition = exprs.text(build.expr_from_set(assumptions.params()))
    original = options.original_text.replace("\r\n", "\n").splitlines()
    kept = [line for line in original if not _is_scop_pragma(line)]
    return f"if ({condition}) ", kept


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
