"""The function around a kernel's code: its arguments, and where a thread stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from polysched.codegen.ctext import identifiers
from polysched.codegen.cuda.arrays import DeviceArray
from polysched.codegen.cuda.kernel_names import (
    KernelNames,
    KernelText,
    block_number,
)
from polysched.codegen.cuda.mapping import KernelMap, axis_of
from polysched.codegen.cuda.text import type_name
from polysched.codegen.macros import Macros
from polysched.ir import ScalarType, Scop

MAX_RESIDENT = 4  # blocks to ask for: more only take registers away
REGISTERS = 65536  # of a multiprocessor, on every architecture since sm_50


@dataclass(frozen=True, eq=False)
class FunctionPrinter:
    """Prints the functions of kernels.

    Attributes
    ----------
    scop : Scop
        What all kernels compute together.
    arrays : mapping of str to DeviceArray
        What lives in device memory.
    values : mapping of str to str
        Scalars that kernels get as arguments, and their C++ types.
    sizes : mapping of str to str
        Computed sizes, and their types.
    indent : str
        White space per level.
    index_type : ScalarType
        Of loop variables.
    """

    scop: Scop
    arrays: Mapping[str, DeviceArray]
    values: Mapping[str, str]
    sizes: Mapping[str, str]
    indent: str
    index_type: ScalarType

    def print(
        self,
        mapped: KernelMap,
        names: KernelNames,
        scop: Scop,
        body: list[str],
        macros: Macros,
        n_registers: int = 0,
    ) -> KernelText:
        """The function around a kernel's code.

        Parameters
        ----------
        mapped : KernelMap
            The kernel.
        names : KernelNames
            Of it, and of what tells blocks and threads apart.
        scop : Scop
            What a thread runs: the arrays that it accesses are arguments.
        body : list of str
            The code.
        macros : Macros
            What the code needs.
        n_registers : int
            Of a thread, 0 where nobody counts them.
        """
        indent = self.indent
        head = self._thread_lines(mapped, names)
        used = identifiers("\n".join([*body, *head]))
        # what stands where no instance comes has no access, and a name all the same
        accessed = {n: False for n, d in self.arrays.items() if d.name in used}
        accessed |= {a.array: False for _, a in scop.iter_accesses()}
        for _, access in scop.iter_accesses():
            accessed[access.array] |= access.is_write
        arrays = [n for n in self.arrays if n in accessed]
        arguments = []
        for name in arrays:
            device = self.arrays[name]
            const = "" if accessed[name] else "const "
            # behind a barrier a thread reads what others wrote through their pointers:
            # a compiler may take the word for a promise that no call, not even that of
            # the barrier, changes the elements
            alone = not accessed[name] or mapped.epochs is None
            restrict = "__restrict__ " if alone else ""
            arguments.append(
                f"{const}{type_name(device.type)} *{restrict}{device.name}"
            )
        scalars = {
            **self.values,
            **{p.name: type_name(p.type) for p in self.scop.parameters},
            **self.sizes,
            **dict.fromkeys(
                (*names.outer, *names.firsts, *names.counts), self.index_type.name
            ),
        }
        values = tuple(n for n in scalars if n in used)
        arguments += [f"{scalars[n]} {n}" for n in values]
        size = str(max(1, mapped.block_size))
        resident = _resident_blocks(mapped, n_registers) if n_registers else 1
        bounds = (
            f"__launch_bounds__({size if resident == 1 else f'{size}, {resident}'})"
        )
        lines = [
            f"static __global__ void {bounds} {names.kernel}(",
            *_wrap(arguments, indent * 2),
            "{",
            *(indent + line for line in (*head, *body)),
            "}",
        ]
        return KernelText(names, tuple(macros.around(lines)), tuple(arrays), values)

    def _thread_lines(self, mapped: KernelMap, names: KernelNames) -> list[str]:
        """Where a thread stands: the last member varies fastest."""
        n = len(names.blocks)
        kind = self.index_type.name
        lines = []
        for k in range(n):
            at = block_number(names.counts, k, kind)
            step, first = mapped.steps[k], names.firsts[k]
            at = at if step == 1 else f"{step} * {at}"
            at = at if first == "0" else f"{first} + {at}"
            lines.append(f"const {kind} {names.blocks[k]} = {at};")
        n_threads = len(names.threads)
        for k in range(n_threads):
            axis = axis_of(n_threads, k)
            at = f"threadIdx.{axis}" if mapped.n_threads[k] > 1 else "0"
            if k == n_threads - 1 and mapped.lanes > 1 and mapped.n_threads[k] > 1:
                at += f" / {mapped.lanes}"
            lines.append(f"const {kind} {names.threads[k]} = {at};")
        return lines


def _resident_blocks(mapped: KernelMap, n_registers: int) -> int:
    """Blocks that a multiprocessor's registers hold."""
    registers = -(-n_registers // 8) * 8
    return max(1, min(MAX_RESIDENT, REGISTERS // (mapped.block_size * registers)))


def _wrap(arguments: list[str], indent: str) -> list[str]:
    if not arguments:
        return [f"{indent}void)"]
    lines = [f"{indent}{a}," for a in arguments]
    lines[-1] = lines[-1][:-1] + ")"
    return lines
