"""Arrays in shared memory: what one block of a kernel has of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import islpy as isl

from polysched.base import CodegenError
from polysched.codegen.cuda.mapping import KernelMap
from polysched.codegen.cuda.text import type_name
from polysched.codegen.storage import Buffer
from polysched.codegen.window import constant_size
from polysched.ir import Array, Scop
from polysched.sets import list_sets, union_of_maps

MAX_BYTES = 48 * 1024  # of a block, that a launch need not ask for


def keep_in_blocks(scop: Scop, kernels: Sequence[KernelMap]) -> Scop:
    """The SCoP with private scalars in shared memory that one block each uses alone.

    Where threads meet, one sets such a scalar and all read it: what is left of a row.
    """
    arrays = [
        replace(a, storage="block") if _is_of_one_block(scop, a, kernels) else a
        for a in scop.arrays
    ]
    return replace(scop, arrays=tuple(arrays))


def _is_of_one_block(scop: Scop, array: Array, kernels: Sequence[KernelMap]) -> bool:
    """Whether a block of a kernel has one element of a private scalar for itself."""
    is_scalar = 0 < array.n_expanded == array.n_dim
    if not is_scalar or array.storage in ("thread", "block"):
        return False
    touching = union_of_maps(
        [
            a.relation.intersect_domain(s.domain)
            for s, a in scop.iter_accesses()
            if a.array == array.name
        ]
    )
    users = touching.domain()
    home = next((k for k in kernels if users.is_subset(k.instances)), None)
    if users.is_empty() or home is None or home.epochs is None:
        return False
    blocks = home.outer.flat_range_product(home.blocks)
    pairs = touching.reverse().apply_range(blocks)
    return bool(pairs.is_single_valued() and pairs.is_injective())


def plan_block_storage(
    scop: Scop, block: isl.UnionSet, context: isl.Set
) -> tuple[Buffer, ...]:
    """The box of elements that a block touches, for each array in shared memory.

    Parameters
    ----------
    scop : Scop
        Its arrays with storage "block" are planned, as far as the block touches them.
    block : isl.UnionSet
        Instances of one block, with parameters for it.
    context : isl.Set
        Of these and all other parameters.

    Raises
    ------
    CodegenError
        If a box has no bounds that are known, or does not fit.
    """
    here = {s.get_tuple_name(): s for s in list_sets(block)}
    found = [
        buffer
        for array in scop.arrays
        if array.storage == "block"
        and (buffer := _plan(scop, array, here, context)) is not None
    ]
    if sum(b.n_bytes or 0 for b in found) > MAX_BYTES:
        raise CodegenError(f"a block needs more than {MAX_BYTES} bytes to share sums")
    return tuple(found)


def declare_shared(buffers: Sequence[Buffer], names: Mapping[str, str]) -> list[str]:
    """The declarations, given the arrays' names in the kernel."""
    return [
        f"__shared__ {type_name(b.array.type)} {names[b.array.name]}"
        + "".join(f"[{constant_size(s)}]" for s in b.sizes)
        + ";"
        for b in buffers
    ]


def _plan(
    scop: Scop, array: Array, block: Mapping[str, isl.Set], context: isl.Set
) -> Buffer | None:
    users = [
        (s.name, a.relation.intersect_domain(block[s.name]).intersect_params(context))
        for s, a in scop.iter_accesses()
        if a.array == array.name and s.name in block
    ]
    if not users:
        return None
    touched = users[0][1].range()
    for _, relation in users[1:]:
        touched = touched.union(relation.range())
    touched = touched.coalesce()
    kept, sizes = [], []
    offsets: dict[str, dict[int, isl.PwAff]] = {name: {} for name, _ in users}
    for position in range(array.n_dim):
        low, high = touched.dim_min(position), touched.dim_max(position)
        length = high.sub(low).add_constant_val(isl.Val(1))
        most = isl.Set.from_pw_aff(length).dim_max_val(0)  # of a floor as well
        if not most.is_int():
            raise CodegenError(f"no bound found for what a block has of {array.name!r}")
        if int(most.to_python()) == 1:
            continue
        kept.append(position)
        sizes.append(int(most.to_python()))
        for name, relation in users:
            space = relation.get_space().domain()
            offsets[name][position] = low.insert_domain(space)
    return Buffer(array, 0, tuple(kept), tuple(sizes), offsets)
