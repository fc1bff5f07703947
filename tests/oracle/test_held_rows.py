"""Elements of rows in lanes, held in arrays while a loop runs, give the same bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import islpy as isl
import pytest

from polysched.analysis import (
    compute_dependences,
    find_violation,
    prepare_scop,
    set_band_flags,
)
from polysched.codegen import print_openmp, splice
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.transform import PlanShape, plan_script
from tests.oracle.sweep import run, tiny_machine

PAIRS = """\
#include <stdio.h>
#ifndef N
#define N 9
#endif
#ifndef M
#define M N
#endif
typedef struct { double x, y, z; } body;
static void pull(int n, int m, const body *p, body *f, const double (*w)[3], double *s)
{
#pragma scop
  for (int i = 0; i < n; i++) {
    f[i].x = f[i].y = 0;
    for (int j = 0; j < m; j++) {
      double r = p[i].x * p[j].x + p[i].z;
      double q = r * r + w[i][1];
      f[i].x += q * p[j].y;
      f[i].y -= r * q;
      f[i].z = f[i].z * 0.5 + q;
      s[i] += r + %s;
    }
  }
#pragma endscop
}
int main(void)
{
  static body p[N + M + 2], f[N + 2];
  static double w[N + 2][3], s[N + 3];
  for (int i = 0; i < N + M + 2; i++)
    p[i].x = i %% 5, p[i].y = i %% 7, p[i].z = i * 0.25;
  for (int i = 0; i < N + 2; i++)
    w[i][1] = i, f[i].z = s[i] = i %% 3;
  pull(N, M, p, f, w, s);
  for (int i = 0; i < N + 2; i++)
    printf("%%.17g %%.17g %%.17g %%.17g\\n", f[i].x, f[i].y, f[i].z, s[i]);
  return 0;
}
"""
ELEMENT = "w[i][2]"


def fused_tree(scop: Scop) -> ScheduleTree:
    """All but the first statement in one loop, some of them at its first iteration."""
    first, *others = scop.statements
    at = {s.name: f"{s.name}[{', '.join(s.iterators)}]" for s in scop.statements}
    rows = "; ".join(f"{at[s.name]} -> [(i)]" for s in scop.statements)
    inner = {s.name: "j" if s.n_loops > 1 else "0" for s in others}
    along = "; ".join(f"{at[name]} -> [({j})]" for name, j in inner.items())
    parts = ", ".join(f'{{ filter: "{{ {at[s.name]} }}" }}' for s in others)
    every = "; ".join(at[s.name] for s in others)
    domain = original_tree(scop).schedule.get_domain()
    text = f"""{{ domain: "{domain}", child: {{ schedule: "[{{ {rows} }}]",
      child: {{ sequence: [ {{ filter: "{{ {at[first.name]} }}" }},
        {{ filter: "{{ {every} }}", child: {{ schedule: "[{{ {along} }}]",
          child: {{ sequence: [ {parts} ] }} }} }} ] }} }} }}"""
    return ScheduleTree(isl.Schedule(text))


def rows_of(
    path: Path,
    flags: list[str],
    order: Callable[[Scop], ScheduleTree] = original_tree,
) -> tuple[bytes, str, bytes]:
    """The program with eight rows in lanes, the region's text, and the original."""
    program = parse_c(path, flags=tuple(flags))
    scop = prepare_scop(program.scops[0])
    deps = compute_dependences(scop)
    tree = set_band_flags(order(scop), deps)
    shape = PlanShape(jam=True, rows=True)
    tree = plan_script(tree, scop, deps, tiny_machine().cpu, shape).tree
    assert find_violation(tree, deps, scop) is None
    text = print_openmp(scop, tree, deps=deps.validity)
    return splice(program, {scop.name: text}), text, program.source


@pytest.mark.cc
@pytest.mark.parametrize(("n", "m"), [(8, 3), (19, 6), (16, 0), (5, 4)])
def test_full_and_partial_rows_give_equal_results(
    tmp_path: Path, n: int, m: int
) -> None:
    path = tmp_path / "pairs.c"
    path.write_text(PAIRS % ELEMENT)
    flags = [f"-DN={n}", f"-DM={m}"]
    changed, text, source = rows_of(path, flags)
    assert text.count("double held") == 8  # x and z of p, two of w, all of f, and s
    assert run(changed, path, flags) == run(source, path, flags)


@pytest.mark.cc
def test_an_array_whose_rows_meet_is_left_alone(tmp_path: Path) -> None:
    """A neighbour's sum, which another lane changes, must be read where it is."""
    path = tmp_path / "pairs.c"
    text = PAIRS.replace("double *s)", "double *s, const double *t)")
    text = text.replace("f, w, s);", "f, w, s, s + N + 2);")
    path.write_text(text % "t[j] + t[i]")
    _, text, _ = rows_of(path, [])
    assert "= t[" not in text  # neighbours: lanes read them as they are
    assert "= s[" in text


@pytest.mark.cc
def test_what_may_not_be_there_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.c"
    path.write_text(PAIRS % "(w[i][1] > 0 ? w[i - 1][0] : p[j].z)")
    changed, text, source = rows_of(path, ["-DN=21"])
    assert "double held" in text
    assert "= w[t3 - 1]" not in text
    assert run(changed, path, ["-DN=21"]) == run(source, path, ["-DN=21"])


@pytest.mark.cc
def test_an_array_of_which_other_elements_are_read_is_left_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "pairs.c"
    text = PAIRS.replace("f[i].z = f[i].z * 0.5 + q;", "f[i].y += 1;")
    path.write_text(text % "f[j].z")
    changed, text, source = rows_of(path, ["-DN=21"])
    assert "double held" in text
    assert (
        "= ((double *)f)"
        not in text.partition("double held")[2].partition("for (int t2")[0]
    )
    assert run(changed, path, ["-DN=21"]) == run(source, path, ["-DN=21"])


@pytest.mark.cc
def test_what_rows_hold_has_no_second_variable_in_the_body(tmp_path: Path) -> None:
    """The body comes back to the sum; the rows' copy, written back, must not be old."""
    path = tmp_path / "pairs.c"
    text = PAIRS.replace("f[i].z = f[i].z * 0.5 + q;", "f[i].z = f[i].x * 0.5 + q;")
    path.write_text(text % ELEMENT)
    changed, text, source = rows_of(path, ["-DN=19"])
    assert "double held[8]" in text
    assert run(changed, path, ["-DN=19"]) == run(source, path, ["-DN=19"])


@pytest.mark.cc
def test_what_is_changed_under_a_condition_is_written_back(tmp_path: Path) -> None:
    path = tmp_path / "pairs.c"
    text = PAIRS.replace("f[i].y -= r * q;", "if (q > 5) f[i].y -= r * q;")
    text = text.replace("q * p[j].y;", "q + f[i].y;")
    path.write_text(text % ELEMENT)
    changed, text, source = rows_of(path, ["-DN=19"])
    assert text.count("double held") == 8
    assert run(changed, path, ["-DN=19"]) == run(source, path, ["-DN=19"])


@pytest.mark.cc
@pytest.mark.parametrize(("n", "m"), [(19, 6), (16, 0), (8, 1)])
def test_statements_of_one_iteration_do_not_keep_rows_from_being_held(
    tmp_path: Path, n: int, m: int
) -> None:
    path = tmp_path / "pairs.c"
    path.write_text(PAIRS % ELEMENT)
    flags = [f"-DN={n}", f"-DM={m}"]
    changed, text, source = rows_of(path, flags, fused_tree)
    assert "if (t2 == 0)" in text
    assert text.count("double held") == 8
    assert run(changed, path, flags) == run(source, path, flags)
