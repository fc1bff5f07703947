"""What rows keep in registers where full tiles have a version costs no loads."""

from __future__ import annotations

from pathlib import Path

from polysched.analysis import compute_dependences, prepare_scop, set_band_flags
from polysched.cost.read import read_nests
from polysched.cost.storage import lay_out_copies
from polysched.frontend import parse_c
from polysched.ir import original_tree
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
