"""Wrong inputs: one clear error with place and reason, exit 1 or 2, nothing written.

Each case is what a user does on a bad day. Whatever it is, there is one message that
names the place, no traceback, and neither the input nor the output is touched.
"""

from __future__ import annotations

import os

import pytest

from polysched.cli import main

pytestmark = pytest.mark.cc

PROLOGUE = """\
double A[100], B[100];
double C[50][50];
void f(int m, int k, double *p)
{
    int i, j;
#pragma scop
"""
EPILOGUE = """
#pragma endscop
}
"""
LOOP = "for (i = 0; i < 100; i++)"

# text of the scop, expected place (line:column) and words of the message
REFUSED = {
    "syntax error": (f"{LOOP} A[i] = B[i]", ":7:", "expected"),
    "product of iterators in a subscript": (f"{LOOP} A[i * i] = 0;", ":7:", "affine"),
    "remainder by iterator": (f"{LOOP} A[7 % i] = 0;", ":7:", "not a constant"),
    "while": ("while (m) { A[m] += 1; m /= 2; }", ":7:1", "found a while loop"),
    "do": ("do { A[m] += 1; m /= 2; } while (m);", ":7:1", "found a do"),
    "goto": (f"{LOOP} {{ if (m) goto out; A[i] = 0; }} out: ;", ":7:", "found a goto"),
    "break": (f"{LOOP} {{ A[i] = 0; if (i > m) break; }}", ":7:", "found a break"),
    "return": (f"{LOOP} {{ A[i] = 0; return; }}", ":7:", "found a return"),
    "case that goes on": (
        f"{LOOP} switch (i) {{ case 1: A[i] = 0; case 2: B[i] = 0; }}",
        ":7:",
        "a case",
    ),
    "pointer set anew": (
        f"{LOOP} {{ *p = A[i]; if (i == 3) p = B; }}",
        ":7:",
        "'p' is assigned",
    ),
    "unknown call": (f"{LOOP} A[i] = mystery(B[i]);", ":7:", "--pure mystery"),
    "call as statement": (f'{LOOP} printf("x");', ":7:", "'printf'"),
    "unknown size": ("for (i = 0; i < SIZE; i++) A[i] = 0;", ":7:", "'SIZE'"),
    "variable step": ("for (i = 0; i < 100; i += m) A[i] = 0;", ":7:", "step"),
    "changed iterator": (f"{LOOP} {{ A[i] = 0; i++; }}", ":7:", "'i' is changed"),
    "product of a remainder as bound": (
        "for (i = 0; i < 9; i++) for (j = 0; j < m * (k % 3); j++) C[i][j] = 0;",
        ":7:",
        "not affine",
    ),
    "empty scop": ("", ":6", "empty"),
}
WHOLE_FILES = {
    "no scop": ("int main(void) { return 0; }\n", "", "#pragma scop"),
    "missing endscop": (
        "int a[9];\nvoid f(void)\n{\n#pragma scop\n  a[0] = 1;\n}\n",
        ":4",
        "without a #pragma endscop",
    ),
    "missing scop": (
        "int a[9];\nvoid f(void)\n{\n  a[0] = 1;\n#pragma endscop\n}\n",
        ":5",
        "without a #pragma scop",
    ),
    "missing header": (
        '#include "nothere.h"\n' + PROLOGUE + f"{LOOP} A[i] = 0;" + EPILOGUE,
        ":1:10",
        "nothere.h",
    ),
    "not a text": ("\x00\x01\x02", "", "not a text file"),
}
GOOD = PROLOGUE + f"{LOOP} A[i] = 2 * B[i];" + EPILOGUE


def _expect_error(capsys, arguments, status=1):
    """Run a command that must fail, and give its single message."""
    assert main([str(a) for a in arguments]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("polysched: error: ") == 1
    assert "Traceback" not in captured.err
    assert "bug in polysched" not in captured.err
    return captured.err


def _file(tmp_path, text):
    path = tmp_path / "input.c"
    path.write_text(text, encoding="latin-1")
    return path


def _check_refused(capsys, tmp_path, text, place, words):
    path, out = _file(tmp_path, text), tmp_path / "out.c"
    before = path.read_bytes()
    err = _expect_error(capsys, ["optimize", path, "-o", out])
    assert f"{path}{place}" in err
    assert words in err
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["input.c"]


@pytest.mark.parametrize("case", REFUSED)
def test_refused_code(case, tmp_path, capsys):
    body, place, words = REFUSED[case]
    _check_refused(capsys, tmp_path, PROLOGUE + body + EPILOGUE, place, words)


@pytest.mark.parametrize("case", WHOLE_FILES)
def test_refused_file(case, tmp_path, capsys):
    _check_refused(capsys, tmp_path, *WHOLE_FILES[case])


def test_place_has_the_source_line_and_a_caret(tmp_path, capsys):
    path = _file(tmp_path, PROLOGUE + "    while (m) { A[m] += 1; m /= 2; }" + EPILOGUE)
    err = _expect_error(capsys, ["space", path]).splitlines()
    assert err[1].endswith("    while (m) { A[m] += 1; m /= 2; }")
    assert err[2].index("^") == err[1].index("while")
    assert err[3].startswith("hint: ")


def test_missing_file(tmp_path, capsys):
    err = _expect_error(capsys, ["space", tmp_path / "none.c"], 2)
    assert "none.c" in err
    assert "does not exist" in err


def test_directory_instead_of_a_file(tmp_path, capsys):
    assert "is a directory" in _expect_error(capsys, ["space", tmp_path], 2)


def test_unreadable_flags(tmp_path, capsys):
    path = _file(tmp_path, GOOD)
    err = _expect_error(capsys, ["space", path, "--cflags", "-O2 '"], 2)
    assert "cannot split" in err


def test_flag_that_the_compiler_refuses(tmp_path, capsys):
    path = _file(tmp_path, GOOD)
    err = _expect_error(capsys, ["space", path, "-D", "1=2"])
    assert "1" in err


def test_compiler_that_is_not_there(tmp_path, capsys):
    path = _file(tmp_path, GOOD)
    err = _expect_error(capsys, ["space", path, "--cc", "no-such-cc"])
    assert "'no-such-cc'" in err


def test_unknown_parameter(tmp_path, capsys):
    path = _file(tmp_path, GOOD)
    err = _expect_error(capsys, ["space", path, "--param", "q=3"])
    assert "no parameter named 'q'" in err
    assert "m, k" in err


def test_unknown_schedule(tmp_path, capsys):
    path, out = _file(tmp_path, GOOD), tmp_path / "out.c"
    arguments = ["optimize", path, "-o", out, "--schedule", "zzzz"]
    err = _expect_error(capsys, [*arguments, "--policy", "minimal"])
    assert "no schedule starts with 'zzzz'" in err
    assert "ids of this space" in err
    assert not out.exists()


def test_unknown_scop(tmp_path, capsys):
    path = _file(tmp_path, GOOD)
    err = _expect_error(capsys, ["space", path, "--scop", "g"])
    assert "no scop named 'g'" in err
    assert "the scops are: f" in err


def test_unknown_policy(tmp_path, capsys):
    path = _file(tmp_path, GOOD)
    err = _expect_error(capsys, ["space", path, "--policy", "fastest"])
    assert "'fastest'" in err
    assert "balanced" in err


@pytest.mark.parametrize("command", ["optimize", "tune"])
def test_output_equal_to_input(command, tmp_path, capsys):
    path = _file(tmp_path, GOOD)
    err = _expect_error(capsys, [command, path, "-o", path])
    assert "inputs are never changed" in err
    assert path.read_text() == GOOD


@pytest.mark.parametrize("command", ["optimize", "tune"])
def test_output_in_a_missing_directory(command, tmp_path, capsys):
    path = _file(tmp_path, GOOD)
    err = _expect_error(capsys, [command, path, "-o", tmp_path / "no" / "out.c"])
    assert "does not exist" in err


def test_output_that_is_missing(tmp_path, capsys):
    err = _expect_error(capsys, ["optimize", _file(tmp_path, GOOD)], 2)
    assert "-o" in err


def test_unknown_command(capsys):
    assert "speedup" in _expect_error(capsys, ["speedup"], 2)


def test_machine_file_that_is_no_machine(tmp_path, capsys):
    path, machine = _file(tmp_path, GOOD), tmp_path / "machine.json"
    machine.write_text("{")
    err = _expect_error(capsys, ["space", path, "--machine", machine])
    assert "is not JSON" in err


def test_records_that_are_no_database(tmp_path, capsys):
    path, records = _file(tmp_path, GOOD), tmp_path / "records.sqlite"
    records.write_text("not a database, but long enough to look at" * 20)
    out = tmp_path / "out.c"
    err = _expect_error(capsys, ["tune", path, "-o", out, "--records", records])
    assert "records.sqlite" in err
    assert not out.exists()


def test_program_that_fails_by_itself(tmp_path, capsys):
    text = GOOD + "int main(void) { f(1, 1, 0); return *(volatile int *)0; }\n"
    path, out = _file(tmp_path, text), tmp_path / "out.c"
    arguments = ["tune", path, "-o", out, "--records", tmp_path / "r", "--budget", 1]
    err = _expect_error(capsys, [*arguments, "--policy", "minimal"])
    assert "the original program fails" in err
    assert not out.exists()


def test_size_that_a_bare_function_needs(tmp_path, capsys):
    text = GOOD.replace("i < 100", "i < m")
    path, out = _file(tmp_path, text), tmp_path / "out.c"
    arguments = ["tune", path, "-o", out, "--records", tmp_path / "r", "--budget", 1]
    err = _expect_error(capsys, [*arguments, "--policy", "minimal"])
    assert "--param" in err


def test_refused_scop_beside_a_good_one_is_left_alone(tmp_path, capsys):
    bad = PROLOGUE + "while (m) { A[m] += 1; m /= 2; }" + EPILOGUE
    path = _file(tmp_path, bad + GOOD.split("\n", 2)[2].replace("f(int", "g(int"))
    out = tmp_path / "out.c"
    assert main(["optimize", str(path), "-o", str(out), "--policy", "minimal"]) == 0
    err = capsys.readouterr().err
    assert "scop left as it is" in err
    assert "found a while loop" in err
    text = out.read_text()
    assert "while (m) { A[m] += 1; m /= 2; }" in text
    assert "schedule" in text.split("void g")[1]


def test_inspect_names_every_refusal(tmp_path, capsys):
    bad = PROLOGUE + "while (m) { A[m] += 1; m /= 2; }" + EPILOGUE
    other = bad.split("\n", 2)[2].replace("f(int", "g(int").replace("while", "if")
    path = _file(tmp_path, bad + other.replace("A[m] += 1", "mystery()"))
    assert main(["inspect", str(path)]) == 1
    err = capsys.readouterr().err
    assert err.count("polysched: refused: ") == 2
    assert "while" in err
    assert "mystery" in err
