"""Updates that threads make in one go: what a kernel's statements are then.

The marks of a kernel name the arrays (``grid:by-atomics:count:count``). Their updates
become calls::

    atomicAdd(&count[key[i]], (unsigned int)1);

Where a block has a copy of an array, its threads update that. They set it to zero
first, and add what they have found to the array's own elements at the end::

    __shared__ unsigned int count_block[256];
    for (int e = t0; e < 256; e += 128)
      count_block[e] = 0;
    __syncthreads();
    ...
    __syncthreads();
    for (int e = t0; e < 256; e += 128)
      if (count_block[e] != 0)
        atomicAdd(&count[e], count_block[e]);
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import islpy as isl

from polysched.analysis import (
    AtomicUpdate,
    count_elements,
    find_atomic_updates,
    find_reductions,
    read_atomic,
    updates_alone,
)
from polysched.base import CodegenError
from polysched.codegen.ctext import Names
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.cuda.block_storage import MAX_BYTES
from polysched.codegen.cuda.mapping import KernelMap
from polysched.codegen.cuda.marks import mark_words
from polysched.codegen.cuda.text import type_name
from polysched.codegen.expr import Spelling
from polysched.ir import (
    Action,
    Assign,
    Cast,
    Guard,
    ScalarType,
    ScheduleTree,
    Scop,
    Statement,
    atomic_sums,
    block_sums,
    types,
)
from polysched.sets import list_sets

_NAMES = {"+": "atomicAdd", "min": "atomicMin", "max": "atomicMax"}
_ADDED = (types.INT, types.UINT, types.ULLONG, types.FLOAT, types.DOUBLE)
_COMPARED = (types.INT, types.UINT, types.LLONG, types.ULLONG)


@dataclass(frozen=True, eq=False)
class Atomics:
    """The updates of one kernel that are made in one go.

    Attributes
    ----------
    updates : dict of str to AtomicUpdate
        By statement.
    copied : tuple of str
        Arrays that each block has a copy of.
    """

    updates: Mapping[str, AtomicUpdate] = field(default_factory=dict)
    copied: tuple[str, ...] = ()

    @classmethod
    def of(cls, scop: Scop, tree: ScheduleTree, mapped: KernelMap) -> Atomics:
        """What the marks of a kernel say.

        Raises
        ------
        CodegenError
            If something else touches their arrays, or no device updates them so.
        """
        mark = ":".join(mark_words(tree.node(mapped.path).child(0)))
        arrays, copied = atomic_sums(mark), block_sums(mark)
        here = {s.get_tuple_name() for s in list_sets(mapped.instances)}
        updates: dict[str, AtomicUpdate] = {}
        for array in arrays:
            own = find_atomic_updates(find_reductions(scop), [array], here)
            if not updates_alone(scop, array, here, own):
                raise CodegenError(f"not only updates of {array} are in its kernel")
            for name in own:
                update = read_atomic(scop.statement(name).body[0])
                if update is None or (update.op != "+" and array in copied):
                    raise CodegenError(f"{name} is not updated in one go")
                updates[name] = update
        return cls(updates, copied)

    def leave(self, deps: isl.UnionMap, instances: isl.UnionSet) -> isl.UnionMap:
        """Dependences without those between updates of one array in the kernel.

        Their statements do nothing else, and have no others among each other.
        """
        own = {s.get_tuple_name(): s for s in list_sets(instances)}
        for a, b in product(self.updates, repeat=2):
            if self.updates[a].target.array == self.updates[b].target.array:
                pairs = isl.Map.from_domain_and_range(own[a], own[b])
                deps = deps.subtract(isl.UnionMap.from_map(pairs))
        return deps

    def change(self, scop: Scop, arrays: Mapping[str, DeviceArray]) -> Scop:
        """The SCoP with calls in place of updates of what lives in device memory."""
        statements = tuple(self._change(s, arrays) for s in scop.statements)
        return replace(scop, statements=statements)

    def _change(
        self, statement: Statement, arrays: Mapping[str, DeviceArray]
    ) -> Statement:
        update = self.updates.get(statement.name)
        if update is None or update.target.array not in arrays:
            return statement
        value, word = update.value, word_of(update.op, update.target.type)
        value = value if value.dtype == word else Cast(word, value)
        action: Action = Assign(update.target, _NAMES[update.op], value)
        for cond in reversed(update.conditions):
            action = Guard(cond, (action,))
        return replace(statement, body=(action,))


def word_of(op: str, type_: ScalarType) -> ScalarType:
    """The type of the same size that a device has a function for; integers wrap."""
    if type_ in (_ADDED if op == "+" else _COMPARED):
        return type_
    return types.ULLONG if op == "+" or type_.kind == "uint" else types.LLONG


@dataclass(frozen=True, eq=False)
class BlockCopies:
    """Copies of arrays in the shared memory of a block.

    Attributes
    ----------
    arrays : tuple of DeviceArray
        Of which there are copies.
    sizes : dict of str to int
        Elements of each: more than are touched, at some sizes; what nobody has added to
        is not put back.
    names : dict of str to str
        Of array to the name of its copy.
    thread, n_threads : str, int
        The number of a thread in its block, and how many there are.
    element : str
        A free name.
    """

    arrays: tuple[DeviceArray, ...]
    sizes: Mapping[str, int]
    names: Mapping[str, str]
    thread: str
    n_threads: int
    element: str
    index_type: str
    indent: str

    @classmethod
    def plan(
        cls,
        scop: Scop,
        atomics: Atomics,
        arrays: Mapping[str, DeviceArray],
        mapped: KernelMap,
        threads: Sequence[str],
        free: Names,
        index_type: str,
        indent: str,
    ) -> BlockCopies:
        """The copies that a kernel's marks ask for.

        Raises
        ------
        CodegenError
            If one has no known size, or all together do not fit.
        """
        found = tuple(arrays[a] for a in atomics.copied if a in arrays)
        sizes: dict[str, int] = {}
        for device in found:
            n_elements = count_elements(scop, device.array.name)
            if n_elements is None or device.stored_firsts:
                raise CodegenError(f"a block's copy of {device.name} has no known size")
            sizes[device.array.name] = n_elements
        if sum(sizes[d.array.name] * d.type.n_bytes for d in found) > MAX_BYTES:
            raise CodegenError(f"a block's copies take more than {MAX_BYTES} bytes")
        names = {d.array.name: free.take(f"{d.name}_block") for d in found}
        thread = ""
        for name, count in zip(threads, mapped.n_threads, strict=True):
            if count > 1:
                thread = f"({thread}) * {count} + {name}" if thread else name
        element = free.take("e") if found else ""
        size = mapped.block_size
        return cls(
            found, sizes, names, thread or "0", size, element, index_type, indent
        )

    @property
    def spellings(self) -> dict[str, Spelling]:
        """How updates write them: as the arrays, under other names."""
        return {
            d.array.name: replace(d.spelling, name=self.names[d.array.name])
            for d in self.arrays
        }

    def around(self, lines: Iterable[str]) -> list[str]:
        """A kernel's code with copies begun before and put into place behind it."""
        if not self.arrays:
            return list(lines)
        barrier = "__syncthreads();"
        emptied = (line for d in self.arrays for line in self._empty(d))
        added = (line for d in self.arrays for line in self._add(d))
        declared = (self._declare(d) for d in self.arrays)
        return [*declared, *emptied, barrier, *lines, barrier, *added]

    def _declare(self, device: DeviceArray) -> str:
        name = self.names[device.array.name]
        n_elements = self.sizes[device.array.name]
        return f"__shared__ {type_name(device.type)} {name}[{n_elements}];"

    def _head(self, device: DeviceArray) -> str:
        e, n_elements = self.element, self.sizes[device.array.name]
        return (
            f"for ({self.index_type} {e} = {self.thread}; {e} < {n_elements}; "
            f"{e} += {self.n_threads})"
        )

    def _empty(self, device: DeviceArray) -> Iterator[str]:
        yield self._head(device)
        place = f"{self.names[device.array.name]}[{self.element}]"
        yield f"{self.indent}{place} = {'-0.0' if device.type.is_float else '0'};"

    def _add(self, device: DeviceArray) -> Iterator[str]:
        found = f"{self.names[device.array.name]}[{self.element}]"
        yield self._head(device)
        yield f"{self.indent}if ({found} != 0)"
        place, word = f"&{device.name}[{self.element}]", word_of("+", device.type)
        if word != device.type:
            place, found = f"({word.name} *){place}", f"({word.name}){found}"
        yield f"{2 * self.indent}{_NAMES['+']}({place}, {found});"
