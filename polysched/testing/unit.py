"""One random function with its SCoP: a tree of loops, conditions and statements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Node:
    """A piece of a nest: a statement without children, or a loop or condition.

    `head` is the C text before the children; `alternative` are the children of an
    ``else``.
    """

    head: str
    children: tuple[Node, ...] = ()
    alternative: tuple[Node, ...] = ()
    is_leaf: bool = False

    def lines(self, indent: int) -> Iterator[str]:
        """The C text, line by line."""
        pad = "    " * indent
        if self.is_leaf:
            for line in self.head.splitlines():
                yield pad + line
            return
        yield f"{pad}{self.head} {{"
        for child in self.children:
            yield from child.lines(indent + 1)
        if self.alternative:
            yield f"{pad}}} else {{"
            for child in self.alternative:
                yield from child.lines(indent + 1)
        yield f"{pad}}}"


@dataclass(frozen=True)
class RandomUnit:
    """A random function, its data and its calls.

    Attributes
    ----------
    seed : int
        What it was made from.
    name : str
        Name of the function and, so, of the SCoP.
    globals : tuple of str
        Declarations at file level.
    signature : str
        Parameter list of the function.
    locals : tuple of str
        Declarations before the SCoP.
    nest : tuple of Node
        The SCoP.
    epilogue : tuple of str
        Lines behind the SCoP.
    init : tuple of str
        Lines that set every array.
    calls : tuple of str
        Argument lists, one per scenario.
    dump : tuple of str
        Lines that print every array.
    """

    seed: int
    name: str
    globals: tuple[str, ...]
    signature: str
    locals: tuple[str, ...]
    nest: tuple[Node, ...]
    epilogue: tuple[str, ...]
    init: tuple[str, ...]
    calls: tuple[str, ...]
    dump: tuple[str, ...]

    def function_text(self) -> str:
        """Data, function, initialisation and driver of this unit."""
        lines = [*self.globals, f"static void {self.name}({self.signature})", "{"]
        lines += [f"    {line}" for line in self.locals]
        lines.append("#pragma scop")
        for node in self.nest:
            lines += node.lines(1)
        lines.append("#pragma endscop")
        lines += [f"    {line}" for line in self.epilogue]
        lines += ["}", f"static void init_{self.name}(void)", "{"]
        lines += [f"    {line}" for line in self.init]
        lines += ["}", f"static void drive_{self.name}(void)", "{"]
        for call in self.calls:
            lines += [f"    init_{self.name}();", f"    {self.name}({call});"]
            lines += [f"    {line}" for line in self.dump]
        return "\n".join([*lines, "}", ""])


def program_text(units: Sequence[RandomUnit]) -> str:
    """A complete C file that runs all units and prints their arrays."""
    seeds = ", ".join(str(u.seed) for u in units)
    head = f"/* random affine program, seeds: {seeds} */\n"
    head += "#include <math.h>\n#include <stdio.h>\n#include <stdlib.h>\n\n"
    body = "\n".join(u.function_text() for u in units)
    calls = "".join(f"    drive_{u.name}();\n" for u in units)
    return f"{head}{body}\nint main(void)\n{{\n{calls}    return 0;\n}}\n"


def smaller_units(unit: RandomUnit) -> Iterator[RandomUnit]:
    """Units with one piece less: a subtree removed, or a call left out."""
    for k in range(len(unit.calls)):
        if len(unit.calls) > 1:
            yield replace(unit, calls=unit.calls[:k] + unit.calls[k + 1 :])
    for nest in _smaller_lists(unit.nest):
        if nest:
            yield replace(unit, nest=nest)


def _smaller_lists(nodes: tuple[Node, ...]) -> Iterator[tuple[Node, ...]]:
    for k, node in enumerate(nodes):
        before, after = nodes[:k], nodes[k + 1 :]
        yield before + after
        if node.is_leaf:
            continue
        if node.head.startswith("if"):
            yield before + node.children + after
        for children in _smaller_lists(node.children):
            if children:
                yield (*before, replace(node, children=children), *after)
        for alternative in _smaller_lists(node.alternative):
            yield (*before, replace(node, alternative=alternative), *after)
