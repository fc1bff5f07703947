"""Register tiles: full ones are unrolled without guards, the rest runs in loops."""

from __future__ import annotations

from pathlib import Path

import islpy as isl
import pytest

from polysched.analysis import find_violation, place_size, statement_places
from polysched.frontend import parse_c
from polysched.ir import ScheduleTree, Scop
from polysched.transform import Jam, Tile, apply_script, parse_script
from polysched.transform.band_view import view_band
from polysched.transform.choose import choose_jam
from tests.unit import scops
from tests.unit.space.made import MACHINE
from tests.unit.transform import trees
from tests.unit.transform.test_conflicts import merged

JAMMED = (
    "tile(band=0, sizes=[32, 16, 64]); parallel(band=0.0); "
    "jam(band=0.0.0.0, factors=[4, 2, 1]); vector(band=0.0.0.0, member=2)"
)


def product_only(domain: str) -> Scop:
    return scops.scop(
        "product",
        scops.statement(
            "S1",
            domain,
            (0, 0, 0, 0),
            "r [i, k, j] -> A[i, k]",
            "r [i, k, j] -> B[k, j]",
            "r [i, k, j] -> C[i, j]",
            "w [i, k, j] -> C[i, j]",
        ),
    )


BAND = "[{ S1[i, k, j] -> [(i)] }, { S1[i, k, j] -> [(k)] }, { S1[i, k, j] -> [(j)] }]"


def print_code(tree: ScheduleTree) -> str:
    build = isl.AstBuild.from_context(isl.Set("{ : }"))
    return str(build.node_from_schedule(tree.schedule).to_C_str())


def body_instances(tree: ScheduleTree) -> int:
    return print_code(tree).count("S1(")


def test_register_tile_is_legal_and_keeps_every_instance() -> None:
    tree, deps = trees.gemm()
    done = apply_script(tree, parse_script(JAMMED), deps)
    assert find_violation(done, deps) is None
    assert done.schedule.get_domain().is_equal(tree.schedule.get_domain())


def test_divisible_sizes_leave_only_unrolled_copies() -> None:
    scop = product_only("{ S1[i, k, j] : 0 <= i < 64 and 0 <= k < 32 and 0 <= j < 9 }")
    tree, _ = trees.one_band(scop, BAND)
    done = Jam((0,), (4, 2, 1)).apply(tree)
    assert body_instances(done) == 8
    assert "if" not in print_code(done)


def test_remainders_are_not_unrolled() -> None:
    scop = product_only("{ S1[i, k, j] : 0 <= i < 65 and 0 <= k < 33 and 0 <= j < 9 }")
    tree, _ = trees.one_band(scop, BAND)
    assert body_instances(Jam((0,), (4, 2, 1)).apply(tree)) == 8 + 2


def test_isolation_survives_the_outer_tiles() -> None:
    scop = product_only("{ S1[i, k, j] : 0 <= i < 64 and 0 <= k < 32 and 0 <= j < 99 }")
    tree, deps = trees.one_band(scop, BAND)
    done = apply_script(tree, parse_script(JAMMED), deps)
    assert body_instances(done) == 8


def test_triangle_isolates_what_is_full_everywhere() -> None:
    scop = product_only("{ S1[i, k, j] : 0 <= i < 64 and 0 <= k <= i and 0 <= j < 9 }")
    tree, deps = trees.one_band(scop, BAND)
    done = Jam((0,), (2, 2, 1)).apply(tree)
    assert 4 <= body_instances(done) <= 10
    assert find_violation(done, deps) is None


@pytest.mark.parametrize("size", [1, 3])
def test_domain_without_a_full_tile_is_refused(size: int) -> None:
    box = f"0 <= i < {size} and 0 <= k < {size} and 0 <= j < {size}"
    scop = product_only(f"{{ S1[i, k, j] : {box} }}")
    tree, deps = trees.one_band(scop, BAND)
    reason = Jam((0,), (4, 4, 1)).check(tree, deps)
    assert reason == "no register tile of the shape [4, 4, 1] is full"


def test_nothing_is_tiled_above_a_register_tile() -> None:
    tree, deps = trees.gemm()
    jammed = Jam((0,), (2, 2, 1)).apply(tree)
    reason = Tile((0,), (8, 8, 8)).check(jammed, deps)
    assert reason is not None
    assert "isolates full tiles" in reason


def test_jam_of_a_band_that_is_not_permutable_is_refused() -> None:
    band = trees.JACOBI_BAND.replace("2t + ", "")
    tree, deps = trees.one_band(scops.jacobi_2d(), band, "S0", "S1")
    reason = Jam((0,), (2, 2, 1)).check(tree, deps)
    assert reason is not None
    assert "violated" in reason


def test_options_survive_the_text_of_the_tree() -> None:
    tree, deps = trees.gemm()
    done = apply_script(tree, parse_script(JAMMED), deps)
    again = ScheduleTree.parse(done.text)
    assert print_code(again) == print_code(done)


NOTHING_RUNS = """{ domain: "{ S0[i] : 0 <= i < 16 }", child: { sequence: [
  { filter: "{ S0[i] : i < 4 }", child: { sequence: [
    { filter: "{ S0[i] : i >= 8 }", child: { schedule: "[{ S0[i] -> [(i)] }]" } },
    { filter: "{ S0[i] : i < 8 }", child: { schedule: "[{ S0[i] -> [(i)] }]" } } ] } },
  { filter: "{ S0[i] : i >= 4 }", child: { schedule: "[{ S0[i] -> [(i)] }]" } } ] } }"""


def test_a_band_that_cuts_have_left_empty_has_no_tiles_and_no_size() -> None:
    tree = ScheduleTree.parse(NOTHING_RUNS)
    first, second = sorted(p.path for p in statement_places(tree))[:2]
    assert "is full" in str(Jam(first[:-1], (2,)).find_misfit(tree))
    assert Jam(second[:-1], (2,)).find_misfit(tree) is None
    sizes = {p.path: place_size(tree, p) for p in statement_places(tree)}
    assert (sizes[first], sizes[second]) == (0.0, 4.0)


@pytest.mark.parametrize(
    ("width", "estimate", "along"),
    [
        ("1024", 0, "k"),
        ("1000", 0, "i"),
        ("n", 0, "i"),
        ("n", 1000, "i"),
        ("n + 4", 1020, "k"),
    ],
)
def test_rows_that_share_cache_sets_are_not_jammed(
    width: str, estimate: int, along: str, tmp_path: Path
) -> None:
    path = tmp_path / "case.c"
    path.write_text(
        f"void f(int n, float a[99][99], float c[99][{width}], float b[99][1000]) {{\n"
        "#pragma scop\nfor (int i = 0; i < 64; i++) for (int k = 0; k < 64; k++)\n"
        "for (int j = 0; j < 900; j++) c[i][j] += a[i][k] * b[k][j];\n"
        "#pragma endscop\n}\n"
    )
    scop = parse_c(path).scops[0].with_estimates({"n": estimate} if estimate else {})
    factors = choose_jam(view_band(merged(scop), scop, (0,)), MACHINE.cpu, vector=True)
    assert (factors[0] > 1) == (along == "i")
    assert factors[1] > 1
