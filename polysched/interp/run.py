"""Running a SCoP under a schedule."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from polysched.base import AnalysisError
from polysched.interp.arithmetic import FunctionTable, UndefinedError
from polysched.interp.body import Body, compile_statement
from polysched.interp.memory import MemoryAccessError, Values, load_memory
from polysched.interp.order import Execution, order_instances
from polysched.ir import ScheduleTree, Scop, original_tree

Arrays = Mapping[str, Values | int | float]


def interpret(
    scop: Scop,
    tree: ScheduleTree | None,
    parameters: Mapping[str, int],
    arrays: Arrays,
    *,
    shuffle_seed: int | None = None,
    allow_ties: bool = False,
    functions: Mapping[str, Callable[..., int | float]] | None = None,
    max_instances: int = 5_000_000,
) -> dict[str, Values]:
    """Run every instance of a SCoP in the order of a schedule tree.

    Integers wrap and divide as in C, `float` operations round to single precision, and
    `&&`, `||` and `?:` evaluate only what they need. Nothing is reordered, fused or
    contracted, so results agree bit for bit with a compiler that keeps to IEEE
    arithmetic (no ``-ffast-math``, no fused multiply-add).

    Parameters
    ----------
    scop : Scop
        What to run; private arrays must be expanded if loops are marked parallel.
    tree : ScheduleTree or None
        The order; None is the original order.
    parameters : mapping of str to int
        A value for each parameter.
    arrays : mapping of str to array or number
        Initial values; needed for every array with `live_in`. They are not changed.
        An array without `live_in` has no values that could be read.
    shuffle_seed : int, optional
        Loops marked "parallel" or "vector" run with their iterations interleaved at
        random, which finds loops that only claim to be parallel.
    allow_ties : bool
        Whether the tree may give one time to several instances, as isl's schedules do
        to independent ones; they run in any order (at random with a `shuffle_seed`).
    functions : mapping of str to callable, optional
        The user's own pure functions; the mathematics library is known.
    max_instances : int
        Guard against runs that would take hours.

    Returns
    -------
    dict of str to numpy array
        Every array and scalar that is not private, after the run; scalars are
        0-dimensional.

    Raises
    ------
    AnalysisError
        If an instance leaves an array, reads an element without a value or does what C
        leaves undefined; the message names it. Also if the tree is no total order.
    LimitError
        If there are more than `max_instances` instances.
    """
    parameters = scop.with_products(parameters)
    execution = order_instances(
        scop,
        tree if tree is not None else original_tree(scop),
        parameters,
        shuffle_seed=shuffle_seed,
        allow_ties=allow_ties,
        max_instances=max_instances,
    )
    memory = load_memory(scop, parameters, arrays)
    table = FunctionTable(dict(functions or {}))
    bodies = {
        name: compile_statement(scop.statement(name), parameters, memory, table)
        for name in execution.names
    }
    _run(scop, execution, bodies)
    return {
        a.name: memory[a.name].final()
        for a in scop.arrays
        if not a.is_private and not a.n_expanded
    }


def _run(scop: Scop, execution: Execution, bodies: Mapping[str, Body]) -> None:
    functions = [bodies[name] for name in execution.names]
    points = [execution.points[name].tolist() for name in execution.names]
    order = zip(execution.statements.tolist(), execution.rows.tolist(), strict=True)
    step = 0
    try:
        for k, row in order:
            functions[k](*points[k][row])
            step += 1
    except (MemoryAccessError, UndefinedError) as fault:
        statement = scop.statement(execution.names[execution.statements[step]])
        text = f" `{statement.text}`" if statement.text else ""
        verb = "accesses" if isinstance(fault, MemoryAccessError) else "computes"
        raise AnalysisError(
            f"{execution.describe(step)}{text} {verb} {fault}", where=statement.where
        ) from fault
