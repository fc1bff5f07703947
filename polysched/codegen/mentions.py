"""What a SCoP's code mentions: names and types."""

from __future__ import annotations

import islpy as isl

from polysched.codegen.ctext import identifiers
from polysched.codegen.int_range import MAX_INT
from polysched.ir import (
    Binary,
    Call,
    Cast,
    Const,
    Element,
    Expr,
    Iter,
    Local,
    Param,
    ScalarType,
    Scop,
    Unary,
    walk,
)
from polysched.ir.types import INT, LONG


def fixed_names(scop: Scop) -> frozenset[str]:
    """Names of the user's program that generated code mentions as they are."""
    names = {p.name for p in scop.parameters}
    for array in scop.arrays:
        if not array.n_expanded and array.storage != "scop":
            names |= identifiers(array.source_name)
        for extent in (*array.extents, *array.pitches):
            if extent is not None:
                names |= {e.name for e in walk(extent) if isinstance(e, Param)}
    kept = (e for e in scop.iter_expressions() if isinstance(e, Call | Local | Param))
    names |= {e.name for e in kept}
    return frozenset(names)


def replaced_names(scop: Scop) -> frozenset[str]:
    """Names that generated code may reuse for what they mean: iterators, privates.

    Those of arrays as the model has them, too: from them, new ones are told by name.
    """
    privates = {n for a in scop.arrays for n in (a.source_name, a.name)}
    return frozenset(n for s in scop.statements for n in s.iterators) | privates


def iterator_type(scop: Scop) -> ScalarType:
    """int, or long when a parameter, an iterator or a subscript may not fit."""
    types = [p.type for p in scop.parameters]
    types += [e.dtype for e in scop.iter_expressions() if isinstance(e, Iter)]
    wide = any(t.n_bytes > 4 or (t.kind == "uint" and t.n_bytes == 4) for t in types)
    return LONG if wide or _has_far_elements(scop) else INT


def _has_far_elements(scop: Scop) -> bool:
    """Whether the text computes a subscript in eight bytes that may need them.

    Its own casts are in none that is generated. Rows of `Array.pitches` have theirs.
    """
    wide = {
        (e.array, k)
        for e in scop.iter_expressions()
        if isinstance(e, Element) and not scop.array(e.array).pitches
        for k, (subscript, extent) in enumerate(
            zip(e.subscripts, scop.array(e.array).extents, strict=False)
        )
        if _is_large(extent)
        and subscript.dtype.n_bytes > INT.n_bytes
        and _is_computed(subscript)
    }
    return any(
        _is_far(access.relation.range(), k)
        for name, k in wide
        for s in scop.statements
        for access in (*s.reads, *s.writes)
        if access.array == name
    )


def _is_computed(subscript: Expr) -> bool:
    while isinstance(subscript, Cast):
        subscript = subscript.operand
    return isinstance(subscript, Unary | Binary)


def _is_large(extent: Expr | None) -> bool:
    """Whether a dimension may have more elements than `int` counts."""
    return not isinstance(extent, Const) or int(extent.value) > MAX_INT


def _is_far(elements: isl.Set, k: int) -> bool:
    """Whether a subscript may be no `int`."""
    if elements.is_empty():
        return False
    ends = elements.dim_max_val(k), elements.dim_min_val(k)
    return not all(v.is_int() and abs(v.to_python()) <= MAX_INT for v in ends)
