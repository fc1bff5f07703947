"""What the device assembler says of a kernel: registers, spills, shared memory."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ENTRY = re.compile(r"Compiling entry function '(?P<symbol>[^']+)' for '(?P<arch>\w+)'")
_PROPERTIES = re.compile(r"Function properties for (?P<symbol>\S+)")
_STACK = re.compile(
    r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads"
)
_USED = re.compile(r"Used (?P<registers>\d+) registers(?P<rest>.*)")
_BARRIERS = re.compile(r"used (\d+) barriers")
_SHARED = re.compile(r"(\d+)(?:\+\d+)? bytes smem")
_SYMBOL = re.compile(r"\b_Z\w+")


@dataclass(frozen=True)
class KernelResources:
    """What one thread or block of a kernel takes, as the assembler reports it.

    Attributes
    ----------
    name : str
        The kernel's name in the text, with its namespaces, without parameters.
    symbol : str
        Its name in the object.
    architecture : str
        What it was assembled for, such as "sm_90".
    n_registers : int
        Registers of 32 bits per thread.
    stack_bytes : int
        Local memory of a thread for its own arrays and calls.
    spill_store_bytes, spill_load_bytes : int
        Stores and loads, counted in the code, of what no register was left for.
    shared_bytes : int
        Shared memory of a block whose size is in the text; what a launch asks for
        comes on top.
    n_barriers : int
        Barriers of a block that it uses.
    """

    name: str
    symbol: str
    architecture: str
    n_registers: int
    stack_bytes: int
    spill_store_bytes: int
    spill_load_bytes: int
    shared_bytes: int
    n_barriers: int

    @property
    def has_spills(self) -> bool:
        """Whether registers did not suffice."""
        return self.spill_store_bytes > 0 or self.spill_load_bytes > 0


def read_resources(text: str) -> tuple[KernelResources, ...]:
    """The kernels in what ``ptxas -v`` says, in its order.

    Device functions that are called, not inlined, have a stack of their own and no
    entry here.

    Examples
    --------
    >>> text = '''
    ... ptxas info    : Compiling entry function '_Z5scalePfi' for 'sm_80'
    ... ptxas info    : Function properties for _Z5scalePfi
    ...     0 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
    ... ptxas info    : Used 32 registers, used 1 barriers, 4096 bytes smem
    ... '''
    >>> kernel, = read_resources(text)
    >>> kernel.name, kernel.n_registers, kernel.shared_bytes, kernel.has_spills
    ('scale', 32, 4096, True)
    """
    found: list[KernelResources] = []
    symbol, architecture, described = "", "", ""
    stack = {"stack": 0, "stores": 0, "loads": 0}
    for line in text.splitlines():
        if entry := _ENTRY.search(line):
            symbol, architecture = entry["symbol"], entry["arch"]
            stack = dict.fromkeys(stack, 0)
        elif properties := _PROPERTIES.search(line):
            described = properties["symbol"]
        elif sizes := _STACK.search(line):
            if described == symbol:
                stack = {name: int(size) for name, size in sizes.groupdict().items()}
        elif symbol and (used := _USED.search(line)):
            shared = _SHARED.search(used["rest"])
            barriers = _BARRIERS.search(used["rest"])
            found.append(
                KernelResources(
                    name=read_symbol(symbol),
                    symbol=symbol,
                    architecture=architecture,
                    n_registers=int(used["registers"]),
                    stack_bytes=stack["stack"],
                    spill_store_bytes=stack["stores"],
                    spill_load_bytes=stack["loads"],
                    shared_bytes=int(shared[1]) if shared else 0,
                    n_barriers=int(barriers[1]) if barriers else 0,
                )
            )
            symbol = ""
    return tuple(found)


def read_symbol(symbol: str) -> str:
    """The name that a symbol of C++ stands for, without template and parameters.

    Only what names a function is read: names in namespaces, of internal linkage too.
    Other symbols are given back as they are.

    Examples
    --------
    >>> read_symbol("_Z5scaleIfEvPT_i"), read_symbol("_ZN1a1bEv"), read_symbol("plain")
    ('scale', 'a::b', 'plain')
    """
    match = re.match(r"_Z(?P<nested>N?)[KVr]*L?(?=\d)", symbol)
    if match is None:
        return symbol
    rest, names = symbol[match.end() :], []
    while length := re.match(r"L?(\d+)", rest):
        start = length.end()
        names.append(rest[start : start + int(length[1])])
        rest = rest[start + int(length[1]) :]
        if not match["nested"]:
            break
    shown = ["(anonymous)" if n.startswith("_GLOBAL__N_") else n for n in names]
    return "::".join(shown)


def shown_symbols(text: str) -> str:
    """A message of the compiler with the names that people gave to functions."""
    return _SYMBOL.sub(lambda match: read_symbol(match[0]), text)
