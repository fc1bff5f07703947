"""Work arrays that a caller may read: private, but for what the last one left."""

from __future__ import annotations

from pathlib import Path

import islpy as isl
import pytest

from polysched.analysis import compute_dependences, infer_liveness, prepare_scop
from polysched.analysis.last_values import copy_last_values
from polysched.frontend import parse_c
from polysched.ir import Scop

pytestmark = pytest.mark.cc

HEAD = "int n, int m, double *restrict s, double *restrict r, double A[n][m]"
FILL = "for (int j = 0; j < m; j++) r[j] = A[i][j] * 2;"
USE = "for (int j = 0; j < m; j++) s[i] += r[j];"


def region(directory: Path, body: str, head: str = HEAD) -> Scop:
    file = directory / "work.c"
    file.write_text(f"void f({head}) {{\n#pragma scop\n{body}\n#pragma endscop\n}}\n")
    return infer_liveness(parse_c(file).scops[0])


def copied(scop: Scop) -> list[str]:
    _, own = copy_last_values(scop)
    return sorted(own)


def test_a_row_that_every_iteration_fills(tmp_path: Path) -> None:
    scop = region(tmp_path, f"for (int i = 0; i < n; i++) {{ {FILL} {USE} }}")
    found, own = copy_last_values(scop)
    assert own == {"r_own"}
    copy = found.statements[-1]
    assert copy.name == "S2"
    assert copy.position[:2] == (0, 2)
    (write,) = copy.writes
    assert (write.array, write.kind) == ("r", "must_write")
    last = "[n, m] -> { S2[i, at] -> r[at] : i = n - 1 and n > 0 and 0 <= at < m }"
    assert write.relation.intersect_domain(copy.domain).is_equal(isl.Map(last))
    users = [
        s.name for s in found.statements if any(a.array == "r" for a in s.accesses)
    ]
    assert users == ["S2"]


def test_the_loop_around_it_is_parallel_then(tmp_path: Path) -> None:
    scop = region(tmp_path, f"for (int i = 0; i < n; i++) {{ {FILL} {USE} }}")
    carried = [
        d
        for d in compute_dependences(prepare_scop(scop), with_input=False).items
        if not d.relation.is_subset(
            d.relation.equate(isl.dim_type.in_, 0, isl.dim_type.out, 0)
        )
    ]
    assert carried == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("for (int i = 0; i < n; i++) { s[i] = r[0]; " + FILL + " }", "read before"),
        ("for (int i = 0; i < n; i++) { " + FILL + USE + " s[0] += s[i]; }", "carried"),
        (
            "for (int i = 0; i < n; i++) { for (int j = 0; j <= i; j++) r[j] = i; "
            "s[i] = r[i]; } for (int j = 0; j < m; j++) r[j] = 1;",
            "written again behind",
        ),
        (
            "for (int i = 0; i < n; i++) { for (int j = i; j < n; j++) r[j] = i; "
            "s[i] = r[i]; }",
            "the last one leaves others",
        ),
        (
            "for (int i = 0; i < n; i++) { if (A[i][0] > 0) r[0] = 1; else r[0] = 2; "
            "if (A[i][1] > 0) r[1] = 1; s[i] = r[0]; }",
            "perhaps",
        ),
        (
            "for (int i = 0; i < n; i++) { s[i] = A[i][0]; r[i] = s[i]; }",
            "its own part",
        ),
        ("for (int i = n; i > 0; i--) { " + FILL + " s[i] = r[0]; }", "downwards"),
        (FILL.replace("[i]", "[0]") + USE.replace("[i]", "[0]"), "no loop around"),
    ],
)
def test_no_work_array(tmp_path: Path, body: str, why: str) -> None:
    assert copied(region(tmp_path, body)) == [], why


def test_an_outer_loop_that_is_carried_keeps_all_copies_inside(tmp_path: Path) -> None:
    body = (
        "for (int t = 0; t < 9; t++) for (int i = 0; i < n; i++) { "
        "for (int j = 0; j < m; j++) r[j] = A[i][j] + t; "
        "for (int j = 0; j < m; j++) A[i][j] = r[j] * r[m - 1 - j]; }"
    )
    found, own = copy_last_values(region(tmp_path, body))
    assert own == {"r_own"}
    copy = found.statements[-1]
    assert copy.iterators[:2] == ("t", "i")
    (write,) = copy.writes
    times = write.relation.intersect_domain(copy.domain).domain()
    assert times.is_subset(isl.Set("[n, m] -> { S2[t, i, at] : t = 8 and i = n - 1 }"))


def test_sizes_of_zero_are_left_to_the_original(tmp_path: Path) -> None:
    body = (
        "for (int i = 0; i < n; i++) { for (int j = 0; j <= m; j++) r[j] = A[i][j]; "
        "s[i] = r[m]; }"
    )
    scop = region(tmp_path, body)
    assert {a.name: a.live_in for a in scop.arrays}["r"]  # r[m], where m is -1
    found, own = copy_last_values(scop)
    assert own == {"r_own"}
    assert found.assumptions.params().is_equal(
        isl.Set("[n, m] -> { : n > 0 and m >= 0 }")
    )


def test_two_arrays_are_copied_in_loops_of_their_own(tmp_path: Path) -> None:
    body = (
        "for (int i = 0; i < n; i++) { " + FILL + " q[0] = r[0]; "
        "for (int j = 0; j < m; j++) s[i] += r[j] * q[0]; }"
    )
    found, own = copy_last_values(region(tmp_path, body, HEAD + ", double *restrict q"))
    assert own == {"r_own", "q_own"}
    first, second = (s.position[:2] for s in found.statements[-2:])
    assert first != second


def test_what_is_handed_on_in_a_part_of_the_nest_is_copied_whole(
    tmp_path: Path,
) -> None:
    """Values stay in a row; the border that nothing reads is left behind as well."""
    body = (
        "for (int k = 0; k < n; k++) { for (int j = 0; j < m; j++) A[0][j] = k; "
        "for (int i = 1; i < n; i++) for (int j = 1; j < m; j++) { "
        "if (j == 1) A[i][0] = k; A[i][j] = A[i][j - 1] + 1; s[k] += A[i][j]; } }"
    )
    found, own = copy_last_values(region(tmp_path, body))
    assert own == {"A_own"}
    copy = next(s for s in found.statements if s.writes[0].array == "A")
    assert copy.iterators[0] == "k"
    (write,) = copy.writes
    touched = write.relation.intersect_domain(copy.domain).range()
    known = isl.Set("[n, m] -> { A[i, j] : 1 < n and 1 < m }")
    assert touched.intersect(known).is_equal(
        isl.Set("[n, m] -> { A[i, j] : 1 < n and 1 < m and 0 <= i < n and 0 <= j < m }")
    )


TABLE = "static double T[99][99];\n"


def test_a_large_table_of_nobody_else_is_private_without_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "table.c"
    loops = "for (int j = 0; j < 99; j++) for (int k = 0; k < 99; k++)"
    body = f"for (int i = 0; i < n; i++) {{ {loops} T[j][k] = A[i][j] * k;\n"
    body += f"{loops} s[i] += T[j][k]; }}"
    path.write_text(
        f"{TABLE}void f({HEAD}) {{\n#pragma scop\n{body}\n#pragma endscop\n}}\n"
    )
    scop = infer_liveness(parse_c(path).scops[0])
    found, own = copy_last_values(scop)
    assert own == {"T"}
    assert len(found.statements) == len(scop.statements)
    assert found.array("T").is_work


def test_a_large_table_that_goes_on_through_time_stays(tmp_path: Path) -> None:
    path = tmp_path / "table.c"
    loops = "for (int j = 1; j < 98; j++) for (int k = 1; k < 98; k++)"
    body = (
        f"for (int t = 0; t < n; t++) {{ {loops} T[j][k] = U[j][k + 1] + U[j + 1][k];\n"
    )
    body += f"{loops} U[j][k] = T[j][k]; }}"
    text = f"{TABLE}void f(int n, double U[99][99]) {{\n#pragma scop\n{body}\n"
    path.write_text(f"{text}#pragma endscop\n}}\n")
    _, own = copy_last_values(infer_liveness(parse_c(path).scops[0]))
    assert not own
