"""Arrays of indices are made up with values that lie within what they index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polysched.base import RunError
from polysched.frontend import parse_c
from polysched.ir import Range
from polysched.runtime import RunOptions, Toolchain, Workbench
from polysched.runtime.places import find_places

SOURCE = """\
void pick(int n, int m, long at[n], unsigned char short_at[n], double x[m],
          double t[m][5], double flat[5 * m], double *bare, double y[n])
{
#pragma scop
    for (int i = 0; i < n; i++) {
        BODY
    }
#pragma endscop
}
"""
COUNT = """\
void count(int n, int m, long at[n], double x[m])
{
#pragma scop
    for (int i = 0; i < n; i++)
        x[at[i] + 500] += 1.0;
#pragma endscop
}
"""
N, M = 40, 1000


def scops(directory: Path, body: str):
    path = directory / "pick.c"
    path.write_text(SOURCE.replace("BODY", body))
    return parse_c(path)


@pytest.mark.cc
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("y[i] = x[at[i]];", {"at": Range(0, M - 1)}),
        ("y[i] = x[at[i] + 3] + x[at[i] - 2];", {"at": Range(2, M - 4)}),
        ("y[i] = x[m - 1 - at[i]];", {"at": Range(0, M - 1)}),
        ("y[i] = x[at[i] + i];", {"at": Range(0, M - N)}),
        ("for (int j = 0; j < 5; j++) y[i] += flat[5 * at[i] + j];",
         {"at": Range(0, M - 1)}),
        ("for (int j = 1; j < 4; j++) y[i] += flat[at[i] * 10 + j];",
         {"at": Range(0, (5 * M - 4) // 10)}),
        ("y[i] = t[at[i]][2] + x[i];", {"at": Range(0, M - 1)}),
        ("y[i] = t[i][at[i]];", {"at": Range(0, 4)}),
        ("int k = at[i]; y[i] = x[k] + t[k][0];", {"at": Range(0, M - 1)}),
        ("x[at[i]] += y[i];", {"at": Range(0, M - 1)}),
        ("y[i] = x[short_at[i]];", {"short_at": Range(0, 255)}),
        ("y[i] = x[short_at[i]] + x[at[i]];",
         {"short_at": Range(0, 255), "at": Range(0, M - 1)}),
        ("y[i] = x[i];", {}),
    ],
)  # fmt: skip
def test_every_subscript_lies_within_its_array(
    body: str, expected: dict[str, Range], tmp_path: Path
) -> None:
    program = scops(tmp_path, body)
    assert find_places(program.scops, {"n": N, "m": M}) == expected


@pytest.mark.cc
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("y[i] = bare[at[i]];", "elements of 'bare' are reached; they cannot"),
        ("y[i] = x[at[i] / 2];", "elements of 'x' are reached"),
        ("y[i] = x[at[i] + short_at[i]];", "elements of 'x' are reached"),
        ("y[i] = x[at[at[i]]];", "elements of 'x' are reached"),
        ("at[i] = i; y[i] = x[at[i]] + t[at[n - 1]][0];", "are reached"),
        ("y[i] = x[(int)t[i][0]];", "elements of 'x' are reached"),
        ("y[i] = t[0][at[i] * 7 + 1];", None),
        ("y[i] = t[0][short_at[i] + 5];", "no value of 'short_at' says"),
    ],
)
def test_other_places_are_refused(body: str, said: str | None, tmp_path: Path) -> None:
    program = scops(tmp_path, body)
    if said is None:
        assert find_places(program.scops, {"n": N, "m": M}) == {"at": Range(0, 0)}
        return
    with pytest.raises(RunError, match=said) as caught:
        find_places(program.scops, {"n": N, "m": M})
    hint = str(caught.value.hint)
    assert hint.endswith("add a main that calls the function")
    assert ("declare the array's size" in hint) == ("bare" in body)
    assert ("larger sizes" in hint) == ("no value" in said)


@pytest.mark.cc
def test_made_up_indices_reach_no_other_memory(tmp_path: Path) -> None:
    """Signed, negative ones among them, and as many different ones as there may be."""
    path = tmp_path / "count.c"
    path.write_text(COUNT)
    program = parse_c(path)
    for seed in range(3):
        bench = Workbench(
            program,
            program.scops[0],
            toolchain=Toolchain(cflags=("-O1", "-fsanitize=address,undefined")),
            directory=tmp_path / f"work{seed}",
            options=RunOptions(parameters={"n": 400, "m": M}, seed=seed),
        )
        run = bench.execute(bench.build("p", None), timeout_seconds=20, with_dump=True)
        assert run.dump is not None
        x = next(s.values for s in run.dump.segments if s.array == "x")
        counted = np.floor(x - 0.25)
        assert counted.sum() == 400
        assert 200 < np.count_nonzero(counted) < 400
        assert counted[:500].any()
