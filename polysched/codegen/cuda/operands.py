"""What a contraction's block copies to shared memory, and how it is indexed there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import islpy as isl

from polysched.analysis import load_relations
from polysched.base import AnalysisError, CodegenError
from polysched.codegen.ctext import Names
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.cuda.form import TiledForm, TileNames
from polysched.codegen.window import constant_size, find_window
from polysched.ir import Assign, Const, Expr, Load, Scop

CHUNK_BYTES = 16  # the longest asynchronous copy
BANK_BYTES = 32  # rows a multiple of this apart compete for banks
BULK_BYTES = 512  # of a row: a bulk copy takes as many instructions as two pieces


@dataclass(frozen=True, eq=False)
class Operand:
    """A window of an array in shared memory.

    Attributes
    ----------
    load : Load
        The statement's read that it serves.
    device : DeviceArray
        Where it comes from.
    name : str
        Of the shared array.
    sizes : tuple of int
        Elements per subscript.
    pitch : int
        Elements from one row to the next, padding included.
    firsts : tuple of isl.PwAff
        First value per subscript, over launch, block and tile.
    index : tuple of isl.PwAff
        Subscripts in the window, over offsets.
    touched : isl.Set
        Elements that the launch reads.
    chunk : int
        Elements that one copy takes where a tile is whole: as long as its address is
        aligned for.
    is_bulk : bool
        Whether rows of a whole tile are copied as such.
    wide : int
        What one copy takes where rows happen to begin at multiples of it.
    asked : tuple of Expr
        Elements between rows, known when the program runs, which are multiples then.
    """

    load: Load
    device: DeviceArray
    name: str
    sizes: tuple[int, ...]
    pitch: int
    firsts: tuple[isl.PwAff, ...]
    index: tuple[isl.PwAff, ...]
    touched: isl.Set
    chunk: int
    is_bulk: bool
    wide: int
    asked: tuple[Expr, ...]

    @property
    def row_bytes(self) -> int:
        """What a row of the window has."""
        return self.sizes[-1] * self.device.type.n_bytes

    @property
    def n_rows(self) -> int:
        """Rows of the window."""
        return prod(self.sizes[:-1])

    @property
    def n_bytes(self) -> int:
        """Shared memory that one stage takes."""
        return self.n_rows * self.pitch * self.device.type.n_bytes

    @property
    def extents(self) -> str:
        """Its dimensions in a declaration, without that of stages."""
        return "".join(f"[{n}]" for n in (*self.sizes[:-1], self.pitch))


def find_shared(
    scop: Scop,
    form: TiledForm,
    arrays: Mapping[str, DeviceArray],
    values: Collection[str],
    names: TileNames,
    context: isl.Set,
    free: Names,
) -> tuple[Operand, ...]:
    """A window for every read of an array that is neither the result nor an argument.

    Raises
    ------
    CodegenError
        If a read has no window of constant size, or its array is written in the same
        launch.
    """
    statement = form.statement
    (action,) = statement.body
    assert isinstance(action, Assign)
    found: dict[Load, Operand] = {}
    try:
        pairs = list(
            load_relations(scop, action.value, statement.iterators, statement.name)
        )
    except AnalysisError as error:
        raise CodegenError(error.message) from error
    written = _touched(scop, form, form.target)
    for load, relation in pairs:
        if load == form.target or load in found or load.array in values:
            continue
        if load.array not in arrays:
            raise CodegenError(f"a contraction reads the private array {load.array!r}")
        device = arrays[load.array]
        touched = form.domain.apply(relation)
        if load.array == form.target.array and not touched.is_disjoint(written):
            raise CodegenError(
                f"{statement.name} reads what its kernel writes, in {load.array}"
            )
        if not device.lasts:
            continue
        found[load] = _operand(form, load, relation, device, names, context, free)
    return tuple(found.values())


def _touched(scop: Scop, form: TiledForm, load: Load) -> isl.Set:
    statement = form.statement
    pairs = load_relations(scop, load, statement.iterators, statement.name)
    return next(form.domain.apply(r) for found, r in pairs if found == load)


def _operand(
    form: TiledForm,
    load: Load,
    relation: isl.Map,
    device: DeviceArray,
    names: TileNames,
    context: isl.Set,
    free: Names,
) -> Operand:
    box = tile_box(form, names)
    at = isl.PwMultiAff.from_map(relation).pullback_pw_multi_aff(form.instance)
    here = at.pullback_pw_multi_aff(form.values(names))
    seen = isl.Map.from_pw_multi_aff(at).intersect_domain(box)
    sizes, firsts, index = [], [], []
    for k in range(len(load.subscripts)):
        values = isl.Map.from_pw_aff(isl.PwMultiAff.from_map(seen).get_pw_aff(k))
        windowed = _range_at(values, names)
        window = find_window(windowed, context)
        size = constant_size(window.size) if window is not None else None
        if window is None or size is None:
            raise CodegenError(
                f"subscript {k + 1} of {load.array} has no window of constant size"
            )
        first = window.first.pullback_pw_multi_aff(_as_params(names))
        sizes.append(size)
        firsts.append(first)
        index.append(here.get_pw_aff(k).sub(first).coalesce())
    asked = tuple(p for p in device.pitches if not isinstance(p, Const))
    wide = _chunk(device, sizes[-1], firsts[-1], context)
    chunk = 1 if asked else wide
    # lanes that read one row meet in no bank, nor do those side by side along it
    in_rows = any(_moves_with(at, names.offsets) for at in index[:-1])
    along = _moves_with(index[-1], names.offsets[-1:])
    is_even = sizes[-1] * device.type.n_bytes % BANK_BYTES == 0
    is_padded = in_rows and is_even and not along
    pad = CHUNK_BYTES // device.type.n_bytes if is_padded else 0
    if form.is_tensor:
        by_terms = _moves_with(index[-1], names.inner)
        pad = tensor_pad_bytes(device.type.n_bytes, by_terms) // device.type.n_bytes
    return Operand(
        load,
        device,
        free.take(f"{device.name}_tile"),
        tuple(sizes),
        sizes[-1] + pad,
        tuple(firsts),
        tuple(index),
        form.domain.apply(relation),
        chunk,
        form.is_bulk and _has_long_rows(sizes[-1], chunk, device),
        wide,
        asked,
    )


def tile_box(form: TiledForm, names: TileNames) -> isl.Set:
    """All values of the members in one tile, with parameters for the tile."""
    n, m = form.n_shared, form.n_inner
    dims = [*(f"p{k}" for k in range(n)), *(f"k{k}" for k in range(m))]
    shared = names.sizes_of(form)
    bounds = [
        f"{first} <= {dim} < {first} + {size}"
        for first, dim, size in zip(
            (*names.blocks, *names.tiles), dims, shared, strict=True
        )
    ]
    params = ", ".join((*names.blocks, *names.tiles))
    return isl.Set(f"[{params}] -> {{ [{', '.join(dims)}] : {' and '.join(bounds)} }}")


def _range_at(values: isl.Map, names: TileNames) -> isl.Map:
    """From the tile to the values that a subscript takes in it."""
    params = (*names.blocks, *names.tiles)
    dims = [f"x{k}" for k in range(len(params))]
    equal = " and ".join(f"{d} = {p}" for d, p in zip(dims, params, strict=True))
    tile = isl.Set(f"[{', '.join(params)}] -> {{ [{', '.join(dims)}] : {equal} }}")
    return isl.Map.from_domain_and_range(tile, values.range())


def _as_params(names: TileNames) -> isl.PwMultiAff:
    """The tile as a function of its parameters."""
    params = ", ".join((*names.blocks, *names.tiles))
    return isl.PwMultiAff(f"[{params}] -> {{ [{params}] }}")


def _moves_with(index: isl.PwAff, names: Sequence[str]) -> bool:
    text = str(index)
    body = text.split("->", maxsplit=1)[1] if "->" in text else text
    return any(name in body for name in names)


def _chunk(device: DeviceArray, size: int, first: isl.PwAff, context: isl.Set) -> int:
    """Elements of the longest copy that every row of the window is aligned for.

    As far as the distance of rows is a number.
    """
    n_bytes = device.type.n_bytes
    chunk = max(1, CHUNK_BYTES // n_bytes)
    while chunk > 1:
        fits = size % chunk == 0 and all(
            int(p.value) % chunk == 0 for p in device.pitches if isinstance(p, Const)
        )
        if fits and not device.begins_below and _is_multiple(first, chunk, context):
            return chunk
        chunk //= 2
    return 1


def tensor_pad_bytes(n_bytes: int, by_terms: bool) -> int:
    """What a row needs more for what lanes read to lie in different banks.

    Parameters
    ----------
    n_bytes : int
        Of an element: rows are a multiple of eight elements.
    by_terms : bool
        Whether neighbours in a row are terms of one result, not rows or columns.
    """
    return 16 if n_bytes == 2 or (by_terms and n_bytes == 4) else 32


def _has_long_rows(size: int, chunk: int, device: DeviceArray) -> bool:
    """Whether rows begin and end at what bulk copies are aligned to, and are long."""
    n_bytes = device.type.n_bytes
    return chunk * n_bytes == CHUNK_BYTES and size * n_bytes >= BULK_BYTES


def _is_multiple(first: isl.PwAff, chunk: int, context: isl.Set) -> bool:
    """Whether a value is a multiple of a number for all parameters."""
    values = isl.Set.from_pw_aff(first).intersect_params(context)
    return bool(values.is_subset(isl.Set(f"{{ [x] : x mod {chunk} = 0 }}")))
