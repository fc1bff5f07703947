"""From a schedule tree to the printer's AST, through isl's AST builder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import islpy as isl

from polysched.base import CodegenError, LimitError, PolyschedError
from polysched.codegen.ast_expr import AstExprPrinter, arguments, is_operation
from polysched.codegen.ctext import Text, binary
from polysched.codegen.linear import Linear, Offsets, StoragePlace
from polysched.codegen.nodes import Block, Branch, Instance, Loop, Mark, Node
from polysched.codegen.window import solve_equality
from polysched.ir import ScheduleTree
from polysched.sets import (
    ast_node_kind,
    ast_operation,
    build_ast,
    has_quotients,
    list_maps,
    node_kind,
)


@dataclass(frozen=True, eq=False)
class Built:
    """The AST, and what the build knew about each loop.

    Attributes
    ----------
    root : isl.AstNode
        isl's AST.
    block : Block
        The same as the printer's nodes.
    schedules : dict of str to isl.UnionMap
        For a loop's `key`: instances in it to their schedule dimensions, its own last.
    domains : dict of str to isl.UnionSet
        For an instance's `key`: the instances that its place in the code executes.
    exprs : AstExprPrinter
        Prints expressions of the AST with the loops' final names.
    iterators : tuple of str
        These names.
    """

    root: isl.AstNode
    block: Block
    schedules: dict[str, isl.UnionMap]
    domains: dict[str, isl.UnionSet]
    exprs: AstExprPrinter
    iterators: tuple[str, ...]


@dataclass(frozen=True)
class BuildLimits:
    """How much a build may cost.

    Attributes
    ----------
    max_nodes : int
        Largest number of AST nodes.
    max_operations : int
        isl operations, 0 for any number.
    """

    max_nodes: int
    max_operations: int


def build_nodes(
    schedule: isl.Schedule,
    context: isl.Set,
    exprs: AstExprPrinter,
    iterators: list[str],
    limits: BuildLimits,
    offsets: Offsets | None = None,
) -> Built:
    """The AST of a schedule tree.

    Parameters
    ----------
    schedule : isl.Schedule
        Tree to generate code for.
    context : isl.Set
        Parameter values the code has to be right for.
    exprs : AstExprPrinter
        Prints bounds and conditions.
    iterators : list of str
        Names for the loops, one for each schedule dimension. isl numbers unrolled
        loops as well, so that the name it uses tells the dimension; printed names
        leave none out.
    limits : BuildLimits
        How much it may cost.
    offsets : mapping of statement to mapping of (array or load, position) to isl.PwAff
        Values to print at each instance, as functions of the instance.

    Raises
    ------
    CodegenError
        If a limit is exceeded, or isl refuses the tree.
    """
    recorder = _Recorder(offsets or {})
    try:
        root = build_ast(
            schedule,
            context,
            iterators=iterators,
            before_for=recorder.before_for,
            at_domain=recorder.at_domain,
            max_operations=limits.max_operations,
        )
    except LimitError as error:
        raise CodegenError(
            f"schedule explodes: its code needs {error.message}",
            hint="less separation or unrolling makes smaller code",
        ) from error
    except PolyschedError as error:
        raise CodegenError(error.message) from error
    final = _final_names(root, iterators)
    renamed = {old: Text(new) for old, new in final.items()}
    exprs = replace(exprs, spellings=exprs.spellings | renamed)
    converter = _Converter(exprs, iterators, recorder, limits.max_nodes)
    block = converter.block(root)
    return Built(
        root, block, recorder.schedules, recorder.domains, exprs, tuple(final.values())
    )


def count_loops(tree: ScheduleTree) -> int:
    """The largest number of schedule dimensions on one path of the tree."""
    ends = (
        node.get_schedule_depth() + node.band_n_member()
        for _, node in tree.nodes()
        if node_kind(node) == "band"
    )
    return max(ends, default=0)


def check_size(n_nodes: int, max_nodes: int) -> None:
    """Raise `CodegenError` for code of more nodes than may be printed."""
    if n_nodes > max_nodes:
        raise CodegenError(
            f"schedule explodes: its code has more than {max_nodes} loops, "
            "branches and statements",
            hint="less separation or unrolling makes smaller code",
        )


def _final_names(root: isl.AstNode, iterators: list[str]) -> dict[str, str]:
    """New names without gaps for the iterators that have a loop in the AST."""
    found: set[str] = set()

    def visit(node: isl.AstNode) -> bool:
        if ast_node_kind(node) == "for":
            found.add(str(node.for_get_iterator().get_id().get_name()))
        return True

    root.foreach_descendant_top_down(visit)
    used = [name for name in iterators if name in found]
    return dict(zip(used, iterators, strict=False))


@dataclass
class _Recorder:
    """Keeps what only the callbacks can see, under the names of annotations."""

    offsets: Offsets
    schedules: dict[str, isl.UnionMap] = field(default_factory=dict)
    instance_offsets: dict[str, dict[StoragePlace, isl.AstExpr]] = field(
        default_factory=dict
    )
    domains: dict[str, isl.UnionSet] = field(default_factory=dict)

    def before_for(self, build: isl.AstBuild) -> str:
        key = f"loop{len(self.schedules)}"
        self.schedules[key] = build.get_schedule()
        return key

    def at_domain(self, node: isl.AstNode, build: isl.AstBuild) -> str:
        statement = str(arguments(node.user_get_expr())[0].get_id().get_name())
        key = f"instance{len(self.domains)}"
        self.domains[key] = build.get_schedule().domain()
        wanted = self.offsets.get(statement)
        if not wanted:
            return key
        schedule = list_maps(build.get_schedule())[0]
        instance = isl.PwMultiAff.from_map(schedule.reverse())
        times = schedule.range()
        self.instance_offsets[key] = {
            place: _subtracted(
                build, _without_floors(value.pullback_pw_multi_aff(instance), times)
            )
            for place, value in wanted.items()
        }
        return key


def _subtracted(build: isl.AstBuild, value: isl.PwAff) -> isl.AstExpr:
    """What is subtracted from a subscript; of quotients, the opposite reads better.

    Instances that name an element and never read it, `i < j ? d : 0`, have no value.
    """
    if value.domain().is_empty():
        return isl.AstExpr.from_val(isl.Val.zero(value.get_ctx()))
    if has_quotients(value):
        return build.expr_from_pw_aff(value.neg()).neg()
    return build.expr_from_pw_aff(value)


def _without_floors(value: isl.PwAff, times: isl.Set) -> isl.PwAff:
    """The same function of loops, of none that it does not need.

    The first point of the tile that a loop over points runs in is the value of a loop
    around it, or a function of sizes where that loop has one iteration.
    """
    if not has_quotients(value):
        return value
    graph = isl.Map.from_pw_aff(value).intersect_domain(times)
    for constraint in graph.affine_hull().remove_divs().get_constraints():
        found = solve_equality(constraint)
        if found is not None:
            return isl.PwAff.from_aff(found)
    return _of_outer_loops(graph) or value


def _of_outer_loops(graph: isl.Map) -> isl.PwAff | None:
    """A function of the first loops that determine its value; None where pieces do."""
    loops = isl.dim_type.in_
    n = graph.dim(loops)
    for k in range(n):
        fewer = graph.project_out(loops, k, n - k)
        if fewer.is_single_valued():
            found = isl.PwMultiAff.from_map(fewer).get_pw_aff(0)
            first = isl.Map.identity(graph.get_space().domain().map_from_set())
            first = first.project_out(isl.dim_type.out, k, n - k)
            same = found.pullback_pw_multi_aff(isl.PwMultiAff.from_map(first))
            return same if same.n_piece() == 1 else None
    return None


@dataclass
class _Converter:
    """Turns isl's AST into ours, merging nested branches and flattening blocks."""

    exprs: AstExprPrinter
    iterators: list[str]
    recorder: _Recorder
    max_nodes: int
    n_nodes: int = 0

    def block(self, node: isl.AstNode) -> Block:
        return Block(tuple(self.items(node)))

    def items(self, node: isl.AstNode) -> list[Node]:
        kind = ast_node_kind(node)
        if kind == "block":
            parts: list[isl.AstNode] = []
            node.block_get_children().foreach(parts.append)
            return [item for part in parts for item in self.items(part)]
        self.n_nodes += 1
        check_size(self.n_nodes, self.max_nodes)
        if kind == "for":
            return [self.loop(node)]
        if kind == "if":
            return [self.branch(node)]
        if kind == "mark":
            name = str(node.mark_get_id().get_name())
            return [Mark(name, self.block(node.mark_get_node()))]
        return [self.instance(node)]

    def loop(self, node: isl.AstNode) -> Loop:
        raw = node.for_get_iterator()
        iterator = self.exprs.text(raw).text
        key = str(node.get_annotation().get_name())
        name = str(raw.get_id().get_name())
        if name not in self.iterators:
            raise CodegenError(
                "the schedule leaves instances of a statement without an order",
                hint="every statement needs as many independent rows as it has loops",
            )
        single = node.for_is_degenerate()
        condition = None if single else self.condition(node.for_get_cond(), iterator)
        step = 1 if single else int(str(node.for_get_inc().get_val()))
        return Loop(
            iterator,
            self.exprs.text(node.for_get_init()),
            condition,
            step,
            self.iterators.index(name),
            self.block(node.for_get_body()),
            key,
            start=self.exprs.linear(node.for_get_init()),
            n_iterations=1 if single else self.count(node, step),
            lower=self.ends(node.for_get_init(), "max"),
            upper=() if single else self.last_values(node.for_get_cond()),
        )

    def ends(self, expr: isl.AstExpr, op: str) -> tuple[Linear, ...]:
        """What an expression is the smallest or the largest of."""
        if is_operation(expr, op):
            return tuple(e for a in arguments(expr) for e in self.ends(a, op))
        return (self.exprs.linear(expr),)

    def last_values(self, condition: isl.AstExpr) -> tuple[Linear, ...]:
        """What the last value of a loop is the smallest of."""
        past = Linear((), -int(ast_operation(condition) == "lt"))
        found = self.ends(condition.get_op_arg(1), "min")
        return tuple(end.plus(past) for end in found)

    def count(self, node: isl.AstNode, step: int) -> int | None:
        """Iterations of a loop whose bounds differ by a number."""
        condition = node.for_get_cond()
        last = self.exprs.linear(condition.get_op_arg(1))
        reach = last.plus(self.exprs.linear(node.for_get_init()), -1)
        if not reach.is_constant:
            return None
        past = reach.constant + (ast_operation(condition) == "le")
        return max(0, -(-past // step))

    def condition(self, expr: isl.AstExpr, iterator: str) -> Text:
        """The loop condition, which must be as OpenMP wants it."""
        text = self.exprs.text(expr)
        if ast_operation(expr) not in ("le", "lt") or not text.text.startswith(
            iterator
        ):
            raise CodegenError(f"isl made a loop with the condition {text.text!r}")
        return text

    def branch(self, node: isl.AstNode) -> Branch:
        condition = self.exprs.text(node.if_get_cond())
        then = self.block(node.if_get_then_node())
        if node.if_has_else_node():
            return Branch(condition, then, self.block(node.if_get_else_node()))
        match then.items:
            case (Branch(inner, below, None),):
                return Branch(binary("&&", condition, inner), below)
        return Branch(condition, then)

    def instance(self, node: isl.AstNode) -> Instance:
        name, *values = arguments(node.user_get_expr())
        key = str(node.get_annotation().get_name())
        offsets = self.recorder.instance_offsets.get(key, {})
        return Instance(str(name.get_id().get_name()), tuple(values), offsets, key)
