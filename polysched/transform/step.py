"""What a step is: frozen data with a text form, a legality check and an effect."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import lru_cache
from typing import Any, ClassVar

import islpy as isl

from polysched.analysis import Dependences, find_violation
from polysched.base import IllegalScheduleError, PolyschedError
from polysched.ir import NodePath, ScheduleTree
from polysched.sets import list_sets, node_kind

_REGISTRY: dict[str, type[Step]] = {}


def option(default: bool | int) -> Any:
    """A field that the text of a step has only where it is not as usual."""
    return field(default=default, metadata={"is_option": True})


@dataclass(frozen=True)
class Step:
    """One transformation of a schedule tree at one band.

    A step is a value: it compares, prints as ``tile(band=0.1, sizes=[32, 32])`` and is
    read back from that text by `Step.parse`.

    Attributes
    ----------
    band : tuple of int
        Path of the band node from the root, by child positions.
    """

    band: NodePath

    name: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.name:
            _REGISTRY[cls.name] = cls

    def __str__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        parts = [
            f"{f.name}={_print_value(values[f.name])}"
            for f in fields(self)
            if f.default != values[f.name]
            or not (f.default == () or f.metadata.get("is_option"))
        ]
        parts[0] = f"band={'.'.join(str(k) for k in self.band)}"
        return f"{self.name}({', '.join(parts)})"

    @classmethod
    def parse(cls, text: str) -> Step:
        """Read one step from its text form.

        Raises
        ------
        PolyschedError
            If the text is no step; names the steps there are.
        """
        match = re.fullmatch(r"\s*(\w+)\((.*)\)\s*", text, re.DOTALL)
        if match is None or match[1] not in _REGISTRY:
            known = ", ".join(sorted(_REGISTRY))
            raise PolyschedError(f"not a step: {text!r}; the steps are: {known}")
        kind = _REGISTRY[match[1]]
        values = _parse_arguments(match[2], text)
        names = {f.name: f for f in fields(kind)}
        unknown = sorted(values.keys() - names.keys())
        if unknown or "band" not in values:
            problem = f"unknown argument {unknown[0]!r}" if unknown else "no band"
            raise PolyschedError(
                f"{problem} in step {text!r}; expected: {', '.join(sorted(names))}"
            )
        required = [f.name for f in fields(kind) if f.default is MISSING]
        missing = [name for name in required if name not in values]
        if missing:
            raise PolyschedError(f"step {text!r} lacks {' and '.join(missing)}")
        for name, value in values.items():
            if not _is_of_type(value, names[name]):
                expected = _TYPES_IN_WORDS[str(names[name].type)]
                raise PolyschedError(f"{name} in step {text!r} is not {expected}")
        return kind(**values)

    def check(self, tree: ScheduleTree, deps: Dependences) -> str | None:
        """Why the step may not be applied, with a witness; None when it is legal.

        Exact: first whether the tree has the right form, then a sufficient criterion,
        then isl's verdict on the resulting tree.
        """
        reason = self.find_misfit(tree)
        if reason is not None:
            return reason
        if self.is_surely_legal(tree, deps):
            return None
        after = self.apply(tree)
        inside = list_sets(tree.node(self.band).get_domain())
        here = deps.within({s.get_tuple_name() for s in inside})  # others stay in order
        violation = find_violation(after, here)
        return None if violation is None else str(violation)

    def find_misfit(self, tree: ScheduleTree) -> str | None:
        """Why the form of the tree does not admit the step, or None."""
        return _find_misfit(self, tree)

    def _misfit(self, tree: ScheduleTree) -> str | None:
        node = find_node(tree, self.band)
        if node is None or node_kind(node) != "band":
            at = ".".join(str(k) for k in self.band)
            found = "nothing" if node is None else f"a {node_kind(node)} node"
            return f"{self.name}: found {found} at {at}, expected a band"
        return self.find_band_misfit(node)

    def find_band_misfit(self, node: isl.ScheduleNode) -> str | None:
        """Why the band does not admit the step, or None."""
        raise NotImplementedError

    def is_surely_legal(self, tree: ScheduleTree, deps: Dependences) -> bool:
        """A cheap sufficient test; False leaves the decision to the exact one."""
        raise NotImplementedError

    def apply(self, tree: ScheduleTree) -> ScheduleTree:
        """The transformed tree; legality is not checked, the form is.

        Raises
        ------
        PolyschedError
            If the tree has no fitting band at the step's path.
        """
        reason = self.find_misfit(tree)
        if reason is not None:
            raise PolyschedError(reason)
        node = self.change(tree.node(self.band))
        return ScheduleTree(node.get_schedule())

    def change(self, node: isl.ScheduleNode) -> isl.ScheduleNode:
        """The effect on the band node; any node of the new tree may be returned."""
        raise NotImplementedError


@lru_cache(maxsize=16)
def _find_misfit(step: Step, tree: ScheduleTree) -> str | None:
    """Looked up again when the step is applied."""
    return step._misfit(tree)


Script = tuple[Step, ...]


def parse_script(text: str) -> Script:
    """Read a script: steps separated by ``;`` or line ends; ``#`` starts a comment.

    Examples
    --------
    >>> script = parse_script("tile(band=0, sizes=[8, 8]); parallel(band=0, member=0)")
    >>> [type(step).__name__ for step in script]
    ['Tile', 'Parallel']
    """
    lines = (line.split("#", maxsplit=1)[0] for line in text.splitlines())
    pieces = [p for line in lines for p in line.split(";")]
    return tuple(Step.parse(p) for p in pieces if p.strip())


def print_script(script: Script) -> str:
    """The text of a script, one line, read back by `parse_script`."""
    return "; ".join(str(step) for step in script)


def short_script(script: Script) -> str:
    """Names and sizes of a script's steps, without the places they apply to."""
    words = dict.fromkeys(_short_step(step) for step in script)
    return ", ".join(words) or "-"


def _short_step(step: Step) -> str:
    sizes = getattr(step, "sizes", None) or getattr(step, "factors", None)
    return f"{step.name} {'x'.join(str(n) for n in sizes)}" if sizes else step.name


def apply_script(
    tree: ScheduleTree, script: Script, deps: Dependences | None = None
) -> ScheduleTree:
    """The tree after all steps.

    Parameters
    ----------
    tree : ScheduleTree
        Start.
    script : tuple of Step
        Steps; paths refer to the tree that the earlier steps leave.
    deps : Dependences, optional
        With them every step is checked; without, only the form of the trees is.

    Raises
    ------
    IllegalScheduleError
        If a step violates a dependence; the message holds step and witness.
    """
    for step in script:
        reason = step.check(tree, deps) if deps is not None else None
        if reason is not None:
            raise IllegalScheduleError(f"{step}: {reason}")
        tree = step.apply(tree)
    return tree


def find_node(tree: ScheduleTree, path: NodePath) -> isl.ScheduleNode | None:
    """The node at a path, or None where the tree has none."""
    node = tree.root
    for position in path:
        if not 0 <= position < node.n_children():
            return None
        node = node.child(position)
    return node


def _print_value(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(str(v) for v in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


_TYPES_IN_WORDS = {
    "NodePath": "a path as 0.1",
    "int": "an integer",
    "bool": "true or false",
    "tuple[int, ...]": "a list of integers as [1, 2]",
    "tuple[str, ...]": "a list as [A, B]",
}


def _is_of_type(value: object, of: Field[Any]) -> bool:
    """Whether a value that was read is what a field of a step holds."""
    if of.type in ("int", "bool"):
        return type(value).__name__ == of.type
    return isinstance(value, tuple)


def _read_path(text: str) -> NodePath:
    return tuple(int(k) for k in text.split(".")) if text else ()


def _read_list(text: str) -> tuple[int, ...]:
    return tuple(int(k) for k in text.strip("[]").split(",") if k.strip())


def _read_texts(text: str) -> tuple[str, ...]:
    return tuple(k.strip() for k in text.strip("[]").split(",") if k.strip())


def _reader(key: str, text: str) -> Callable[[str], object]:
    if key == "band":
        return _read_path
    if key in ("arrays", "copied", "cuts", "loops", "where"):
        return _read_texts
    if text.startswith("["):
        return _read_list
    if text in ("true", "false"):
        return lambda word: word == "true"
    return int


def _parse_arguments(text: str, whole: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for part in re.findall(r"\w+\s*=\s*(?:\[[^\]]*\]|[^,\s]*)|[^,\s]+", text):
        key, equals, value = (p.strip() for p in part.partition("="))
        try:
            if not equals:
                raise ValueError(part)
            values[key] = _reader(key, value)(value)
        except ValueError as error:
            raise PolyschedError(
                f"cannot read {part!r} in step {whole!r}; expected name=value with an "
                "integer, a list [1, 2], a path 0.1 or true/false"
            ) from error
    return values
