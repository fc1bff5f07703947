"""The last proof for a launch: its blocks are those of the tree, each of them once.

Kernels are proven for the blocks that the tree has (`check_ast` with unknown blocks).
How many blocks run, and where each stands, is text that was put together from several
pieces; it is read back here, from the launch and from the first lines of the kernel.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence

import islpy as isl

from polysched.base import AnalysisError, CodegenError, LimitError
from polysched.codegen.cuda.kernel_names import KernelText
from polysched.codegen.cuda.mapping import AXES, KernelMap, fix, range_set, tile_range
from polysched.codegen.reading import TextReader, parameter
from polysched.sets import operation_limit

_log = logging.getLogger(__name__)
_DEFINITION = re.compile(r"\s*const \w+ (?P<name>\w+) = (?P<value>.+);$")
_TEST = re.compile(r"\s*if \((?P<test>.+)\) \{$")
_LAUNCH = re.compile(r"\s*PS_LAUNCH\((?P<arguments>.+)\);$")
_BLOCKS = re.compile(r"dim3\((?P<counts>.+)\)$")


def check_grid(
    mapped: KernelMap,
    kernel: KernelText,
    launch: Sequence[str],
    outer: Sequence[str],
    context: isl.Set,
    macros: Mapping[str, str],
    operations: int,
) -> bool:
    """Prove that a launch runs the blocks of the tree and no others.

    Parameters
    ----------
    mapped : KernelMap
        What the kernel's blocks run.
    kernel : KernelText
        Its text.
    launch : sequence of str
        The lines that launch it.
    outer : sequence of str
        Texts of the values that the launch has for the loops around the kernel.
    context : isl.Set
        Parameter values the code has to be right for.
    macros : mapping of str to str
        Names of macros in the launch, and their kinds.
    operations : int
        isl operations that the proof may take.

    Returns
    -------
    bool
        Whether the proof was completed: False where the text is not quasi-affine (the
        product of two counts that are not known) or operations run out.

    Raises
    ------
    CodegenError
        If blocks are missing, too many, or at the wrong place.
    """
    try:
        with operation_limit(context.get_ctx(), operations):
            _prove(mapped, kernel, launch, outer, context, macros)
    except (LimitError, AnalysisError, isl.Error) as error:
        _log.info("blocks of %s not proven: %s", kernel.names.kernel, error)
        return False
    return True


def _prove(
    mapped: KernelMap,
    kernel: KernelText,
    launch: Sequence[str],
    outer: Sequence[str],
    context: isl.Set,
    macros: Mapping[str, str],
) -> None:
    names = kernel.names
    reader = TextReader({}, macros)
    values = {h: reader.value(t) for h, t in zip(names.outer, outer, strict=True)}
    launched = fix(mapped.outer, names.outer).params().intersect(context.params())
    wanted = _substitute(_tree_blocks(mapped, names.outer, launched), values)
    counts, condition, given = _read_launch(kernel, launch, reader)
    blocks = _text_blocks(kernel, counts, given)
    where = wanted.params()
    if not where.is_subset(condition):
        raise CodegenError("a launch is left out although it has blocks")
    starts = blocks.range().intersect_params(where)
    if not wanted.is_subset(starts):
        raise CodegenError("a launch leaves out blocks")
    if not starts.is_subset(wanted):
        raise CodegenError("a launch has blocks that the tree does not have")
    if not blocks.intersect_params(where).is_injective():
        raise CodegenError("a launch runs a block twice")


def _tree_blocks(mapped: KernelMap, outer: Sequence[str], launched: isl.Set) -> isl.Set:
    """First points of the tiles in the box around those that a launch has."""
    tiles = range_set(mapped.blocks.intersect_domain(fix(mapped.outer, outer)))
    box = isl.Set("{ [] }")
    for k, step in enumerate(mapped.steps):
        along = isl.Set(f"{{ [x] : x mod {step} = 0 }}").intersect(tile_range(tiles, k))
        box = box.flat_product(along)
    if not tiles.is_subset(box):
        raise CodegenError("the tree has blocks outside of the box around them")
    return box.intersect_params(launched)


def _substitute(blocks: isl.Set, values: Mapping[str, isl.PwAff]) -> isl.Set:
    """The blocks with values in place of parameters."""
    for name, value in values.items():
        equal = parameter(name).eq_set(value)
        blocks = blocks.intersect_params(equal)
    for name in values:
        position = blocks.find_dim_by_name(isl.dim_type.param, name)
        if position >= 0:
            blocks = blocks.project_out(isl.dim_type.param, position, 1)
    return blocks


def _read_launch(
    kernel: KernelText, lines: Sequence[str], reader: TextReader
) -> tuple[list[isl.PwAff], isl.Set, dict[str, isl.PwAff]]:
    """Blocks per axis, when there is a launch, and what its kernel gets."""
    known: dict[str, isl.PwAff] = {}
    condition = isl.Set("{ : }")
    for line in lines:
        reader = TextReader(known, reader.functions)
        if found := _DEFINITION.match(line):
            known = {**known, found["name"]: reader.value(found["value"])}
        elif found := _TEST.match(line):
            condition = condition.intersect(reader.condition(found["test"]))
        elif found := _LAUNCH.match(line):
            _, grid, _, _, *arguments = _split(found["arguments"])
            blocks = _BLOCKS.match(grid)
            if blocks is None:
                raise AnalysisError(f"cannot read the number of blocks {grid!r}")
            counts = [reader.value(t) for t in _split(blocks["counts"])]
            values = arguments[len(kernel.arrays) :]
            given = {
                name: reader.value(text)
                for name, text in zip(kernel.values, values, strict=True)
                if name in (*kernel.names.firsts, *kernel.names.counts)
            }
            return counts, condition, given
    raise AnalysisError("the lines of a launch hold none")


def _text_blocks(
    kernel: KernelText, counts: Sequence[isl.PwAff], given: Mapping[str, isl.PwAff]
) -> isl.Map:
    """Numbers of blocks on all axes to the places where the kernel says they stand."""
    numbers = [f"ps_block_{axis}" for axis in AXES]
    known = dict(given)
    inside = isl.Set("{ : }")
    one = isl.PwAff("{ [(1)] }")
    filled = [*counts, *([one] * (len(AXES) - len(counts)))]
    for axis, number, count in zip(AXES, numbers, filled, strict=True):
        block = parameter(number)
        known[f"blockIdx.{axis}"] = block
        inside = inside.intersect(block.ge_set(isl.PwAff("{ [(0)] }")))
        inside = inside.intersect(block.lt_set(count))
    starts = isl.Set("{ [] }").intersect_params(inside)
    for name in kernel.names.blocks:
        value = TextReader(known).value(_definition(kernel, name))
        at = isl.Set(f"[{name}] -> {{ [{name}] }}")
        here = parameter(name).eq_set(value)
        starts = starts.flat_product(at.intersect_params(here))
    return _move_parameters(starts, numbers, kernel.names.blocks)


def _definition(kernel: KernelText, name: str) -> str:
    """What the kernel's text says that a variable is."""
    for line in kernel.lines:
        found = _DEFINITION.match(line)
        if found and found["name"] == name:
            return found["value"]
    raise AnalysisError(f"the kernel defines no {name}")


def _move_parameters(
    starts: isl.Set, numbers: Sequence[str], blocks: Sequence[str]
) -> isl.Map:
    """A set over parameters as a map from some of them; others are projected out."""
    result = isl.Map.from_range(starts)
    for name in blocks:
        position = result.find_dim_by_name(isl.dim_type.param, name)
        result = result.project_out(isl.dim_type.param, position, 1)
    for k, name in enumerate(numbers):
        position = result.find_dim_by_name(isl.dim_type.param, name)
        result = result.move_dims(isl.dim_type.in_, k, isl.dim_type.param, position, 1)
    return result


def _split(text: str) -> list[str]:
    """Arguments at commas outside of parentheses."""
    found, depth, start = [], 0, 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            found.append(text[start:k].strip())
            start = k + 1
    return [*found, text[start:].strip()]
