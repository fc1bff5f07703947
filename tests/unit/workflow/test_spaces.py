"""Spaces of SCoPs without a file: variants, choices, explanations."""

from __future__ import annotations

import pytest

from polysched.base import CodegenError, PolyschedError
from polysched.ir import Program, ScheduleTree
from polysched.testing import ScopBuilder
from polysched.workflow import (
    build_space,
    choose_candidates,
    load_space,
    optimize,
    read_header,
    tune,
)
from polysched.workflow import variant as variants
from polysched.workflow.variant import print_region


@pytest.fixture(scope="module")
def space():
    b = ScopBuilder("rows", ["n"])
    b.array("A", "double[n][n]")
    b.array("s", "double[n]")
    b.statement("i", "0 <= i < n", "s[i] = 0", position=(0, 0))
    b.statement(
        "i, j", "0 <= i < n and 0 <= j < n", "s[i] += A[i][j]", position=(0, 1, 0)
    )
    return build_space(b.build(), seconds=10, policy="parallelism")


@pytest.fixture
def program(space):
    return Program("rows.c", b"", (space.scop,))


def test_variants_follow_the_ranking(space):
    assert [v.id for v in space.variants] == [s.id for s in space.schedules]
    assert space.variant().id == space.best.id
    assert space.variant("original").id == space.original.id


def test_selections_and_loaded_spaces_still_print(space, tmp_path):
    chosen = space.filter("outer_parallel > 0").sample(2)
    assert [v.id for v in chosen.variants] == [s.id for s in chosen]
    assert chosen.options is space.options
    chosen.save(tmp_path / "space.json")
    found = load_space(tmp_path / "space.json", space.scop)
    assert [v.region_text() for v in found.variants] == [
        v.region_text() for v in chosen.variants
    ]
    assert found.options.policy == space.policy


def test_unknown_id_lists_the_known_ones(space):
    with pytest.raises(PolyschedError, match="no schedule starts with 'zz'") as caught:
        space.variant("zz")
    assert space.best.id in caught.value.hint


def test_text_is_printed_again_from_its_own_header(space):
    for variant in space.variants:
        text = variant.region_text()
        header = read_header(text)
        assert header is not None
        tree = ScheduleTree.parse(header.tree)
        assert tree.key == variant.id
        again = print_region(
            None, variant.scop, tree, header.lines, variant.dependences
        )
        assert again.region == text


def test_reason_is_in_the_text(space):
    text = space.variant().because("it is the best").region_text()
    assert "chosen: it is the best" in text


def test_variant_without_a_file_prints_its_region_only(space):
    variant = space.variant()
    assert variant.to_c() == variant.region_text()
    with pytest.raises(PolyschedError, match="nothing to run"):
        tune(space, budget=1)


def test_optimize_needs_a_region(space, program):
    with pytest.raises(CodegenError, match="nothing to replace"):
        optimize(program, [space.variant()])


@pytest.mark.long
def test_candidates_are_ranked_distinct_and_never_the_source_order(space):
    for budget in (1, 2, 3, len(space) - 1, len(space), len(space) + 2):
        chosen = choose_candidates(space, budget)
        ids = [v.id for v in chosen]
        ranked = [s.id for s in space if s.id != space.original.id]
        codes = {_code(v) for v in space.variants if v.id in ranked}
        assert len(ids) == min(budget, len(codes))
        assert len({_code(v) for v in chosen}) == len(ids)
        assert ids == [i for i in ranked if i in ids]


def _code(variant):
    return variant.region_text().partition("*/")[2]


def test_the_same_code_is_measured_once(space, monkeypatch):
    first, second, *_ = [v for v in space.variants if v.id != space.original.id]
    text = first.region_text()
    print_texts = variants.Variant.region_text

    def same(variant):
        return text if variant.id == second.id else print_texts(variant)

    monkeypatch.setattr(variants.Variant, "region_text", same)
    chosen = [v.id for v in choose_candidates(space, len(space))]
    assert first.id in chosen
    assert second.id not in chosen


def test_candidates_reach_other_affine_schedules(space):
    budget = len({s.affine.key for s in space}) * 2
    chosen = choose_candidates(space, budget)
    families = {v.schedule.affine.key for v in chosen}
    plain = space.original
    others = {s.affine.key for s in space if s.id != plain.id}
    assert len(families) >= min(len(others), budget // 3)


def test_first_printable_is_the_best_ranked_when_all_print(space):
    variant, skipped = space.first_printable()
    assert variant.id == space.best.id
    assert skipped == ()


def test_first_printable_is_printed_once_with_its_reason(space, monkeypatch):
    printed = []
    print_once = variants.print_region
    monkeypatch.setattr(
        variants, "print_region", lambda *a: printed.append(a) or print_once(*a)
    )
    variant, _ = space.first_printable(lambda v, n: f"{v.id} after {n}")
    assert f"chosen: {space.best.id} after 0" in variant.to_c()
    assert len(printed) == 1


def test_explanation_names_what_carries_the_sum(space):
    explanation = space.variant("original").explain()
    sequential = [r for r in explanation.loops if not r.parallel]
    assert [r.schedule for r in sequential] == [(("S1", "j"),)]
    data = explanation.to_json()
    assert data["id"] == space.original.id
    assert [row["parallel"] for row in data["loops"]] == [True, False]
    assert "not parallel" in str(explanation)


def test_unknown_policy_lists_the_policies(space):
    with pytest.raises(PolyschedError, match="balanced"):
        build_space(space.scop, policy="fastest")


def test_unknown_parameter_of_a_file_is_refused(program):
    with pytest.raises(PolyschedError, match="no parameter named 'q'"):
        build_space(program, parameters={"q": 3})
