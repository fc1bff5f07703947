"""The blocks of a launch are read back from its text; every planted fault is found."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from polysched.base import CodegenError
from polysched.codegen.cuda import host
from polysched.codegen.cuda.verify_grid import check_grid
from tests.unit.codegen.cuda.programs import Prepared
from tests.unit.codegen.cuda.test_meeting import FIELDS, FIELDS_BAND, FIELDS_SCRIPT

TRIANGLE = """for (int i = 3; i < n; i++)
    for (int j = i; j < m; j++)
      C[i][j] = A[i][j];"""
TRIANGLE_SCRIPT = "merge(band=0); launch(band=0, tile=[8,32], threads=[8,32])"
DEEP = """for (int b = 0; b < %s; b++)
    for (int a = 0; a < %s; a++)
      for (int i = 0; i < N / 4; i++)
        for (int j = 0; j < N; j++)
          E[b][4 * i + a][j] = D[b][4 * i + a][j] + 1;"""
DEEP_SCRIPT = (
    3 * "merge(band=0); " + "launch(band=0, tile=[1,1,4,8], threads=[1,1,4,8])"
)
WAVES = """for (int i = 1; i < N; i++)
    for (int j = 1; j < N; j++)
      C[i][j] += C[i - 1][j] + C[i][j - 1];"""
WAVES_SCRIPT = (
    "merge(band=0); wavefront(band=0, members=2); "
    "launch(band=0.0, tile=[4], threads=[4], member=1)"
)
LATE = FIELDS_BAND.replace("t + j", "64 + t + j")  # last tile: h == 0 ? 89 : 91
Checked = tuple[object, ...]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Checked]:
    """What `check_grid` was asked while something was printed."""
    asked: list[Checked] = []

    def note(*arguments: object) -> bool:
        asked.append(arguments)
        return check_grid(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(host, "check_grid", note)
    return asked


def proven(checked: list[Checked]) -> list[bool]:
    return [check_grid(*arguments) for arguments in checked]  # type: ignore[arg-type]


def with_launch(arguments: Checked, change: Callable[[str], str]) -> Checked:
    """The same with another text of the launch."""
    lines = arguments[2]
    changed = [change(line) for line in lines]  # type: ignore[attr-defined]
    assert changed != list(lines)  # type: ignore[call-overload]
    return (*arguments[:2], changed, *arguments[3:])


@pytest.mark.parametrize(
    ("body", "band", "script"),
    [
        (TRIANGLE, "", TRIANGLE_SCRIPT),
        (WAVES, "", WAVES_SCRIPT),
        (FIELDS, LATE, FIELDS_SCRIPT),
        (DEEP % (3, 4), "", DEEP_SCRIPT),  # two members share an axis
        (DEEP % ("n - 18", 4), "", DEEP_SCRIPT),
    ],
)
def test_blocks_of_printed_launches_are_proven(
    checked: list[Checked], tmp_path: Path, body: str, band: str, script: str
) -> None:
    given = Prepared.of(tmp_path, body, n=31)
    (given.in_band(band) if band else given).print(script)
    assert checked
    assert all(proven(checked))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (" + 1;", ";", "is left out"),
        (" + 1;", " + 2;", "does not have"),
        ("/ 8 + 1", "/ 16 + 1", "leaves out blocks"),
        (
            "dim3(n_blocks1, n_blocks0)",
            "dim3(n_blocks0, n_blocks1)",
            "leaves out blocks",
        ),
        ("dim3(n_blocks1, n_blocks0)", "dim3(n_blocks1)", "leaves out blocks"),
        (
            "dim3(n_blocks1, n_blocks0)",
            "dim3(n_blocks1, n_blocks0, 2)",
            "runs a block twice",
        ),
        ("n_blocks0 > 0", "n_blocks0 > 1", "is left out"),
    ],
)
def test_planted_faults_of_a_launch_are_found(
    checked: list[Checked], tmp_path: Path, old: str, new: str, message: str
) -> None:
    Prepared.of(tmp_path, TRIANGLE).print(TRIANGLE_SCRIPT)
    (arguments,) = checked
    wrong = with_launch(arguments, lambda line: line.replace(old, new))
    with pytest.raises(CodegenError, match=message):
        check_grid(*wrong)  # type: ignore[arg-type]


def test_a_choice_without_parentheses_is_found(
    checked: list[Checked], tmp_path: Path
) -> None:
    """It has been printed: ``h == 0 ? 89 : 91 - first`` where ``(...) - first``."""
    Prepared.of(tmp_path, FIELDS, n=31).in_band(LATE).print(FIELDS_SCRIPT)
    (arguments,) = checked

    def unwrap(line: str) -> str:
        if "?" not in line:
            return line
        head, _, rest = line.partition("((")
        choice, _, tail = rest.partition(") -")
        return f"{head}({choice} -{tail}"

    with pytest.raises(CodegenError, match="blocks"):
        check_grid(*with_launch(arguments, unwrap))  # type: ignore[arg-type]


@pytest.mark.parametrize(("old", "new"), [("8 * (", "4 * ("), ("b0 = ", "b0 = 8 + ")])
def test_a_kernel_that_looks_elsewhere_is_found(
    checked: list[Checked], tmp_path: Path, old: str, new: str
) -> None:
    Prepared.of(tmp_path, TRIANGLE).print(TRIANGLE_SCRIPT)
    mapped, kernel, *rest = checked[0]
    lines = tuple(line.replace(old, new) for line in kernel.lines)  # type: ignore[attr-defined]
    with pytest.raises(CodegenError, match="blocks"):
        check_grid(mapped, replace(kernel, lines=lines), *rest)  # type: ignore[arg-type, type-var]


def test_a_product_of_unknown_counts_is_not_proven(
    checked: list[Checked], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="polysched")
    Prepared.of(tmp_path, TRIANGLE).print(TRIANGLE_SCRIPT)
    product = with_launch(checked[0], lambda line: line.replace("/ 8 + 1", "* m"))
    assert proven([product]) == [False]
    assert "not proven" in caplog.text
