"""From a row-by-row strategy to a proven schedule tree."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from polysched.analysis import Dependences, find_violation, set_band_flags
from polysched.base import Deadline, InfeasibleError, PolyschedError
from polysched.ir import Scop, build_tree
from polysched.schedule.canonical import canonical_rows
from polysched.schedule.pieces import Piece, cut_dependences
from polysched.schedule.rowwise.edges import Edge, lifted_value, make_edges
from polysched.schedule.rowwise.finder import RowFinder
from polysched.schedule.rowwise.fusion import FUSIONS, Fusion
from polysched.schedule.rowwise.model import RowBounds
from polysched.schedule.rowwise.objectives import STRATEGIES, Strategy
from polysched.schedule.rowwise.plan import flatten
from polysched.schedule.rowwise.search import Search
from polysched.schedule.solve import Solved
from polysched.sets import LIFTED_PREFIX, operation_limit

_log = logging.getLogger(__name__)

PROOF_OPERATIONS = 50_000_000  # a sweep of 160 statements needs less than 2 million


@dataclass(frozen=True)
class RowwiseOptions:
    """How to schedule row by row.

    Attributes
    ----------
    strategy : Strategy
        What each row is asked for.
    fusion : {"none", "smart", "max", "components", "cluster"}
        Which statements share loops. None: strongly connected components are kept
        apart. Smart: cut as Pluto does, by depth first. Max: cut only where no row is
        left. Components: what no dependence connects is kept apart, the rest is
        together as long as there are rows. Cluster: components are joined along flow
        while distances stay small, as isl does.
    bounds : RowBounds
        The box that rows are looked for in.
    name : str
        What the schedule says it was asked for.
    """

    strategy: Strategy = STRATEGIES["pluto"]
    fusion: Fusion = "smart"
    bounds: RowBounds = field(default_factory=RowBounds)
    name: str = "rows"

    def __post_init__(self) -> None:
        if self.fusion not in FUSIONS:
            known = ", ".join(FUSIONS)
            raise PolyschedError(
                f"no fusion policy named {self.fusion!r}; the policies are: {known}"
            )


@dataclass(frozen=True)
class RowwiseRecipe:
    """A row-by-row schedule to ask for, by name.

    Attributes
    ----------
    name : str
        Name of the schedule in a space.
    strategy : str
        Name of one of `STRATEGIES`.
    fusion : str
        Name of a fusion policy, see `RowwiseOptions`.
    negative : bool
        Whether loops may be reversed.
    parametric : bool
        Whether rows may be shifted by multiples of the parameters.

    Examples
    --------
    >>> str(pluto("max"))
    'pluto-rows+max'
    """

    name: str
    strategy: str = "pluto"
    fusion: Fusion = "smart"
    negative: bool = False
    parametric: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def options(self) -> RowwiseOptions:
        """What `solve_rowwise` takes; an unknown name is an error that lists all."""
        if self.strategy not in STRATEGIES:
            known = ", ".join(STRATEGIES)
            raise PolyschedError(
                f"no strategy named {self.strategy!r}; the strategies are: {known}"
            )
        bounds = RowBounds(negative=self.negative, parametric=self.parametric)
        strategy = STRATEGIES[self.strategy]
        return RowwiseOptions(strategy, self.fusion, bounds, self.name)


def pluto(fusion: Fusion = "smart", *, negative: bool = False) -> RowwiseRecipe:
    """Pluto's schedule: short distances, permutable bands.

    With `negative` Pluto+'s: loops may be reversed and shifted by parameters.
    """
    name = "pluto-rows" if fusion == "smart" else f"pluto-rows+{fusion}"
    if negative:
        name += "+negative"
    return RowwiseRecipe(name, "pluto", fusion, negative, parametric=negative)


def feautrier(fusion: Fusion = "components") -> RowwiseRecipe:
    """Feautrier's schedule: few sequential outer loops, all inner ones parallel."""
    name = "feautrier-rows"
    if fusion != "components":
        name += f"+{fusion}"
    return RowwiseRecipe(name, "feautrier", fusion, negative=True, parametric=True)


def isl_like(fusion: Fusion = "cluster") -> RowwiseRecipe:
    """A schedule after isl's rules: parallel loops first, short flow, clustering."""
    name = "isl-rows" if fusion == "cluster" else f"isl-rows+{fusion}"
    return RowwiseRecipe(name, "isl", fusion, negative=True, parametric=True)


def solve_rowwise(
    scop: Scop,
    dependences: Dependences,
    options: RowwiseOptions,
    deadline: Deadline,
    pieces: tuple[Piece, ...] | None = None,
) -> Solved:
    """Find a schedule one row after the other, and prove it.

    Each row is one small integer program over all statements that share it, so the
    cost grows with the number of rows and not with their product. What inner rows
    would need from outer ones is not seen, in contrast to `solve_recipe`.

    Parameters
    ----------
    scop, dependences
        What to schedule.
    options : RowwiseOptions
        What to ask of rows, and what to fuse.
    deadline : Deadline
        When it has passed, what has no rows yet keeps its original order; the
        schedule is legal all the same and says so in `Solved.given_up`.
    pieces : tuple of Piece, optional
        The dependences cut already.

    Returns
    -------
    Solved
        With the values of all objectives of all rows, in the order in which they were
        found.

    Raises
    ------
    InfeasibleError
        When the result is not legal, which would be an error of this function.
    LimitError
        When isl cannot prove it with `PROOF_OPERATIONS`.

    References
    ----------
    .. [1] Bondhugula et al., "A practical automatic polyhedral parallelizer and
       locality optimizer", PLDI 2008.
    .. [2] Feautrier, "Some efficient solutions to the affine scheduling problem, II:
       multidimensional time", IJPP 1992.
    .. [3] Consolaro et al., "PolyTOPS: reconfigurable and flexible polyhedral
       scheduler", CGO 2024 (objectives per row as an open list).
    """
    if pieces is None:
        pieces = cut_dependences(scop, dependences)
    edges = make_edges(pieces)
    finder = RowFinder(scop, options.strategy, options.bounds, deadline)
    search = Search(scop, options.strategy, options.fusion, finder, deadline)
    plan = search.plan(edges)
    flat = flatten(plan, scop, _lifted_values(edges))
    rows = canonical_rows(flat.rows)
    with operation_limit(scop.context.get_ctx(), PROOF_OPERATIONS):
        tree = build_tree(scop.domain, rows, flat.may_join)
        tree = set_band_flags(tree, dependences)
        violation = find_violation(tree, dependences, scop)
    if violation is not None:
        raise InfeasibleError(f"the rows found are not legal: {violation}")
    given_up = tuple(
        f"rows of {', '.join(members)}" for members in search.kept_original
    )
    if given_up:
        _log.info("kept in the original order: %s", "; ".join(given_up))
    return Solved(
        tree,
        (options.name,),
        stages=tuple(finder.stages),
        rows=rows,
        given_up=given_up,
    )


def _lifted_values(edges: tuple[Edge, ...]) -> dict[str, int]:
    """Numbers behind the parameters that stand for large constants."""
    return {
        p: lifted_value(p)
        for e in edges
        for p in e.parameters
        if p.startswith(LIFTED_PREFIX)
    }
