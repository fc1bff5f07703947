"""Of arrays of unknown size what is dumped is what the region reaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from polysched.analysis import prepare_scop
from polysched.base import RunError
from polysched.frontend import parse_c
from polysched.runtime import RunOptions, Toolchain, Workbench, print_dump

# A region, and the subscripts from the first that it writes to the last.
CASES = {
    "a histogram": ("for (int i = 0; i < n; i++) out[key[i]]++;", range(3, 11)),
    "a place in a variable": (
        "for (int i = 0; i < n; i++) { int k = key[i] - 5; out[k + 1] = i; }",
        range(-1, 7),
    ),
    "under a condition": (
        "for (int i = 0; i < n; i++) if (key[i] > 4) out[key[i]] += i;",
        range(7, 11),
    ),
    "in a loop that data end": (
        "for (int i = 0; i < n; i++) for (int k = 0; k < key[i] - 6; k++) {"
        " int t = key[k] & 3; out[2 * t] -= k; }",
        range(7),
    ),
    "rows that need not be in order": (
        "for (int i = 0; i < n - 1; i++)"
        " for (int k = key[i]; k < key[i + 1]; k++) out[k] += i;",
        range(3, 10),
    ),
    "nothing": ("for (int i = 0; i < n - 9; i++) out[key[i]]++;", range(0)),
    "a private table": (
        "int at[5]; for (int i = 0; i < n; i++) at[i] = key[n - 1 - i];"
        " for (int i = 1; i < n; i++) { out[at[i]]++; other[i] = out[at[i] - 1]; }",
        range(3, 11),
    ),
}


def bench_of(directory: Path, region: str) -> Workbench:
    path = directory / "p.c"
    path.write_text(
        "static void f(int n, const int *key, int *out, int *other)\n{\n#pragma scop\n"
        f"{region}\n#pragma endscop\n}}\n"
        "int main(void)\n{\n"
        "  int key[] = {3, 9, 10, 4, 7}, out[12] = {0}, other[12] = {0};\n"
        "  f(5, key, out + 1, other);\n  return 0;\n}\n"
    )
    program = parse_c(path)
    return Workbench(
        program,
        prepare_scop(program.scops[0]),
        toolchain=Toolchain(cflags=("-O0", "-Wall", "-Werror", "-fsanitize=address")),
        directory=directory / "work",
        options=RunOptions(),
    )


@pytest.mark.cc
@pytest.mark.parametrize("case", CASES)
def test_dumps_end_where_the_region_does(tmp_path: Path, case: str) -> None:
    region, expected = CASES[case]
    bench = bench_of(tmp_path, region)
    run = bench.execute(bench.build("p", None), timeout_seconds=10, with_dump=True)
    assert run.dump is not None
    found = [
        segment.subscripts(k)
        for number, segment in enumerate(run.dump.segments)
        for k in range(segment.values.size)
        if bench.dump_code.arrays[number] == "out"
    ]
    assert found == [(k,) for k in expected]


def test_places_that_the_region_changes_are_not_known(tmp_path: Path) -> None:
    region = "for (int i = 0; i < n; i++) { other[i] = i; out[other[i]]++; }"
    with pytest.raises(RunError, match="out is written depends on other"):
        bench_of(tmp_path, region)


def test_what_is_surely_written_is_there(tmp_path: Path) -> None:
    region = (
        "for (int k = 0; k < 4; k++) out[k] = other[k] = 0;"
        " for (int i = 0; i < n; i++) { other[i] = i; out[other[i] & 3]++; }"
    )
    assert bench_of(tmp_path, region).dump_code.before == ""


def test_arrays_of_known_size_are_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "p.c"
    path.write_text(
        "static int count[9];\nvoid f(int n, int *key)\n{\n#pragma scop\n"
        "  for (int i = 0; i < n; i++)\n    count[key[i]]++;\n#pragma endscop\n}\n"
    )
    assert print_dump(parse_c(path).scops[0]).before == ""
