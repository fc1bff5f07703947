"""Turning points of sets and maps into words."""

from __future__ import annotations

import islpy as isl


def describe_pair(pair: isl.BasicMap) -> tuple[str, str, str]:
    """One pair of instances in words: source, sink, parameter values.

    Parameters
    ----------
    pair : isl.BasicMap
        Non-empty, between two named spaces.

    Returns
    -------
    tuple of str
        ``("S0[i = 1]", "S1[i = 2]", "n = 3")``.
    """
    relation = isl.Map.from_basic_map(pair)
    point = relation.wrap().sample_point()
    space = relation.get_space()
    n_in = space.dim(isl.dim_type.in_)

    def side(kind: isl.dim_type, first: int) -> str:
        parts = []
        for k in range(space.dim(kind)):
            name = relation.get_dim_name(kind, k)
            value = point.get_coordinate_val(isl.dim_type.set, first + k)
            parts.append(f"{name} = {value}" if name else str(value))
        return f"{relation.get_tuple_name(kind)}[{', '.join(parts)}]"

    parameters = ", ".join(
        f"{space.get_dim_name(isl.dim_type.param, k)} = "
        f"{point.get_coordinate_val(isl.dim_type.param, k)}"
        for k in range(space.dim(isl.dim_type.param))
    )
    return side(isl.dim_type.in_, 0), side(isl.dim_type.out, n_in), parameters
