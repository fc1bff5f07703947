"""``polysched inspect``: formulas of work and data in terms of the sizes."""

from __future__ import annotations

import json

import pytest

from polysched.cli import main

pytestmark = pytest.mark.cc

TRIANGLE = """\
void sums(int n, double A[n][n], double s[n])
{
#pragma scop
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++)
      s[i] += A[i][j] * A[i][j];
#pragma endscop
}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sums.c"
    path.write_text(TRIANGLE)
    return path


def _fields(out):
    """Lines of the section of closed forms, by name."""
    lines = out.split("closed forms:\n")[1].splitlines()
    return dict(line.strip().split("  ", maxsplit=1) for line in lines)


def test_work_and_data_are_told_in_terms_of_the_size(file, capsys):
    assert main(["inspect", str(file)]) == 0
    found = {k: v.strip() for k, v in _fields(capsys.readouterr().out).items()}
    assert found["S0 runs"] == "n*(n - 1)/2 for n >= 2; else 0"
    assert found["S0 operations"] == "n*(n - 1) for n >= 2; else 0"
    assert found["all operations"] == "n*(n - 1) for n >= 2; else 0"
    assert found["A bytes"] == "4*n*(n - 1) for n >= 2; else 0"
    assert found["s bytes"] == "8*(n - 1) for n >= 2; else 0"


def test_trips_per_loop_are_in_the_json(file, capsys):
    assert main(["inspect", str(file), "--json"]) == 0
    (scop,) = json.loads(capsys.readouterr().out)["scops"]
    (statement,) = scop["closed_forms"]["statements"]
    assert statement["trips"] == [
        "n - 1 for n >= 2; else 0",
        "n*(n - 1)/2 for n >= 2; else 0",
    ]


def test_sizes_known_to_the_compiler_give_numbers_in_the_json_alone(file, capsys):
    text = TRIANGLE.replace("int n, ", "").replace("n", "20")
    file.write_text(text.replace("e20dscop", "endscop").replace("i20t", "int"))
    assert main(["inspect", str(file)]) == 0
    assert "closed forms" not in capsys.readouterr().out
    assert main(["inspect", str(file), "--json"]) == 0
    (scop,) = json.loads(capsys.readouterr().out)["scops"]
    assert scop["closed_forms"]["operations"] == str(20 * 19)


def test_long_formulas_are_left_to_the_json(file, capsys):
    sizes = "int n, int m, int k, int l"
    file.write_text(
        TRIANGLE.replace("int n", sizes).replace(
            "j < i", "j < i && j < m && i < k + j && i < l"
        )
    )
    assert main(["inspect", str(file)]) == 0
    assert "cases, with --json" in _fields(capsys.readouterr().out)["S0 runs"]
    assert main(["inspect", str(file), "--json"]) == 0
    (scop,) = json.loads(capsys.readouterr().out)["scops"]
    assert len(scop["closed_forms"]["operations"]) > 120


COPIED = """\
void reach(int n, int R[n][n], int a, int total[1], const int *end)
{
#pragma scop
  for (int i = 0; i < n; i++) {
    total[0] = 0;
    for (int k = 0; k < end[i]; k++)
      total[0] += k * a;
    for (int j = 0; j < n; j++)
      R[i][j] = total[0];
  }
#pragma endscop
}
"""


def test_dependences_stand_in_columns_and_guesses_are_told(tmp_path, capsys):
    path = tmp_path / "reach.c"
    path.write_text(COPIED)
    assert main(["inspect", str(path)]) == 0
    out = capsys.readouterr().out
    lines = out.split("dependences: ")[1].split("reductions")[0].splitlines()[1:]
    assert {line.index("->") for line in lines} == {lines[0].index("->")}
    arrays = [line.split()[1] for line in lines]
    assert arrays == sorted(arrays)
    assert ", with 16 turns of each loop that data end" in _fields(out)["S1 operations"]


def test_statements_that_were_made_of_others_are_counted(tmp_path, capsys):
    path = tmp_path / "reach.c"
    path.write_text(
        "static int R[300][300];\nint main(void) {\n#pragma scop\n"
        "  for (int k = 0; k < 300; k++)\n    for (int i = 0; i < 300; i++)\n"
        "      for (int j = 0; j < 300; j++)\n"
        "        R[i][j] = R[i][j] || (R[i][k] && R[k][j]);\n#pragma endscop\n}\n"
    )
    assert main(["inspect", str(path)]) == 0
    assert "statements: 15 (made of 1 in the source)" in capsys.readouterr().out
