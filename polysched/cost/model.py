"""An analytical model that ranks schedules: work, waiting, traffic, threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from polysched.analysis import Dependences
from polysched.cost.cache_rates import CLOCK_HZ, Rate, changed_share, rate_of
from polysched.cost.calls import (
    call_cycles,
    n_calls,
    n_extra_operations,
    n_lookups,
)
from polysched.cost.copies import copy_seconds, lift_cycles
from polysched.cost.divisions import (
    DIVISION_CYCLES,
    DIVISION_OPERATIONS,
    SHIFT_OPERATIONS,
    has_lanes,
    n_divisions,
    n_shifts,
    waiting_cycles,
)
from polysched.cost.in_order import Levels, handed_bytes, shared_seconds
from polysched.cost.jumps import far_pages, scatter
from polysched.cost.lane_sums import SUM_CYCLES, terms_per_lane
from polysched.cost.left_over import behind_vectors, left_over
from polysched.cost.lookups import leaves_its_order
from polysched.cost.nest import Nest
from polysched.cost.read import KnownLinks, KnownNests, read_nests
from polysched.cost.reuse import Reuse
from polysched.cost.storage import fresh_bytes, lay_out_copies
from polysched.cost.taken import taken_share
from polysched.cost.traffic import at_sizes, nest_traffic
from polysched.cost.wraps import WRAP_OPERATIONS
from polysched.ir import (
    MARK_PARALLEL,
    MARK_RETURN,
    RowsAhead,
    ScheduleTree,
    Scop,
    grouped_terms,
)
from polysched.machine import Cpu, Machine

COMPILER_SIMD_BITS = 256  # what compilers prefer unless told otherwise
LATENCY_CYCLES = 4.0  # of one floating-point operation
INTEGER_LATENCY_CYCLES = 1.0  # of a sum, a comparison, a choice
LOADS_PER_CYCLE = 2.0
STORES_PER_CYCLE = 1.0  # beside the loads
OPERATIONS_PER_CYCLE = 2.0
CONVERSION_OPERATIONS = 2.0  # to take a vector apart, or put it together: one port
FORWARD_CYCLES = 5.0  # from a store to the load of the same element
LOOP_ENTRY_CYCLES = 8.0
THREAD_EFFICIENCY = 0.9
TEAM_SECONDS = 1.5e-4  # to create threads for the first loop they share, once, and
LARGE_TEAM_SECONDS = 4e-4  # where much data are in use: all that is new to a thread
LARGE_BYTES = 1 << 24
FRESH_BYTES_PER_SECOND = 1.8e9  # written the first time: the system clears pages
WAVE_EFFICIENCY = 0.8
UNPACKED_LOSS = 2.5  # loads of a register tile from rows that are far apart
REGISTER_EFFICIENCY = 0.8
PAGE_BYTES = 4096
TLB_PAGES = 2048  # of which the processor knows where they lie
WALK_CYCLES = 20.0  # to find that out for another one
ASKED_AHEAD = 0.85  # of the time of memory that rows take which are asked for ahead
TURNED_BACK = 0.7  # of that of a sweep that begins where the one before has ended
ROW_ALONE = 1.05  # of the third cache's time: streams end with pages, all but several
TURN_CYCLES = 2.0  # to put an element of a row into a copy of columns
LEFT_OVER = 1.5  # of the time of a loop without lanes, outside of register tiles
SHARED_LINES = 0.5  # speed where every line goes from thread to thread and back
WHOLE_VECTORS = 0.9  # of the time of vectors that begin anywhere, heat-3d by hand
WARM_SHARE = 0.25  # of the last cache, which holds so much that a program has just used
WARM_RESULTS = 2 << 20  # bytes of results that it may hold as well
OUT_OF_ORDER = 1.2  # for loops of data that run in loops of another order
OVERLAP_LOSS = 0.25  # share of the lesser times that is not hidden


@dataclass(frozen=True)
class Prediction:
    """Seconds of one run, and where they go.

    Attributes
    ----------
    seconds : float
        In all, threads included.
    compute_seconds : float
        Arithmetic, loads and stores out of the first cache, waiting, one thread.
    l2_seconds, l3_seconds, memory_seconds : float
        Moving data from each level, one thread; memory that is used the first time
        counts with the last, filling and adding up threads' copies with the second.
    barrier_seconds : float
        Starting and ending parallel loops, and creating the threads, unless the
        region stands in a loop.
    """

    seconds: float
    compute_seconds: float
    l2_seconds: float
    l3_seconds: float
    memory_seconds: float
    barrier_seconds: float


def predict_seconds(
    tree: ScheduleTree,
    scop: Scop,
    deps: Dependences | None,
    machine: Machine,
    parameters: Mapping[str, int] | None = None,
) -> float | None:
    """Predicted seconds of one run under a schedule, good for ranking.

    Parameters
    ----------
    tree : ScheduleTree
        Final tree with marks, band flags set.
    scop : Scop
        What it schedules.
    deps : Dependences, optional
        With them, a loop that only orders different statements costs no waiting.
    machine : Machine
        Caches and ceilings.
    parameters : mapping of str to int, optional
        Values of parameters; trip counts that stay unknown are assumed to be 1000.

    Returns
    -------
    float or None
        None where the tree holds no statement.
    """
    found = predict(tree, scop, machine, parameters, deps)
    return None if found is None else found.seconds


def predict(
    tree: ScheduleTree,
    scop: Scop,
    machine: Machine,
    parameters: Mapping[str, int] | None = None,
    deps: Dependences | None = None,
) -> Prediction | None:
    """`predict_seconds` with its parts."""
    return Predictor(scop, machine, parameters, deps).predict(tree)


class Predictor:
    """Predictions for many schedules of one program: nests they share are read once.

    Parameters
    ----------
    scop, machine, parameters, deps
        As for `predict_seconds`.
    """

    def __init__(
        self,
        scop: Scop,
        machine: Machine,
        parameters: Mapping[str, int] | None = None,
        deps: Dependences | None = None,
    ) -> None:
        self._scop = at_sizes(scop, parameters)
        self._cpu = machine.cpu
        self._deps = deps
        self._known: KnownNests = {}
        self._links: KnownLinks = {}

    def predict(
        self, tree: ScheduleTree, *, has_team: bool = False
    ) -> Prediction | None:
        """The prediction for one run; None where the tree holds no statement.

        With a team threads are there already, from what runs before.
        """
        cpu = self._cpu
        known = read_nests(
            tree,
            self._scop,
            self._deps,
            self._known,
            self._links,
            fused="fma" in cpu.isa,
        )
        nests = lay_out_copies(known)
        reuse = Reuse(nests, cpu.line_bytes)
        if not nests:
            return None
        cold = _cold_share(reuse, cpu)
        rates = [_rates(k, reuse, cpu) for k in range(len(nests))]
        alone = [_levels(k, r, reuse, cpu, cold) for k, r in enumerate(rates)]
        shared = [
            _share(n, own, r, cpu)
            for n, own, r in zip(nests, alone, rates, strict=True)
        ]
        barriers: dict[tuple[int, ...], float] = {}
        for nest in nests:
            if nest.shared is not None:
                path = nest.members[nest.shared].path
                starts = prod(nest.trips[: nest.shared])
                barriers[path] = max(barriers.get(path, 0.0), starts)
        barrier = sum(barriers.values()) * cpu.barrier_seconds
        is_there = has_team or self._scop.is_repeated
        if barriers and cpu.n_cores > 1 and not is_there:
            barrier += _team_seconds(reuse)
        copying, copied_bytes = copy_seconds(nests, cpu, rate_of(3, cpu).alone)
        copying += lift_cycles(nests) / (cpu.frequency_hz or CLOCK_HZ)
        fresh = fresh_bytes(nests, cpu.line_bytes) + copied_bytes
        fresh /= FRESH_BYTES_PER_SECOND
        seconds = shared_seconds(nests, alone, shared, _overlapped)
        compute, l2, l3, memory = map(sum, zip(*alone, strict=True))
        return Prediction(
            seconds + barrier + fresh + copying,
            compute,
            l2,
            l3 + copying,
            memory + fresh,
            barrier,
        )


def rank(
    trees: list[ScheduleTree],
    scop: Scop,
    deps: Dependences | None,
    machine: Machine,
    parameters: Mapping[str, int] | None = None,
) -> list[int]:
    """Positions of the trees, the fastest predicted first, ties in given order."""
    seconds = [predict_seconds(t, scop, deps, machine, parameters) for t in trees]
    keys = [float("inf") if s is None else s for s in seconds]
    return sorted(range(len(trees)), key=lambda k: keys[k])


def _team_seconds(reuse: Reuse) -> float:
    """What creating threads takes, which is more in a process that has many pages."""
    share = min(1.0, reuse.total_bytes() / LARGE_BYTES)
    return TEAM_SECONDS + share * (LARGE_TEAM_SECONDS - TEAM_SECONDS)


def _cold_share(reuse: Reuse, cpu: Cpu) -> float:
    """The share of a region's data that comes from memory, between 0 and 1.

    A program has made or used its data before it enters the region. What is small
    beside the last cache lies there still, what fills it does not. Large results that
    the region only writes may be pages that nobody has touched.
    """
    n_bytes, n_new = reuse.total_bytes(), reuse.new_bytes()
    last_level = max(cpu.l3_bytes, cpu.l2_bytes, 1)
    filled = (n_bytes / last_level - WARM_SHARE) / (1.0 - WARM_SHARE)
    new = n_new / n_bytes if n_new > WARM_RESULTS else 0.0
    return min(1.0, max(0.0, filled, new))


Rates = tuple[Rate, Rate]  # of the second and the third cache


def _rates(position: int, reuse: Reuse, cpu: Cpu) -> Rates:
    """What the caches give to a nest, which is less where it changes what it gets."""
    if not cpu.cache_rates:
        return rate_of(2, cpu), rate_of(3, cpu)
    near, far = (
        changed_share(position, reuse, size) for size in (cpu.l1_bytes, cpu.l2_bytes)
    )
    return rate_of(2, cpu, near), rate_of(3, cpu, far)


def _levels(position: int, rates: Rates, reuse: Reuse, cpu: Cpu, cold: float) -> Levels:
    """Seconds of one thread: computing, and moving data from each level."""
    nest = reuse.nest(position)
    clock = cpu.frequency_hz or CLOCK_HZ
    compute = nest.n_instances * _cycles_per_instance(nest, cpu) / clock
    moved = nest_traffic(position, reuse, cpu)
    l2 = moved.l2_bytes / rates[0].alone
    l3_bytes = moved.l3_bytes + handed_bytes(nest, cpu.line_bytes)
    l3 = l3_bytes / rates[1].alone
    scattered = scatter(nest, max(cpu.l3_bytes, cpu.l2_bytes), cpu.line_bytes)
    memory = cold * moved.memory_bytes * scattered / cpu.bandwidth_bytes_per_second
    if any(RowsAhead.of_mark(mark).distance for mark in nest.marks):
        memory *= ASKED_AHEAD
    if f"{MARK_PARALLEL}:{MARK_RETURN}" in nest.marks:
        memory *= TURNED_BACK
    if nest.copies == 1 and not nest.lanes and not nest.memory_operations()[1]:
        l3 *= ROW_ALONE
    pages = far_pages(nest, TLB_PAGES, PAGE_BYTES, reuse.met_before(position))
    compute += pages * WALK_CYCLES / clock
    return compute, l2, l3, memory


def _share(nest: Nest, alone: Levels, rates: Rates, cpu: Cpu) -> Levels:
    """The same, shared by threads."""
    compute, *inside = alone
    threads = _speedup(nest, cpu)
    memory = Rate(cpu.bandwidth_bytes_per_second, cpu.bandwidth_all_bytes_per_second)
    levels = zip(inside, (*rates, memory), strict=True)
    return compute / threads, *(rate.shared(s, threads) for s, rate in levels)


def _overlapped(times: Levels) -> float:
    """Seconds of what goes on at the same time, but for a part of the lesser times."""
    longest = max(times)
    return longest + OVERLAP_LOSS * (sum(times) - longest)


def _cycles_per_instance(nest: Nest, cpu: Cpu) -> float:
    """Cycles of one statement instance with its data in the first cache."""
    if nest.is_lifted:
        return _cycles_in_rows(nest, cpu)
    if nest.lanes:
        return _cycles_in_registers(nest, cpu)
    lanes = 1.0
    calls = n_calls(nest)
    if nest.is_vectorizable and has_lanes(nest) and not calls:
        most = _usual_lanes(nest, cpu)
        if nest.adds_integers:
            most *= terms_per_lane(nest.statement)
        lanes = max(1.0, min(nest.inner_trips, most))
    divisions = n_divisions(nest)
    n_operations = _n_operations(nest, cpu, lanes)
    arithmetic = n_operations / OPERATIONS_PER_CYCLE
    unit, far = nest.memory_operations()
    far += n_lookups(nest.statement)
    stores = nest.n_stores()
    loads = (unit - stores + nest.n_spilled) / LOADS_PER_CYCLE
    stores /= STORES_PER_CYCLE
    memory = max(loads, stores) + OVERLAP_LOSS * min(loads, stores)
    busy = max(arithmetic, memory) + OVERLAP_LOSS * min(arithmetic, memory)
    if nest.has_whole_vectors:
        busy *= WHOLE_VECTORS
    alone = behind_vectors(nest, COMPILER_SIMD_BITS) if lanes > 1 else 0.0
    throughput = busy * ((1.0 - alone) / lanes + alone) + far / LOADS_PER_CYCLE
    outside = LEFT_OVER * max(arithmetic, len(nest.references) / LOADS_PER_CYCLE)
    throughput += left_over(nest) * max(0.0, outside - throughput)
    if not nest.is_inner_parallel and nest.waits:
        latency = _waiting(nest, cpu) + divisions * DIVISION_CYCLES
        throughput = max(throughput, latency / nest.chains)
    throughput = max(throughput, waiting_cycles(nest))
    if nest.link is not None:
        waited = nest.link.operations * _latency(nest)
        waited += FORWARD_CYCLES if nest.link.from_memory else 0.0
        throughput = max(throughput, waited / nest.chains)
    if leaves_its_order(nest):
        throughput *= OUT_OF_ORDER
    if lanes == 1:  # lanes compute all, and keep some
        throughput *= taken_share(nest.scop, nest.statement.name)
    throughput += nest.n_turned * TURN_CYCLES
    if nest.is_versioned:  # unrolled
        return throughput
    handed = nest.n_handed() * (1 / LOADS_PER_CYCLE + 1 / STORES_PER_CYCLE)
    entry = LOOP_ENTRY_CYCLES + handed
    entry /= max(1.0, nest.inner_trips) * nest.copies
    if nest.adds_integers:
        entry += SUM_CYCLES / max(1.0, nest.inner_trips)
    return throughput + entry + call_cycles(nest.statement)


def _n_operations(nest: Nest, cpu: Cpu, lanes: float) -> float:
    """Operations of one instance, in so many lanes, with what they amount to."""
    n_operations = nest.n_operations + n_divisions(nest) * DIVISION_OPERATIONS
    n_operations += n_shifts(nest) * SHIFT_OPERATIONS + nest.n_wraps * WRAP_OPERATIONS
    n_operations -= ("fma" in cpu.isa) * nest.n_fused
    if lanes > 1:
        n_operations += CONVERSION_OPERATIONS * nest.n_conversions
    return n_operations + n_extra_operations(nest.statement)


def _waiting(nest: Nest, cpu: Cpu) -> float:
    """Cycles from one iteration of the innermost loop to the next one's result."""
    if not nest.hands_on:
        return nest.chain * _latency(nest)
    chain = nest.carried_chain(fused="fma" in cpu.isa) or nest.chain
    forwarding = FORWARD_CYCLES if nest.copies > 1 else 0.0
    return chain * _latency(nest) + forwarding


def _latency(nest: Nest) -> float:
    """Cycles for which one operation waits for another, by what is computed."""
    written = [r.array for r in nest.references if r.is_write]
    if any(nest.scop.array(array).type.is_float for array in written):
        return LATENCY_CYCLES
    return INTEGER_LATENCY_CYCLES if written else LATENCY_CYCLES


def _usual_lanes(nest: Nest, cpu: Cpu) -> float:
    bits = min(cpu.simd_bits, COMPILER_SIMD_BITS)
    return max(1.0, bits / (8 * nest.element_bytes))


def _cycles_in_rows(nest: Nest, cpu: Cpu) -> float:
    """Cycles of one instance where lanes are parts of a loop.

    Every load and store is a whole vector, which begins at a multiple of its length:
    they hide behind the operations, or these behind them.
    """
    arithmetic = nest.n_operations / OPERATIONS_PER_CYCLE
    memory = nest.lifted_operations / LOADS_PER_CYCLE
    busy = max(arithmetic, memory)
    return busy / min(nest.lanes, _usual_lanes(nest, cpu))


def _cycles_in_registers(nest: Nest, cpu: Cpu) -> float:
    """Cycles of one instance of a register tile.

    A multiply and the add behind it are one operation; an update waits for the one
    before it, and there are as many at a time as vectors in the tile. Rows that are
    far from each other share few cache sets and pages: unless they are packed, every
    load of a vector waits now and then. Of short integers one instruction adds up
    several terms, from a packed copy.
    """
    n_terms = max(map(grouped_terms, nest.marks), default=1)
    if nest.is_scalar_tile:
        loads = sum(nest.memory_operations()) / LOADS_PER_CYCLE
        return nest.n_operations / OPERATIONS_PER_CYCLE + loads
    lanes = min(nest.lanes, max(1, cpu.simd_bits // (8 * nest.element_bytes)))
    fused = max(1.0, nest.n_operations / 2) if "fma" in cpu.isa else nest.n_operations
    arithmetic = fused / OPERATIONS_PER_CYCLE / lanes
    loads = nest.register_loads() / LOADS_PER_CYCLE
    if not nest.is_packed and not nest.is_turned:
        loads *= UNPACKED_LOSS
    waiting = LATENCY_CYCLES / nest.copies if nest.waits else 0.0
    return max(arithmetic, loads, waiting) / n_terms / REGISTER_EFFICIENCY


def _speedup(nest: Nest, cpu: Cpu) -> float:
    if nest.shared is None or cpu.n_cores < 2:
        return 1.0
    if nest.shares_lines:
        return SHARED_LINES
    trips = max(1.0, nest.trips[nest.shared])
    waves = nest.waves_of_a_box
    if waves is not None:
        n_tiles, widths = waves
        rounds = sum(-(-width // cpu.n_cores) for width in widths)
        return max(1.0, n_tiles / rounds * THREAD_EFFICIENCY)
    rounds = int(-(-trips // cpu.n_cores))
    speedup = max(1.0, trips / rounds * THREAD_EFFICIENCY)
    if any(m.kind == "wave" and m.level_row is None for m in nest.members):
        speedup = max(1.0, speedup * WAVE_EFFICIENCY)
    return speedup
