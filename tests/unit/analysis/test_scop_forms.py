"""Operations, trips and footprints as formulas, on programs counted by hand."""

from __future__ import annotations

import importlib
from dataclasses import replace
from types import ModuleType

import polysched.analysis as analysis
from polysched.analysis import closed_forms
from polysched.ir import Assign, Binary, Iter, Load
from polysched.ir.types import DOUBLE
from tests.unit import scops


def _work() -> Assign:
    """``T[i] += T[i] * T[i]``: two operations."""
    load = Load("T", (Iter("i"),), DOUBLE)
    return Assign(load, "+=", Binary("*", load, load))


def test_gemm_in_terms_of_its_size():
    forms = closed_forms(scops.gemm())
    scale, product = forms.statements
    assert (scale.name, str(scale.instances)) == ("S0", "n**2 for n >= 1; else 0")
    assert [t.evaluate({"n": 10}) for t in product.trips] == [10, 100, 1000]
    footprints = {a.name: a.footprint_bytes.evaluate({"n": 10}) for a in forms.arrays}
    assert footprints == {"A": 800, "B": 800, "C": 800}


def test_operations_weigh_instances():
    scop = scops.gemm()
    statements = tuple(replace(s, body=(_work(),)) for s in scop.statements)
    forms = closed_forms(replace(scop, statements=statements))
    assert forms.statements[1].operations.evaluate({"n": 10}) == 2000
    assert forms.operations.evaluate({"n": 10}) == 2200
    assert str(forms.operations) == "2*n**2*(n + 1) for n >= 1; else 0"


def test_statements_without_a_body_do_no_operations():
    assert closed_forms(scops.gemm()).operations.evaluate({"n": 10}) == 0


def test_overlapping_reads_count_an_element_once():
    forms = closed_forms(scops.jacobi_1d())
    elements = {a.name: a.elements for a in forms.arrays}
    assert str(elements["A"]) == "n for T >= 1 and n >= 3; else 0"
    assert elements["B"].evaluate({"T": 4, "n": 9}) == 9


def test_json_has_texts():
    data = closed_forms(scops.gemm()).to_json()
    assert data["statements"][0]["trips"][0] == "n for n >= 1; else 0"
    assert data["arrays"][0]["bytes"] == "8*n**2 for n >= 1; else 0"


def test_names_of_the_face_stay_functions_when_their_modules_are_loaded():
    for name, module in analysis._LATER.items():
        importlib.import_module(f"polysched.analysis.{module}")
        assert not isinstance(getattr(analysis, name), ModuleType), name
