"""isl's AST builder behind one function: callbacks that cannot hurt, bounded work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import islpy as isl

from polysched.base import LimitError, PolyschedError

BeforeFor = Callable[[isl.AstBuild], str]
AtDomain = Callable[[isl.AstNode, isl.AstBuild], str]

_OPTIONS = {
    "ast_build_atomic_upper_bound": 1,
    "ast_build_prefer_pdiv": 1,
    "ast_build_exploit_nested_bounds": 1,
    "ast_build_detect_min_max": 1,
    "ast_build_scale_strides": 1,
    "ast_build_group_coscheduled": 0,
    "ast_build_allow_else": 1,
    "ast_build_allow_or": 1,
}


def build_ast(
    schedule: isl.Schedule,
    context: isl.Set,
    *,
    iterators: Sequence[str] = (),
    before_for: BeforeFor | None = None,
    at_domain: AtDomain | None = None,
    max_operations: int = 0,
) -> isl.AstNode:
    """The AST of a schedule tree.

    Parameters
    ----------
    schedule : isl.Schedule
        Tree to generate code for; its band options are obeyed.
    context : isl.Set
        Parameter values the code has to be right for.
    iterators : sequence of str
        Names of loop iterators by depth; isl's own beyond them.
    before_for, at_domain : callable, optional
        Called for each loop and each user node; what they return becomes the name of
        the node's annotation. Their exceptions are raised again from here.
    max_operations : int
        isl operations allowed, 0 for any number.

    Raises
    ------
    LimitError
        If isl needs more operations.
    PolyschedError
        If isl refuses the tree (an unrolled loop without a constant bound).
    """
    stashed: list[BaseException] = []
    build = isl.AstBuild.from_context(context.params())
    ctx = build.get_ctx()
    if iterators:
        names = isl.IdList.alloc(ctx, len(iterators))
        for name in iterators:
            names = names.add(isl.Id.read_from_str(ctx, name))
        build = build.set_iterators(names)
    handles = []
    if before_for is not None:
        build, handle = build.set_before_each_for(_guard_for(before_for, stashed))
        handles.append(handle)
    if at_domain is not None:
        build, handle = build.set_at_each_domain(_guard_domain(at_domain, stashed))
        handles.append(handle)
    try:
        with ast_options(ctx), operation_limit(ctx, max_operations):
            try:
                node = build.node_from_schedule(schedule)
            except isl.Error as error:
                # once the limit is reached callbacks fail, too, with stranger words
                if stashed and "operations" not in str(error):
                    raise stashed[0] from error
                raise
            if stashed:
                raise stashed[0]
    except isl.Error as error:
        raise PolyschedError(f"isl builds no code for this tree: {error}") from error
    finally:
        del handles
    return node


@contextmanager
def ast_options(ctx: isl.Context) -> Iterator[None]:
    """Isl's AST options at the values that read best; the old ones come back."""
    old = {name: getattr(ctx, f"get_{name}")() for name in _OPTIONS}
    for name, value in _OPTIONS.items():
        getattr(ctx, f"set_{name}")(value)
    try:
        yield
    finally:
        for name, value in old.items():
            getattr(ctx, f"set_{name}")(value)


@contextmanager
def operation_limit(ctx: isl.Context, max_operations: int) -> Iterator[None]:
    """At most so many isl operations inside; `LimitError` when there are more.

    An outer limit is set aside for the time and starts to count anew after it.
    """
    old = ctx.get_max_operations()
    ctx.set_max_operations(max_operations)
    ctx.reset_operations()
    try:
        yield
    except isl.Error as error:
        if max_operations and "operations" in str(error):
            raise LimitError(f"more than {max_operations} isl operations") from error
        raise
    finally:
        ctx.set_max_operations(old)
        ctx.reset_operations()


def _words(enum: type) -> dict[object, str]:
    """The members of an isl enumeration by word, without Python's underscores."""
    names = [n for n in dir(enum) if not n.startswith("_")]
    return {getattr(enum, n): n.rstrip("_") for n in names}


_OPERATIONS = _words(isl.ast_expr_op_type)
_EXPR_KINDS = _words(isl.ast_expr_type)
_NODE_KINDS = _words(isl.ast_node_type)


def ast_operation(expr: isl.AstExpr) -> str:
    """The operator of an AST operation as a word: "add", "and", "fdiv_q", ..."""
    return _OPERATIONS[expr.get_op_type()]


def ast_expr_kind(expr: isl.AstExpr) -> str:
    """The kind of an AST expression: "op", "id" or "int"."""
    return _EXPR_KINDS[expr.get_type()]


def ast_node_kind(node: isl.AstNode) -> str:
    """The kind of an AST node: "for", "if", "block", "mark" or "user"."""
    return _NODE_KINDS[node.get_type()]


def _guard_for(
    callback: BeforeFor, stashed: list[BaseException]
) -> Callable[[isl.AstBuild], isl.Id]:
    def guarded(build: isl.AstBuild) -> isl.Id:
        if not stashed:
            try:
                return isl.Id.read_from_str(build.get_ctx(), callback(build))
            except Exception as error:  # noqa: BLE001 - raised again by build_ast
                stashed.append(error)
        return None  # type: ignore[return-value]  # an error to isl: ends the build

    return guarded


def _guard_domain(
    callback: AtDomain, stashed: list[BaseException]
) -> Callable[[isl.AstNode, isl.AstBuild], isl.AstNode]:
    def guarded(node: isl.AstNode, build: isl.AstBuild) -> isl.AstNode:
        if stashed:
            return node
        try:
            name = callback(node, build)
            return node.set_annotation(isl.Id.read_from_str(build.get_ctx(), name))
        except Exception as error:  # noqa: BLE001 - raised again by build_ast
            stashed.append(error)
            return node

    return guarded
