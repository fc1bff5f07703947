"""Marks of schedule trees: what code generation makes of the band below one."""

from __future__ import annotations

from dataclasses import dataclass

MARK_PARALLEL = "parallel"  # the band below: its first member is an OpenMP loop;
# parallel:static:s,t, each thread adds to copies of s and t, added up behind it;
# parallel:ordered, but for what is marked ordered below
MARK_ORDERED = "ordered"  # what is below runs in the order of the loop parallel:ordered
MARK_VECTOR = "vector"  # the band below: its last member is an `omp simd` loop;
# vector:4, with four iterations to a vector; vector:4:whole, vectors begin at multiples
# of four, at the ends some iterations run twice
MARK_ACCUMULATE = "accumulate"  # like vector, but lanes accumulate into one element
MARK_UNROLL = "unroll"  # the band below: its members are fully unrolled (jammed)
MARK_TILE = "tile"  # the band below enumerates tiles
MARK_WAVEFRONT = "wavefront"  # the band below: first member sums the tile loops
MARK_DIAMOND = "diamond"  # the tile band below: tiles that may start side by side
MARK_BACKWARDS = "backwards"  # parallel:backwards: as threads become free, last first
MARK_RETURN = "return"  # parallel:return: one by one in turn, last first
MARK_PACK = "pack"  # pack:S1:1,2: below, S1 reads copies indexed by its iterators 1, 2;
# pack:S1:2,1:32, in panels of 32; pack:S1:2,1:32:4:128, 4 values of iterator 2 side by
# side in as many bytes, each with 128 added
MAX_COPY_BYTES = 1 << 20  # of one copy of a pack or lift: it lives on the stack
MARK_LIFT = "lift"  # lift:250, below, arrays of one dimension lie in rows of parts:
# element e at [e mod 250][floor(e / 250)]
MARK_REGISTERS = "registers"  # registers:4, the band below is held in vectors of 4;
# registers:4:16, rows 16 further on are asked for ahead; registers:4:16:2, of every
# four rows the first two; -2, the last two; registers:16x4, four terms of an integer
# sum in one instruction; registers:4+, the terms of an update one after the other
TURNED_BYTES = (4, 8)  # of an element of a square that a tile in registers turns:
# integers as wide say where it goes
MARK_SQUARES = "squares"  # squares:8:16, the band below: the rows of squares of 8 x 8,
# whose columns the loop above runs along; asks for rows ahead as registers do
MARK_ROLL = "roll"  # roll, the band below: rows that its loop has loaded or computed
# stay in registers as long as it reads them; roll:1, one addition in an iteration has a
# product with one; roll:0:B, of B the last few rows are stored alone
MARK_KERNEL = "kernel"  # what is below runs on the device, as one kernel
MARK_GRID = "grid"  # the band below: each of its points is a thread block;
# grid:s:8,32, blocks add up parts of s, which 8 x 32 threads of another kernel add up;
# grid:by-atomics:s,t:s, threads update s and t in one go, s in a block's copy first
MARK_THREADS = "threads"  # threads:8,32, member k of the band below: so many threads;
# threads:8,32:1,4, neighbouring values of a member go to one thread in runs of that
# length; threads:8,32:1,1:s, each thread adds up a part of s; threads:8:1:by-atomics:s,
# updates s in one go
MARK_RUN = "run"  # run:4, the band below: neighbours, loaded and stored as vectors of
# four where all of them have instances
MARK_STAGE = (
    "stage"  # stage:3, tiles of what the kernel reads go through shared memory,
)
# three of them in flight; the band below enumerates the tiles; stage:3:tensor, warps in
# place of threads, which multiply in tensor cores; stage:3:bulk, long rows at a time
MARK_OVERLAP = "overlap"  # overlap:7:256,480:1,128:1,4, the band below: seven sweeps of
# one kernel, of which the last is stored; blocks of 256 rows of 480 columns, which walk
# along the rows with 128 threads that have 4 columns each

_SUMS_WORD = {MARK_GRID: 0, MARK_THREADS: 2}  # behind the kind
_ATOMIC = "by-atomics"  # no name of an array


def is_ordered(mark: str) -> bool:
    """Whether threads run a part of a loop's iterations in order.

    Examples
    --------
    >>> is_ordered("parallel:ordered"), is_ordered("parallel")
    (True, False)
    """
    return mark == f"{MARK_PARALLEL}:{MARK_ORDERED}"


def copied_sums(mark: str) -> tuple[str, ...]:
    """The arrays that each thread of a parallel loop has a copy of, to add to.

    Examples
    --------
    >>> copied_sums("parallel:static:s,t"), copied_sums("parallel:dynamic")
    (('s', 't'), ())
    """
    kind, *words = mark.split(":")
    if kind != MARK_PARALLEL or len(words) < 2:
        return ()
    return tuple(words[1].split(","))


def packed_iterators(mark: str) -> tuple[str, tuple[int, ...]] | None:
    """The statement that reads copies, and positions of the iterators they are over.

    Examples
    --------
    >>> packed_iterators("pack:S4:2,0:32"), packed_iterators("parallel")
    (('S4', (2, 0)), None)
    """
    kind, *words = mark.split(":")
    if kind != MARK_PACK:
        return None
    return words[0], tuple(int(k) for k in words[1].split(","))


def is_whole(mark: str) -> bool:
    """Whether a mark has vectors begin at multiples of their length.

    Examples
    --------
    >>> is_whole("vector:8:whole"), is_whole("vector:8")
    (True, False)
    """
    kind, *words = mark.split(":")
    return kind == MARK_VECTOR and "whole" in words


def held_lanes(mark: str) -> int:
    """Elements of the vectors that the band below a mark is held in; 0 for other marks.

    Examples
    --------
    >>> held_lanes("registers:4"), held_lanes("squares:8:16"), held_lanes("vector")
    (4, 8, 0)
    """
    return _held(mark)[0]


def grouped_terms(mark: str) -> int:
    """Terms of a sum that the band below a mark adds up in one instruction.

    Examples
    --------
    >>> grouped_terms("registers:16x4"), grouped_terms("registers:16")
    (4, 1)
    """
    return _held(mark)[1]


def adds_terms_in_turn(mark: str) -> bool:
    """Whether an update of several terms below a mark is one update for each term.

    Examples
    --------
    >>> adds_terms_in_turn("registers:8+"), adds_terms_in_turn("registers:8")
    (True, False)
    """
    kind, *words = mark.split(":")
    return kind == MARK_REGISTERS and words[0].endswith("+")


def _held(mark: str) -> tuple[int, int]:
    """Elements of vectors, and terms of each that are added up at a time."""
    kind, *words = mark.split(":")
    if kind not in (MARK_REGISTERS, MARK_SQUARES):
        return 0, 1
    lanes, _, terms = words[0].rstrip("+").partition("x")
    return int(lanes), int(terms or 1)


@dataclass(frozen=True)
class Rolled:
    """What a loop does that keeps rows in registers.

    Attributes
    ----------
    n_fused : int
        Additions in an iteration that have a product with one.
    arrays : tuple of str
        Of which the loop stores the last rows alone.
    """

    n_fused: int = 0
    arrays: tuple[str, ...] = ()

    @classmethod
    def of_mark(cls, mark: str) -> Rolled | None:
        """What a mark says; None for one of another kind.

        Examples
        --------
        >>> Rolled.of_mark("roll:1:B"), Rolled.of_mark("registers:8")
        (Rolled(n_fused=1, arrays=('B',)), None)
        """
        kind, *words = mark.split(":")
        if kind != MARK_ROLL:
            return None
        n_fused, arrays = [*words, *("0", "")[len(words) :]][:2]
        return cls(int(n_fused), tuple(filter(None, arrays.split(","))))

    @property
    def mark(self) -> str:
        """The mark's name.

        Examples
        --------
        >>> Rolled(0, ("B",)).mark, Rolled(1).mark
        ('roll:0:B', 'roll:1')
        """
        words = [MARK_ROLL, str(self.n_fused), ",".join(self.arrays)]
        return ":".join(word for word in words if word)


@dataclass(frozen=True)
class Overlap:
    """Sweeps of one kernel whose blocks compute what they share each for themselves.

    Attributes
    ----------
    n_sweeps : int
        Of a launch.
    tile : tuple of int
        Points of each loop over space that a block stores.
    threads : tuple of int
        Threads of a block per loop; one for the first, along which blocks walk.
    runs : tuple of int
        Neighbouring points of a thread, alike.
    """

    n_sweeps: int
    tile: tuple[int, ...]
    threads: tuple[int, ...]
    runs: tuple[int, ...]

    @classmethod
    def of_mark(cls, mark: str) -> Overlap | None:
        """What a mark says; None for one of another kind.

        Examples
        --------
        >>> Overlap.of_mark("overlap:3:64,120:1,32:1,4").halos
        (0, 4)
        >>> Overlap.of_mark("roll") is None
        True
        """
        kind, *words = mark.split(":")
        if kind != MARK_OVERLAP:
            return None
        n_sweeps, *shapes = words
        return cls(
            int(n_sweeps), *(tuple(map(int, shape.split(","))) for shape in shapes)
        )

    @property
    def mark(self) -> str:
        """The mark's name.

        Examples
        --------
        >>> Overlap(3, (64, 120), (1, 32), (1, 4)).mark
        'overlap:3:64,120:1,32:1,4'
        """
        shapes = (self.tile, self.threads, self.runs)
        words = [",".join(map(str, shape)) for shape in shapes]
        return ":".join([MARK_OVERLAP, str(self.n_sweeps), *words])

    @property
    def halos(self) -> tuple[int, ...]:
        """Points on each side of a tile that its threads have, too; 0 for the first."""
        sizes = zip(self.tile[1:], self.threads[1:], self.runs[1:], strict=True)
        return (0, *((count * run - size) // 2 for size, count, run in sizes))


@dataclass(frozen=True)
class RowsAhead:
    """Rows that are asked for before they are read.

    Attributes
    ----------
    distance : int
        They lie so many further on; 0 for none.
    part : int
        Of as many rows as there are lanes, so many of the first, or of the last where
        negative; 0 for all.
    """

    distance: int = 0
    part: int = 0

    @classmethod
    def of_mark(cls, mark: str) -> RowsAhead:
        """What a mark asks for.

        Examples
        --------
        >>> RowsAhead.of_mark("squares:8:16:-4"), RowsAhead.of_mark("registers:8")
        (RowsAhead(distance=16, part=-4), RowsAhead(distance=0, part=0))
        """
        words = mark.split(":") if held_lanes(mark) else []
        return cls(*map(int, words[2:]))

    @property
    def words(self) -> str:
        """The end of a mark's name; empty where nothing is asked for."""
        if not self.distance:
            return ""
        return f":{self.distance}" + (f":{self.part}" if self.part else "")

    def rows(self, lanes: int) -> range:
        """Positions of the rows that are asked for, of so many.

        Examples
        --------
        >>> [list(RowsAhead(8, part).rows(4)) for part in (0, 1, -1)]
        [[0, 1, 2, 3], [0], [3]]
        """
        every = range(lanes)
        return every[: self.part] if self.part > 0 else every[self.part :]


def atomics_words(arrays: tuple[str, ...], copied: tuple[str, ...] = ()) -> str:
    """The end of a mark whose threads update arrays in one go.

    Examples
    --------
    >>> atomics_words(("s", "t"), ("s",))
    ':by-atomics:s,t:s'
    """
    words = [_ATOMIC, ",".join(arrays), *([",".join(copied)] if copied else [])]
    return "".join(f":{word}" for word in words)


def partial_sums(mark: str) -> tuple[str, ...]:
    """The arrays of which each block, or thread, of a device adds up a part.

    Examples
    --------
    >>> partial_sums("grid:s:8,32"), partial_sums("threads:8,32:1,1:s")
    (('s',), ('s',))
    >>> partial_sums("grid"), partial_sums("threads:8,32:1,4")
    ((), ())
    """
    words = _sums_words(mark)
    if not words or words[0] == _ATOMIC:
        return ()
    return tuple(words[0].split(","))


def atomic_sums(mark: str) -> tuple[str, ...]:
    """The arrays that each thread of a device updates in one go.

    Examples
    --------
    >>> atomic_sums("grid:by-atomics:s,t:s"), atomic_sums("threads:8:1:by-atomics:s,t")
    (('s', 't'), ('s', 't'))
    >>> atomic_sums("grid:s:8,32"), atomic_sums("threads:8")
    ((), ())
    """
    words = _sums_words(mark)
    if not words or words[0] != _ATOMIC:
        return ()
    return tuple(words[1].split(","))


def block_sums(mark: str) -> tuple[str, ...]:
    """Those of them that each block has a copy of, to update first.

    Examples
    --------
    >>> block_sums("grid:by-atomics:s,t:s"), block_sums("grid:by-atomics:s")
    (('s',), ())
    """
    words = _sums_words(mark)
    if len(words) < 3 or words[0] != _ATOMIC:
        return ()
    return tuple(words[2].split(","))


def _sums_words(mark: str) -> list[str]:
    """The words of a mark that speak of sums."""
    kind, *words = mark.split(":")
    return words[_SUMS_WORD.get(kind, len(words)) :]
