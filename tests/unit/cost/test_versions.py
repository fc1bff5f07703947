"""What rows keep in registers where full tiles have a version costs no loads."""

from __future__ import annotations

from pathlib import Path

import islpy as isl

from polysched.analysis import compute_dependences, prepare_scop, set_band_flags
from polysched.cost.read import read_nests
from polysched.cost.storage import lay_out_copies
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, original_tree
from polysched.transform import apply_script, parse_script

TEXT = """double X[1024], Y[1024], C[60], V[61][1024];
void f(void) {
#pragma scop
  for (int i = 0; i < 1024; i++) {
    double a = 0.0, b = 0.0;
    for (int k = 1; k < 60; k++) {
      double t = X[i] * a + C[k] + V[k][i] - b;
      b = a;
      a = t;
    }
    Y[i] = a;
  }
#pragma endscop
}
"""


def test_private_and_constant_rows_are_held_and_what_each_step_reads_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "held.c"
    path.write_text(TEXT)
    scop = prepare_scop(parse_c(path).scops[0])
    deps = compute_dependences(scop)
    tree = set_band_flags(original_tree(scop), deps)
    operations = []
    for version in ("", "; version(band=0.0, size=32)"):
        script = "tile(band=0, sizes=[32]); sink(band=0.0.0, together=true)" + version
        done = apply_script(tree, parse_script(script), deps)
        nests = lay_out_copies(read_nests(done, scop, deps))
        step = next(n for n in nests if any(r.array == "V" for r in n.references))
        operations.append(step.memory_operations()[0])
    assert operations == [4.0, 1.0]  # X, a, V and b; V alone


def crowd(n: int, tmp_path: Path) -> bool:
    """Whether a loop has no lanes in which n statements run at one iteration of k."""
    names = "abcdefgh"[:n]
    begin = " ".join(f"double {x} = {k + 1} * X[i];" for k, x in enumerate(names))
    total = " + ".join(names)
    path = tmp_path / "crowd.c"
    path.write_text(
        "double X[1024], Y[1024], C[60][1024];\nvoid f(void) {\n#pragma scop\n"
        f"  for (int i = 0; i < 1024; i++) {{\n    {begin}\n    Y[i] = 0.0;\n"
        f"    for (int k = 0; k < 60; k++) Y[i] += C[k][i] * ({total});\n"
        "  }\n#pragma endscop\n}\n"
    )
    scop = prepare_scop(parse_c(path).scops[0])
    rows = [
        "; ".join(
            f"{s.name}[{', '.join(s.iterators)}] -> [({f(s)})]" for s in scop.statements
        )
        for f in (lambda s: "k" if s.n_loops > 1 else "0", lambda s: "i")
    ]
    node = isl.Schedule.from_domain(
        original_tree(scop).schedule.get_domain()
    ).get_root()
    band = isl.MultiUnionPwAff(f"[{{ {rows[0]} }}, {{ {rows[1]} }}]")
    node = node.child(0).insert_partial_schedule(band)
    nests = read_nests(ScheduleTree(node.get_schedule()), scop)
    (sums,) = (n for n in nests if n.statement.n_loops > 1)
    return sums.is_scalar


def test_a_loop_that_asks_for_many_statements_has_no_lanes(tmp_path: Path) -> None:
    assert not crowd(1, tmp_path)
    assert crowd(5, tmp_path)


def test_accesses_of_other_statements_to_the_same_array_are_known(
    tmp_path: Path,
) -> None:
    """What moves along an array elsewhere keeps rows of it from being held."""
    path = tmp_path / "case.c"
    path.write_text(
        "static double c[900][900]; void f(void) { double w;\n#pragma scop\n"
        "for (int i = 0; i < 800; i++) for (int k = 0; k < 800; k++) {\n"
        "w = %s * 2; c[i][850] = w < c[i][850] ? w : c[i][850]; }\n#pragma endscop\n}\n"
    )
    source = path.read_text()
    held = []
    for element in ("k", "c[i][k]"):
        path.write_text(source.replace("%s", element))
        (scop,) = parse_c(path).scops
        deps = compute_dependences(scop)
        tree = set_band_flags(original_tree(scop), deps)
        chosen = read_nests(tree, scop, deps)[-1]
        held.append(any(r.array == "c" for r in chosen.beside))
    assert held == [False, True]
