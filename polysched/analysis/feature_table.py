"""The features of a schedule: what each counts, and which direction is better.

Those of kernels are known only of schedules that are for a device.
"""

from __future__ import annotations

from typing import Literal

Better = Literal["low", "high"]

_TABLE: dict[str, tuple[Better, str]] = {
    # loops and fusion
    "depth": ("low", "largest number of loops around a statement, tile loops included"),
    "n_loops": ("low", "loops in the code, unrolled ones left out"),
    "n_loop_nests": ("low", "loop nests side by side at the outermost level"),
    "n_loops_level2": ("low", "loops side by side at the second level"),
    "n_loops_level3": ("low", "loops side by side at the third level"),
    "n_innermost": ("low", "innermost loop bodies"),
    "statements_per_body": ("high", "mean number of statements in an innermost body"),
    "fusion_score": (
        "low", "1 when neighbours share all loops, doubling per loop not shared"
    ),
    # parallelism
    "n_outer_parallel": ("high", "statements whose outermost loop is parallel"),
    "outer_parallel": (
        "high", "share of the statements whose outermost loop is parallel"
    ),
    "parallel_level": (
        "low",
        "mean level of a statement's first parallel loop, 1 for the outermost; one "
        "more than it has loops where none is parallel",
    ),
    "n_parallel_loops": (
        "high", "loops that carry no dependence, each band counted once"
    ),
    "barriers_log10": (
        "low", "decimal logarithm of how often parallel loops start, at most"
    ),
    "is_wavefront": ("low", "1 when tiles run in wavefronts"),
    "starts_at_once": (
        "high", "1 when the tiles of a wavefront stand side by side at the same time"
    ),
    # innermost loops
    "n_vectorizable": (
        "high", "statements with a parallel innermost loop of stride 0 or 1"
    ),
    "n_stride0_reads": ("high", "reads that stay in place along the innermost loop"),
    "n_stride1_reads": (
        "high", "reads that move to a neighbour along the innermost loop"
    ),
    "n_strideN_reads": ("low", "reads that move farther along the innermost loop"),
    "n_stride0_writes": ("high", "writes that stay in place along the innermost loop"),
    "n_stride1_writes": (
        "high", "writes that move to a neighbour along the innermost loop"
    ),
    "n_strideN_writes": ("low", "writes that move farther along the innermost loop"),
    "stride_score": (
        "low", "1, plus 5 for each reference of a large stride, per statement"
    ),
    "max_far_references": (
        "low", "references of a large stride in the innermost body that has most"
    ),
    # bands
    "max_band_depth": (
        "high", "members of the deepest permutable band: what could be tiled"
    ),
    "min_band_depth": (
        "high", "members of the deepest permutable band around the worst statement"
    ),
    "n_permutable_bands": ("high", "permutable bands of two members or more"),
    "n_coincident": (
        "high", "band members along which no dependence moves within the band"
    ),
    "n_kept": (
        "high", "dependences that a row orders and later rows of its band still respect"
    ),
    # reuse and distances
    "n_temporal": (
        "high", "pairs of a point loop and a reference that stays in place along it"
    ),
    "n_spatial": (
        "high", "pairs of a point loop and a reference that moves to a neighbour"
    ),
    "n_group": (
        "high",
        "pairs of a point loop and a reference that meets along it what another "
        "touched",
    ),
    "n_local_flows": (
        "high",
        "flows between statements within one iteration of all loops that they share",
    ),
    "n_growing": (
        "low", "rows along which some distance grows with the parameters"
    ),
    "max_distance": ("low", "largest constant distance of a dependence along a row"),
    # form of the rows
    "max_skew": (
        "low", "sum of the coefficients by which rows combine several iterators"
    ),
    "n_shift": ("low", "sum of the constants by which statements are shifted"),
    "n_not_unimodular": (
        "low", "statements whose rows leave gaps: steps or modulo guards in the code"
    ),
    "rank_deficit": ("low", "iterators that no loop moves, over all statements"),
    # tiles
    "is_tiled": ("high", "1 when there are tile loops"),
    "n_tile_levels": ("high", "tile bands around the statement that has most"),
    "tile_bytes": (
        "low", "bytes that one tile of the largest innermost tile band touches"
    ),
    "tile_fill": (
        "low", "share of the second cache that the tile takes; 0 without a machine"
    ),
    "tile_intensity": (
        "high", "statement instances per byte that such a tile touches"
    ),
    "operations_per_byte": (
        "high",
        "arithmetic operations per byte touched: of the innermost tile, of the whole "
        "nest where there is none",
    ),
    # code
    "is_jammed": ("high", "1 when loops are unrolled and jammed"),
    "code_size": ("low", "statement copies in the code, remainders not counted"),
    "n_guards": (
        "low", "statements that need a guard: a part of a shared loop, or a stride"
    ),
    "n_lines": ("low", "estimated lines: loops, their pragmas, guards, copies"),
}  # fmt: skip

_DEVICE: dict[str, tuple[Better, str]] = {
    "n_kernels": ("low", "kernels in the code"),
    "n_single_kernels": ("low", "kernels of a single thread"),
    "launches_log10": (
        "low", "decimal logarithm of how often the host starts kernels, at most"
    ),
    "blocks_log10": (
        "high",
        "decimal logarithm of the blocks of a launch, of the kernel that does most",
    ),
    "block_threads": ("high", "threads in a block of that kernel"),
    "coalesced": (
        "high",
        "share of the accesses whose warps move no more 32-byte sectors than hold the "
        "elements they touch",
    ),
}  # fmt: skip

FEATURES: dict[str, str] = {name: sentence for name, (_, sentence) in _TABLE.items()}
DEVICE_FEATURES: dict[str, str] = {n: sentence for n, (_, sentence) in _DEVICE.items()}
BETTER: dict[str, Better] = {
    name: better for name, (better, _) in {**_TABLE, **_DEVICE}.items()
}
