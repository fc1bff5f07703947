"""Iteration domains and dependence graphs: the right points, arrows, tiles, times."""

from __future__ import annotations

import islpy as isl
import numpy as np
import pytest

from polysched.analysis import Dependences, compute_dependences
from polysched.base import AnalysisError
from polysched.ir import ScheduleTree, original_tree
from polysched.show import dependence_graph, domain_picture
from polysched.show.graph import list_edges
from polysched.show.timing import find_timing
from polysched.show.window import list_pairs, open_window
from polysched.transform import apply_script, parse_script
from tests.unit import scops
from tests.unit.show.pages import (
    SVG,
    check_inside,
    check_no_overlap,
    drawn_texts,
    read_svg,
)
from tests.unit.transform import trees

TRIANGLE = scops.statement(
    "S0", "[n] -> { S0[i, j] : 0 <= i < n and i < j < n }", (0, 0, 0)
)


def _tiled_gemm() -> tuple[ScheduleTree, Dependences]:
    tree, deps = trees.gemm()
    script = parse_script("tile(band=0, sizes=[2, 4, 3])")
    return apply_script(tree, script, deps), deps


def test_window_is_the_whole_domain_where_that_is_small() -> None:
    window = open_window(TRIANGLE, {"n": 4})
    assert window.points.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert window.is_whole
    assert window.note == "n = 4"


def test_window_is_a_part_of_a_large_domain() -> None:
    window = open_window(TRIANGLE, {"n": 1000}, extent=3)
    assert window.points.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert not window.is_whole
    assert window.note == "n = 1000, a part of the domain"


def test_window_moves_to_where_there_are_points() -> None:
    far = scops.statement(
        "S0", "{ S0[i, j] : 0 <= i <= 50 and j = 100 - 2i }", (0, 0, 0)
    )
    window = open_window(far, extent=4)
    assert 0 < len(window.points) <= 4
    late = scops.statement(
        "S0", "[n] -> { S0[i] : 90 <= n <= 95 and 0 <= i < n }", (0, 0)
    )
    assert 90 <= open_window(late).parameters["n"] <= 95


def test_iterators_that_are_not_drawn_are_held() -> None:
    deep = scops.statement(
        "S0", "{ S0[i, j, k, l] : 0 <= i, j, k < 3 and 5 <= l < 9 }", (0, 0, 0, 0, 0)
    )
    assert open_window(deep).fixed == {"l": 5}
    window = open_window(deep, iterators=["l", "i"])
    assert window.fixed == {"j": 0, "k": 0}
    assert len(window.points) == 12
    assert window.names == ("l", "i")


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(AnalysisError, match="its iterators are: i, j"):
        open_window(TRIANGLE, iterators=["k"])
    with pytest.raises(AnalysisError, match="no instance"):
        open_window(TRIANGLE, {"n": 0})
    with pytest.raises(AnalysisError, match="its iterators are: none"):
        open_window(scops.statement("S0", "{ S0[] }", (0,)))


def test_pairs_are_those_inside_the_window() -> None:
    scop = scops.gemm()
    deps = compute_dependences(scop)
    window = open_window(scop.statement("S1"), {"n": 50}, extent=3)
    carried = next(d for d in deps.items if d.source == d.sink == "S1" and d.orders)
    sources, sinks = list_pairs(window, carried.relation)
    assert len(sources) == 3 * 3 * 2
    assert (sinks - sources == np.array([0, 1, 0])).all()


def test_parameters_that_only_a_relation_has_get_some_value() -> None:
    row = scops.statement("S0", "{ S0[i] : 0 <= i < 5 }", (0, 0))
    window = open_window(row)
    far = isl.Map("[m] -> { S0[i] -> S0[i + 1] : m = 700 }")
    assert len(list_pairs(window, far)[0]) == 4
    sized = open_window(TRIANGLE, {"n": 4})
    none = isl.Map("[n, m] -> { S0[i, j] -> S0[i, j + 1] : n = 700 and m > 3 }")
    assert len(list_pairs(sized, none)[0]) == 0


def test_times_are_ranks_and_tiles_blocks() -> None:
    tree, _ = _tiled_gemm()
    scop = scops.gemm()
    window = open_window(scop.statement("S1"), {"n": 12}, extent=6)
    timing = find_timing(window, tree)
    assert timing.n_times == len(window.points) == 6**3
    assert sorted(timing.ranks) == list(range(6**3))
    # i by 2, k by 4, j by 3: 3 x 2 x 2 tiles, each of points that are neighbours
    assert (timing.tiles == window.points // np.array([2, 4, 3])).all()
    plain = find_timing(window, original_tree(scop))
    assert plain.tiles.shape[1] == 0
    assert (np.argsort(plain.ranks) == np.arange(6**3)).all()


@pytest.mark.parametrize("colour", ["tile", "time"])
def test_pictures_have_a_disc_per_instance(colour: str) -> None:
    tree, deps = _tiled_gemm()
    statement = scops.gemm().statement("S1")
    flat = domain_picture(
        statement,
        tree=tree,
        dependences=deps,
        colour="tile" if colour == "tile" else "time",
        iterators=["i", "j"],
        extent=6,
    )
    deep = domain_picture(statement, tree=tree, dependences=deps, extent=4)
    for picture, n in ((flat, 36), (deep, 64)):
        root = read_svg(picture._repr_svg_())
        assert len(list(root.iter(f"{SVG}circle"))) == n
        check_inside(root)
        check_no_overlap(root)
    assert f"coloured by {colour}" in flat.title


def test_tiles_are_outlined_in_two_dimensions() -> None:
    tree, _ = _tiled_gemm()
    picture = domain_picture(
        scops.gemm().statement("S1"), tree=tree, iterators=["i", "j"], extent=6
    )
    root = read_svg(picture._repr_svg_())
    outlines = [e for e in root.iter(f"{SVG}polygon") if e.get("fill") == "none"]
    assert len(outlines) == 3 * 2
    assert "6 tiles, n = 6, k = 0" in " ".join(drawn_texts(root)).replace(";", ",")


def test_one_dimension_is_a_line() -> None:
    row = scops.statement("S0", "{ S0[i] : 0 <= i < 5 }", (0, 0))
    root = read_svg(domain_picture(row)._repr_svg_())
    assert len({e.get("cy") for e in root.iter(f"{SVG}circle")}) == 1


def test_too_many_arrows_become_one_of_each_distance() -> None:
    scop = scops.jacobi_2d()
    picture = domain_picture(
        scops.gauss_seidel().statements[0],
        dependences=compute_dependences(scops.gauss_seidel()),
        extent=8,
    )
    root = read_svg(picture._repr_svg_())
    assert 0 < len(list(root.iter(f"{SVG}polygon"))) < 60
    assert len(scop.statements) == 2


def test_graph_joins_kinds_and_has_a_row_per_arrow() -> None:
    scop = scops.jacobi_1d()
    deps = compute_dependences(scop)
    edges = list_edges(deps, scop)
    assert {e.source for e in edges} == {"S0", "S1"}
    assert all(e.distance.startswith("(") for e in edges)
    assert sum(len(e.kinds) for e in edges) == sum(d.orders for d in deps.items)
    root = read_svg(dependence_graph(deps, scop)._repr_svg_())
    check_inside(root)
    check_no_overlap(root)
    texts = drawn_texts(root)
    assert all(e.label in texts for e in edges)
    assert len(list(root.iter(f"{SVG}polygon"))) == len(edges)


def test_graph_without_a_scop_knows_distances_of_statements_to_themselves() -> None:
    deps = compute_dependences(scops.gemm())
    labels = [e.label for e in list_edges(deps)]
    assert any(label.endswith("(0, 1, 0)") for label in labels)
    more = list_edges(deps, with_input=True)
    assert len(more) > len(labels)
    assert dependence_graph(deps, with_input=True).body.count("input") > 0
