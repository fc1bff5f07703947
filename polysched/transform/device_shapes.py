"""How blocks of device kernels look, and the shapes that are tried."""

from __future__ import annotations

from dataclasses import dataclass

from polysched.transform.device_lines import CrossShape, LineShape
from polysched.transform.device_rows import RowShape
from polysched.transform.device_stage import StagedShape
from polysched.transform.device_sums import SumShape
from polysched.transform.device_tensor import TensorShape
from polysched.transform.overlap import OverlapShape
from polysched.transform.time_tiles import TimeShape


@dataclass(frozen=True)
class DeviceShape:
    """How blocks look.

    Attributes
    ----------
    threads : tuple of int
        Threads of a block by number of shared loops, ``threads[n - 1]`` for n of them:
        their counts, fastest varying last.
    points : tuple of int
        Points of the slowest shared loop that a thread takes, by number of loops.
    merge : bool
        Join bands that are permutable together first.
    stage : StagedShape or None
        How contractions are tiled; None treats them like everything else.
    tensor : TensorShape or None
        How products of matrices are tiled for tensor cores, where they may be used;
        other contractions are tiled as by `stage`.
    time : TimeShape or None
        How permutable bands without a parallel loop are tiled; None runs their points
        in wavefronts.
    overlap : OverlapShape or None
        How sweeps of a time loop run several to a launch; None launches each.
    sums : SumShape or None
        How sums that may be reordered are shared; None lets one thread add up each.
    rows : RowShape or None
        How blocks look that have all that is done to a row; None makes a kernel of
        each loop below.
    lines : LineShape or None
        How sums that keep their order have their terms copied ahead; None lets each
        thread read its own.
    cross : CrossShape or None
        How elements are copied from rows to columns; None lets each thread read where
        its element comes from.
    cuts : bool
        Whether loops are cut that are parallel but for one or two iterations.
    run : int
        Most neighbours along the fastest shared loop that a thread takes as a vector,
        where their elements lie side by side.
    """

    threads: tuple[tuple[int, ...], ...]
    points: tuple[int, ...] = (1, 1, 1)
    merge: bool = True
    stage: StagedShape | None = None
    tensor: TensorShape | None = None
    time: TimeShape | None = None
    overlap: OverlapShape | None = None
    sums: SumShape | None = None
    rows: RowShape | None = None
    lines: LineShape | None = None
    cross: CrossShape | None = None
    cuts: bool = False
    run: int = 1


PLAIN = ((128,), (8, 32), (1, 8, 32))
# rows of a block whose threads have several points each, for loads in flight: of 20
# shapes of sweeps of floats and doubles, the best or 4 % from it (H200, gpu.md)
STRIPS = ((128,), (1, 256), (1, 4, 64))
STRIP_POINTS = (1, 4, 8)
# of the sweeps of a launch: more for two loops over space than for three, whose tiles
# have more around them
OVERLAPPED = OverlapShape((7, 3), (272, 192), ((128,), (22, 18)), ((4,), (2, 4)))
SHORT = OverlapShape((3, 3), (128, 192), ((128,), (12, 36)), ((4,), (2, 4)))
MEETING = ((128,), (8, 32), (2, 4, 32))  # threads of a time tile

SUMS = SumShape(128, (8, 32))
LINES = LineShape(32, 128, 4)
SQUARES = CrossShape(32, 32, (8, 32))

SHAPES = (
    DeviceShape(
        PLAIN,
        stage=StagedShape(128, 128, 16, (8, 16), 3),
        time=TimeShape(8, ((256,), (32, 64), (8, 8, 64)), MEETING),
        sums=SUMS,
        rows=RowShape(128),
        lines=LINES,
        cross=SQUARES,
    ),
    DeviceShape(STRIPS, STRIP_POINTS, overlap=OVERLAPPED),
    DeviceShape(
        STRIPS,
        STRIP_POINTS,
        sums=SUMS,
        lines=LINES,
        cross=SQUARES,
        cuts=True,
        run=4,
    ),
    DeviceShape(
        PLAIN,
        stage=StagedShape(64, 64, 16, (8, 16), 3),
        time=TimeShape(4, ((256,), (16, 64), (8, 8, 32)), MEETING),
        overlap=SHORT,
        sums=SumShape(256, (16, 32)),
        rows=RowShape(256),
        lines=LineShape(64, 64, 4),
        cross=CrossShape(64, 32, (8, 32)),
    ),
    DeviceShape(
        PLAIN,
        stage=StagedShape(128, 256, 16, (8, 32), 3),
        time=TimeShape(16, ((512,), (64, 64), (16, 16, 32)), MEETING),
    ),
    DeviceShape(PLAIN),
    DeviceShape(((256,), (4, 64), (2, 8, 32)), (1, 4, 4)),
    DeviceShape(((64,), (8, 32), (4, 4, 32)), (1, 4, 4)),
    DeviceShape(((128,), (8, 32), (1, 8, 32)), merge=False),
    DeviceShape(((32,), (16, 16), (4, 8, 8))),
)
