"""Where arrays live on the device."""

from __future__ import annotations

from pathlib import Path

from polysched.analysis import prepare_scop
from polysched.codegen.cuda.arrays import place_array
from polysched.frontend import parse_c

PATHS = """static int P[9][9];
void paths(void) {
#pragma scop
  for (int k = 0; k < 9; k++)
    for (int i = 0; i < 9; i++)
      for (int j = 0; j < 9; j++)
        P[i][j] = P[i][j] < P[i][k] + P[k][j] ? P[i][j] : P[i][k] + P[k][j];
#pragma endscop
}
"""


def test_copies_that_updates_in_place_read_are_as_long_as_what_is_touched(
    tmp_path: Path,
) -> None:
    """Nobody declares them: rows of nine for eight values of k each."""
    path = tmp_path / "paths.c"
    path.write_text(PATHS)
    (scop,) = parse_c(path).scops
    scop = prepare_scop(scop)
    copies = [a for a in scop.arrays if a.name != "P"]
    placed = [place_array(scop, a, a.name) for a in copies]
    assert sorted(d.n_elements or 0 for d in placed) == [8 * 9] * 4
    assert not any(d.copied_in or d.copied_out for d in placed)
