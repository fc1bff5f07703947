"""Recurrences along rows advance several rows at a time; other loops are left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from polysched.analysis import (
    Dependences,
    compute_dependences,
    find_violation,
    prepare_scop,
    set_band_flags,
)
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop, original_tree
from polysched.transform import (
    PlanShape,
    Sink,
    Version,
    apply_script,
    parse_script,
    plan_script,
    print_script,
)
from polysched.transform.draft import has_band_below
from tests.unit import scops
from tests.unit.transform import trees
from tests.unit.transform.test_plan import CPU

ROWS = PlanShape(rows=True)


def sweeps(extent: str, reads: str = "A[i, j - 1]") -> Scop:
    """Two recurrences per row, forward into A, then along it into X."""
    box = f"0 <= i < {extent} and 1 <= j < 100"
    return scops.scop(
        "sweeps",
        scops.statement(
            "S0",
            f"{{ S0[i, j] : {box} }}",
            (0, 0, 0),
            f"r [i, j] -> {reads}",
            "w [i, j] -> A[i, j]",
        ),
        scops.statement(
            "S1",
            f"{{ S1[i, j] : {box} }}",
            (0, 1, 0),
            "r [i, j] -> A[i, j]",
            "r [i, j] -> X[i, j - 1]",
            "w [i, j] -> X[i, j]",
        ),
    )


def source_order(scop: Scop) -> tuple[ScheduleTree, Dependences]:
    deps = compute_dependences(scop)
    return set_band_flags(original_tree(scop), deps), deps


def planned(scop: Scop, l2_bytes: int = CPU.l2_bytes) -> str:
    tree, deps = source_order(scop)
    cpu = replace(CPU, l2_bytes=l2_bytes)
    return print_script(plan_script(tree, scop, deps, cpu, ROWS).steps)


def test_rows_of_recurrences_are_tiled_sunk_and_shared() -> None:
    scop = sweeps("1000")
    text = planned(scop)
    assert text.startswith("tile(band=0, sizes=[32]); sink(band=0.0.0)")
    assert "parallel(band=0.0, member=0" in text
    tree, deps = source_order(scop)
    done = apply_script(tree, parse_script(text), deps)
    assert find_violation(done, deps, scop) is None
    inner = [b for _, b in done.bands() if not has_band_below(b)]
    rows = [str(b.band_get_partial_schedule()) for b in inner]
    assert len(rows) == 2
    assert all("[(i)]" in row for row in rows)


def test_short_loops_of_full_tiles_are_set_apart_in_vectors_of_half_a_line() -> None:
    box = "0 <= i < 1000 and 1 <= j < 100"
    scop = scops.scop(
        "columns",
        *(
            scops.statement(
                f"S{k}",
                f"{{ S{k}[i, j] : {box} }}",
                (0, k, 0),
                f"r [i, j] -> {array}[j - 1, i]",
                f"w [i, j] -> {array}[j, i]",
            )
            for k, array in enumerate("AB")
        ),
    )
    text = planned(scop)
    for k in range(2):
        band = f"0.0.0.0.{k}.0.0"
        isolated = f"isolate(band={band}, sizes=[32])"
        assert f"{isolated}; vector(band={band}, member=0, lanes=4)" in text


STATES = """double X[1000], Y[1000], C[60], Z[61][1000];
void f(int n) {
#pragma scop
  for (int i = 0; i < n; i++) {
    double a = 0.0, b = 0.0;
    for (int k = 1; k < 60; k++) {
      double t = X[i] * a - b + C[k];
      b = a;
      a = t;
    }
    Y[i] = a;
  }
#pragma endscop
}
"""


def states(tmp_path: Path, text: str = STATES) -> Scop:
    """A recurrence of private scalars for each element."""
    path = tmp_path / "states.c"
    path.write_text(text)
    return prepare_scop(parse_c(path).scops[0])


def test_rows_with_private_states_share_a_loop_and_have_a_version_for_full_tiles(
    tmp_path: Path,
) -> None:
    scop = states(tmp_path)
    text = planned(scop)
    assert "sink(band=0.0.0, together=true)" in text
    assert "version(band=0.0.0, size=32); vector(" in text
    assert "isolate" not in text
    assert "lanes" not in text
    tree, deps = source_order(scop)
    done = apply_script(tree, parse_script(text), deps)
    assert find_violation(done, deps, scop) is None
    inner = [b for _, b in done.bands() if not has_band_below(b)]
    assert sum("k" in str(b.get_domain()) for b in inner) == 1


def test_what_is_written_to_memory_has_no_version(tmp_path: Path) -> None:
    text = planned(states(tmp_path, STATES.replace("a = t;", "a = Z[k][i] = t;")))
    assert "sink(band=0.0.0);" in text
    assert "version" not in text
    assert "lanes=4" in text


def test_steps_that_a_version_does_not_fit_say_why(tmp_path: Path) -> None:
    tree, _ = source_order(states(tmp_path))
    inner = next(p for p, b in tree.bands() if not has_band_below(b))
    assert "no loop over" in str(Version(inner, 8).find_misfit(tree))
    assert "found size 1" in str(Version((0,), 1).find_misfit(tree))
    assert "found -1 members" in str(Version((0,), 8, -1).find_misfit(tree))
    tiled = apply_script(tree, parse_script("tile(band=0, sizes=[8])"))
    once = Version((0, 0), 8).apply(tiled)
    assert "isolates full tiles already" in str(Version((0, 0), 8).find_misfit(once))


def test_the_innermost_of_several_parallel_loops_is_tiled() -> None:
    scop = scops.scop(
        "planes",
        scops.statement(
            "S0",
            "{ S0[i, k, j] : 0 <= i < 9 and 0 <= k < 100 and 1 <= j < 100 }",
            (0, 0, 0, 0),
            "r [i, k, j] -> A[i, j - 1, k]",
            "w [i, k, j] -> A[i, j, k]",
        ),
        scops.statement(
            "S1",
            "{ S1[i, k] : 0 <= i < 9 and 0 <= k < 100 }",
            (0, 0, 1),
            "r [i, k] -> A[i, 99, k]",
            "w [i, k] -> X[i, k]",
        ),
    )
    text = planned(scop)
    assert "tile(band=0, sizes=[1, 32]); sink(band=0.0.0)" in text
    tree, deps = source_order(scop)
    done = apply_script(tree, parse_script(text), deps)
    assert find_violation(done, deps, scop) is None
    assert done.map.is_injective()


def test_rows_of_a_tile_fit_half_of_the_second_cache() -> None:
    assert "sizes=[16]" in planned(sweeps("1000"), l2_bytes=64 << 10)


def test_a_few_rows_are_left_alone() -> None:
    assert "sink" not in planned(sweeps("15"))


def test_rows_with_a_parallel_loop_are_left_alone() -> None:
    assert "sink" not in planned(sweeps("1000", reads="B[i, j]"))


def test_rows_that_wait_for_each_other_are_left_alone() -> None:
    assert "sink" not in planned(sweeps("1000", reads="A[i - 1, j]"))


@pytest.mark.parametrize("extent", ["1", "7", "16", "17", "33", "n"])
def test_any_number_of_rows_runs_once_in_order(extent: str) -> None:
    declared = f"[n] -> {{ S0[i, j] : 0 <= i < {extent} and 1 <= j < 100 }}"
    scop = scops.scop(
        "rows",
        scops.statement(
            "S0",
            declared,
            (0, 0, 0),
            "r [i, j] -> A[i, j - 1]",
            "w [i, j] -> A[i, j]",
        ),
    )
    tree, deps = source_order(scop)
    script = parse_script("tile(band=0, sizes=[8]); sink(band=0.0.0)")
    done = apply_script(tree, script, deps)
    assert done.map.is_injective()
    assert find_violation(done, deps, scop) is None


def test_sinking_a_band_that_carries_a_dependence_is_refused_with_a_witness() -> None:
    scop = sweeps("1000", reads="X[i - 1, j + 1]")
    tree, deps = source_order(scop)
    reason = Sink((0,)).check(tree, deps)
    assert reason is not None
    assert "S1[i = 0, j = 2] must run before S0[i = 1, j = 1]" in reason


def test_innermost_bands_cannot_sink() -> None:
    tree, deps = trees.seidel()
    assert "no loop below" in str(Sink((0,)).check(tree, deps))


FORCES = """void f(int n, const double *x, double *y) {
#pragma scop
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int j = 0; j < n; j++) {
      double d = x[i] - x[j];
      if (d * d < 9.0 && j != i)
        sum += 1 / d;
    }
    y[i] = sum;
  }
#pragma endscop
}
"""


def test_rows_in_lanes_are_not_cut_where_few_of_them_meet_a_condition(
    tmp_path: Path,
) -> None:
    """One of 32 particles is itself now and then."""
    path = tmp_path / "forces.c"
    path.write_text(FORCES)
    (scop,) = parse_c(path).scops
    scop = prepare_scop(scop)
    text = planned(scop)
    assert "sink(" in text
    assert "vector(" in text
    assert "split(" not in text


def test_rows_are_tiled_below_loops_that_wait() -> None:
    """Forces on a particle, summed over boxes: each box after the other."""
    scop = scops.scop(
        "boxes",
        scops.statement(
            "S0", "{ S0[b, i] : 0 <= b < 9 and 0 <= i < 100 }", (0, 0, 0),
            "w [b, i] -> F[b, i]",
        ),
        scops.statement(
            "S1", "{ S1[b, i, j] : 0 <= b < 9 and 0 <= i < 100 and 0 <= j < 50 }",
            (0, 0, 1, 0), "r [b, i, j] -> F[b, i]", "w [b, i, j] -> F[b, i]",
        ),
        scops.statement(
            "S2", "{ S2[b, i] : 0 <= b < 9 and 0 <= i < 100 }", (0, 0, 2),
            "r [b, i] -> F[b, i]", "r [b, i] -> X[i]", "w [b, i] -> X[i]",
        ),
    )  # fmt: skip
    tree, deps = source_order(scop)
    assert not tree.node((0,)).band_member_get_coincident(0)
    text = print_script(plan_script(tree, scop, deps, CPU, ROWS).steps)
    assert "sizes=[1, 32]); sink(" in text
    done = apply_script(tree, parse_script(text), deps)
    assert find_violation(done, deps, scop) is None


@pytest.mark.parametrize(("n_rows", "size"), [(37, 37), (64, 32), (40, 40), (90, 32)])
def test_few_rows_that_fill_no_tile_are_one(n_rows: int, size: int) -> None:
    assert f"sizes=[{size}])" in planned(sweeps(str(n_rows)))


def test_tiles_whose_points_windows_pick_have_no_version(tmp_path: Path) -> None:
    """Every turn of the loop between runs two points of a tile, none all of them."""
    path = tmp_path / "pool.c"
    path.write_text(
        "void f(double x[64], double y[32]) {\n#pragma scop\n"
        "for (int i = 0; i < 32; i++)\n"
        "  for (int k = 2 * i; k < 2 * i + 3 && k < 64; k++)\n"
        "    y[i] += x[k];\n#pragma endscop\n}\n"
    )
    tree, deps = source_order(parse_c(path).scops[0])
    script = parse_script("tile(band=0, sizes=[8]); sink(band=0.0.0)")
    sunk = apply_script(tree, script, deps)
    assert "no tile of size 8 is full" in str(Version((0, 0), 8).find_misfit(sunk))
