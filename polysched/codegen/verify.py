"""The last proof: what the built loops and guards really run, and in which order.

The tree was proven before; this proves the AST that isl made of it, read back from its
own bounds and conditions. A wrong guard has been seen (tests/fuzz/cases).
"""

from __future__ import annotations

import logging

import islpy as isl

from polysched.base import AnalysisError, CodegenError, LimitError
from polysched.ir import Scop
from polysched.sets import list_maps, operation_limit, read_ast_order

_log = logging.getLogger(__name__)


def check_ast(
    root: isl.AstNode, scop: Scop, context: isl.Set, deps: isl.UnionMap, operations: int
) -> bool:
    """Prove that an AST runs every instance once and respects every dependence.

    Parameters
    ----------
    root : isl.AstNode
        What will be printed.
    scop : Scop
        Its instances have to run.
    context : isl.Set
        Parameter values the code has to be right for.
    deps : isl.UnionMap
        Dependences, source instances to sink instances.
    operations : int
        isl operations that the proof may take.

    Returns
    -------
    bool
        Whether the proof was completed; False when it ran out of operations.

    Raises
    ------
    CodegenError
        If the AST is wrong.
    """
    try:
        with operation_limit(context.get_ctx(), operations):
            _prove(root, scop, context, deps)
    except (LimitError, AnalysisError, isl.Error) as error:
        _log.info("order of the code of %s not proven: %s", scop.name, error)
        return False
    return True


def _prove(root: isl.AstNode, scop: Scop, context: isl.Set, deps: isl.UnionMap) -> None:
    wanted = scop.domain.align_params(context.get_space())
    order = read_ast_order(root, wanted).intersect_params(context)
    order = order.intersect_domain(wanted.universe())  # copies are proven elsewhere
    wanted = wanted.intersect_params(context)
    if not order.domain().is_equal(wanted):
        raise CodegenError("isl built code that leaves out or adds statement instances")
    if not order.is_single_valued():
        raise CodegenError("isl built code that runs a statement instance twice")
    pairs = deps.intersect_params(context)
    for moved in list_maps(pairs.apply_domain(order).apply_range(order)):
        late = isl.Map.lex_ge(moved.get_space().domain())
        if not moved.intersect(late).is_empty():
            raise CodegenError("isl built code that breaks a dependence")
