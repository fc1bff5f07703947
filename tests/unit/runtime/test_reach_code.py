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


CHANGED = "for (int i = 0; i < n; i++) { other[i] = key[i] + 1; out[other[i]] += i; }"
MAIN = """int main(void)
{
  static int key[] = {3, 9, 10, 4, 7};
  PLACE
  f(5, key, out + 1, other);
  free(other);
  return 0;
}
"""


def heap_bench(directory: Path, place: str, out: str = "int *out") -> Workbench:
    path = directory / "p.c"
    path.write_text(
        "#include <stdlib.h>\n"
        f"static void f(int n, const int *key, {out}, int *other)\n{{\n#pragma scop\n"
        f"{CHANGED}\n#pragma endscop\n}}\n" + MAIN.replace("PLACE", place)
    )
    program = parse_c(path)
    return Workbench(
        program,
        prepare_scop(program.scops[0]),
        toolchain=Toolchain(cflags=("-O0", "-Wall", "-Werror")),
        directory=directory / "work",
        options=RunOptions(),
    )


@pytest.mark.cc
@pytest.mark.parametrize(
    "place",
    [
        "int *out = malloc(14 * sizeof *out), *other = malloc(5 * sizeof *other);",
        "int *out = malloc(4), *other = calloc(5, 4); out = realloc(out, 56);",
        "int *other = aligned_alloc(64, 64); void *p; posix_memalign(&p, 64, 56);"
        " int *out = p;",
    ],
)
def test_places_that_the_region_changes_are_within_a_block(
    tmp_path: Path, place: str
) -> None:
    bench = heap_bench(tmp_path, place)
    run = bench.execute(bench.build("p", None), timeout_seconds=10, with_dump=True)
    assert run.dump is not None
    (values,) = (
        segment.values
        for number, segment in enumerate(run.dump.segments)
        if bench.dump_code.arrays[number] == "out"
    )
    assert values.tolist() == [0, 0, 0, 0, 0, 3, 0, 0, 4, 0, 1, 2, 0]


@pytest.mark.cc
def test_places_that_the_region_changes_are_not_known_on_the_stack(
    tmp_path: Path,
) -> None:
    place = "int out[14] = {0}; int *other = malloc(20);"
    bench = heap_bench(tmp_path, place)
    with pytest.raises(RunError, match="nobody knows how large out is"):
        bench.execute(bench.build("p", None), timeout_seconds=10, with_dump=True)


@pytest.mark.cc
def test_places_that_the_region_changes_are_in_what_is_declared(tmp_path: Path) -> None:
    place = "int out[14] = {0}; int *other = malloc(20);"
    bench = heap_bench(tmp_path, place, "int out[n + 7]")
    run = bench.execute(bench.build("p", None), timeout_seconds=10, with_dump=True)
    assert run.dump is not None
    sizes = {
        bench.dump_code.arrays[k]: s.values.size
        for k, s in enumerate(run.dump.segments)
    }
    assert sizes == {"out": 12, "other": 5}


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
