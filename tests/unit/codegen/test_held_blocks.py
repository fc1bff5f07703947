"""What a block sets first and deep loops change stays in a variable for all of it."""

from __future__ import annotations

import pytest

from polysched.codegen import PrintOptions, print_openmp
from polysched.frontend import parse_c
from polysched.ir import original_tree
from polysched.workflow import prepare_scop

HEAD = "static float in[40][40], out[40][40], s[40];\nvoid f(void) {\n"
WINDOW = """for (int y = 1; y < 39; y++)
  for (int x = 1; x < 39; x++) {
    float sum = 0, total = 0;
    for (int j = -1; j <= 1; j++)
      for (int i = -1; i <= 1; i++) {
        sum += in[y + j][x + i];
        total += in[y + j][x + i] * in[y][x];
      }
    out[y][x] = total / sum;
  }"""


def lines(body: str, directory) -> list[str]:
    """What is printed for a region in its own order, without its braces."""
    path = directory / "case.c"
    path.write_text(f"{HEAD}#pragma scop\n{body}\n#pragma endscop\n}}\n")
    scop = prepare_scop(parse_c(path).scops[0])
    text = print_openmp(scop, original_tree(scop), PrintOptions())
    found = [line.strip() for line in text.splitlines()]
    return found[found.index("{") + 1 : -1]


def test_a_sum_that_ends_in_an_element_is_not_summed_up_in_memory(tmp_path) -> None:
    found = lines(WINDOW, tmp_path)
    stores = [line for line in found if line.startswith("out[")]
    assert stores == ["out[t1][t2] = held;"]
    assert "float held = 0;" in found
    assert "held += in[t1 + t3][t2 + t4];" in found
    assert any(line.startswith("held = ") and "/ held" in line for line in found)


@pytest.mark.parametrize(
    "body",
    [
        # one loop: compilers see through it
        """for (int x = 0; x < 40; x++) {
          s[x] = 0;
          for (int j = 0; j < 3; j++) s[x] += in[j][x];
        }""",
        # another element of the array is read
        """for (int x = 1; x < 40; x++) {
          s[x] = 0;
          for (int j = 0; j < 3; j++)
            for (int i = 0; i < 3; i++) s[x] += in[j][i] * s[x - 1];
        }""",
        # the element changes with a loop inside
        """for (int x = 0; x < 38; x++) {
          s[x] = 0;
          for (int j = 0; j < 3; j++)
            for (int i = 0; i < 3; i++) s[x + i] += in[j][i];
        }""",
        # nothing sets it first
        """for (int x = 0; x < 40; x++)
          for (int j = 0; j < 3; j++)
            for (int i = 0; i < 3; i++) s[x] += in[j][i] * in[i][x];""",
    ],
)
def test_others_stay_where_they_are(tmp_path, body) -> None:
    assert not any("held" in line for line in lines(body, tmp_path))
