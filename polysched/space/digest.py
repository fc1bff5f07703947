"""A short hash that tells SCoPs apart, the same on every machine."""

from __future__ import annotations

import hashlib
import json

import islpy as isl

from polysched.ir import Scop
from polysched.sets import list_basic_maps, list_basic_sets


def scop_digest(scop: Scop) -> str:
    """Sixteen hexadecimal digits of what schedules of the SCoP depend on.

    Parameters, context, and every statement with its domain, place, accesses and text;
    the SCoP's own name and its place in a file do not count.
    """
    described = {
        "parameters": [p.name for p in scop.parameters],
        "context": _pieces(scop.context),
        "statements": [
            {
                "name": s.name,
                "iterators": s.iterators,
                "domain": _pieces(s.domain),
                "position": s.position,
                "directions": s.directions,
                "accesses": [
                    (a.array, a.kind, [str(b) for b in list_basic_maps(a.relation)])
                    for a in s.accesses
                ],
                "text": s.text,
            }
            for s in scop.statements
        ],
        "arrays": [(a.name, a.type.name, a.n_dim, a.n_expanded) for a in scop.arrays],
    }
    text = json.dumps(described, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _pieces(s: isl.Set) -> list[str]:
    return [str(b) for b in list_basic_sets(s)]
