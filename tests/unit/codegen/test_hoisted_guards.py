"""Conditions that all iterations of a loop ask are asked in front of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.codegen import print_openmp
from polysched.frontend import parse_c
from polysched.ir import original_tree

pytestmark = pytest.mark.cc

LOOP = "for (int k = 0; k < m; k++)"


def printed(tmp_path: Path, body: str) -> str:
    path = tmp_path / "asked.c"
    path.write_text(
        "void f(int n, int m, int *restrict ok, double x[n][m], double y[m])\n{\n"
        f"#pragma scop\nfor (int i = 0; i < n; i++) {{ {body} }}\n#pragma endscop\n}}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    return re.sub(r"\s+", " ", print_openmp(scop, original_tree(scop)))


@pytest.mark.parametrize(
    "body",
    [
        f"if (ok[i]) {LOOP} x[i][k] += y[k];",
        f"if (ok[i] > 3) {LOOP} {{ x[i][k] += y[k]; y[k] = 1; }}",
        f"if (ok[i]) {LOOP} for (int j = 0; j < k; j++) x[i][k] += y[j];",
    ],
)
def test_loops_under_a_question_of_data_ask_once(body: str, tmp_path: Path) -> None:
    text = printed(tmp_path, body)
    assert text.count("if (holds)") == 1
    assert re.search(r"if \(holds\) \{? ?(#pragma omp simd )?for \(", text)


@pytest.mark.parametrize(
    "body",
    [
        # the elements that are asked for move with the loop
        f"{LOOP} if (ok[k]) x[i][k] += y[k];",
        # where the loop does not run, nobody may look at ok
        f"{LOOP} if (ok[i]) x[i][k] += y[k];",
    ],
)
def test_other_loops_stay_outside(body: str, tmp_path: Path) -> None:
    text = printed(tmp_path, body)
    assert "if (ok" in text
    assert not re.search(
        r"if \(\w+(\[[^]]*\])?\) \{? ?(#pragma omp simd )?for \(", text
    )


def test_branches_with_an_else_ask_inside(tmp_path: Path) -> None:
    body = f"{LOOP} {{ if (ok[i]) x[i][k] = y[k]; else x[i][k] = 0; }}"
    assert not re.search(r"if \(\w+[^)]*\) \{? ?for", printed(tmp_path, body))
