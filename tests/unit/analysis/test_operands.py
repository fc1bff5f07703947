"""What is read where, by the text of subscripts."""

from __future__ import annotations

from pathlib import Path

import islpy as isl
import pytest

from polysched.analysis import load_relations
from polysched.base import AnalysisError
from polysched.frontend import parse_c
from polysched.ir import Binary, Iter, Load, Param
from polysched.ir.types import DOUBLE, INT


@pytest.mark.cc
def test_products_of_sizes_are_parameters_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "heads.c"
    path.write_text(
        "void f(int T, int D, int g, int heads, double *q, const double *k) {\n"
        "#pragma scop\n"
        "  for (int s = 0; s < T; s++)\n"
        "    for (int c = 0; c < D; c++)\n"
        "      q[c] += k[(s * heads + g) * D + c];\n"
        "#pragma endscop\n}\n"
    )
    (scop,) = parse_c(path).scops
    (statement,) = scop.statements
    (action,) = statement.body
    ((load, found),) = load_relations(scop, action.value, ("s", "c"), "S0")
    assert load.array == "k"
    (read,) = (a.relation for a in statement.reads if a.array == "k")
    assert found.intersect_domain(statement.domain).is_equal(read)


def test_products_of_iterators_are_no_operands() -> None:
    i, n = Iter("i", INT), Param("n", INT)
    load = Load("A", (Binary("*", i, n),), DOUBLE)

    class Alone:
        parameters = products = ()

    with pytest.raises(AnalysisError, match="not taken in an operand"):
        list(load_relations(Alone(), load, ("i",), "S"))
    assert isl.Map("{ S[i] -> A[i] }").is_equal(
        next(load_relations(Alone(), Load("A", (i,), DOUBLE), ("i",), "S"))[1]
    )
