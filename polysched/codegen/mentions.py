"""What a SCoP's code mentions: names and types."""

from __future__ import annotations

from polysched.codegen.ctext import identifiers
from polysched.ir import Call, Iter, Local, Param, ScalarType, Scop, walk
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
    """int, or long when a parameter or iterator may not fit."""
    types = [p.type for p in scop.parameters]
    types += [e.dtype for e in scop.iter_expressions() if isinstance(e, Iter)]
    wide = any(t.n_bytes > 4 or (t.kind == "uint" and t.n_bytes == 4) for t in types)
    return LONG if wide else INT
