"""Affine forms over named integers, and polynomials over convex sets of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import lcm, prod

import islpy as isl
import sympy

from polysched.sets import list_basic_sets, n_dims

CONSTANT = ""  # the key of the constant term
MAX_RESIDUES = 64

Form = Mapping[str, int]  # coefficient by name; dimensions x0.., parameters p0.., f0..


@dataclass(frozen=True, eq=False)
class Piece:
    """A polynomial to sum over the integer points of one convex set.

    Attributes
    ----------
    dims : tuple of str
        What to sum over; all other names are parameters.
    zeros, signs : tuple of Form
        Affine forms that are equal to zero, and at least zero.
    summand : sympy.Expr
        Polynomial over dimensions and parameters.
    """

    dims: tuple[str, ...]
    zeros: tuple[Form, ...]
    signs: tuple[Form, ...]
    summand: sympy.Expr


def clean(form: Form) -> dict[str, int]:
    """The form without zero terms."""
    return {n: c for n, c in form.items() if c}


def add(form: Form, other: Form, factor: int = 1) -> dict[str, int]:
    """``form + factor * other``."""
    total = dict(form)
    for name, c in other.items():
        total[name] = total.get(name, 0) + factor * c
    return clean(total)


def substitute(form: Form, name: str, value: Form) -> dict[str, int]:
    """The form with a name replaced by another form."""
    c = form.get(name, 0)
    rest = {n: v for n, v in form.items() if n != name}
    return add(rest, value, c) if c else rest


def to_sympy(form: Form) -> sympy.Expr:
    """The form over the symbols of `symbol`."""
    return sympy.Add(*(c * symbol(n) if n else c for n, c in form.items()))


@cache
def symbol(name: str) -> sympy.Symbol:
    """The integer symbol of a name."""
    return sympy.Symbol(name, integer=True)


def read_pieces(s: isl.Set, parameters: Sequence[str], weight: int) -> list[Piece]:
    """Disjoint pieces of a set, its integer divisions as dimensions of their own.

    Parameters
    ----------
    s : isl.Set
        Its parameters, by position, are ``p0``, ``p1``, ... of the pieces.
    parameters : sequence of str
        The names the set gives them.
    weight : int
        What every point counts.
    """
    names = {name: f"p{k}" for k, name in enumerate(parameters)}
    return [
        read_piece(b, names, weight)
        for part in _by_residues(s.compute_divs())
        for b in list_basic_sets(part.coalesce().make_disjoint().compute_divs())
        if not b.is_empty()
    ]


def _by_residues(s: isl.Set) -> list[isl.Set]:
    """The set cut by the residues its divisions ask for, when these are few.

    Strided parts that interleave become boxes that can be joined.
    """
    moduli = [1] * n_dims(s)
    for b in list_basic_sets(s):
        for k in range(b.dim(isl.dim_type.div)):
            quotient = b.get_div(k)
            scale = _integer(quotient.get_denominator_val())
            for d in range(len(moduli)):
                if not quotient.get_coefficient_val(isl.dim_type.in_, d).is_zero():
                    moduli[d] = lcm(moduli[d], scale)
    if not 1 < prod(moduli) <= MAX_RESIDUES:
        return [s]
    dims = [f"x{k}" for k in range(len(moduli))]
    parts = []
    for residues in product(*(range(m) for m in moduli)):
        rows = zip(moduli, dims, residues, strict=True)
        image = ", ".join(f"{m}{x} + {r}" for m, x, r in rows)
        function = isl.MultiAff(f"{{ [{', '.join(dims)}] -> [{image}] }}")
        parts.append(s.reset_tuple_id().preimage_multi_aff(function))
    return parts


def read_piece(b: isl.BasicSet, names: Mapping[str, str], weight: int) -> Piece:
    """One convex set as a piece; its divisions become dimensions behind the others."""
    n, n_div = n_dims(b), int(b.dim(isl.dim_type.div))
    dims = tuple(f"x{k}" for k in range(n + n_div))
    space = b.get_space()
    own = [
        names[space.get_dim_name(isl.dim_type.param, k) or ""]
        for k in range(space.dim(isl.dim_type.param))
    ]
    zeros: list[Form] = []
    signs: list[Form] = []
    for constraint in b.get_constraints():
        form = {CONSTANT: _integer(constraint.get_constant_val())}
        for kind, keys in (
            (isl.dim_type.param, own),
            (isl.dim_type.set, dims[:n]),
            (isl.dim_type.div, dims[n:]),
        ):
            for k, key in enumerate(keys):
                form[key] = _integer(constraint.get_coefficient_val(kind, k))
        (zeros if constraint.is_equality() else signs).append(clean(form))
    for k in range(n_div):
        signs += _definition(b.get_div(k), dims[n + k], own, dims[:n], dims[n:])
    return Piece(dims, tuple(zeros), tuple(signs), sympy.Integer(weight))


def _definition(
    quotient: isl.Aff,
    name: str,
    parameters: Sequence[str],
    dims: Sequence[str],
    divs: Sequence[str],
) -> list[Form]:
    """The two inequalities that make a dimension a floor."""
    scale = _integer(quotient.get_denominator_val())
    factor = isl.Val(scale)
    form = {CONSTANT: _integer(quotient.get_constant_val() * factor)}
    for kind, keys in (
        (isl.dim_type.param, parameters),
        (isl.dim_type.in_, dims),
        (isl.dim_type.div, divs),
    ):
        for k in range(min(len(keys), quotient.dim(kind))):
            value = quotient.get_coefficient_val(kind, k) * factor
            form[keys[k]] = _integer(value)
    upper = add(form, {name: -scale})
    return [upper, add({CONSTANT: scale - 1}, upper, -1)]


def _integer(value: isl.Val) -> int:
    return int(value.to_python())


def set_text(
    parameters: Sequence[str],
    dims: Sequence[str],
    zeros: Iterable[Form],
    signs: Iterable[Form],
) -> str:
    """A set in isl's notation."""
    rows = [f"{_form_text(f)} = 0" for f in zeros]
    rows += [f"{_form_text(f)} >= 0" for f in signs]
    inside = f"[{', '.join(dims)}] : " if dims else ": "
    condition = " and ".join(rows) or "true"
    return f"[{', '.join(parameters)}] -> {{ {inside}{condition} }}"


def _form_text(form: Form) -> str:
    return " + ".join(f"{c}{n}" for n, c in form.items()) or "0"
